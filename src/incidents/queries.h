// Reading incidents: lists, and one with all that belongs to it.
#pragma once

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.h"
#include "incidents/incident.h"

namespace atalaya::incidents {

enum class StateFilter : std::uint8_t { kActive, kOpen, kAcknowledged, kClosed, kAll };
/// active (open and acknowledged), open, acknowledged, closed, all; "" is active.
Result<StateFilter> parse_state_filter(std::string_view text);

/// Asks for those that nobody owns.
constexpr std::string_view kNobody = "-";

struct Filter {
  StateFilter state = StateFilter::kActive;
  std::optional<alerts::Severity> severity;
  std::string owner;  ///< "" for any
  std::string text;   ///< case-insensitive (ASCII), within title, labels or owner; a number finds its incident, too
  std::size_t limit = 100;  ///< at most 1000
  std::string before;       ///< `next` of the page before; "" for the first
};

/// Newest first.
struct Page {
  std::vector<Incident> incidents;
  std::string next;                ///< "" on the last page
  std::uint64_t open = 0;          ///< of the tenant, whatever was asked for
  std::uint64_t acknowledged = 0;  ///< likewise
};

struct Details {
  struct Alert {
    alerts::Alert alert;  ///< as it stands now
    Member member;
  };
  struct AlertLine {
    AlertId alert;
    alerts::HistoryLine line;
  };
  Incident incident;
  std::vector<Line> lines;         ///< oldest first, the newest 1000
  std::vector<Alert> alerts;       ///< those in it first, the worst first; at most 1000
  std::vector<AlertLine> history;  ///< of its alerts while they were in it; oldest first, the newest 1000
};

/// Sees the last commit. Thread-safe.
class Queries {
 public:
  explicit Queries(db::Database& database) : database_(database) {}

  /// invalid_argument for a `before` that no page gave.
  Result<Page> list(const TenantId& tenant, const Filter& filter) const;
  Result<Details> get(const TenantId& tenant, IncidentId id) const;  ///< not_found

 private:
  db::Database& database_;
};

/// As the API shows it (docs/api/openapi.yaml).
boost::json::object to_json(const Incident& incident);

}  // namespace atalaya::incidents
