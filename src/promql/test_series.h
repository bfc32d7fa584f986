// A SeriesQuerier in plain maps, for the tests of this library.
#pragma once

#include <map>
#include <set>

#include "storage/series.h"

namespace atalaya::promql {

/// One tenant; ids are not used. Thread-compatible.
class TestSeries final : public storage::SeriesQuerier {
 public:
  void add(const Labels& labels, Time time, double value) { series_[labels].insert_or_assign(time, value); }
  void clear() { series_.clear(); }

  Result<std::vector<storage::SelectedSeries>> select(const TenantId&, const Matchers& matchers,
                                                      storage::TimeRange range) const override {
    ++selects;
    std::vector<storage::SelectedSeries> out;
    for (const auto& [labels, samples] : series_) {
      if (!matches(matchers, labels)) continue;
      std::vector<Sample> found;
      for (auto it = samples.lower_bound(range.from); it != samples.end() && it->first <= range.to; ++it) {
        found.push_back(Sample{it->first, it->second});
      }
      if (found.empty()) continue;
      out.push_back({SeriesId{}, std::make_shared<const Labels>(labels), std::make_unique<List>(std::move(found))});
    }
    return out;
  }
  Result<storage::SelectedSeries> series(const TenantId&, SeriesId, storage::TimeRange) const override {
    return fail(ErrorCode::kNotFound, "ids are not used here");
  }
  std::shared_ptr<const Labels> labels_of(const TenantId&, SeriesId) const override { return nullptr; }
  std::vector<std::string> label_names(const TenantId&, const Matchers&) const override { return {}; }
  std::vector<std::string> label_values(const TenantId&, std::string_view, const Matchers&) const override {
    return {};
  }

  mutable int selects = 0;

 private:
  class List final : public storage::SampleIterator {
   public:
    explicit List(std::vector<Sample> samples) : samples_(std::move(samples)) {}
    bool next(Sample& out) override {
      if (at_ == samples_.size()) return false;
      out = samples_[at_++];
      return true;
    }

   private:
    std::vector<Sample> samples_;
    std::size_t at_ = 0;
  };
  std::map<Labels, std::map<Time, double>> series_;
};

}  // namespace atalaya::promql
