// What a flush tells to whom, and the answers to it.

#include <algorithm>

#include "base/check.h"
#include "routing/machine_impl.h"

namespace atalaya::routing {
namespace {

/// Alertmanager's shortest time for sending.
constexpr Duration kShortestAnswer = std::chrono::seconds{10};
/// Where a group has no interval that would bring another try.
constexpr Duration kLongestAnswer = std::chrono::hours{1};
constexpr Duration kRetry = std::chrono::minutes{1};

using Hashes = std::vector<std::uint64_t>;

bool subset(const Hashes& part, const Hashes& whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

/// Takes `gone` away; true if there was any of it.
bool remove_all(Hashes& from, const Hashes& gone) {
  return std::erase_if(from, [&](std::uint64_t h) { return std::binary_search(gone.begin(), gone.end(), h); }) != 0;
}

/// Would a target that knows `told` have to hear of `now`?
bool differs(const LogRow::Sets& told, const LogRow::Sets& now, bool send_resolved) {
  if (!subset(now.firing, told.firing)) return true;
  if (now.firing.empty()) return !told.firing.empty();
  return send_resolved && !subset(now.resolved, told.resolved);
}

/// Alertmanager's decision: DedupStage of its pipeline. A repeat is due when its time is over to the
/// millisecond; Alertmanager loses that race against itself and repeats one flush later.
std::optional<Reason> reason_to_tell(const TargetLog& log, const LogRow::Sets& now_sets, bool send_resolved,
                                     Duration repeat, Time at) {
  if (!log.told) return now_sets.firing.empty() ? std::nullopt : std::optional(Reason::kFirst);
  if (!subset(now_sets.firing, log.sets.firing)) return log.sets.firing.empty() ? Reason::kFirst : Reason::kChanged;
  if (now_sets.firing.empty()) return log.sets.firing.empty() ? std::nullopt : std::optional(Reason::kResolved);
  if (send_resolved && !subset(now_sets.resolved, log.sets.resolved)) return Reason::kResolved;
  if (plus(log.at, repeat) <= at) return Reason::kRepeated;
  return std::nullopt;
}

/// By job, instance, then all labels.
bool stands_before(const NotifiedAlert& a, const NotifiedAlert& b) {
  for (const auto* name : {"job", "instance"}) {
    const auto left = a.labels.get(name);
    const auto right = b.labels.get(name);
    if (left != right) return left < right;
  }
  return a.labels < b.labels;
}

}  // namespace

struct Machine::Impl::Flush {
  Time at;
  std::uint64_t number = 0;           ///< 0 until somebody is told
  std::vector<NotifiedAlert> alerts;  ///< that nothing mutes
  LogRow::Sets sets;                  ///< of these
  Hashes muted_ends;                  ///< of those that are over and muted
  bool acknowledged = true;           ///< all that fire of these
};

const std::vector<Integration>& Machine::Impl::integrations_of(const Group& group) const {
  return config_->receivers.at(group.route->options.receiver).integrations;
}

Duration Machine::Impl::answer_time(const Group& group) const {
  const auto interval = group.route->options.group_interval;
  return interval == Duration{0} ? kLongestAnswer : std::max(interval, kShortestAnswer);
}

bool Machine::Impl::silenced(const Labels& seen, Time at) const {
  return std::any_of(silences_.begin(), silences_.end(),
                     [&](const Silence& one) { return one.active_at(at) && one.hides(seen); });
}

void Machine::Impl::gather(Group& group, Flush& flush) {
  const bool all_muted = !muting_intervals(*config_, group.route->options, flush.at).empty();
  group.earliest_end = kMaxTime;
  for (auto* state : group.members) {
    auto& place = *state->place_in(group);
    NotifiedAlert one{state->alert, {}, !place.left && state->alert.firing_at(flush.at)};
    if (place.left) {
      one.alert.severity = place.heard.severity;
      one.alert.no_data = place.heard.no_data;
      one.alert.ends_at = std::min(one.alert.ends_at, *place.left);
    }
    one.labels = place.left ? seen_labels(one.alert) : state->seen();
    if (one.firing) {
      group.earliest_end = std::min(group.earliest_end, one.alert.ends_at);
    } else {
      if (!place.flushed_end) changed(*state);
      place.flushed_end = true;
    }
    const auto hash = log_hash(one.alert.labels, place.left ? place.heard : state->heard());
    if (all_muted || inhibition_->inhibits(one.labels, flush.at) || silenced(one.labels, flush.at)) {
      if (!one.firing) flush.muted_ends.push_back(hash);
      continue;
    }
    if (one.firing) flush.acknowledged = flush.acknowledged && one.alert.acknowledged;
    (one.firing ? flush.sets.firing : flush.sets.resolved).push_back(hash);
    flush.alerts.push_back(std::move(one));
  }
  std::sort(flush.alerts.begin(), flush.alerts.end(), stands_before);
  for (auto* hashes : {&flush.sets.firing, &flush.sets.resolved, &flush.muted_ends}) {
    std::sort(hashes->begin(), hashes->end());
  }
}

void Machine::Impl::flush(Group& group, Time due, Time now) {
  const auto interval = interval_of(group);
  Flush flush{.at = due};
  // After an outage only the last of the missed flushes is made up for, as of its own time.
  if (interval > Duration{0} && now > due) flush.at += (now - due) / interval * interval;
  gather(group, flush);
  forget(group, flush.muted_ends);
  give_up_waiting(group, flush.at);
  if (!flush.alerts.empty()) {
    for (std::size_t i = 0; i < group.logs.size(); ++i) tell(group, i, flush);
  }
  if (!group.flushed || group.dirty) changed(group);
  group.flushed = true;
  group.last_flush = flush.at;
  group.dirty = group.look = false;
  group.next_flush = interval > Duration{0} ? plus(flush.at, interval) : kMaxTime;
  drop_ended(group);
  if (group.members.empty()) return erase_group(group, flush.at);
  schedule(group);
}

void Machine::Impl::tell(Group& group, std::size_t index, Flush& flush) {
  auto& log = group.logs[index];
  const auto& integration = integrations_of(group)[index];
  if (!integration.carried_out) return;
  if (log.pending) {
    // Only what its delivery will not have said: a flush without news is none that was missed.
    const bool news = differs(log.pending->sets, flush.sets, integration.send_resolved);
    if (news != log.pending->missed) changed_log(group, index);
    log.pending->missed = news;
    return;
  }
  const auto reason =
      reason_to_tell(log, flush.sets, integration.send_resolved, group.route->options.repeat_interval, flush.at);
  if (!reason) {
    // Whoever does not want to hear of ends must hear when the alert fires again.
    if (remove_all(log.sets.firing, flush.sets.resolved)) changed_log(group, index);
    return;
  }
  // It stays due, for when the acknowledgement ends.
  if (*reason == Reason::kRepeated && flush.acknowledged) return;
  if (flush.sets.firing.empty() && !integration.send_resolved) {
    log.told = true;
    log.at = flush.at;
    log.sets = flush.sets;
    changed_log(group, index);
    return;
  }
  hand_out(group, index, *reason, flush);
}

void Machine::Impl::hand_out(Group& group, std::size_t index, Reason reason, Flush& flush) {
  const auto& integration = integrations_of(group)[index];
  if (flush.number == 0) {
    flush.number = ++flushes_;
    flushes_changed_ = true;
    awaited_[flush.number] = {group.order, *group.labels};
  }
  Notification out;
  out.key = {group.key(), {group.route->options.receiver, integration.type, integration.index}, flush.number};
  out.reason = reason;
  out.route = group.route->id;
  out.group_labels = *group.labels;
  for (const auto& one : flush.alerts) {
    if (one.firing || integration.send_resolved) out.alerts.push_back(one);
  }
  out.at = flush.at;
  out.deadline = plus(std::max(now_, flush.at), answer_time(group));
  auto& pending = group.logs[index].pending;
  pending = std::make_unique<LogRow::Pending>();
  pending->flush = flush.number;
  pending->at = flush.at;
  pending->deadline = out.deadline;
  pending->sets = flush.sets;
  changed_log(group, index);
  notifications_.push_back(std::move(out));
}

/// Answers that did not come in time will not come.
void Machine::Impl::give_up_waiting(Group& group, Time at) {
  for (std::size_t i = 0; i < group.logs.size(); ++i) {
    auto& pending = group.logs[i].pending;
    if (!pending || at < pending->deadline) continue;
    awaited_.erase(pending->flush);
    pending.reset();
    changed_log(group, i);
  }
}

/// Alerts that are over and hidden are forgotten, so that they are told when they fire again.
/// (Alertmanager's log goes on to hold them, and keeps quiet until repeat_interval is over.)
void Machine::Impl::forget(Group& group, const Hashes& hashes) {
  if (hashes.empty()) return;
  for (std::size_t i = 0; i < group.logs.size(); ++i) {
    auto& log = group.logs[i];
    bool any = remove_all(log.sets.firing, hashes);
    if (log.pending && remove_all(log.pending->sets.firing, hashes)) any = true;
    if (any) changed_log(group, i);
  }
}

/// Takes out of the group what is over and owed to nobody.
void Machine::Impl::drop_ended(Group& group) {
  for (const auto& log : group.logs) {
    if (log.pending) return;
  }
  for (std::size_t i = group.members.size(); i-- > 0;) {
    auto& state = *group.members[i];
    const auto& place = *state.place_in(group);
    if (!place.flushed_end) continue;
    const auto hash = log_hash(state.alert.labels, place.left ? place.heard : state.heard());
    const bool owed = std::any_of(group.logs.begin(), group.logs.end(), [&](const TargetLog& log) {
      return std::binary_search(log.sets.firing.begin(), log.sets.firing.end(), hash);
    });
    if (!owed) remove_member(group, state);
  }
}

void Machine::Impl::answer(const NotificationKey& key, bool delivered, Time now) {
  const auto awaited = awaited_.find(key.flush);
  const auto found = awaited == awaited_.end() ? groups_.end() : groups_.find(awaited->second);
  if (found != groups_.end() && found->second.key() == key.group &&
      found->second.route->options.receiver == key.target.receiver) {
    const auto& integrations = integrations_of(found->second);
    for (std::size_t i = 0; i < integrations.size(); ++i) {
      const auto& pending = found->second.logs[i].pending;
      if (integrations[i].type != key.target.type || integrations[i].index != key.target.index) continue;
      if (pending && pending->flush == key.flush) return settle(found->second, i, delivered, now);
    }
    return;
  }
  const auto orphan = orphans_.find({key.group, key.target});
  if (orphan == orphans_.end()) return;
  auto& log = orphan->second.log;
  if (!log.pending || log.pending->flush != key.flush) return;
  if (delivered) {
    log.told = true;
    log.at = log.pending->at;
    log.sets = std::move(log.pending->sets);
  }
  log.pending.reset();
  left_logs_.insert(orphan->first);
}

void Machine::Impl::settle(Group& group, std::size_t index, bool delivered, Time now) {
  auto& log = group.logs[index];
  const auto pending = std::move(log.pending);
  const auto interval = interval_of(group);
  changed_log(group, index);
  if (std::none_of(group.logs.begin(), group.logs.end(),
                   [&](const TargetLog& one) { return one.pending && one.pending->flush == pending->flush; })) {
    awaited_.erase(pending->flush);
  }
  if (delivered) {
    log.told = true;
    log.sets = pending->sets;
    // Repeats count from the flush during which it was told, not from the instant of the answer: the
    // time that a message takes must not put off each repeat by a whole group_interval.
    log.at = pending->at;
    if (interval > Duration{0} && now > log.at) log.at += (now - log.at) / interval * interval;
  }
  if (delivered && pending->missed) {
    Flush flush{.at = now};
    gather(group, flush);
    forget(group, flush.muted_ends);
    if (!flush.alerts.empty()) tell(group, index, flush);
  }
  if (!delivered) {
    arm(group, now);
    if (interval == Duration{0}) group.next_flush = plus(now, kRetry);
  }
  drop_ended(group);
  if (group.members.empty()) return erase_group(group, now);
  schedule(group);
}

}  // namespace atalaya::routing
