// Stores in memory for tests of writers: what is appended waits until the test commits it.
#pragma once

#include <bit>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/logs.h"
#include "storage/series.h"

namespace atalaya::ingest {

/// All stores at once. `commit_*` makes the oldest waiting append durable and calls its `done`;
/// `crash` forgets what waits, as a killed server does. Thread-safe; `done` runs without a lock.
class StoresForTests final : public storage::SeriesAppender, public storage::SeriesKeys {
 public:
  struct StoredSample {
    std::string series;
    Time time;
    double value;
    bool operator==(const StoredSample&) const = default;
  };
  /// Appends are committed within the call.
  bool commit_at_once = false;

  Result<SeriesId> resolve(const TenantId&, const Labels& labels) override {
    const std::lock_guard lock(mutex_);
    if (labels.get(kMetricName) == refuse_metric) return fail(ErrorCode::kResourceExhausted, "too many series");
    if (!refuse_labels.empty()) return fail(ErrorCode::kInvalidArgument, refuse_labels);
    ++resolved;
    const auto [it, fresh] = ids_.try_emplace(labels, names_.size() + 1);
    if (fresh) names_.push_back(to_string(labels));
    return SeriesId{it->second};
  }
  void find_bound(const TenantId& tenant, std::span<const storage::SeriesKey> keys,
                  std::span<SeriesId> ids) const override {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto found = keys_.find({tenant, {keys[i].low, keys[i].high}});
      ids[i] = found == keys_.end() ? SeriesId{0} : found->second;
    }
  }
  void bind(const TenantId& tenant, const storage::SeriesKey& key, SeriesId id) override {
    const std::lock_guard lock(mutex_);
    keys_[{tenant, {key.low, key.high}}] = id;
  }
  void append(const TenantId&, storage::SampleBatch batch, storage::AppendDone done) override {
    {
      const std::lock_guard lock(mutex_);
      ++series_appends;
      waiting_series_.emplace_back(std::move(batch), std::move(done));
    }
    if (commit_at_once) commit_series();
  }
  void append(const TenantId&, storage::LogBatch batch, storage::AppendDone done) {
    {
      const std::lock_guard lock(mutex_);
      ++log_appends;
      waiting_logs_.emplace_back(std::move(batch), std::move(done));
    }
    if (commit_at_once) commit_logs();
  }
  std::uint64_t last_sequence(const TenantId&, const std::string& source) const override {
    const std::lock_guard lock(mutex_);
    const auto found = series_sources_.find(source);
    return found == series_sources_.end() ? 0 : found->second;
  }

  storage::SeriesAppender& series() { return *this; }
  storage::LogAppender& logs() { return logs_view_; }

  bool commit_series(bool refuse = false) {
    std::pair<storage::SampleBatch, storage::AppendDone> item;
    storage::Appended appended;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_series_.empty()) return false;
      item = std::move(waiting_series_.front());
      waiting_series_.pop_front();
      if (!refuse && !refuse_appends) {
        appended.position = {++position_};
        appended.repeated = repeated(series_sources_, item.first.origin);
        if (!appended.repeated)
          for (const auto& s : item.first.samples) take(s, appended);
      }
    }
    if (refuse || refuse_appends) {
      item.second(fail(refuse_appends.value_or(ErrorCode::kResourceExhausted), refuse_appends_with));
    } else {
      item.second(appended);
    }
    return true;
  }
  bool commit_logs(bool refuse = false) {
    std::pair<storage::LogBatch, storage::AppendDone> item;
    storage::Appended appended;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_logs_.empty()) return false;
      item = std::move(waiting_logs_.front());
      waiting_logs_.pop_front();
      if (!refuse) {
        appended.position = {++position_};
        appended.repeated = repeated(log_sources_, item.first.origin);
        if (!appended.repeated)
          for (auto& record : item.first.records) lines.push_back(std::move(record));
      }
    }
    if (refuse) {
      item.second(fail(ErrorCode::kResourceExhausted, "queue full"));
    } else {
      item.second(appended);
    }
    return true;
  }
  void commit_all() {
    while (commit_series() || commit_logs()) {
    }
  }
  void crash() {
    const std::lock_guard lock(mutex_);
    waiting_series_.clear();
    waiting_logs_.clear();
  }

  std::vector<StoredSample> samples;
  std::vector<LogRecord> lines;
  std::size_t series_appends = 0;
  std::size_t log_appends = 0;
  std::size_t resolved = 0;
  std::string refuse_metric;
  std::string refuse_labels;  ///< the message with which every series is refused
  std::optional<ErrorCode> refuse_appends;
  std::string refuse_appends_with = "queue full";
  /// A second sample of a series and time is a duplicate; else everything is kept as it came.
  bool keep_first = false;
  /// Samples outside are refused.
  Time oldest = kMinTime;
  Time newest = kMaxTime;

 private:
  using Sources = std::map<std::string, std::uint64_t>;

  class LogsView final : public storage::LogAppender {
   public:
    explicit LogsView(StoresForTests& all) : all_(all) {}
    void append(const TenantId& tenant, storage::LogBatch batch, storage::AppendDone done) override {
      all_.append(tenant, std::move(batch), std::move(done));
    }
    std::uint64_t last_sequence(const TenantId&, const std::string& source) const override {
      const std::lock_guard lock(all_.mutex_);
      const auto found = all_.log_sources_.find(source);
      return found == all_.log_sources_.end() ? 0 : found->second;
    }

   private:
    StoresForTests& all_;
  };

  static bool repeated(Sources& sources, const storage::WriteOrigin& origin) {
    if (origin.source.empty()) return false;
    auto& last = sources[origin.source];
    if (origin.sequence <= last) return true;
    last = origin.sequence;
    return false;
  }

  void take(const storage::SeriesSample& sample, storage::Appended& appended) {
    const auto there = keep_first ? values_.find({sample.series, sample.time}) : values_.end();
    if (sample.time < oldest) {
      ++appended.too_old;
      appended.name(sample, storage::Refusal::kTooOld);
    } else if (sample.time > newest) {
      ++appended.too_new;
      appended.name(sample, storage::Refusal::kTooNew);
    } else if (there == values_.end()) {
      ++appended.accepted;
      if (keep_first) values_[{sample.series, sample.time}] = std::bit_cast<std::uint64_t>(sample.value);
      samples.push_back({names_[sample.series.value() - 1], sample.time, sample.value});
    } else {
      ++appended.duplicate;
      if (there->second == std::bit_cast<std::uint64_t>(sample.value)) return;
      ++appended.conflicting;
      appended.name(sample, storage::Refusal::kDuplicate);
    }
  }

  mutable std::mutex mutex_;
  std::map<std::pair<TenantId, std::pair<std::uint64_t, std::uint64_t>>, SeriesId> keys_;
  std::map<std::pair<SeriesId, Time>, std::uint64_t> values_;
  std::map<Labels, std::uint64_t> ids_;
  std::vector<std::string> names_;
  std::deque<std::pair<storage::SampleBatch, storage::AppendDone>> waiting_series_;
  std::deque<std::pair<storage::LogBatch, storage::AppendDone>> waiting_logs_;
  Sources series_sources_;
  Sources log_sources_;
  std::uint64_t position_ = 0;
  LogsView logs_view_{*this};
};

}  // namespace atalaya::ingest
