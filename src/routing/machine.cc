#include "routing/machine.h"

#include <algorithm>

#include "base/check.h"
#include "routing/machine_impl.h"

namespace atalaya::routing {
namespace {

/// Alerts that are over are known this long, so that a late word about them is merged, not new.
constexpr Duration kKeepEnded = std::chrono::minutes{30};

/// Where a group without an interval must look at things that change by themselves.
constexpr Duration kLook = std::chrono::minutes{1};

}  // namespace

Time plus(Time time, Duration duration) {
  return time > kMaxTime - std::max(duration, Duration{0}) ? kMaxTime : time + duration;
}

AlertState::Place* AlertState::place_in(const Group& group) {
  for (auto& place : places) {
    if (place.group == &group) return &place;
  }
  return nullptr;
}

void AlertState::see() {
  auto seen = seen_labels(alert);
  seen_otherwise = seen == alert.labels ? nullptr : std::make_unique<const Labels>(std::move(seen));
}

std::uint64_t log_hash(const Labels& labels, const Heard& heard) {
  constexpr std::uint64_t kNoData = 0x9e3779b97f4a7c15;
  auto out = labels.hash();
  if (!heard.severity.empty()) out ^= std::hash<Labels>{}(Labels{{"severity", heard.severity}}) * 31;
  return heard.no_data ? out ^ kNoData : out;
}

Duration log_lifetime(const RouteOptions& options) {
  constexpr Duration kLongest = std::chrono::hours{120};
  return options.repeat_interval > kLongest / 2 ? kLongest : 2 * options.repeat_interval;
}

Machine::Impl::Impl(ConfigPtr config) { set_config(std::move(config)); }

void Machine::Impl::set_config(ConfigPtr config) {
  config_ = std::move(config);
  route_order_.clear();
  number_routes(config_->root);
  inhibition_ = std::make_unique<Inhibition>(config_->inhibit_rules);
}

void Machine::Impl::number_routes(const Route& route) {
  route_order_.emplace(&route, route_order_.size());
  for (const auto& child : route.routes) number_routes(child);
}

void Machine::Impl::begin(Time now) {
  if (std::exchange(loaded_, false)) {
    // Silences, sources and intervals may have come to an end while nobody ran. A flush that was
    // missed keeps its time.
    plan_silences(now);
    for (auto& [key, group] : groups_) {
      if (!group.dirty) look_at(group, now);
      schedule(group);
    }
  }
  if (now >= now_) {
    now_ = now;
    return;
  }
  now_ = now;
  for (auto& [key, group] : groups_) {
    const auto& options = group.route->options;
    group.next_flush = std::min(group.next_flush, plus(now, std::max(options.group_wait, options.group_interval)));
    for (std::size_t i = 0; i < group.logs.size(); ++i) {
      auto& log = group.logs[i];
      log.at = std::min(log.at, now);
      if (log.pending) log.pending->deadline = std::min(log.pending->deadline, plus(now, answer_time(group)));
      changed_log(group, i);
    }
    changed(group);
  }
  wake_all();
  plan_silences(now);
  next_collection_ = kMinTime;
}

void Machine::Impl::take(const Alert& given, Time now) {
  auto [found, is_new] = alerts_.try_emplace(given.labels);
  auto& state = found->second;
  const bool fired = !is_new && state.alert.firing_at(now);
  const auto before = state.heard();
  if (!is_new) inhibition_->erase(state.alert.labels, state.seen());
  state.alert = is_new ? given : merged(state.alert, given);
  const auto seen_before = state.seen();
  state.see();
  const bool seen_changed = is_new || state.seen() != seen_before;
  inhibition_->put(state.alert, state.seen());
  changed(state);
  const bool fires = state.alert.firing_at(now);
  if (fires && (!fired || seen_changed)) return put_into_groups(state, before, now);
  for (auto& place : state.places) {
    if (place.left) continue;
    place.flushed_end = false;
    auto& group = *place.group;
    if (fires) group.earliest_end = std::min(group.earliest_end, state.alert.ends_at);
    if (!fires || state.heard() != before) arm(group, now);
    schedule(group);
  }
}

std::vector<const Route*> Machine::Impl::routes_for(const Labels& seen) const {
  auto routes = match(config_->root, seen);
  // Routes with the same key and receiver share one log: the second would tell nothing, or all twice.
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const auto same = [&](const Route* other) {
      return other->key == routes[i]->key && other->options.receiver == routes[i]->options.receiver;
    };
    routes.erase(std::remove_if(routes.begin() + static_cast<std::ptrdiff_t>(i) + 1, routes.end(), same), routes.end());
  }
  return routes;
}

void Machine::Impl::put_into_groups(AlertState& state, const Heard& before, Time now) {
  const auto routes = routes_for(state.seen());
  leave_others(state, routes, before, now);
  for (const auto* route : routes) join(state, *route, now);
  changed(state);
}

void Machine::Impl::join(AlertState& state, const Route& route, Time now) {
  auto& group = group_for(route, state.seen(), now);
  if (auto* place = state.place_in(group)) {
    place->left.reset();
    place->flushed_end = false;
  } else {
    add_member(group, state);
  }
  group.earliest_end = std::min(group.earliest_end, state.alert.ends_at);
  group.inhibitable = group.inhibitable || inhibition_->is_target(state.seen());
  if (!group.flushed && plus(state.alert.starts_at, route.options.group_wait) < now) group.next_flush = now;
  arm(group, now);
  schedule(group);
}

void Machine::Impl::leave_others(AlertState& state, const std::vector<const Route*>& routes, const Heard& before,
                                 Time now) {
  for (auto& place : state.places) {
    auto& group = *place.group;
    const bool stays = std::find(routes.begin(), routes.end(), group.route) != routes.end() &&
                       group_labels(group.route->options, state.seen()) == *group.labels;
    if (stays || place.left) continue;
    place.left = now;
    place.heard = before;
    place.flushed_end = false;
    arm(group, now);
    schedule(group);
  }
}

Group& Machine::Impl::group_for(const Route& route, const Labels& seen, Time now) {
  auto labels = group_labels(route.options, seen);
  const auto order = route_order_.at(&route);
  const auto [found, is_new] = groups_.try_emplace({order, labels});
  auto& group = found->second;
  if (!is_new) return group;
  group.route = &route;
  group.order = order;
  group.labels = &found->first.second;
  group.next_flush = plus(now, route.options.group_wait);
  adopt_logs(group);
  return group;
}

void Machine::Impl::add_member(Group& group, AlertState& state) {
  state.places.push_back({&group, group.members.size(), std::nullopt, {}, false});
  group.members.push_back(&state);
}

void Machine::Impl::remove_member(Group& group, AlertState& state) {
  auto* place = state.place_in(group);
  AT_CHECK(place != nullptr);
  auto* last = group.members.back();
  group.members[place->index] = last;
  last->place_in(group)->index = place->index;
  group.members.pop_back();
  state.places.erase(state.places.begin() + (place - state.places.data()));
  changed(state);
}

void Machine::Impl::erase_group(Group& group, Time now) {
  queue_.erase(&group);
  orphan_logs(group, now);
  left_groups_.insert(group.id());
  changed_groups_.erase({group.order, *group.labels});
  groups_.erase({group.order, *group.labels});
}

/// The group's first flush at or after that time: its flushes are group_interval apart.
Time Machine::Impl::flush_not_before(const Group& group, Time time) const {
  if (time <= group.next_flush) return group.next_flush;
  const auto interval = interval_of(group);
  if (interval == Duration{0}) return time;
  const auto steps = (time - group.next_flush + interval - Duration{1}) / interval;
  return plus(group.next_flush, steps * interval);
}

Duration Machine::Impl::interval_of(const Group& group) const {
  const auto given = group.route->options.group_interval;
  return given == Duration{0} && watches_always(group) ? kLook : given;
}

void Machine::Impl::look_at(Group& group, Time now) {
  group.look = true;
  if (!group.flushed) return;
  group.next_flush = group.route->options.group_interval == Duration{0} ? now : flush_not_before(group, now);
}

void Machine::Impl::arm(Group& group, Time now) {
  look_at(group, now);
  group.dirty = true;
  changed(group);
}

bool Machine::Impl::watches_always(const Group& group) const {
  const auto& options = group.route->options;
  return group.inhibitable || silences_recur_ || !options.mute_time_intervals.empty() ||
         !options.active_time_intervals.empty();
}

/// Only flushes that could tell something are in the queue: what may have changed since the last one
/// is an alert, the end of one, a repeat that is due, an answer that did not come.
void Machine::Impl::schedule(Group& group) {
  auto due = kMaxTime;
  if (!group.flushed || group.dirty || group.look || watches_always(group)) {
    due = group.next_flush;
  } else {
    due = group.earliest_end;
    for (const auto& log : group.logs) {
      if (log.pending) {
        due = std::min(due, log.pending->deadline);
      } else if (log.told && !log.sets.firing.empty()) {
        due = std::min(due, plus(log.at, group.route->options.repeat_interval));
      }
    }
    const bool no_interval = interval_of(group) == Duration{0};
    if (due != kMaxTime && !no_interval) due = flush_not_before(group, due);
    // What is due and hidden stays due.
    if (no_interval && due <= group.last_flush) due = plus(group.last_flush, kLook);
  }
  if (due == group.due) return;
  queue_.erase(&group);
  group.due = due;
  if (due != kMaxTime) queue_.insert(&group);
}

void Machine::Impl::wake_all() {
  for (auto& [key, group] : groups_) {
    look_at(group, now_);
    schedule(group);
  }
}

/// Groups are looked at again when a silence begins or ends.
void Machine::Impl::plan_silences(Time now) {
  next_silence_edge_.reset();
  silences_recur_ = false;
  for (const auto& silence : silences_) {
    if (silence.ends_at > now && !silence.windows.empty()) silences_recur_ = true;
    for (const auto edge : {silence.starts_at, silence.ends_at}) {
      if (edge > now && edge != kMaxTime && (!next_silence_edge_ || edge < *next_silence_edge_)) {
        next_silence_edge_ = edge;
      }
    }
  }
}

void Machine::Impl::set_silences(std::vector<Silence> silences, Time now) {
  silences_ = std::move(silences);
  plan_silences(now);
  wake_all();
}

void Machine::Impl::run(Time now, bool until) {
  const auto is_due = [&](Time time) { return until ? time <= now : time < now; };
  while (true) {
    const auto group_due = queue_.empty() ? kMaxTime : (*queue_.begin())->due;
    if (next_silence_edge_ && is_due(*next_silence_edge_) && *next_silence_edge_ <= group_due) {
      const auto edge = *next_silence_edge_;
      const auto present = std::exchange(now_, edge);
      plan_silences(edge);
      wake_all();
      now_ = present;
      continue;
    }
    if (queue_.empty() || !is_due(group_due)) break;
    flush(**queue_.begin(), group_due, until ? now : now - Duration{1});
  }
  collect_garbage(now);
}

std::optional<Time> Machine::Impl::next_due() const {
  std::optional<Time> due = next_silence_edge_;
  if (groups_.empty()) due.reset();
  if (!queue_.empty() && (!due || (*queue_.begin())->due < *due)) due = (*queue_.begin())->due;
  if ((!alerts_.empty() || !orphans_.empty()) && next_collection_ != kMinTime && (!due || next_collection_ < *due)) {
    due = next_collection_;
  }
  return due;
}

void Machine::Impl::collect_garbage(Time now) {
  // At round times, so that a restart does not move them.
  const auto next = from_ms((to_ms(now) / kKeepEnded.count() + 1) * kKeepEnded.count());
  const auto due = std::exchange(next_collection_, now < next_collection_ ? next_collection_ : next);
  if (now < due || due == kMinTime) return;
  for (auto at = alerts_.begin(); at != alerts_.end();) {
    const auto& state = at->second;
    if (!state.places.empty() || plus(state.alert.ends_at, kKeepEnded) > now) {
      ++at;
      continue;
    }
    inhibition_->erase(state.alert.labels, state.seen());
    changed(state);
    at = alerts_.erase(at);
  }
  for (auto at = orphans_.begin(); at != orphans_.end();) {
    if (at->second.expires > now) {
      ++at;
      continue;
    }
    left_logs_.insert(at->first);
    at = orphans_.erase(at);
  }
}

void Machine::Impl::reload(ConfigPtr config, Time now) {
  std::vector<AlertState*> all;
  // What an alert was when it left a group whose route is still there must still be told there.
  std::vector<std::tuple<AlertState*, std::string, Labels, AlertState::Place>> leaving;
  for (auto& [labels, state] : alerts_) {
    all.push_back(&state);
    for (const auto& place : state.places) {
      state.was_routed = state.was_routed || !place.left;
      if (place.left) leaving.emplace_back(&state, place.group->route->id, *place.group->labels, place);
    }
    state.places.clear();
    changed(state);
  }
  queue_.clear();
  for (auto& [key, group] : groups_) {
    group.members.clear();
    orphan_logs(group, now);
    left_groups_.insert(group.id());
  }
  groups_.clear();
  changed_groups_.clear();
  set_config(std::move(config));
  std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->alert.labels < b->alert.labels; });
  for (auto* state : all) {
    inhibition_->put(state->alert, state->seen());
    if (state->alert.firing_at(now) || state->was_routed) put_into_groups(*state, state->heard(), now);
    state->was_routed = false;
  }
  for (auto& [state, route_id, labels, place] : leaving) {
    const auto still = std::find_if(route_order_.begin(), route_order_.end(),
                                    [&, id = &route_id](const auto& one) { return one.first->id == *id; });
    if (still == route_order_.end()) continue;
    const auto found = groups_.find({still->second, labels});
    if (found == groups_.end() || state->place_in(found->second) != nullptr) continue;
    add_member(found->second, *state);
    state->places.back().left = place.left;
    state->places.back().heard = place.heard;
  }
}

Machine::Machine(ConfigPtr config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Machine::Machine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Machine::~Machine() = default;
Machine::Machine(Machine&&) noexcept = default;
Machine& Machine::operator=(Machine&&) noexcept = default;

Machine Machine::load(ConfigPtr config, const State& state, std::vector<Silence> silences) {
  auto impl = std::make_unique<Impl>(std::move(config));
  impl->restore(state, std::move(silences));
  return Machine(std::move(impl));
}

Machine::Notifications Machine::take(const std::vector<Alert>& alerts, Time now) {
  impl_->begin(now);
  impl_->run(now, false);
  for (const auto& alert : alerts) impl_->take(alert, now);
  impl_->run(now, true);
  return impl_->hand_out();
}

Machine::Notifications Machine::set_silences(std::vector<Silence> silences, Time now) {
  impl_->begin(now);
  impl_->run(now, false);
  impl_->set_silences(std::move(silences), now);
  impl_->run(now, true);
  return impl_->hand_out();
}

Machine::Notifications Machine::reload(ConfigPtr config, Time now) {
  impl_->begin(now);
  impl_->run(now, false);
  impl_->reload(std::move(config), now);
  impl_->run(now, true);
  return impl_->hand_out();
}

Machine::Notifications Machine::delivered(const NotificationKey& key, Time now) {
  impl_->begin(now);
  impl_->run(now, false);
  impl_->answer(key, true, now);
  impl_->run(now, true);
  return impl_->hand_out();
}

Machine::Notifications Machine::failed(const NotificationKey& key, Time now) {
  impl_->begin(now);
  impl_->run(now, false);
  impl_->answer(key, false, now);
  impl_->run(now, true);
  return impl_->hand_out();
}

Machine::Notifications Machine::advance(Time now) {
  impl_->begin(now);
  impl_->run(now, true);
  return impl_->hand_out();
}

std::optional<Time> Machine::next_due() const { return impl_->next_due(); }
Changes Machine::take_changes() { return impl_->take_changes(); }
State Machine::state() const { return impl_->state(); }
std::optional<AlertRow> Machine::alert_row(const Labels& labels) const { return impl_->alert_row(labels); }
std::optional<GroupRow> Machine::group_row(const std::string& route, const Labels& labels) const {
  return impl_->group_row(route, labels);
}
std::size_t Machine::rows() const { return impl_->rows(); }
const Config& Machine::config() const { return impl_->config(); }
const Alert* Machine::find(const Labels& labels) const { return impl_->find(labels); }
std::vector<const Alert*> Machine::alerts() const { return impl_->alerts(); }
MuteState Machine::mutes(const Alert& alert, Time now) const { return impl_->mutes(alert, now); }
std::vector<GroupView> Machine::groups() const { return impl_->groups(); }

}  // namespace atalaya::routing
