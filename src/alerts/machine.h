// The life of alerts: pending → firing → resolved, with no_data, from judgements and commands.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "alerts/alert.h"
#include "control/machine.h"

namespace atalaya::alerts {

class Annotations;

/// Event bodies for commands of people; post them with `done` (control::Runner::run). not_found for
/// an unknown alert, conflict for a resolved one. Repeating a command changes nothing.
struct Acknowledge {
  AlertId id;
  std::string user;
  std::string note;
  std::optional<Time> until;  ///< it then ends by itself; an end in the past is refused
};
struct Unacknowledge {
  AlertId id;
  std::string user;
};
/// Nobody is told of the alert until then, also when it resolves and opens again; what people missed they hear
/// afterwards. An end in the past is refused.
struct Shelve {
  AlertId id;
  std::string user;
  std::string note;
  Time until;
};
struct Unshelve {
  AlertId id;
  std::string user;
};
/// Ends the episode by hand (Alert::closed).
struct Close {
  AlertId id;
  std::string user;
  std::string note;
};
/// A line of the history, also of an alert that is resolved.
struct AddNote {
  AlertId id;
  std::string user;
  std::string text;
};

/// What somebody else's program said of an alert. Its identity is its labels.
struct PostedAlert {
  Labels labels;
  std::map<std::string, std::string> annotations;
  std::string generator_url;
  Time starts{};
  Time ends{};             ///< one that is not after now resolves the alert; kMaxTime: it never ends by itself
  Time received{};         ///< of two that overlap the later one's words stand
  bool timed_out = false;  ///< `ends` was made of a time-out, as the sender named none
};
/// Event body: checked by the door. Those that overlap with the open alert in time continue it, with the earliest
/// start and the latest end that a sender named; a repetition of what is over changes nothing.
struct Posted {
  std::string door;  ///< alertmanager
  std::vector<PostedAlert> alerts;
};

/// Event body: closes the open alerts whose source is gone, because nobody will judge them again:
/// those of rules that are not in `known_rules` (when given) and those with label instance=`host`
/// (when not empty). Posted alerts end by their senders.
struct Retire {
  std::optional<std::set<std::string>> known_rules;
  std::string host;
  std::string reason;  ///< becomes the text, e.g. `the rule was removed`
};

/// Published after each commit for every alert that changed, values included: for live views.
struct AlertChanged {
  Alert alert;
  bool transition = false;  ///< its state, severity or acknowledgement changed
};

/// A change that people are told about: firing (also again, also with another severity), no_data,
/// resolved of what they were told of.
struct Transition {
  Alert alert;  ///< after the change; `alert.transitions` is this transition's number
  std::optional<State> from;
  Severity severity_before = Severity::kNone;
  bool first_told = true;  ///< the first of its episode that people are told about
  Time at;                 ///< data time
};

/// Where transitions go, inside the same transaction: the outbox of `notify`. Strand-bound.
class TransitionSink {
 public:
  virtual ~TransitionSink() = default;
  virtual Status on_transition(const TenantId& tenant, const Transition& transition, Time now, db::Session& session,
                               control::Effects& effects) = 0;
  /// The alert as it stands, whenever it was judged, posted or handled by people: told or not, hidden or not.
  virtual Status on_alert(const TenantId&, const Alert&, Time, db::Session&, control::Effects&) { return {}; }
  /// Silences differ, or time made one begin or end.
  virtual Status on_silences(const TenantId&, Time, db::Session&, control::Effects&) { return {}; }
  /// The event or timer is over: nothing more of it follows.
  virtual Status on_end(const TenantId&, Time, db::Session&, control::Effects&) { return {}; }
};

/// Joins alerts to incidents, inside the same transaction. Strand-bound.
class Consolidation {
 public:
  virtual ~Consolidation() = default;
  /// An alert that is about to be stored, whenever it was judged, posted or handled: sets its incident, and whether
  /// and why nobody is told of it.
  virtual Status place(const TenantId& tenant, Alert& alert, Time now, db::Session& session) = 0;
  /// Which alerts are to be placed again since others changed: these, all that are unknown because of `recovered`, or
  /// all that are unknown.
  struct Again {
    std::vector<AlertId> alerts;
    std::vector<AlertId> recovered;
    bool all_unknown = false;
    bool empty() const { return alerts.empty() && recovered.empty() && !all_unknown; }
  };
  virtual Again take_again(const TenantId& tenant) = 0;
  /// The event or timer is over: nothing more of it follows.
  virtual Status on_end(const TenantId& tenant, Time now, db::Session& session, control::Effects& effects) = 0;
};

/// Values that templates of annotations see beside the alert's own.
struct MachineOptions {
  std::string external_url;
  Labels external_labels;
  std::size_t max_annotation_bytes = 8 * 1024;
  /// Resolved alerts, and lines of the history that do not belong to an open episode, are deleted
  /// after this; not less than deliveries are kept, whose keys count an alert's transitions.
  Duration keep{std::chrono::hours{24 * 90}};
};

/// The machine plugged into the control loop. All state is in the tables alerts_alerts and
/// alerts_history. `for`: fires on a sustained judgement or by a durable timer, at data time + for,
/// for late data now + for. A judgement no_data on an open alert makes it no_data; only an ok
/// judgement (or Retire) closes it. Level error is an alert about the rule itself: it fires at once,
/// as a warning. What is over goes after `keep`, by a durable timer at night. Silences live here too (silence.h).
/// Who is not told because an alert is silenced or shelved hears what he missed as soon as it is not. Strand-bound.
class Machine final : public control::Machine {
 public:
  /// `sink` may be null; it outlives the machine.
  explicit Machine(TransitionSink* sink, MachineOptions options = {});
  ~Machine() override;

  static std::vector<db::Migration> migrations();
  /// Before the first event; outlives the machine. Without it there are no incidents.
  void consolidate(Consolidation& consolidation) { consolidation_ = &consolidation; }

  /// For other machines, within their events: closes open alerts by hand; places again what is to be.
  Status close_all(const TenantId& tenant, const std::vector<AlertId>& alerts, const std::string& user,
                   const std::string& note, Time now, db::Session& session, control::Effects& effects);
  Status look_again(const TenantId& tenant, Time now, db::Session& session, control::Effects& effects);

  std::string_view name() const override { return "alerts"; }
  std::vector<std::type_index> handles() const override;
  Status handle(const control::Event& event, Time now, db::Session& session, control::Effects& effects) override;
  Status on_timer(const TenantId& tenant, std::string_view key, Time due, Time now, db::Session& session,
                  control::Effects& effects) override;

 private:
  class Step;
  Status act(const control::Event& event, Time now, db::Session& session, control::Effects& effects);
  Status end(const TenantId& tenant, Time now, db::Session& session, control::Effects& effects);
  TransitionSink* sink_;
  Consolidation* consolidation_ = nullptr;
  MachineOptions options_;
  std::unique_ptr<Annotations> annotations_;
};

}  // namespace atalaya::alerts
