// An alert as it stands, and what happened to it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/judgement.h"
#include "base/result.h"

namespace atalaya::alerts {

enum class State : std::uint8_t { kPending, kFiring, kNoData, kResolved };
enum class Severity : std::uint8_t { kNone, kWarning, kCritical };

std::string_view name(State state);        ///< pending, firing, no_data, resolved
std::string_view name(Severity severity);  ///< none, warning, critical
Result<State> parse_state(std::string_view text);
Result<Severity> parse_severity(std::string_view text);
/// What a label `severity` of somebody else's alert says: none where it is absent or speaks of no trouble, critical
/// for the usual words, else warning.
Severity severity_of_label(std::string_view text);

/// Somebody takes care of it.
struct Acknowledgement {
  std::string by;
  Time at;
  std::string note;
  std::optional<Time> until;  ///< it then ends by itself
};
/// Nobody is told of it until then.
struct Shelving {
  std::string by;
  Time at;
  Time until;
  std::string note;
};
/// A person ended the episode although what it is about may go on.
struct Closing {
  std::string by;
  Time at;
  std::string note;
};

/// The alert of one identity, in its newest episode. An episode begins when a resolved (or new)
/// alert opens and ends when it resolves; the id stays, `episode` counts from 1, and the history
/// holds all episodes. `transitions` numbers the lines of the history over all episodes, so
/// (id, transition) names one moment for ever.
struct Alert {
  AlertId id;
  std::uint32_t episode = 1;
  std::uint32_t transitions = 0;  ///< number of the newest line of the history
  std::string name;               ///< the label alertname
  std::string rule;
  std::string expr;
  Kind kind = Kind::kGauge;
  State state = State::kPending;
  Severity severity = Severity::kNone;
  std::string severity_word;  ///< what its sender calls it where that says more (Alerta's ladder); else ""
  Level level = Level::kOk;   ///< of the last judgement
  Labels labels;
  std::map<std::string, std::string> annotations;  ///< rendered
  double value = 0;
  std::string text;
  Time started;                  ///< data time at which the episode began
  std::optional<Time> fired;     ///< when it first fired in this episode
  std::optional<Time> resolved;  ///< when the episode ended
  Time updated;                  ///< last judgement or command
  bool late = false;
  std::uint64_t count = 0;  ///< judgements consolidated in this episode
  /// What channels were told last in this episode; nothing yet if `told` is empty.
  struct Told {
    State state = State::kFiring;
    Severity severity = Severity::kNone;
    bool operator==(const Told&) const = default;
  };
  std::optional<Told> told;
  std::optional<Acknowledgement> ack;
  std::optional<Shelving> shelf;
  /// While it lasts the alert is resolved, and the breach that it had does not open it again: a worse one does, one
  /// that begins later, or any after a healthy sample.
  std::optional<Closing> closed;
  std::optional<Severity> severity_before;  ///< before its last change in this episode
  bool flapping = false;                    ///< opens and closes again and again

  // Of alerts that others posted.
  std::string door;  ///< how it came: alertmanager, alerta, nagios, ping; "" for our own rules
  std::string generator_url;
  std::optional<Time> ends;  ///< when it resolves unless it is posted again
  bool timed_out = false;    ///< `ends` is not the sender's word but a time without one

  /// Number of the incident to which its newest episode belongs; 0 before it first fired.
  std::uint64_t incident = 0;
  bool incident_acknowledged = false;  ///< while it is open
  /// What it depends on is down: nobody is told of it meanwhile, and its state goes on.
  struct Because {
    AlertId alert;
    std::string name;
    std::string text;
    bool operator==(const Because&) const = default;
  };
  std::optional<Because> because;
  /// Nobody is told before: the alert of what it depends on may be on its way.
  std::optional<Time> held;
  /// Rules that its rule depends on and that are judged on its instance, too.
  std::vector<std::string> judged_with;
  bool withheld() const { return because.has_value() || held.has_value(); }

  /// Ids of the silences that hide it now: not of its state, but known whenever an alert is read or published.
  std::vector<std::string> silenced_by;
};

/// The labels that matchers and messages see: with the severity where the labels say nothing of it.
Labels seen_labels(const Alert& alert);
/// The end of what flaps is told when it has not fired again for so long.
constexpr Duration kCalm{std::chrono::minutes{5}};
/// It flaps, and has ended so shortly ago that nobody is told of its end.
bool damped(const Alert& alert, Time now);
/// What people did with it, in one word: open, acknowledged, shelved, suppressed, closed, resolved.
std::string_view status(const Alert& alert);
/// `more_severe`, `less_severe`, `no_change`.
std::string_view trend(const Alert& alert);

/// One line of the history. `from` is "" for a new alert.
struct HistoryLine {
  std::uint32_t transition = 0;
  std::uint32_t episode = 1;
  Time at;
  Time data_at;
  std::string from;
  /// A state, or acknowledged, unacknowledged, shelved, unshelved, closed, note, value, flapping, steady.
  std::string to;
  Severity severity = Severity::kNone;
  double value = 0;
  std::string text;
  std::string by;  ///< the user, for a command; "" for what time did
  bool late = false;
  std::string said;  ///< JSON: how the line looks to Alerta's clients, where it came from a report of theirs; else ""
};

}  // namespace atalaya::alerts
