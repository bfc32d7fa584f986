// A store of series with a few samples laid over it that it does not hold yet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "promql/memory_series.h"
#include "storage/series.h"

namespace atalaya::rules {

/// What the rules of a group see: the store, and what those before them just wrote. Of two samples of one
/// instant the store's stands. Borrows the store. Thread-compatible; reading alone from any thread.
class OverlaySeries final : public storage::SeriesQuerier {
 public:
  explicit OverlaySeries(const storage::SeriesQuerier& below) : below_(below) {}

  void add(const Labels& labels, Time time, double value) {
    above_.add(labels, time, value);
    empty_ = false;
  }

  Result<std::vector<storage::SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range) const override;
  Result<std::vector<storage::SelectedSeries>> select_hinted(const TenantId& tenant, const Matchers& matchers,
                                                             storage::TimeRange range,
                                                             const storage::SelectHints& hints) const override;
  Time complete_from() const override { return below_.complete_from(); }
  Result<storage::SelectedSeries> series(const TenantId& tenant, SeriesId id, storage::TimeRange range) const override {
    return below_.series(tenant, id, range);
  }
  std::shared_ptr<const Labels> labels_of(const TenantId& tenant, SeriesId id) const override {
    return below_.labels_of(tenant, id);
  }
  std::vector<std::string> label_names(const TenantId& tenant, const Matchers& matchers) const override;
  std::vector<std::string> label_values(const TenantId& tenant, std::string_view name,
                                        const Matchers& matchers) const override;

 private:
  Result<std::vector<storage::SelectedSeries>> joined(Result<std::vector<storage::SelectedSeries>> below,
                                                      const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range) const;

  const storage::SeriesQuerier& below_;
  promql::MemorySeries above_;
  bool empty_ = true;
};

}  // namespace atalaya::rules
