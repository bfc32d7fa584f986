// Reading the series log back: at start-up into memory, later for a judge that missed something.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

#include "storage/segment_log.h"
#include "tsdb/head/head.h"
#include "tsdb/log/records.h"

namespace atalaya::tsdb {

/// What the ids in log records stand for now: themselves, unless their series came back under another.
/// Thread-compatible.
class LoggedIds {
 public:
  void note(const TenantId& tenant, std::uint64_t logged, std::uint64_t id) {
    if (logged != id) others_[tenant][logged] = id;
  }
  std::uint64_t now(const TenantId& tenant, std::uint64_t logged) const {
    if (others_.empty()) return logged;
    const auto ids = others_.find(tenant);
    if (ids == others_.end()) return logged;
    const auto it = ids->second.find(logged);
    return it == ids->second.end() ? logged : it->second;
  }

 private:
  std::map<TenantId, std::unordered_map<std::uint64_t, std::uint64_t>> others_;
};

/// Fills a head from definitions and samples, one record at a time: all records are shown to `survey`
/// first, which learns what the samples' ids stand for and which records are second copies; then those
/// whose samples are wanted in memory to `take`. Thread-compatible.
class Replayer {
 public:
  /// `flushed`: samples up to there are in blocks. `cutoff`: older samples are not wanted.
  Replayer(Head& head, storage::OriginMarks& marks, LoggedIds& ids, Time cutoff, std::uint32_t now)
      : head_(head), marks_(marks), ids_(ids), cutoff_(cutoff), now_(now) {}

  Status survey(const storage::SegmentRecord& record);
  Status take(const storage::SegmentRecord& record);
  /// The samples of a record that somebody wants, with the ids of now and without unknown series; null for
  /// other records. Lives until the next call.
  Result<SamplesRecord*> wanted(const storage::SegmentRecord& record);
  /// Records of a checkpoint.
  Status define(std::string_view payload);

  storage::LogPosition flushed;
  std::uint64_t samples = 0;            ///< now in memory
  std::uint64_t lost = 0;               ///< their definition was damaged
  std::vector<std::uint64_t> repeated;  ///< positions that hold a second copy, ascending

 private:
  bool is_new(const TenantId& tenant, const storage::WriteOrigin& origin, storage::LogPosition position);
  void add(const TenantId& tenant, std::vector<storage::SeriesSample>& samples_in);

  Head& head_;
  storage::OriginMarks& marks_;
  LoggedIds& ids_;
  const Time cutoff_;
  const std::uint32_t now_;
  DefinitionsView definitions_;
  SamplesRecord record_;
  std::vector<storage::SeriesSample> accepted_;
  std::vector<std::uint32_t> undefined_;
};

}  // namespace atalaya::tsdb
