// Groups, and what their receivers are told: Alertmanager's dispatcher as a state machine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "routing/config.h"
#include "routing/notification.h"
#include "routing/rows.h"
#include "routing/silence.h"

namespace atalaya::routing {

/// Why an alert is not told, for lists.
struct MuteState {
  std::vector<std::string> silences;   ///< ids
  std::vector<Labels> inhibited_by;    ///< labels of alerts
  std::vector<std::string> intervals;  ///< of all of its routes; empty if one of them tells it
  bool muted() const { return !silences.empty() || !inhibited_by.empty() || !intervals.empty(); }
};

struct GroupView {
  std::string id;
  std::string key;
  const Route* route = nullptr;
  Labels labels;
  std::vector<const Alert*> alerts;
  Time next_flush{};
};

/// The routing of one tenant. It is given alerts as they change, silences, configurations and answers
/// of deliveries, each with the time, and answers with what is to be told now. It reads no clock, does
/// no I/O and is deterministic: equal histories give equal notifications, rows and times.
///
/// A group's first flush comes group_wait after its first alert (at once if that one started longer
/// ago), further ones every group_interval. A flush is told to an integration when alerts fire that it
/// has not heard of, when one that it heard of resolved, or when repeat_interval is over. Silences,
/// inhibitions and time intervals take alerts out of a flush, and never out of the state. A repeat waits while
/// everything that fires in its flush is acknowledged.
///
/// How a shell runs it: call, store `take_changes()` and the notifications in one transaction, set
/// one timer to `next_due()` and call `advance` when it fires. If the transaction fails the machine
/// is ahead of the store: throw it away and `load` it again. Events at a time see flushes before that
/// time done, and are seen by flushes at that very time. Thread-compatible.
class Machine {
 public:
  using Notifications = std::vector<Notification>;

  explicit Machine(ConfigPtr config);
  /// From what was stored. Where routes changed since, follow with `reload`.
  static Machine load(ConfigPtr config, const State& state, std::vector<Silence> silences);
  ~Machine();
  Machine(Machine&&) noexcept;
  Machine& operator=(Machine&&) noexcept;

  /// New alerts, changes and ends, in their order; already `received` and `check`ed.
  Notifications take(const std::vector<Alert>& alerts, Time now);
  /// Replaces all silences; those that are over may be left out.
  Notifications set_silences(std::vector<Silence> silences, Time now);
  /// Another configuration. As Alertmanager does, every group is made anew and its times start again;
  /// what was told stays told.
  Notifications reload(ConfigPtr config, Time now);
  /// The answer to a notification. One that is not (or no longer) awaited changes nothing. Whoever
  /// failed is tried again at the group's next flush.
  Notifications delivered(const NotificationKey& key, Time now);
  Notifications failed(const NotificationKey& key, Time now);
  /// Does what is due until `now`, that time included.
  Notifications advance(Time now);
  /// When `advance` has something to do; nothing without groups.
  std::optional<Time> next_due() const;

  /// What must be stored; empties itself.
  Changes take_changes();
  /// All of it, in a fixed order.
  State state() const;
  /// One row of it, if it is there still; how many alerts and groups there are.
  std::optional<AlertRow> alert_row(const Labels& labels) const;
  std::optional<GroupRow> group_row(const std::string& route, const Labels& labels) const;
  std::size_t rows() const;

  const Config& config() const;
  const Alert* find(const Labels& labels) const;
  std::vector<const Alert*> alerts() const;  ///< in order of their labels, ended ones for a while
  MuteState mutes(const Alert& alert, Time now) const;
  std::vector<GroupView> groups() const;  ///< in order of route and labels

 private:
  class Impl;
  explicit Machine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::routing
