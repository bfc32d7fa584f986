// Reading alerts as Alerta's clients see them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "alerts/report.h"
#include "db/database.h"

namespace atalaya::alerts {

struct SeenReport {
  Alert alert;
  Report report;
};

/// Sees the last commit. Thread-safe.
class ReportQueries {
 public:
  ReportQueries(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  enum class Which : std::uint8_t { kAll, kOpen, kOver };
  /// Every alert that fires or lacks data, and what is over if somebody was told of it or reported it: as many as there
  /// are, in order of their ids.
  Result<std::vector<SeenReport>> list(const TenantId& tenant, Which which = Which::kAll) const;
  /// By its id or that of its last reception, or the first 8 and more characters of either; not_found.
  Result<SeenReport> get(const TenantId& tenant, const std::string& id) const;
  /// Of one alert, newest first.
  Result<std::vector<HistoryLine>> history(const TenantId& tenant, const AlertId& id, std::size_t limit) const;
  /// Of all alerts, newest first.
  Result<std::vector<std::pair<AlertId, HistoryLine>>> lines(const TenantId& tenant, std::size_t limit) const;

 private:
  db::Database& database_;
  const Clock& clock_;
};

}  // namespace atalaya::alerts
