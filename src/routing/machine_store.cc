// The machine's state as rows and views.

#include <algorithm>

#include "routing/machine_impl.h"

namespace atalaya::routing {

bool Changes::empty() const {
  return alerts.empty() && gone_alerts.empty() && groups.empty() && gone_groups.empty() && log.empty() &&
         gone_log.empty() && !flushes;
}

Machine::Impl::LogKey Machine::Impl::log_key(const Group& group, std::size_t index) const {
  const auto& integration = integrations_of(group)[index];
  return {group.key(), {group.route->options.receiver, integration.type, integration.index}};
}

/// A new group goes on with what was told of its like.
void Machine::Impl::adopt_logs(Group& group) {
  group.logs.resize(integrations_of(group).size());
  if (orphans_.empty()) return;
  for (std::size_t i = 0; i < group.logs.size(); ++i) {
    const auto orphan = orphans_.find(log_key(group, i));
    if (orphan == orphans_.end()) continue;
    const auto expires = orphan->second.expires;
    const bool holds = loaded_ ? expires == kMaxTime : expires > now_;
    if (holds) group.logs[i] = std::move(orphan->second.log);
    orphans_.erase(orphan);
    left_logs_.insert(log_key(group, i));
    if (!holds) continue;
    if (group.logs[i].pending) awaited_[group.logs[i].pending->flush] = {group.order, *group.labels};
    changed_log(group, i);
  }
}

void Machine::Impl::orphan_logs(Group& group, Time now) {
  for (std::size_t i = 0; i < group.logs.size(); ++i) {
    auto& log = group.logs[i];
    auto key = log_key(group, i);
    changed_logs_.erase({{group.order, *group.labels}, i});
    left_logs_.insert(key);
    if (log.pending) awaited_.erase(log.pending->flush);
    if (!log.told && !log.pending) continue;
    const auto expires = plus(std::max(log.at, now), log_lifetime(group.route->options));
    orphans_.insert_or_assign(std::move(key), Orphan{std::move(log), expires});
  }
  group.logs.clear();
}

AlertRow Machine::Impl::row_of(const AlertState& state) const {
  AlertRow row{state.alert, {}};
  for (const auto& place : state.places) {
    row.groups.push_back({place.group->id(), place.left, place.heard, place.flushed_end});
  }
  std::sort(row.groups.begin(), row.groups.end(),
            [](const Membership& a, const Membership& b) { return a.group < b.group; });
  return row;
}

GroupRow Machine::Impl::row_of(const Group& group) const {
  return {group.id(), group.route->id, *group.labels, group.next_flush, group.flushed, group.dirty};
}

LogRow Machine::Impl::row_of(const LogKey& key, const TargetLog& log, Time expires) const {
  LogRow row{key.first, key.second, log.told, log.at, log.sets, std::nullopt, expires};
  if (log.pending) row.pending = *log.pending;
  return row;
}

void Machine::Impl::take_changed_groups(Changes& out) {
  for (const auto& key : std::exchange(changed_groups_, {})) {
    const auto found = groups_.find(key);
    if (found == groups_.end()) continue;
    out.groups.push_back(row_of(found->second));
    left_groups_.erase(out.groups.back().id);
  }
  for (const auto& id : std::exchange(left_groups_, {})) out.gone_groups.push_back(id);
}

void Machine::Impl::take_changed_logs(Changes& out) {
  for (const auto& [group_key, index] : std::exchange(changed_logs_, {})) {
    const auto found = groups_.find(group_key);
    if (found == groups_.end() || index >= found->second.logs.size()) continue;
    const auto key = log_key(found->second, index);
    out.log.push_back(row_of(key, found->second.logs[index], kMaxTime));
    left_logs_.erase(key);
  }
  for (const auto& key : std::exchange(left_logs_, {})) {
    if (const auto orphan = orphans_.find(key); orphan != orphans_.end()) {
      out.log.push_back(row_of(key, orphan->second.log, orphan->second.expires));
    } else {
      out.gone_log.push_back(key);
    }
  }
}

Changes Machine::Impl::take_changes() {
  Changes out;
  for (const auto& labels : std::exchange(changed_alerts_, {})) {
    if (const auto found = alerts_.find(labels); found != alerts_.end()) {
      out.alerts.push_back(row_of(found->second));
    } else {
      out.gone_alerts.push_back(labels);
    }
  }
  take_changed_groups(out);
  take_changed_logs(out);
  if (std::exchange(flushes_changed_, false)) out.flushes = flushes_;
  return out;
}

std::optional<AlertRow> Machine::Impl::alert_row(const Labels& labels) const {
  const auto found = alerts_.find(labels);
  if (found == alerts_.end()) return std::nullopt;
  return row_of(found->second);
}

std::optional<GroupRow> Machine::Impl::group_row(const std::string& route, const Labels& labels) const {
  const auto numbered = std::ranges::find(route_order_, route, [](const auto& one) { return one.first->id; });
  if (numbered == route_order_.end()) return std::nullopt;
  const auto found = groups_.find({numbered->second, labels});
  if (found == groups_.end()) return std::nullopt;
  return row_of(found->second);
}

State Machine::Impl::state() const {
  State out;
  for (const auto& [labels, alert] : alerts_) out.alerts.push_back(row_of(alert));
  std::sort(out.alerts.begin(), out.alerts.end(),
            [](const AlertRow& a, const AlertRow& b) { return a.alert.labels < b.alert.labels; });
  for (const auto& [key, group] : groups_) {
    out.groups.push_back(row_of(group));
    for (std::size_t i = 0; i < group.logs.size(); ++i) {
      if (!group.logs[i].told && !group.logs[i].pending) continue;
      out.log.push_back(row_of(log_key(group, i), group.logs[i], kMaxTime));
    }
  }
  for (const auto& [key, orphan] : orphans_) out.log.push_back(row_of(key, orphan.log, orphan.expires));
  out.flushes = flushes_;
  return out;
}

void Machine::Impl::restore_alert(const AlertRow& row, const std::map<std::string, Group*>& by_id) {
  auto& state = alerts_[row.alert.labels];
  state.alert = row.alert;
  state.see();
  inhibition_->put(state.alert, state.seen());
  for (const auto& membership : row.groups) {
    const auto found = by_id.find(membership.group);
    if (found == by_id.end()) {
      state.was_routed = state.was_routed || !membership.left;
      continue;
    }
    auto& group = *found->second;
    add_member(group, state);
    state.places.back().left = membership.left;
    state.places.back().heard = membership.heard;
    state.places.back().flushed_end = membership.flushed_end;
    if (membership.left) continue;
    group.earliest_end = std::min(group.earliest_end, row.alert.ends_at);
    group.inhibitable = group.inhibitable || inhibition_->is_target(state.seen());
  }
}

void Machine::Impl::restore(const State& state, std::vector<Silence> silences) {
  loaded_ = true;
  silences_ = std::move(silences);
  flushes_ = state.flushes;
  for (const auto& row : state.log) {
    TargetLog log{row.told, row.at, row.sets, nullptr};
    if (row.pending) log.pending = std::make_unique<LogRow::Pending>(*row.pending);
    orphans_.insert_or_assign({row.group, row.target}, Orphan{std::move(log), row.expires});
  }
  std::map<std::string, const Route*> routes;
  for (const auto& [route, order] : route_order_) routes.emplace(route->id, route);
  std::map<std::string, Group*> by_id;
  for (const auto& row : state.groups) {
    const auto route = routes.find(row.route);
    if (route == routes.end()) {
      left_groups_.insert(row.id);
      continue;
    }
    // The row's labels are group labels already: grouping them again changes nothing.
    auto& group = group_for(*route->second, row.labels, kMinTime);
    group.next_flush = row.next_flush;
    group.flushed = row.flushed;
    group.dirty = row.dirty;
    by_id.emplace(row.id, &group);
  }
  for (const auto& row : state.alerts) restore_alert(row, by_id);
  // What was adopted is stored as it is.
  changed_logs_.clear();
  left_logs_.clear();
  for (auto& [key, group] : groups_) schedule(group);
}

const Alert* Machine::Impl::find(const Labels& labels) const {
  const auto found = alerts_.find(labels);
  return found == alerts_.end() ? nullptr : &found->second.alert;
}

std::vector<const Alert*> Machine::Impl::alerts() const {
  std::vector<const Alert*> out;
  for (const auto& [labels, state] : alerts_) out.push_back(&state.alert);
  std::sort(out.begin(), out.end(), [](const Alert* a, const Alert* b) { return a->labels < b->labels; });
  return out;
}

MuteState Machine::Impl::mutes(const Alert& alert, Time now) const {
  MuteState out;
  const auto seen = seen_labels(alert);
  for (const auto& silence : silences_) {
    if (silence.active_at(now) && silence.hides(seen)) out.silences.push_back(silence.id);
  }
  out.inhibited_by = inhibition_->sources_of(seen, now);
  // One route that tells is enough.
  std::vector<std::string> intervals;
  for (const auto* route : match(config_->root, seen)) {
    const auto muting = muting_intervals(*config_, route->options, now);
    if (muting.empty()) return out;
    intervals.insert(intervals.end(), muting.begin(), muting.end());
  }
  out.intervals = std::move(intervals);
  return out;
}

std::vector<GroupView> Machine::Impl::groups() const {
  std::vector<GroupView> out;
  for (const auto& [key, group] : groups_) {
    GroupView view{group.id(), group.key(), group.route, *group.labels, {}, group.next_flush};
    for (const auto* state : group.members) view.alerts.push_back(&state->alert);
    std::sort(view.alerts.begin(), view.alerts.end(),
              [](const Alert* a, const Alert* b) { return a->labels < b->labels; });
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace atalaya::routing
