#include "rules/groups/voice.h"

#include <fmt/format.h>

#include <algorithm>

namespace atalaya::rules {
namespace {

constexpr Duration kRefresh = std::chrono::seconds{15};

/// One line that people read first.
std::string text_of(const ActiveAlert& alert) {
  for (const auto* name : {"summary", "title", "message", "description"}) {
    if (const auto it = alert.annotations.find(name); it != alert.annotations.end() && !it->second.empty()) {
      return it->second.substr(0, it->second.find('\n'));
    }
  }
  return fmt::format("the result is {:.6g}", alert.value);
}

}  // namespace

Voice::Voice(const GroupSpec& group, const PromRule& rule) {
  blank_.tenant = group.tenant;
  blank_.rule = rule.id;
  blank_.expr = rule.expr;
  blank_.for_duration = rule.hold;
  for (const auto& label : rule.labels) own_.insert(label.name);
  own_.insert("alertname");
}

/// Is the alert what the rule would make of this label set?
bool Voice::is_about(const Labels& alert, const Labels& result) const {
  for (const auto& [name, value] : result) {
    if (alert.get(name) != value && !own_.contains(name)) return false;
  }
  return true;
}

Verdict Voice::about(const Labels& labels, Level level, Moment moment, std::string text) const {
  auto out = blank_;
  out.labels = labels;
  out.level = level;
  out.at = out.since = moment.at;
  out.late = moment.late;
  out.text = std::move(text);
  return out;
}

Verdict Voice::verdict_on(const ActiveAlert& alert, Moment moment) const {
  auto out = about(alert.labels, level_of(alert.labels), moment, text_of(alert));
  out.since = alert.active_at;
  out.sustained = alert.state == AlertState::kFiring;
  out.value = alert.value;
  out.annotations = alert.annotations;
  return out;
}

void Voice::speak(const std::vector<const ActiveAlert*>& active, Moment moment, const Judged& judged,
                  std::vector<Verdict>& out) {
  std::map<Labels, const ActiveAlert*> now;
  for (const auto* alert : active) {
    now.emplace(alert->labels, alert);
    auto verdict = verdict_on(*alert, moment);
    auto& said = said_[alert->labels];
    const bool same = said.at && said.level == verdict.level && said.sustained == verdict.sustained;
    if (same && moment.at - *said.at < kRefresh && moment.at >= *said.at) continue;
    said = {verdict.level, verdict.sustained, said.fired || verdict.sustained, moment.at};
    out.push_back(std::move(verdict));
  }
  if (!judged) return;
  std::optional<std::vector<Labels>> healthy;
  for (auto it = said_.begin(); it != said_.end();) {
    const auto& [labels, said] = *it;
    if (now.contains(labels)) {
      ++it;
      continue;
    }
    if (said.fired && !healthy) {
      auto sets = judged();
      if (!sets) return;
      healthy = std::move(*sets);
    }
    const bool ends =
        !said.fired || std::ranges::any_of(*healthy, [&](const auto& set) { return is_about(labels, set); });
    if (ends) {
      out.push_back(about(labels, Level::kOk, moment, "the condition holds no longer"));
      it = said_.erase(it);
      continue;
    }
    if (said.level != Level::kNoData) {
      out.push_back(about(labels, Level::kNoData, moment, "no data: what the rule reads has no samples"));
      it->second.level = Level::kNoData;
    }
    ++it;
  }
}

void Voice::trouble(const std::string& error, Moment moment, std::vector<Verdict>& out) {
  if (error.empty() && !in_trouble_) return;
  if (!error.empty() && in_trouble_) return;
  in_trouble_ = !error.empty();
  out.push_back(about(Labels{{"alertname", kRuleErrorName}, {"rule", blank_.rule}},
                      in_trouble_ ? Level::kError : Level::kOk, moment,
                      in_trouble_ ? "the rule cannot be evaluated: " + error : "the rule can be evaluated again"));
}

void Voice::close(Moment moment, std::vector<Verdict>& out) {
  for (const auto& [labels, said] : said_) {
    out.push_back(about(labels, Level::kOk, moment, "rule removed"));
    out.back().removed = true;
  }
  said_.clear();
  trouble("", moment, out);
}

void Voice::forget(const Matchers& matchers) {
  std::erase_if(said_, [&](const auto& one) { return matches(matchers, one.first); });
}

void Voice::remember(const Labels& labels, Level level, bool fired) {
  if (labels.get("alertname") == kRuleErrorName && labels.get("rule") == blank_.rule) {
    in_trouble_ = true;
    return;
  }
  said_[labels] = {level, fired, fired, std::nullopt};
}

}  // namespace atalaya::rules
