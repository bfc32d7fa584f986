// Many alerts, one incident: which belong together, what is unknown because of what, and what people do about it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "incidents/incident.h"
#include "incidents/settings.h"
#include "incidents/topology.h"

namespace atalaya::incidents {

/// Event bodies for commands of people; post them with `done` (control::Runner::run). not_found for an unknown
/// incident, conflict for a closed one (a note is always taken). Repeating a command changes nothing.
struct AcknowledgeIncident {
  IncidentId id{0};
  std::string user;
  std::string note;
  std::optional<Time> until;  ///< it then ends by itself; an end in the past is refused
  std::string owner;          ///< from now on
};
struct UnacknowledgeIncident {
  IncidentId id{0};
  std::string user;
};
struct AssignIncident {
  IncidentId id{0};
  std::string user;
  std::string owner;  ///< "" for nobody
  std::string note;
};
/// Its open alerts are closed by hand, and it with them.
struct CloseIncident {
  IncidentId id{0};
  std::string user;
  std::string note;
};
/// Its open alerts go on in another incident, which alerts of its kind join from now on; it closes.
struct MergeIncident {
  IncidentId id{0};
  IncidentId into{0};
  std::string user;
  std::string note;
};
struct NoteIncident {
  IncidentId id{0};
  std::string user;
  std::string text;
};

/// What must be stored.
struct Changes {
  std::vector<Incident> incidents;  ///< as they stand now, by number
  std::vector<Line> lines;
  std::vector<Member> members;
  /// When acknowledgements end; nothing for those that do not any more.
  std::map<IncidentId, std::optional<Time>> ack_ends;
  std::optional<std::uint64_t> last;  ///< the highest number given, if it grew

  bool empty() const { return incidents.empty() && lines.empty() && members.empty() && ack_ends.empty(); }
};

/// The incidents of one tenant. It is given alerts as they change, with the time, and says to which incident each
/// belongs and why it may be unknown. It reads no clock, does no I/O and is deterministic: equal histories give equal
/// incidents. In memory are the open alerts, and the incidents that are open or may open again.
///
/// How a shell runs it: restore, call, store `take_changes()` in the same transaction, look again at the alerts of
/// `take_again()`. If the transaction fails the engine is ahead of the store: throw it away and load another.
/// Thread-compatible.
class Engine {
 public:
  /// `incidents`: at least those that are open or may open again; `last`: the highest number given.
  Engine(SettingsPtr settings, std::vector<Incident> incidents, std::uint64_t last);
  /// An alert that has not left its incident; before anything else.
  void restore(const alerts::Alert& alert, const Member& member);

  /// An alert as it is about to be stored, after a change of it or not: sets `incident`, `because` and `held`.
  void place(alerts::Alert& alert, Time now);

  /// Alerts that are to be placed again, as others changed: open ones by their ids, and all that are unknown because
  /// of `recovered`.
  struct Again {
    std::vector<AlertId> alerts;
    std::vector<AlertId> recovered;
    bool all_unknown = false;  ///< all that are unknown because of whatever
    bool empty() const { return alerts.empty() && recovered.empty() && !all_unknown; }
  };
  Again take_again();

  /// What became of an incident before this engine was made, for a command about it.
  void remember(Incident incident);
  bool knows(IncidentId id) const { return incidents_.contains(id); }
  const Incident* find(IncidentId id) const;

  Status acknowledge(const AcknowledgeIncident& command, Time now);
  Status unacknowledge(const UnacknowledgeIncident& command, Time now);
  Status assign(const AssignIncident& command, Time now);
  Status note(const NoteIncident& command, Time now);
  /// Both are known.
  Status merge(const MergeIncident& command, Time now);
  /// The alerts that are to be closed; with the last one of them it closes in the name of this person.
  Result<std::vector<AlertId>> close(const CloseIncident& command, Time now);
  void acknowledgement_ended(IncidentId id, Time now);

  /// After other settings than those before: alerts whose cause is another now stand in `take_again`.
  void reconsider();

  Changes take_changes();
  std::uint64_t last() const { return last_; }

 private:
  enum class Class : std::uint8_t { kCritical, kWarning, kNoData, kUnknown };
  struct Entry {
    IncidentId incident{0};
    std::uint32_t episode = 1;
    Class counted = Class::kWarning;
    alerts::Severity severity = alerts::Severity::kNone;
  };
  struct Live {
    Incident incident;
    std::uint32_t by_severity[3] = {0, 0, 0};  ///< open alerts
  };

  static Class class_of(const alerts::Alert& alert);
  void forget_old(Time now);
  Live* open_or_fresh(IncidentId id, Time now);
  /// Where it was merged into, and that one, as far as it is remembered; else itself.
  IncidentId goes_on_in(IncidentId id) const;
  void note_key(const Incident& incident);
  void join(alerts::Alert& alert, Time now);
  std::pair<Live*, JoinedBy> choose(const alerts::Alert& alert, const Key& key, Time now);
  Live* correlated(const alerts::Alert& alert);
  void consider(const std::string& what, const alerts::Alert& alert, std::optional<IncidentId>& best) const;
  Live& open(const alerts::Alert& alert, const Key& key, Time now);
  void reopen(Live& live, const alerts::Alert& alert, Time now);
  void enter(Live& live, const alerts::Alert& alert, JoinedBy how, Time now);
  /// True if it was the last open alert.
  bool take_out(const AlertId& id, Entry& entry, Time now);
  void leave(const alerts::Alert& alert, Time now);
  void move(const AlertId& id, Entry& entry, const alerts::Alert& alert, Live& to, Time now);
  /// What people did about the first counts for the second.
  void go_on_in(Live& from, Live& to, Time now, const std::string& by, const std::string& note);
  void recount(Entry& entry, const alerts::Alert& alert, Time now);
  void count(Live& live, const Entry& entry, int by);
  void settle_severity(Live& live, Time now);
  void close_now(Live& live, Time now, const std::string& text, const std::string& by = {});
  void depend(alerts::Alert& alert, bool fresh, Time now);
  void become_cause(Live& live, const alerts::Alert::Because& because);
  void note_names(const alerts::Alert& alert, bool open);

  Result<Live*> for_command(IncidentId id, bool closed_too);
  void add_line(Live& live, Time now, std::string kind, std::string text, std::string by = {});
  void changed(Live& live, Time now);
  void drop_ack(Live& live, Time now, const std::string& why, const std::string& by);
  std::vector<AlertId> alerts_of(IncidentId id) const;
  /// Its alerts are looked at again: whether it is acknowledged is another answer now.
  void look_at_alerts_of(IncidentId id);

  SettingsPtr settings_;
  Topology topology_;
  std::map<IncidentId, Live> incidents_;
  std::unordered_map<std::string, std::vector<IncidentId>> by_key_;  ///< those remembered, the newest last
  std::unordered_map<AlertId, Entry> entries_;
  std::set<std::pair<Time, IncidentId>> closed_;  ///< by the time until which they may open again
  /// Open alerts of whose name some rule speaks (`n` and the name), and those of rules that do (`r` and the rule), by
  /// instance.
  std::map<std::pair<std::string, std::string>, std::set<AlertId>> correlated_;
  std::map<std::string, std::vector<std::string>> naming_;  ///< rules that name an alert
  std::uint64_t last_ = 0;

  std::set<IncidentId> changed_;
  Changes changes_;
  std::set<AlertId> again_;
  std::vector<AlertId> recovered_;
  bool all_unknown_ = false;
};

}  // namespace atalaya::incidents
