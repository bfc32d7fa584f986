// Dead-man switches: programs that say that they ran, and alerts about those that do not. As Healthchecks has them.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "db/database.h"

namespace atalaya::alerts {

enum class PingState : std::uint8_t { kNew, kUp, kDown };
/// new, up, late (up, and the period is over), started (up or new, and it runs), down.
std::string_view name(PingState state);

/// Who knows its id may ping it. Its alert is a posted one of the door `ping`, with the labels and alertname=`name`.
struct PingCheck {
  std::string id;  ///< a UUID, and the secret of its address
  std::string name;
  Duration period{};  ///< between two pings
  Duration grace{};   ///< how much later one may come, and how long a run may take
  std::map<std::string, std::string> labels;
  PingState state = PingState::kNew;
  Time created{};
  std::optional<Time> last;      ///< it said that it succeeded, or failed
  std::optional<Time> started;   ///< it said that it began, and not yet how it ended
  std::optional<Duration> took;  ///< from the last begin to its end
  std::optional<Time> due;       ///< it is down without a ping until then; nothing for one that is new or down
  std::uint64_t pings = 0;
  std::string heartbeat;  ///< JSON: what an Alerta heartbeat says beside this, where it came as one; else ""
};

enum class PingKind : std::uint8_t { kSuccess, kStart, kFail, kLog };
std::string_view name(PingKind kind);  ///< success, start, fail, log

/// One ping as it is remembered.
struct PingLine {
  std::uint64_t number = 0;
  Time at{};
  PingKind kind = PingKind::kSuccess;
  std::optional<int> exit;  ///< where it gave one
  std::string body;
  std::string from;  ///< address of the sender
};

// Event bodies for alerts::Machine; post them with `done` (control::Runner::run).

/// Makes a check, or changes name, times and labels of the one with this id. already_exists where another has the
/// name, invalid_argument for times that are none.
struct SetPing {
  PingCheck check;
};
/// Its alert closes. not_found.
struct RemovePing {
  std::string id;
};
/// not_found. A failure is an alert at once; a success ends it.
struct Pinged {
  std::string id;
  PingLine line;  ///< number and time are the machine's
};

/// The newest lines of a check that are kept, and the bytes of a body.
constexpr std::uint64_t kKeptPings = 100;
constexpr std::size_t kMaxPingBytes = 10'000;

/// Sees the last commit. Thread-safe.
class PingQueries {
 public:
  explicit PingQueries(db::Database& database) : database_(database) {}
  Result<std::vector<PingCheck>> list(const TenantId& tenant) const;  ///< by name
  /// Newest line first. not_found.
  Result<std::pair<PingCheck, std::vector<PingLine>>> get(const TenantId& tenant, const std::string& id) const;
  Result<TenantId> tenant_of(const std::string& id) const;  ///< not_found

 private:
  db::Database& database_;
};

boost::json::object to_json(const PingCheck& check, Time now);
boost::json::object to_json(const PingLine& line);

}  // namespace atalaya::alerts
