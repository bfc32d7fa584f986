// The inside of the machine: what it holds, and the steps that its parts share.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "routing/inhibition.h"
#include "routing/machine.h"

namespace atalaya::routing {

struct Group;

/// An alert and the groups that it is in.
struct AlertState {
  struct Place {
    Group* group = nullptr;
    std::size_t index = 0;  ///< in the group's members
    std::optional<Time> left;
    Heard heard;  ///< when it left
    bool flushed_end = false;
  };
  Alert alert;
  std::unique_ptr<const Labels> seen_otherwise;  ///< where the severity is no label of its own
  std::vector<Place> places;
  bool was_routed = false;  ///< it had places before a reload

  Heard heard() const { return {alert.severity, alert.no_data}; }
  Place* place_in(const Group& group);
  const Labels& seen() const { return seen_otherwise ? *seen_otherwise : alert.labels; }
  /// To be called when the alert changed.
  void see();
};

/// What one integration knows of one group.
struct TargetLog {
  bool told = false;
  Time at{};
  LogRow::Sets sets;
  std::unique_ptr<LogRow::Pending> pending;
};

/// Alerts of one route with the same values of its group_by labels.
struct Group {
  const Route* route = nullptr;
  std::size_t order = 0;           ///< the route's number, depth first
  const Labels* labels = nullptr;  ///< of the key by which the machine holds it
  std::vector<AlertState*> members;
  std::vector<TargetLog> logs;  ///< by the receiver's integrations
  Time next_flush{};
  bool flushed = false;
  bool dirty = false;            ///< its alerts are not what the last flush saw
  bool look = false;             ///< something else changed; not stored, as a start looks at every group
  bool inhibitable = false;      ///< a rule could take members out, at any time
  Time last_flush = kMinTime;    ///< since the start
  Time earliest_end = kMaxTime;  ///< no member that fires ends before
  Time due = kMaxTime;           ///< as it stands in the queue

  std::string key() const { return route->key + ":" + to_string(*labels); }
  std::string id() const { return route->id + ":" + to_string(*labels); }
};

/// By time, then by route and labels: equal histories run in equal order.
struct DueBefore {
  bool operator()(const Group* a, const Group* b) const {
    if (a->due != b->due) return a->due < b->due;
    if (a->order != b->order) return a->order < b->order;
    return *a->labels < *b->labels;
  }
};

class Machine::Impl {
 public:
  using LogKey = std::pair<std::string, Target>;
  using GroupKey = std::pair<std::size_t, Labels>;  ///< order of the route, labels
  /// Of a group that is gone.
  struct Orphan {
    TargetLog log;
    Time expires{};
  };

  explicit Impl(ConfigPtr config);

  // Events (machine.cc).
  void take(const Alert& alert, Time now);
  void set_silences(std::vector<Silence> silences, Time now);
  void reload(ConfigPtr config, Time now);
  /// Flushes and whatever else is due before `now`, or until it.
  void run(Time now, bool until);
  Notifications hand_out() { return std::exchange(notifications_, {}); }
  std::optional<Time> next_due() const;
  /// Before anything at `now`: a clock that was set back must not leave groups waiting.
  void begin(Time now);

  // Answers (machine_flush.cc).
  void answer(const NotificationKey& key, bool delivered, Time now);

  // Stored state (machine_store.cc).
  Changes take_changes();
  State state() const;
  std::optional<AlertRow> alert_row(const Labels& labels) const;
  std::optional<GroupRow> group_row(const std::string& route, const Labels& labels) const;
  std::size_t rows() const { return alerts_.size() + groups_.size(); }
  void restore(const State& state, std::vector<Silence> silences);

  // Views (machine_store.cc).
  const Config& config() const { return *config_; }
  const Alert* find(const Labels& labels) const;
  std::vector<const Alert*> alerts() const;
  MuteState mutes(const Alert& alert, Time now) const;
  std::vector<GroupView> groups() const;

 private:
  // Routing an alert (machine.cc).
  void set_config(ConfigPtr config);
  void number_routes(const Route& route);
  std::vector<const Route*> routes_for(const Labels& seen) const;
  /// `before` is what groups that it leaves have heard of it.
  void put_into_groups(AlertState& state, const Heard& before, Time now);
  void join(AlertState& state, const Route& route, Time now);
  void leave_others(AlertState& state, const std::vector<const Route*>& routes, const Heard& before, Time now);
  Group& group_for(const Route& route, const Labels& seen, Time now);
  void add_member(Group& group, AlertState& state);
  void remove_member(Group& group, AlertState& state);
  void erase_group(Group& group, Time now);
  void collect_garbage(Time now);
  void wake_all();

  // When a group is looked at next (machine.cc).
  Time flush_not_before(const Group& group, Time time) const;
  Duration interval_of(const Group& group) const;
  /// Moves its next flush on to `now`; `arm` says that there it has other alerts to see.
  void look_at(Group& group, Time now);
  void arm(Group& group, Time now);
  void schedule(Group& group);
  bool watches_always(const Group& group) const;
  void plan_silences(Time now);

  // Flushing (machine_flush.cc).
  struct Flush;
  void flush(Group& group, Time due, Time now);
  void gather(Group& group, Flush& flush);
  bool silenced(const Labels& seen, Time at) const;
  void tell(Group& group, std::size_t index, Flush& flush);
  void hand_out(Group& group, std::size_t index, Reason reason, Flush& flush);
  void give_up_waiting(Group& group, Time at);
  void drop_ended(Group& group);
  void forget(Group& group, const std::vector<std::uint64_t>& hashes);
  const std::vector<Integration>& integrations_of(const Group& group) const;
  Duration answer_time(const Group& group) const;

  void settle(Group& group, std::size_t index, bool delivered, Time now);
  void adopt_logs(Group& group);
  void orphan_logs(Group& group, Time now);

  void changed(const AlertState& state) { changed_alerts_.insert(state.alert.labels); }
  void changed(const Group& group) { changed_groups_.insert({group.order, *group.labels}); }
  void changed_log(const Group& group, std::size_t index) {
    changed_logs_.insert({{group.order, *group.labels}, index});
  }
  LogKey log_key(const Group& group, std::size_t index) const;
  AlertRow row_of(const AlertState& state) const;
  GroupRow row_of(const Group& group) const;
  LogRow row_of(const LogKey& key, const TargetLog& log, Time expires) const;
  void take_changed_groups(Changes& out);
  void take_changed_logs(Changes& out);
  void restore_alert(const AlertRow& row, const std::map<std::string, Group*>& by_id);

  ConfigPtr config_;
  std::unordered_map<const Route*, std::size_t> route_order_;
  std::unique_ptr<Inhibition> inhibition_;
  std::vector<Silence> silences_;
  bool silences_recur_ = false;
  std::optional<Time> next_silence_edge_;
  std::unordered_map<Labels, AlertState> alerts_;
  std::map<GroupKey, Group> groups_;
  std::set<Group*, DueBefore> queue_;
  std::map<LogKey, Orphan> orphans_;
  std::unordered_map<std::uint64_t, GroupKey> awaited_;  ///< group by flush number
  std::uint64_t flushes_ = 0;
  Time now_ = kMinTime;
  Time next_collection_ = kMinTime;
  Notifications notifications_;

  // What differs from what was stored. Those of groups that are gone go by their stored keys.
  std::set<Labels> changed_alerts_;
  std::set<GroupKey> changed_groups_;
  std::set<std::pair<GroupKey, std::size_t>> changed_logs_;
  std::set<std::string> left_groups_;
  std::set<LogKey> left_logs_;
  bool flushes_changed_ = false;
  bool loaded_ = false;  ///< and nothing happened since
};

/// Sums stay within what a Time holds.
Time plus(Time time, Duration duration);
/// How long a target's log outlives its group: Alertmanager's, twice the repeat interval, 120 h at most.
Duration log_lifetime(const RouteOptions& options);
/// What the log holds of an alert.
std::uint64_t log_hash(const Labels& labels, const Heard& heard);

}  // namespace atalaya::routing
