// Queries from outside, as far as there is memory for them.
#pragma once

#include "storage/series.h"
#include "telemetry/query_memory.h"

namespace atalaya::app {

/// While queries hold all that --memory leaves them whoever selects samples gets the error unavailable; the words of
/// labels are given all the same. Rules read the store without it. Thread-safe.
class BudgetedSeries final : public storage::SeriesQuerier {
 public:
  /// Both outlive this.
  BudgetedSeries(const storage::SeriesQuerier& series, telemetry::QueryMemory& memory)
      : series_(series), memory_(memory) {}

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
  const storage::SeriesQuerier& series_;
  telemetry::QueryMemory& memory_;
};

}  // namespace atalaya::app
