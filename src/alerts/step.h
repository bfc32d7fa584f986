// One event or timer of the machine of alerts: for the library's own sources.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/machine.h"
#include "alerts/ping.h"
#include "alerts/report.h"
#include "alerts/rows.h"
#include "alerts/silence.h"
#include "alerts/sources.h"

namespace atalaya::alerts {

/// Holds the arguments that every function needs. Lives as long as the call.
class Machine::Step {
 public:
  Step(Machine& machine, const TenantId& tenant, Time now, db::Session& session, control::Effects& effects)
      : machine_(machine), tenant_(tenant), now_(now), session_(session), effects_(effects) {}

  Status judged(const Judged& judged, const std::optional<control::Cursor>& cursor);
  Status posted(const Posted& posted);
  Status retire(const Retire& command);
  Status acknowledge(const Acknowledge& command);
  Status unacknowledge(const Unacknowledge& command);
  Status shelve(const Shelve& command);
  Status unshelve(const Unshelve& command);
  Status close(const Close& command);
  Status add_note(const AddNote& command);
  Status set_silence(const SetSilence& command);
  Status expire_silence(const ExpireSilence& command);
  Status declare_silences(const DeclareSilences& command);
  Status set_ping(const SetPing& command);
  Status remove_ping(const RemovePing& command);
  Status pinged(const Pinged& given);
  Status reported(const Reported& given);
  Status report_action(const ReportAction& given);
  Status edit_report(const EditReport& given);
  Status delete_alert(const DeleteAlert& given);

  Status on_timer(std::string_view key, Time due);
  /// What others made of these alerts.
  Status look_again(const Consolidation::Again& again);

 private:
  /// What a line of the history says where it is not the state's name alone.
  struct Words {
    std::string to;
    std::string by;
    bool always;  ///< there is a line although neither state nor severity changed
    bool worse;   ///< it became worse, in its sender's words
  };

  /// What one more report of an alert changes.
  struct Change {
    bool duplicate;  ///< the same event and severity
    bool worse;
    bool value;  ///< a duplicate's value is another one
  };

  Status breach(std::optional<StoredAlert> before, const Judgement& j, const AlertId& id,
                const std::optional<control::Cursor>& cursor);
  Status post(const PostedAlert& posted, const std::string& door);
  /// The alert of what was reported, as it was before if it is known.
  Status report(std::optional<StoredAlert> before, Report& next, const Reported& given, const Change& change);
  Status add_value_line(Alert& alert, const std::string& user);
  /// For routes an alert is its labels: what they were until now has ended.
  Status end_of_labels(const Alert& before, const Labels& now);
  Status reopen(StoredAlert stored, Report& report, const ReportAction& given);
  Status act(const StoredAlert& stored, Report& report, const std::string& wanted, const ReportAction& given);
  Status resolve(StoredAlert stored, Time at, const std::string& text, bool late, const Words& words = {});
  /// What was closed by hand is over now: the next breach opens it.
  Status forget_closing(StoredAlert stored);
  /// The breach of a closed alert goes on: counted, and nobody hears of it.
  Status stays_closed(StoredAlert stored);
  /// Stores, writes history and tells the sink when state or severity differ from before.
  Status settle(StoredAlert& stored, std::optional<State> from, Severity severity_before, Time at,
                const Words& words = {});
  /// Stores and publishes; tells the sink what people did not hear yet, unless the alert is hidden.
  Status finish(StoredAlert& stored, std::optional<State> from, Severity severity_before, Time at, bool transition);
  Status add_line(const Alert& alert, Time at, std::string from, std::string to, std::string text, std::string by);
  Status watch_flapping(Alert& alert);

  Result<StoredAlert> open_alert(const AlertId& id);
  Status command(StoredAlert& stored, std::string to, const std::string& user, const std::string& note);

  Status held(const AlertId& id, Time due);
  Status acknowledgement_ended(const AlertId& id);
  Status shelf_ended(const AlertId& id);
  Status look_at_flapping(const AlertId& id);
  Status held_ended(const AlertId& id);
  Status calm(const AlertId& id);

  // Of rules that name an identity (sources.cc).
  /// The judgement of a label set as one of its alert: the worst of all its label sets.
  Result<Judgement> consolidated(Judgement j, const AlertId& id);
  Status add_event(const Judgement& j, const AlertId& id);
  Status forget_sources(const AlertId& id);
  Status sender_silent();
  Status ping_missed(const std::string& id);
  /// Opens or ends the alert of a check.
  Status ping_alert(const PingCheck& check, bool down, const std::string& words);
  Status set_ends_timer();
  Status purge();
  Status index_words();

  Status hidden(Alert& alert);  ///< fills silenced_by
  /// Tells what was hidden and is not any more.
  Status tell_uncovered();
  Status silences_differ();
  Status silence_edge();

  Machine& machine_;
  const TenantId& tenant_;
  Time now_;
  db::Session& session_;
  control::Effects& effects_;
  std::optional<std::vector<Silence>> active_;  ///< silences, once somebody asked
  std::string said_;                            ///< HistoryLine::said of the lines that this event leaves
};

/// The next episode of an alert that ended, or the first, of what others tell us.
Alert next_episode(const Alert* last, const AlertId& id);

}  // namespace atalaya::alerts
