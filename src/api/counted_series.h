// A store of series that counts what is read of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "storage/series.h"

namespace atalaya::api {

/// Reads from another, which outlives it and whatever was selected. Thread-safe.
class CountedSeries final : public storage::SeriesQuerier {
 public:
  explicit CountedSeries(const storage::SeriesQuerier& inner) : inner_(inner) {}

  const storage::SeriesQuerier& inner() const { return inner_; }
  /// Read until now.
  std::uint64_t samples() const { return samples_.load(); }

  Result<std::vector<storage::SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range) const override {
    return counted(inner_.select(tenant, matchers, range));
  }
  Result<std::vector<storage::SelectedSeries>> select_hinted(const TenantId& tenant, const Matchers& matchers,
                                                             storage::TimeRange range,
                                                             const storage::SelectHints& hints) const override {
    return counted(inner_.select_hinted(tenant, matchers, range, hints));
  }
  Time complete_from() const override { return inner_.complete_from(); }
  Result<storage::SelectedSeries> series(const TenantId& tenant, SeriesId id, storage::TimeRange range) const override {
    return inner_.series(tenant, id, range);
  }
  std::shared_ptr<const Labels> labels_of(const TenantId& tenant, SeriesId id) const override {
    return inner_.labels_of(tenant, id);
  }
  std::vector<std::string> label_names(const TenantId& tenant, const Matchers& matchers) const override {
    return inner_.label_names(tenant, matchers);
  }
  std::vector<std::string> label_values(const TenantId& tenant, std::string_view name,
                                        const Matchers& matchers) const override {
    return inner_.label_values(tenant, name, matchers);
  }

 private:
  class Counting final : public storage::SampleIterator {
   public:
    Counting(std::unique_ptr<storage::SampleIterator> samples, std::atomic<std::uint64_t>& sum)
        : samples_(std::move(samples)), sum_(sum) {}
    ~Counting() override { sum_ += count_; }
    bool next(Sample& out) override {
      const bool more = samples_->next(out);
      count_ += more;
      return more;
    }
    void take_rest(std::vector<Sample>& out) override {
      const auto before = out.size();
      samples_->take_rest(out);
      count_ += out.size() - before;
    }
    Status status() const override { return samples_->status(); }

   private:
    std::unique_ptr<storage::SampleIterator> samples_;
    std::atomic<std::uint64_t>& sum_;
    std::uint64_t count_ = 0;
  };

  using Selected = Result<std::vector<storage::SelectedSeries>>;
  Selected counted(Selected selected) const {
    if (!selected) return selected;
    for (auto& one : *selected) one.samples = std::make_unique<Counting>(std::move(one.samples), samples_);
    return selected;
  }

  const storage::SeriesQuerier& inner_;
  mutable std::atomic<std::uint64_t> samples_{0};
};

}  // namespace atalaya::api
