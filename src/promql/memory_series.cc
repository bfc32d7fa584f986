#include "promql/memory_series.h"

#include <set>

namespace atalaya::promql {
namespace {

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

std::vector<Sample> within(const std::map<Time, double>& samples, storage::TimeRange range) {
  std::vector<Sample> out;
  for (auto it = samples.lower_bound(range.from); it != samples.end() && it->first <= range.to; ++it) {
    out.push_back(Sample{it->first, it->second});
  }
  return out;
}

}  // namespace

storage::SelectedSeries MemorySeries::of(const Labels& labels, storage::TimeRange range) const {
  const auto found = series_.find(labels);
  auto samples = found == series_.end() ? std::vector<Sample>{} : within(found->second, range);
  return {SeriesId{}, std::make_shared<const Labels>(labels), std::make_unique<List>(std::move(samples))};
}

Result<std::vector<storage::SelectedSeries>> MemorySeries::select(const TenantId&, const Matchers& matchers,
                                                                  storage::TimeRange range) const {
  std::vector<storage::SelectedSeries> out;
  for (const auto& [labels, samples] : series_) {
    if (!matches(matchers, labels)) continue;
    auto found = within(samples, range);
    if (found.empty()) continue;
    out.push_back({SeriesId{}, std::make_shared<const Labels>(labels), std::make_unique<List>(std::move(found))});
  }
  return out;
}

Result<storage::SelectedSeries> MemorySeries::series(const TenantId&, SeriesId, storage::TimeRange) const {
  return fail(ErrorCode::kNotFound, "ids are not used here");
}

std::vector<std::string> MemorySeries::label_names(const TenantId&, const Matchers& matchers) const {
  std::set<std::string> out;
  for (const auto& [labels, samples] : series_) {
    if (!matches(matchers, labels)) continue;
    for (const auto& [name, value] : labels) out.emplace(name);
  }
  return {out.begin(), out.end()};
}

std::vector<std::string> MemorySeries::label_values(const TenantId&, std::string_view name,
                                                    const Matchers& matchers) const {
  std::set<std::string> out;
  for (const auto& [labels, samples] : series_) {
    if (matches(matchers, labels) && labels.has(name)) out.emplace(labels.get(name));
  }
  return {out.begin(), out.end()};
}

}  // namespace atalaya::promql
