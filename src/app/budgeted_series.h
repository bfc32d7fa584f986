// Queries from outside, as far as there is memory for them.
#pragma once

#include "storage/series.h"
#include "telemetry/memory_budget.h"
#include "telemetry/metrics.h"

namespace atalaya::app {

/// While the process is beyond its budget of memory whoever selects samples gets the error unavailable; the words of
/// labels are given all the same. Rules read the store without it. Thread-safe.
class BudgetedSeries final : public storage::SeriesQuerier {
 public:
  /// All outlive this.
  BudgetedSeries(const storage::SeriesQuerier& series, const telemetry::MemoryBudget& memory,
                 telemetry::Registry& metrics);

  Result<std::vector<storage::SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range) const override;
  Result<std::vector<storage::SelectedSeries>> select_hinted(const TenantId& tenant, const Matchers& matchers,
                                                             storage::TimeRange range,
                                                             const storage::SelectHints& hints) const override;
  Time complete_from() const override { return series_.complete_from(); }
  Result<storage::SelectedSeries> series(const TenantId& tenant, SeriesId id, storage::TimeRange range) const override;
  std::shared_ptr<const Labels> labels_of(const TenantId& tenant, SeriesId id) const override;
  std::vector<std::string> label_names(const TenantId& tenant, const Matchers& matchers) const override;
  std::vector<std::string> label_values(const TenantId& tenant, std::string_view name,
                                        const Matchers& matchers) const override;

 private:
  Status admit() const;

  const storage::SeriesQuerier& series_;
  const telemetry::MemoryBudget& memory_;
  telemetry::Counter& refused_;
};

}  // namespace atalaya::app
