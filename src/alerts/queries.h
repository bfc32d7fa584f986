// Reading alerts: lists, details, counts by host, and what a judge restores itself from.
#pragma once

#include <boost/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alerts/alert.h"
#include "alerts/sources.h"
#include "db/database.h"

namespace atalaya::alerts {

enum class StateFilter : std::uint8_t { kOpen, kPending, kFiring, kNoData, kResolved, kAll };
/// open, pending, firing, no_data, resolved, all; "" is open.
Result<StateFilter> parse_state_filter(std::string_view text);

struct Filter {
  StateFilter state = StateFilter::kOpen;
  std::optional<Severity> severity;
  std::string host;         ///< label instance; "" for any
  std::string text;         ///< case-insensitive (ASCII), within name, text or labels; "" for any
  std::size_t limit = 100;  ///< at most 1000
  std::string before;       ///< `next` of the page before; "" for the first
};

/// Newest episode first.
struct Page {
  std::vector<Alert> alerts;
  std::string next;  ///< "" on the last page
};

struct Details {
  Alert alert;
  std::vector<HistoryLine> history;  ///< oldest first, all episodes; the newest 1000 lines
  std::vector<RawEvent> events;      ///< newest first
};

/// Open alerts of one host (label instance); firing ones by severity.
struct HostCounts {
  std::uint32_t critical = 0;
  std::uint32_t warning = 0;
  std::uint32_t no_data = 0;
};

/// An open alert as its judge must remember it.
struct OpenAlert {
  TenantId tenant;
  AlertId id;
  std::string rule;
  Labels labels;
  Level level = Level::kOk;
  State state = State::kPending;
  Time started;
  double value = 0;
};

/// Sees the last commit. Thread-safe.
class Queries {
 public:
  /// Without a clock nobody is asked which silences hide an alert.
  explicit Queries(db::Database& database, const Clock* clock = nullptr) : database_(database), clock_(clock) {}

  /// invalid_argument for a `before` that no page gave. Resolved alerts that never reached anybody
  /// (pending that went away) are left out.
  Result<Page> list(const TenantId& tenant, const Filter& filter) const;
  Result<Details> get(const TenantId& tenant, const AlertId& id) const;  ///< not_found
  Result<std::map<std::string, HostCounts>> counts_by_host(const TenantId& tenant) const;
  /// Everything that fires or lacks data, in order of their ids: as many as there are.
  Result<std::vector<Alert>> active(const TenantId& tenant) const;
  /// Ids of the alerts that each running silence hides now, by the silence's id; reads nothing where none runs.
  Result<std::map<std::string, std::vector<std::string>>> hidden(const TenantId& tenant) const;
  /// Of rules of every tenant; with those that a person closed while their breach went on.
  Result<std::vector<OpenAlert>> open() const;

 private:
  Status fill_silenced(db::Session& session, const TenantId& tenant, std::vector<Alert>& alerts) const;

  db::Database& database_;
  const Clock* clock_;
};

/// `Alert` and the lines of `history` as the API shows them (times RFC 3339, NaN and infinities as
/// null).
boost::json::object to_json(const Alert& alert);
boost::json::object to_json(const HistoryLine& line);
boost::json::object to_json(const RawEvent& event);

}  // namespace atalaya::alerts
