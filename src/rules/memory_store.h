// Stores of series and of lines for scripts about rules: everything in memory, nothing committed.
#pragma once

#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "promql/memory_series.h"
#include "storage/logs.h"
#include "storage/series.h"

namespace atalaya::rules {

/// With ids, failures on demand, and the first of two samples of one instant. One tenant is enough for it: all see the
/// same series. Thread-compatible.
class MemorySeries final : public promql::MemorySeries {
 public:
  SeriesId resolve(const Labels& labels) {
    const auto [slot, is_new] = ids_.try_emplace(labels, labels_.size());
    if (is_new) labels_.push_back(std::make_shared<const Labels>(labels));
    return SeriesId{slot->second};
  }
  /// As a store that begins anew after a flush: what is selected has no id until a sample of it comes.
  void rest_all() {
    for (const auto& [labels, id] : ids_) resting_.insert(id);
  }
  void add(SeriesId id, Time time, double value) {
    resting_.erase(id.value());
    if (taken_.emplace(id, time).second) promql::MemorySeries::add(*labels_[id.value()], time, value);
  }
  /// While set, every query fails with it.
  void fail_with(std::string message) { failure_ = std::move(message); }
  std::size_t queries() const { return queries_; }

  Result<std::vector<storage::SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range) const override {
    ++queries_;
    if (!failure_.empty()) return fail(ErrorCode::kUnavailable, failure_);
    AT_TRY(auto out, promql::MemorySeries::select(tenant, matchers, range));
    for (auto& one : out) {
      const auto id = ids_.at(*one.labels);
      one.id = SeriesId{resting_.contains(id) ? 0 : id};
    }
    return out;
  }
  Result<storage::SelectedSeries> series(const TenantId&, SeriesId id, storage::TimeRange range) const override {
    if (id.value() >= labels_.size() || !labels_[id.value()]) return fail(ErrorCode::kNotFound, "no such series");
    auto out = of(*labels_[id.value()], range);
    out.id = id;
    return out;
  }
  std::shared_ptr<const Labels> labels_of(const TenantId&, SeriesId id) const override {
    return id.value() < labels_.size() ? labels_[id.value()] : nullptr;
  }

 private:
  std::vector<std::shared_ptr<const Labels>> labels_{nullptr};  ///< by id; 0 is nobody's
  std::unordered_map<Labels, std::uint64_t> ids_;
  std::set<std::pair<SeriesId, Time>> taken_;
  std::set<std::uint64_t> resting_;
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
