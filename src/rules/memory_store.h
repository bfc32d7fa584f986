// Stores of series and of lines for scripts about rules: everything in memory, nothing committed.
#pragma once

#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/logs.h"
#include "storage/series.h"

namespace atalaya::rules {

/// One tenant is enough for it: all see the same series. Thread-compatible.
class MemorySeries final : public storage::SeriesQuerier {
 public:
  SeriesId resolve(const Labels& labels) {
    const auto [slot, is_new] = ids_.try_emplace(labels, series_.size());
    if (is_new) series_.push_back({std::make_shared<const Labels>(labels), {}});
    return SeriesId{slot->second};
  }
  void add(SeriesId id, Time time, double value) { series_[id.value()].samples.try_emplace(time, value); }
  /// While set, every query fails with it.
  void fail_with(std::string message) { failure_ = std::move(message); }
  std::size_t queries() const { return queries_; }

  Result<std::vector<storage::SelectedSeries>> select(const TenantId&, const Matchers& matchers,
                                                      storage::TimeRange range) const override {
    ++queries_;
    if (!failure_.empty()) return fail(ErrorCode::kUnavailable, failure_);
    std::vector<storage::SelectedSeries> out;
    for (std::size_t i = 0; i < series_.size(); ++i) {
      if (!matches(matchers, *series_[i].labels)) continue;
      auto one = pick(i, range);
      if (!one.second.empty()) out.push_back(make(i, std::move(one.second)));
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return *a.labels < *b.labels; });
    return out;
  }
  Result<storage::SelectedSeries> series(const TenantId&, SeriesId id, storage::TimeRange range) const override {
    if (id.value() >= series_.size()) return fail(ErrorCode::kNotFound, "no such series");
    return make(id.value(), pick(id.value(), range).second);
  }
  std::shared_ptr<const Labels> labels_of(const TenantId&, SeriesId id) const override {
    return id.value() < series_.size() ? series_[id.value()].labels : nullptr;
  }
  std::vector<std::string> label_names(const TenantId&, const Matchers&) const override { return {}; }
  std::vector<std::string> label_values(const TenantId&, std::string_view, const Matchers&) const override {
    return {};
  }

 private:
  struct Series {
    std::shared_ptr<const Labels> labels;
    std::map<Time, double> samples;
  };
  class Iterator final : public storage::SampleIterator {
   public:
    explicit Iterator(std::vector<Sample> samples) : samples_(std::move(samples)) {}
    bool next(Sample& out) override {
      if (at_ == samples_.size()) return false;
      out = samples_[at_++];
      return true;
    }

   private:
    std::vector<Sample> samples_;
    std::size_t at_ = 0;
  };

  std::pair<std::size_t, std::vector<Sample>> pick(std::size_t i, storage::TimeRange range) const {
    std::vector<Sample> samples;
    const auto& all = series_[i].samples;
    for (auto it = all.lower_bound(range.from); it != all.end() && it->first <= range.to; ++it) {
      samples.push_back({it->first, it->second});
    }
    return {i, std::move(samples)};
  }
  storage::SelectedSeries make(std::size_t i, std::vector<Sample> samples) const {
    return {SeriesId{i}, series_[i].labels, std::make_unique<Iterator>(std::move(samples))};
  }

  std::vector<Series> series_;
  std::unordered_map<Labels, std::uint64_t> ids_;
  std::string failure_;
  mutable std::size_t queries_ = 0;
};

/// Lines in the order in which they came. Thread-compatible.
class MemoryLogs final : public storage::LogQuerier {
 public:
  void add(LogRecord record) { lines_.push_back({lines_.size() + 1, std::move(record)}); }

  Result<std::vector<storage::FoundLog>> query(const TenantId&, const storage::LogQuery& query) const override {
    const re2::RE2 pattern(query.regex);
    std::vector<storage::FoundLog> out;
    for (const auto& line : lines_) {
      const auto& record = line.record;
      if (!matches_all(query.matchers, record, query.range) || !re2::RE2::PartialMatch(record.line, pattern)) continue;
      out.push_back(line);
    }
    std::stable_sort(out.begin(), out.end(), [&](const auto& a, const auto& b) {
      return query.newest_first ? a.record.time > b.record.time : a.record.time < b.record.time;
    });
    if (out.size() > query.limit) out.resize(query.limit);
    return out;
  }
  std::vector<std::string> label_values(const TenantId&, std::string_view) const override { return {}; }
  std::vector<Labels> streams(const TenantId&, const Matchers& matchers, storage::TimeRange range) const override {
    std::vector<Labels> out;
    for (const auto& [id, record] : lines_) {
      if (!matches_all(matchers, record, range)) continue;
      if (std::find(out.begin(), out.end(), record.labels) == out.end()) out.push_back(record.labels);
    }
    return out;
  }

 private:
  static bool matches_all(const Matchers& matchers, const LogRecord& record, storage::TimeRange range) {
    return matches(matchers, record.labels) && record.time >= range.from && record.time <= range.to;
  }

  std::vector<storage::FoundLog> lines_;
};

}  // namespace atalaya::rules
