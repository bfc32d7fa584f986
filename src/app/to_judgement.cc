#include "app/to_judgement.h"

#include <utility>

namespace atalaya::app {

static_assert(static_cast<int>(alerts::Level::kError) == static_cast<int>(rules::Level::kError) &&
              static_cast<int>(alerts::Level::kNoData) == static_cast<int>(rules::Level::kNoData) &&
              static_cast<int>(alerts::Kind::kTailable) == static_cast<int>(rules::Kind::kTailable));

alerts::Judgement to_judgement(rules::Verdict verdict) {
  alerts::Judgement out;
  out.rule = std::move(verdict.rule);
  out.expr = std::move(verdict.expr);
  out.kind = static_cast<alerts::Kind>(verdict.kind);
  out.labels = std::move(verdict.labels);
  out.level = static_cast<alerts::Level>(verdict.level);
  out.hold = verdict.for_duration;
  out.at = verdict.at;
  out.sustained = verdict.sustained;
  out.late = verdict.late;
  out.value = verdict.value;
  out.text = std::move(verdict.text);
  out.annotations = std::move(verdict.annotations);
  out.identity = std::move(verdict.identity);
  out.judged_with = std::move(verdict.judged_with);
  if (!verdict.title.empty()) out.annotations.try_emplace("title", std::move(verdict.title));
  return out;
}

rules::OpenAlert to_open(const alerts::OpenAlert& alert) {
  rules::OpenAlert out;
  out.tenant = alert.tenant;
  out.rule = alert.rule;
  out.labels = alert.labels;
  out.level = static_cast<rules::Level>(alert.level);
  out.at = alert.started;
  out.since = alert.started;
  out.sustained = alert.state != alerts::State::kPending;
  out.value = alert.value;
  return out;
}

}  // namespace atalaya::app
