// Series in plain maps: what scripts load, and tests.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "storage/series.h"

namespace atalaya::promql {

/// One tenant; ids are not used. Thread-compatible; reading alone from any thread.
class MemorySeries : public storage::SeriesQuerier {
 public:
  void add(const Labels& labels, Time time, double value) { series_[labels].insert_or_assign(time, value); }
  void clear() { series_.clear(); }

  /// What the series with these labels has in the range; nothing of it has no samples.
  storage::SelectedSeries of(const Labels& labels, storage::TimeRange range) const;

  Result<std::vector<storage::SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range) const override;
  /// not_found: there are no ids.
  Result<storage::SelectedSeries> series(const TenantId& tenant, SeriesId id, storage::TimeRange range) const override;
  std::shared_ptr<const Labels> labels_of(const TenantId&, SeriesId) const override { return nullptr; }
  std::vector<std::string> label_names(const TenantId& tenant, const Matchers& matchers) const override;
  std::vector<std::string> label_values(const TenantId& tenant, std::string_view name,
                                        const Matchers& matchers) const override;

 private:
  std::map<Labels, std::map<Time, double>> series_;
};

}  // namespace atalaya::promql
