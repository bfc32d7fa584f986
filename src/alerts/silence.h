// Silences: alerts that nobody is told of for a while. They hide notifications and never state.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "calendar/time_interval.h"
#include "db/database.h"
#include "model/matcher.h"

namespace atalaya::alerts {

enum class SilenceState : std::uint8_t { kPending, kActive, kExpired };
std::string_view name(SilenceState state);  ///< pending, active, expired

/// Hides what all matchers match, from `starts` until `ends` (not included).
struct Silence {
  std::string id;  ///< a UUID
  Matchers matchers;
  Time starts{};
  Time ends{};
  std::string created_by;
  std::string comment;
  std::map<std::string, std::string> annotations;
  Time updated{};
  std::string origin;  ///< `package/name` of the item that declares it; "" for one that somebody asked for
  /// Where it recurs: Alertmanager's time intervals as a JSON list; it hides only within one of them. "" for none.
  std::string windows;
  std::vector<calendar::TimeInterval> intervals;  ///< `windows`, read

  /// One that recurs is pending between its windows.
  SilenceState state_at(Time now) const;
};

/// For a silence that recurs without an end.
constexpr Time kNoEnd = from_ms(253'402'300'799'000);
/// What `windows` means; invalid_argument with the reason.
Result<std::vector<calendar::TimeInterval>> parse_windows(const std::string& windows);

/// invalid_argument: no matcher, only matchers that every alert meets, an end that does not come after its start.
Status check(const Silence& silence);

// Event bodies for alerts::Machine; post them with `done` (control::Runner::run).

/// Makes a silence, or changes the one of `silence.id`: not_found where there is none. What cannot be changed in
/// place – matchers, the begin of one that runs, one that is over – is expired and made again under `new_id`.
/// conflict for one that a package declares. A begin in the past becomes now.
struct SetSilence {
  Silence silence;
  std::string new_id;                   ///< a UUID
  std::shared_ptr<std::string> stored;  ///< gets the id that it has in the end; may be null
};
/// Ends it now; it stays in lists for a while. One that is over stays as it is. not_found, conflict as above.
struct ExpireSilence {
  std::string id;
};
/// All silences of the tenant's packages, in whatever order: others with an origin end. One that begins at kMinTime
/// begins when it is declared first.
struct DeclareSilences {
  std::vector<Silence> silences;
};

/// Published after the commit: lists of silences, and what they hide, are different now.
struct SilencesChanged {};

/// How long silences that are over are kept.
constexpr Duration kKeepSilences{std::chrono::hours{24 * 5}};

/// Reads silences; sees the last commit. Thread-safe.
class SilenceQueries {
 public:
  explicit SilenceQueries(db::Database& database) : database_(database) {}
  /// The running ones first (those that end first), then pending ones (that begin first), then those that are over
  /// (that ended last): Alertmanager's order.
  Result<std::vector<Silence>> list(const TenantId& tenant, Time now) const;
  Result<Silence> get(const TenantId& tenant, const std::string& id) const;  ///< not_found

 private:
  db::Database& database_;
};

/// As Alertmanager's API shows one, with `origin` where a package declares it.
boost::json::object to_json(const Silence& silence, Time now);

}  // namespace atalaya::alerts
