// An incident as it stands, and what happened to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alerts/alert.h"
#include "base/ids.h"
#include "base/time.h"
#include "model/labels.h"

namespace atalaya::incidents {

/// A number of the tenant that people can say: 1, 2, …; never given twice.
using IncidentId = StrongId<struct IncidentTag, std::uint64_t>;

/// Decimal, with or without `#`. invalid_argument for anything else.
Result<IncidentId> parse_incident_id(std::string_view text);
std::string to_string(IncidentId id);

enum class State : std::uint8_t { kOpen, kAcknowledged, kClosed };
/// How an alert came to its incident.
enum class JoinedBy : std::uint8_t { kFirst, kGroup, kCorrelate, kTopology, kPerson };

std::string_view name(State state);   ///< open, acknowledged, closed
std::string_view name(JoinedBy how);  ///< first, group, correlate, topology, person

/// Open alerts by what they are: an alert is counted in one of the four, and in `total` as often as it joined.
struct Counts {
  std::uint32_t critical = 0;
  std::uint32_t warning = 0;  ///< and without a severity
  std::uint32_t no_data = 0;
  std::uint32_t unknown = 0;  ///< they depend on what is down
  std::uint32_t total = 0;

  std::uint32_t open() const { return critical + warning + no_data + unknown; }
  bool operator==(const Counts&) const = default;
};

/// What belongs together of alerts. It is open while one of them fires or lacks data; it closes with the last one, and
/// opens again if one comes back, or another joins, soon enough.
struct Incident {
  IncidentId id{0};
  std::string title;
  alerts::Severity severity = alerts::Severity::kNone;  ///< the worst of its open alerts; once closed, as it was last
  alerts::Severity worst = alerts::Severity::kNone;     ///< that it ever had
  std::optional<alerts::Severity> severity_before;
  Time opened{};
  Time updated{};
  std::optional<Time> closed;
  std::string owner;
  std::optional<alerts::Acknowledgement> ack;
  std::optional<alerts::Closing> closed_by;  ///< where a person closed it
  std::uint32_t reopened = 0;
  std::string key;  ///< alerts with the same one join it: the policy and the values of its labels
  Labels labels;    ///< these labels
  Duration reopen_within{};
  Time joinable{};  ///< until then, by the key: the window after the alert that joined last; once closed, the time to
                    ///< reopen
  alerts::Alert::Because cause;  ///< the first alert, or the one that others depend on
  Counts counts;
  std::optional<IncidentId> merged_into;
  std::uint32_t lines = 0;  ///< number of the newest line of its history

  State state() const { return closed ? State::kClosed : ack ? State::kAcknowledged : State::kOpen; }
};

/// `more_severe`, `less_severe`, `no_change`.
std::string_view trend(const Incident& incident);

/// One line of an incident's history, never changed.
struct Line {
  IncidentId incident{0};
  std::uint32_t number = 0;
  Time at{};
  /// opened, reopened, closed, acknowledged, unacknowledged, assigned, note, severity, merged.
  std::string kind;
  std::string text;
  std::string by;  ///< the user, "" for what time or alerts did
  alerts::Severity severity = alerts::Severity::kNone;
};

/// An episode of an alert within an incident.
struct Member {
  IncidentId incident{0};
  AlertId alert;
  std::uint32_t episode = 1;
  JoinedBy by = JoinedBy::kFirst;
  Time joined{};
  std::optional<Time> left;  ///< the episode ended, or went on in another incident
};

}  // namespace atalaya::incidents
