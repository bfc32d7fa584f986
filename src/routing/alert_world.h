// For tests: a machine with a simulated clock, receivers and a store of its rows.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "routing/machine.h"

namespace atalaya::routing {

/// The rows as a database would hold them.
class RowStore {
 public:
  void apply(const Changes& changes) {
    for (const auto& row : changes.alerts) alerts_[row.alert.labels] = row;
    for (const auto& labels : changes.gone_alerts) alerts_.erase(labels);
    for (const auto& row : changes.groups) groups_[row.id] = row;
    for (const auto& id : changes.gone_groups) groups_.erase(id);
    for (const auto& row : changes.log) log_[{row.group, row.target}] = row;
    for (const auto& key : changes.gone_log) log_.erase(key);
    if (changes.flushes) flushes_ = *changes.flushes;
  }
  State state() const {
    State out;
    for (const auto& [key, row] : alerts_) out.alerts.push_back(row);
    for (const auto& [key, row] : groups_) out.groups.push_back(row);
    for (const auto& [key, row] : log_) out.log.push_back(row);
    out.flushes = flushes_;
    return out;
  }

 private:
  std::map<Labels, AlertRow> alerts_;
  std::map<std::string, GroupRow> groups_;
  std::map<std::pair<std::string, Target>, LogRow> log_;
  std::uint64_t flushes_ = 0;
};

/// A state in words, for comparing. A group's flush counts modulo its interval: flushes that change nothing are not
/// stored.
inline std::vector<std::string> lines_of(const State& state, const Config& config) {
  std::vector<std::string> out;
  std::map<std::string, Duration> intervals;
  const std::function<void(const Route&)> collect = [&](const Route& route) {
    intervals[route.id] = route.options.group_interval;
    for (const auto& child : route.routes) collect(child);
  };
  collect(config.root);
  for (const auto& row : state.alerts) {
    auto line = fmt::format("alert {} {} {} {} {}", to_string(row.alert.labels), row.alert.severity,
                            to_ms(row.alert.starts_at), to_ms(row.alert.ends_at), to_string(row.alert.annotations));
    for (const auto& one : row.groups) {
      line += fmt::format(" in {} {} {} {}", one.group, one.left ? to_ms(*one.left) : -1, one.heard.severity,
                          one.flushed_end);
    }
    out.push_back(std::move(line));
  }
  for (const auto& row : state.groups) {
    const auto interval = intervals[row.route];
    const auto phase =
        interval > Duration{0} && row.flushed ? to_ms(row.next_flush) % interval.count() : to_ms(row.next_flush);
    out.push_back(fmt::format("group {} {} {} {}", row.id, phase, row.flushed, row.dirty));
  }
  for (const auto& row : state.log) {
    if (!row.told && !row.pending) continue;
    out.push_back(fmt::format("log {} {} {} {} {} {} {} {}", row.group, row.target.receiver, row.target.index,
                              row.told ? to_ms(row.at) : -1, fmt::join(row.sets.firing, ","),
                              fmt::join(row.sets.resolved, ","), row.pending ? row.pending->flush : 0,
                              to_ms(row.expires)));
  }
  out.push_back(fmt::format("flushes {}", state.flushes));
  std::sort(out.begin(), out.end());
  return out;
}

enum class Conduct { kAnswers, kFails, kHangs };

/// Runs a machine: every change is stored, every notification is answered as its target conducts itself.
class AlertWorld {
 public:
  AlertWorld(ConfigPtr config, Time now) : config_(config), machine_(std::move(config)), now_(now) {}

  /// A restart before each event must change nothing.
  void restart_always() { restart_always_ = true; }
  /// The machine is also asked when it did not ask to be.
  void advance_every(Duration step) { step_ = step; }

  Time now() const { return now_; }
  Machine& machine() { return machine_; }
  const std::vector<Notification>& told() const { return told_; }

  /// To that time; what is due at it is done only if it is `included`.
  void advance_to(Time time, bool included = true) {
    while (true) {
      const auto due = machine_.next_due();
      auto next = due && *due < time ? std::max(*due, now_) : time;
      if (step_ > Duration{0}) next = std::min(next, now_ + step_);
      now_ = next;
      if (next == time && !included) return;
      if (restart_always_) restart();
      done(machine_.advance(now_));
      const auto after = machine_.next_due();
      if (after && *after <= now_) {
        ADD_FAILURE() << "the machine asks again for " << format_rfc3339(*after);
        return;
      }
      if (next == time) return;
    }
  }
  void take(const std::vector<Alert>& alerts) {
    if (restart_always_) restart();
    done(machine_.take(alerts, now_));
  }
  void silence(Silence silence) {
    std::erase_if(silences_, [&](const Silence& one) { return one.id == silence.id; });
    silences_.push_back(std::move(silence));
    put_silences();
  }
  void unsilence(const std::string& id) {
    std::erase_if(silences_, [&](const Silence& one) { return one.id == id; });
    put_silences();
  }
  void reload(ConfigPtr config) {
    if (restart_always_) restart();
    config_ = config;
    done(machine_.reload(std::move(config), now_));
  }
  void restart() {
    const auto stored = store_.state();
    EXPECT_EQ(lines_of(machine_.state(), *config_), lines_of(stored, *config_)) << "what was not stored is lost";
    machine_ = Machine::load(config_, stored, silences_);
  }
  /// `ops`, or `ops/webhook/1`.
  void conduct(const std::string& target, Conduct conduct) {
    conduct_[target] = conduct;
    if (conduct == Conduct::kHangs) return;
    for (const auto& key : std::exchange(hanging_, {})) answer(key);
  }

 private:
  void put_silences() {
    if (restart_always_) restart();
    done(machine_.set_silences(silences_, now_));
  }
  void done(std::vector<Notification> notifications) {
    store_.apply(machine_.take_changes());
    for (auto& one : notifications) {
      told_.push_back(one);
      EXPECT_TRUE(keys_.insert(one.key).second) << "told twice under one key: " << to_string(one.key);
      EXPECT_GT(one.deadline, now_);
      for (const auto& item : one.alerts) {
        if (!item.firing) continue;
        const auto mutes = machine_.mutes(item.alert, one.at);
        EXPECT_TRUE(mutes.silences.empty() && mutes.inhibited_by.empty()) << "told although it is hidden";
      }
    }
    for (const auto& one : notifications) answer(one.key);
  }
  void answer(const NotificationKey& key) {
    auto conduct = Conduct::kAnswers;
    for (const auto& name :
         {key.target.receiver, fmt::format("{}/{}/{}", key.target.receiver, key.target.type, key.target.index)}) {
      if (const auto found = conduct_.find(name); found != conduct_.end()) conduct = found->second;
    }
    if (conduct == Conduct::kHangs) {
      hanging_.push_back(key);
      return;
    }
    done(conduct == Conduct::kAnswers ? machine_.delivered(key, now_) : machine_.failed(key, now_));
  }

  ConfigPtr config_;
  Machine machine_;
  Time now_;
  RowStore store_;
  std::vector<Silence> silences_;
  std::map<std::string, Conduct> conduct_;
  std::vector<NotificationKey> hanging_;
  std::vector<Notification> told_;
  std::set<NotificationKey> keys_;
  bool restart_always_ = false;
  Duration step_{0};
};

}  // namespace atalaya::routing
