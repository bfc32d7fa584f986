#include "rules/groups/alerting.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace atalaya::rules {
namespace {

/// What has ended is shown to whoever is told of alerts this long; it also says that `for` begins anew.
constexpr Duration kKeepResolved = std::chrono::minutes{15};

Labels labels_of(const PromRule& rule, const Labels& result, const Expander& expander) {
  LabelsBuilder builder(result);
  builder.erase(kMetricName);
  for (const auto& label : rule.labels) builder.set(label.name, expander.expand(label));
  builder.set("alertname", rule.name);
  return builder.build();
}

/// Prometheus' times of `for` are whole seconds in ALERTS_FOR_STATE.
double whole_seconds(Time time) { return std::floor(to_seconds(time)); }

}  // namespace

std::string_view name(AlertState state) {
  switch (state) {
    case AlertState::kInactive: return "inactive";
    case AlertState::kPending: return "pending";
    case AlertState::kFiring: return "firing";
  }
  return "";
}

Result<std::map<Labels, ActiveAlert>> AlertingRun::alerts_of(const promql::Vector& result, Time at,
                                                             const Outside& outside, const AskSeries& ask) const {
  std::map<Labels, ActiveAlert> out;
  for (const auto& element : result) {
    const Expander expander(outside, ask, at, element.labels, element.value);
    ActiveAlert alert;
    alert.labels = labels_of(*rule_, element.labels, expander);
    for (const auto& annotation : rule_->annotations) alert.annotations[annotation.name] = expander.expand(annotation);
    alert.value = element.value;
    alert.active_at = at;
    if (!out.emplace(alert.labels, alert).second) {
      return fail(ErrorCode::kUnprocessable,
                  "vector contains metrics with the same labelset after applying alert labels");
    }
  }
  return out;
}

void AlertingRun::restore(ActiveAlert& alert, Time at, const RememberedAlerts& remembered, Duration grace) const {
  if (rule_->hold < grace) return;  // it waits no longer than the grace anyway
  const auto it = remembered.find(alert.labels);
  if (it == remembered.end()) return;
  const auto& [begun, last_seen] = it->second;
  const auto left = rule_->hold - (last_seen - begun);
  if (left <= Duration{0}) {
    alert.active_at = begun;  // it was firing
  } else if (left < grace) {
    alert.active_at = at + grace - rule_->hold;
  } else {
    alert.active_at = begun + (at - last_seen);  // the time away does not count
  }
}

Result<std::vector<LabelledSample>> AlertingRun::take(const promql::Vector& result, Time at, Duration offset,
                                                      std::size_t limit, const Outside& outside, const AskSeries& ask,
                                                      const RememberedAlerts& remembered, Duration grace) {
  AT_TRY(auto alerts, alerts_of(result, at, outside, ask));
  for (auto& [labels, alert] : alerts) {
    const auto it = active_.find(labels);
    if (it != active_.end() && it->second.state != AlertState::kInactive) {
      it->second.value = alert.value;
      it->second.annotations = alert.annotations;
      continue;
    }
    restore(alert, at, remembered, grace);
    active_.insert_or_assign(labels, alert);
  }

  std::vector<LabelledSample> out;
  std::size_t count = 0;
  for (auto it = active_.begin(); it != active_.end();) {
    auto& alert = it->second;
    if (!alerts.contains(it->first)) {
      bool goes_on = false;
      if (alert.state == AlertState::kFiring && rule_->keep_firing_for > Duration{0}) {
        if (!alert.keep_firing_since) alert.keep_firing_since = at;
        goes_on = at - *alert.keep_firing_since < rule_->keep_firing_for;
      }
      if (alert.state == AlertState::kPending || (alert.resolved_at && at - *alert.resolved_at > kKeepResolved)) {
        it = active_.erase(it);
        continue;
      }
      if (alert.state != AlertState::kInactive && !goes_on) {
        alert.state = AlertState::kInactive;
        alert.resolved_at = at;
      }
      if (!goes_on) {
        ++it;
        continue;
      }
    } else {
      alert.keep_firing_since.reset();
    }
    ++count;
    if (alert.state == AlertState::kPending && at - alert.active_at >= rule_->hold) {
      alert.state = AlertState::kFiring;
      alert.fired_at = at;
    }
    LabelsBuilder builder(alert.labels);
    builder.set("alertname", rule_->name);
    out.push_back({builder.set(kMetricName, "ALERTS_FOR_STATE").build(), at - offset, whole_seconds(alert.active_at)});
    builder.set(kMetricName, "ALERTS").set("alertstate", name(alert.state));
    out.push_back({builder.build(), at - offset, 1});
    ++it;
  }
  if (limit > 0 && count > limit) {
    active_.clear();
    return fail(ErrorCode::kResourceExhausted, fmt::format("exceeded limit of {} with {} alerts", limit, count));
  }
  return out;
}

bool AlertingRun::is_active(const Labels& labels) const {
  const auto it = active_.find(labels);
  return it != active_.end() && it->second.state != AlertState::kInactive;
}

Result<EarlyNews> AlertingRun::take_early(const promql::Vector& result, Time at, std::size_t limit,
                                          const Outside& outside, const AskSeries& ask) {
  AT_TRY(auto alerts, alerts_of(result, at, outside, ask));
  const auto begin = std::ranges::count_if(alerts, [&](const auto& one) { return !is_active(one.first); });
  EarlyNews out;
  if (limit > 0 && active().size() + static_cast<std::size_t>(begin) > limit) return out;
  // A label made of a value names another alert with the next one.
  const bool keeps_names =
      std::ranges::none_of(rule_->labels, [](const auto& label) { return label.text.find("{{") != std::string::npos; });
  out.quiet_until = keeps_names && !alerts.empty() ? kMaxTime : kMinTime;
  for (auto& [labels, alert] : alerts) {
    auto it = active_.find(labels);
    if (it == active_.end() || it->second.state == AlertState::kInactive) {
      it = active_.insert_or_assign(labels, alert).first;
      out.any = true;
    }
    auto& known = it->second;
    if (known.state == AlertState::kPending && at - known.active_at >= rule_->hold) {
      known.state = AlertState::kFiring;
      known.fired_at = at;
      known.value = alert.value;
      known.annotations = alert.annotations;
      out.any = true;
    }
    if (known.state == AlertState::kPending) out.quiet_until = std::min(out.quiet_until, known.active_at + rule_->hold);
  }
  return out;
}

std::vector<const ActiveAlert*> AlertingRun::active() const {
  std::vector<const ActiveAlert*> out;
  for (const auto& [labels, alert] : active_) {
    if (alert.state != AlertState::kInactive) out.push_back(&alert);
  }
  return out;
}

AlertState AlertingRun::state() const {
  auto worst = AlertState::kInactive;
  for (const auto& [labels, alert] : active_) worst = std::max(worst, alert.state);
  return worst;
}

}  // namespace atalaya::rules
