#include "rules/groups/group_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/groups/presence.h"

namespace atalaya::rules {

struct GroupRun::Rule {
  explicit Rule(const GroupSpec& group, const PromRule& rule) : spec(&rule), alerting(rule), voice(group, rule) {}

  const PromRule* spec;
  AlertingRun alerting;
  Voice voice;
  RememberedAlerts remembered;
  std::set<Labels> yielded;  ///< series of the last good evaluation
  PromRuleState state;
};

std::string_view name(Health health) {
  switch (health) {
    case Health::kUnknown: return "unknown";
    case Health::kGood: return "ok";
    case Health::kBad: return "err";
  }
  return "";
}

GroupRun::GroupRun(GroupSpecPtr spec, GroupOptions options) : spec_(std::move(spec)), options_(std::move(options)) {
  for (const auto& rule : spec_->rules) rules_.push_back(std::make_unique<Rule>(*spec_, rule));
}

GroupRun::~GroupRun() = default;
GroupRun::GroupRun(GroupRun&&) noexcept = default;
GroupRun& GroupRun::operator=(GroupRun&&) noexcept = default;

Result<promql::Vector> GroupRun::ask(const storage::SeriesQuerier& store, const promql::Expression& expression, Time at,
                                     const Matchers& restrict) const {
  promql::Annotations notes;  // beside the value: warnings do not fail a rule
  promql::Conditions conditions;
  conditions.annotations = &notes;
  AT_TRY(auto value,
         promql::Engine(store, options_.limits).instant(spec_->tenant, expression, at, restrict, conditions));
  if (auto* vector = std::get_if<promql::Vector>(&value)) return std::move(*vector);
  if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    return promql::Vector{promql::VectorElement{{}, at, scalar->value}};
  }
  return fail(ErrorCode::kUnprocessable, "rule result is not a vector or scalar");
}

Result<std::vector<LabelledSample>> GroupRun::record(const PromRule& rule, const promql::Vector& result) const {
  std::vector<LabelledSample> out;
  std::set<Labels> seen;
  for (const auto& element : result) {
    LabelsBuilder builder(element.labels);
    builder.set(kMetricName, rule.name);
    for (const auto& label : rule.labels) builder.set(label.name, label.text);
    out.push_back({builder.build(), element.time, element.value});
    if (!seen.insert(out.back().labels).second) {
      return fail(ErrorCode::kUnprocessable,
                  "vector contains metrics with the same labelset after applying rule labels");
    }
  }
  if (spec_->limit > 0 && out.size() > spec_->limit) {
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("exceeded limit of {} with {} series", spec_->limit, out.size()));
  }
  return out;
}

RememberedAlerts GroupRun::remembered_of(const PromRule& rule, const storage::SeriesQuerier& store, Time at) const {
  RememberedAlerts out;
  auto selected = store.select(
      spec_->tenant,
      {Matcher::equal(std::string(kMetricName), "ALERTS_FOR_STATE"), Matcher::equal("alertname", rule.name)},
      {at - options_.outage_tolerance, at});
  // Without it `for` counts anew, which is what it does where nothing is remembered.
  if (!selected) return out;
  for (auto& series : *selected) {
    Sample last;
    bool any = false;
    for (Sample sample; series.samples->next(sample);) {
      last = sample;
      any = true;
    }
    if (!any || is_stale(last.value)) continue;
    out[series.labels->without(kMetricName)] = {from_ms(static_cast<std::int64_t>(last.value * 1000)), last.time};
  }
  return out;
}

Judged GroupRun::judged_of(const Rule& rule, const storage::SeriesQuerier& store, Time at) const {
  return [this, &rule, &store, at]() -> Result<std::vector<Labels>> {
    std::vector<Labels> out;
    const auto presence = presence_of(rule.spec->expression);
    if (!presence) return std::vector<Labels>{Labels{}};  // of nothing else than its condition: it is healthy
    AT_TRY(const auto present, ask(store, *presence, at));
    for (const auto& element : present) out.push_back(element.labels.without(kMetricName));
    return out;
  };
}

Status GroupRun::run(Rule& rule, OverlaySeries& store, Time at, bool late, Evaluated& out) {
  const auto& spec = *rule.spec;
  const Time looks_at = at - offset();
  AT_TRY(const auto result, ask(store, *spec.expression, looks_at));
  rule.state.samples = result.size();
  std::vector<LabelledSample> samples;
  if (spec.alerting) {
    const AskSeries ask_series = [&](const std::string& text) -> Result<promql::Vector> {
      AT_TRY(const auto expression, promql::parse(text));
      return ask(store, *expression, looks_at);
    };
    AT_TRY(samples, rule.alerting.take(result, at, offset(), spec_->limit, options_.outside, ask_series,
                                       rule.remembered, options_.for_grace));
    rule.voice.speak(rule.alerting.active(), {at, late}, judged_of(rule, store, looks_at), out.verdicts);
  } else {
    AT_TRY(samples, record(spec, result));
  }
  std::set<Labels> yielded;
  for (auto& sample : samples) {
    store.add(sample.labels, sample.time, sample.value);
    yielded.insert(sample.labels);
    out.samples.push_back(std::move(sample));
  }
  for (const auto& labels : rule.yielded) {
    if (yielded.contains(labels)) continue;
    store.add(labels, looks_at, stale_marker());
    out.samples.push_back({labels, looks_at, stale_marker()});
  }
  rule.yielded = std::move(yielded);
  return {};
}

Evaluated GroupRun::evaluate(const storage::SeriesQuerier& store, Time at, const Clock& clock) {
  Evaluated out;
  OverlaySeries overlay(store);
  const bool late = clock.now() - at > options_.late_after;
  const auto begun = clock.steady();
  const bool restoring = options_.restore && evaluations_ < 2;
  for (auto& rule : rules_) {
    const auto rule_begun = clock.steady();
    if (restoring && !last_evaluation_ && rule->spec->alerting && rule->spec->hold >= options_.for_grace) {
      rule->remembered = remembered_of(*rule->spec, store, at);
    }
    const auto ran = run(*rule, overlay, at, late, out);
    auto& state = rule->state;
    state.health = ran ? Health::kGood : Health::kBad;
    state.last_error = ran ? "" : ran.error().message;
    state.last_evaluation = at;
    state.evaluation_seconds = std::chrono::duration<double>(clock.steady() - rule_begun).count();
    // A store that is still reading what was before is no fault of the rule.
    const bool waits = !ran && ran.error().code == ErrorCode::kUnavailable;
    if (rule->spec->alerting && !waits) rule->voice.trouble(state.last_error, {at, late}, out.verdicts);
  }
  for (const auto& labels : std::exchange(ended_, {})) out.samples.push_back({labels, at - offset(), stale_marker()});
  evaluation_seconds_ = std::chrono::duration<double>(clock.steady() - begun).count();
  last_evaluation_ = at;
  if (restoring && !late && ++evaluations_ == 2) {
    for (auto& rule : rules_) rule->remembered.clear();
  }
  return out;
}

Early GroupRun::evaluate_early(const storage::SeriesQuerier& store, std::size_t index, const Matchers& restrict,
                               Time at, const Clock& clock) {
  Early out;
  auto& rule = *rules_.at(index);
  // What is restored waits for the ticks that look it up.
  if (options_.restore && evaluations_ < 2 && rule.spec->hold >= options_.for_grace) return out;
  // Never behind what a tick has decided.
  out.too_soon = last_evaluation_ && at <= *last_evaluation_;
  if (out.too_soon) return out;
  const auto result = ask(store, *rule.spec->expression, at - offset(), restrict);
  if (!result || result->empty()) return out;
  const AskSeries ask_series = [&](const std::string& text) -> Result<promql::Vector> {
    AT_TRY(const auto expression, promql::parse(text));
    return ask(store, *expression, at - offset());
  };
  const auto news = rule.alerting.take_early(*result, at, spec_->limit, options_.outside, ask_series);
  if (!news) return out;
  out.quiet_until = news->quiet_until;
  if (!news->any) return out;
  const bool late = clock.now() - at > options_.late_after;
  rule.voice.speak(rule.alerting.active(), {at, late}, nullptr, out.verdicts);
  return out;
}

std::vector<Verdict> GroupRun::take_over(const GroupRun& before, Time now) {
  std::vector<Verdict> out;
  std::set<const Rule*> taken;
  std::set<std::string> ids;
  ended_ = before.ended_;
  evaluations_ = before.evaluations_;
  options_.restore = before.options_.restore;
  last_evaluation_ = before.last_evaluation_;
  evaluation_seconds_ = before.evaluation_seconds_;
  for (auto& rule : rules_) {
    ids.insert(rule->spec->id);
    const auto labels = rule->spec->label_set();
    for (const auto& old : before.rules_) {
      if (taken.contains(old.get()) || old->spec->alerting != rule->spec->alerting) continue;
      if (old->spec->name != rule->spec->name || old->spec->label_set() != labels) continue;
      taken.insert(old.get());
      rule->alerting.take_over(old->alerting);
      rule->remembered = old->remembered;
      rule->yielded = old->yielded;
      rule->state = old->state;
      break;
    }
    // Our alerts belong to the rule's id, whatever its labels are now.
    for (const auto& old : before.rules_) {
      if (old->spec->id == rule->spec->id) rule->voice.take_over(old->voice);
    }
  }
  for (const auto& old : before.rules_) {
    if (!taken.contains(old.get())) ended_.insert(old->yielded.begin(), old->yielded.end());
    if (!ids.contains(old->spec->id)) Voice(old->voice).close({now, false}, out);
  }
  for (const auto& rule : rules_) {
    for (const auto& labels : rule->yielded) ended_.erase(labels);
  }
  return out;
}

Evaluated GroupRun::end(Time now) const {
  Evaluated out;
  auto series = ended_;
  for (const auto& rule : rules_) {
    series.insert(rule->yielded.begin(), rule->yielded.end());
    Voice(rule->voice).close({now, false}, out.verdicts);
  }
  for (const auto& labels : series) out.samples.push_back({labels, now - offset(), stale_marker()});
  return out;
}

bool GroupRun::remember(const std::string& id, const Labels& labels, Level level, bool fired) {
  for (auto& rule : rules_) {
    if (rule->spec->id != id || !rule->spec->alerting) continue;
    rule->voice.remember(labels, level, fired);
    return true;
  }
  return false;
}

void GroupRun::forget(const Matchers& matchers) {
  for (auto& rule : rules_) rule->voice.forget(matchers);
}

GroupState GroupRun::state() const {
  GroupState out{spec_, interval(), evaluation_seconds_, last_evaluation_, {}};
  for (const auto& rule : rules_) {
    out.rules.push_back(rule->state);
    auto& state = out.rules.back();
    state.state = rule->alerting.state();
    for (const auto* alert : rule->alerting.active()) state.alerts.push_back(*alert);
  }
  return out;
}

std::vector<const ActiveAlert*> GroupRun::firing(std::string_view alertname) const {
  std::vector<const ActiveAlert*> out;
  for (const auto& rule : rules_) {
    if (!rule->spec->alerting || rule->spec->name != alertname) continue;
    for (const auto* alert : rule->alerting.active()) {
      if (alert->state == AlertState::kFiring) out.push_back(alert);
    }
  }
  return out;
}

}  // namespace atalaya::rules
