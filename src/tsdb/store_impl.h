// The parts of a Store and who holds which lock; the work is in store*.cc.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "storage/commit_queue.h"
#include "storage/segment_log.h"
#include "tsdb/block_set.h"
#include "tsdb/deletes.h"
#include "tsdb/head/head.h"
#include "tsdb/log/replayer.h"
#include "tsdb/rate_limit.h"
#include "tsdb/store.h"
#include "tsdb/store_metrics.h"

namespace atalaya::tsdb {

/// Locks, in the order in which they are taken: `maintaining` (flush, merge, removal: one at a time) →
/// `writing` (the log; staging and applying) → `mutex` (marks) and those of the heads.
struct Store::Impl {
  struct Pending {
    TenantId tenant;
    storage::SampleBatch batch;
    storage::AppendDone done;
  };
  /// What becomes of one batch of a group.
  struct Staged {
    Pending* pending = nullptr;
    TenantHead* head = nullptr;
    storage::Appended appended;
    bool written = false;
    std::vector<storage::SeriesSample> samples;  ///< the accepted ones
    std::vector<std::uint32_t> defined;          ///< series that the log learned with it
  };

  Impl(io::FileSystem& file_system, const Clock& c, telemetry::Registry& registry, Options o);

  // store_open.cc
  Status load();
  void report_damage();

  // store_commit.cc
  void commit(std::vector<Pending>& group);
  Status ensure_segment();
  Status check_reserve();
  Status stage_batch(Staged& staged);
  Status stage_definitions(const Staged& staged);
  void apply(std::vector<Staged>& staged, const storage::OriginMarks& group_marks);
  void unstage(std::vector<Staged>& staged);
  void note_failure(const Error& error);
  void complain_of_future(const storage::Appended& appended, TenantHead& head);

  // store_flush.cc
  void work();  ///< of the background thread
  void maintain();
  bool flush_is_due();
  Status flush_locked(bool drop_log);
  Status rotate();
  Result<BlockList> write_blocks();
  Status finish_flush(storage::LogPosition flushed, bool drop_log);
  Status drop_log_before(std::uint64_t segment, bool all);
  Status merge(bool all);
  BlockList next_run(const BlockList& stretch, bool all) const;
  Result<bool> merge_once(bool all);
  Status wait_for_disk(std::uint64_t bytes);
  Status drop_old_blocks();
  Status erase_deleted();
  Status delete_series(const TenantId& tenant, const Matchers& matchers, storage::TimeRange range);

  // store_care.cc
  Result<std::string> snapshot();
  Result<std::vector<std::string>> verify();

  // store_query.cc
  Result<std::vector<storage::SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range) const;
  template <typename FromMemory, typename FromBlock>
  std::vector<std::string> collect(const TenantId& tenant, FromMemory&& from_memory, FromBlock&& from_block) const;

  // store_feed.cc
  Status replay(storage::LogPosition after, const storage::SamplesListener& listener) const;

  Time cutoff() const {
    const auto now = clock.now();
    return now - std::min(options.retention, now.time_since_epoch());
  }
  std::uint32_t now_seconds() const { return static_cast<std::uint32_t>(to_ms(clock.now()) / 1000); }

  io::FileSystem& files;
  const Clock& clock;
  const Options options;
  StoreMetrics metrics;
  OpenReport report;
  std::vector<storage::SamplesListener> listeners;
  Head head;
  BlockSet blocks;
  Deletes deletes;
  std::uint64_t salt = 0;  ///< of files

  mutable std::shared_mutex mutex;
  storage::OriginMarks marks;           ///< guarded by mutex
  std::vector<std::uint64_t> repeated;  ///< guarded by mutex; see Replayer
  LoggedIds logged_ids;                 ///< constant once loaded

  std::mutex writing;
  std::unique_ptr<storage::SegmentLog> log;  ///< staged and flushed under writing
  std::string record;                        ///< guarded by writing; the one being encoded
  Steady next_attempt{};                     ///< guarded by writing
  Steady next_complaint{};                   ///< guarded by writing
  Steady next_reserve_look{};                ///< guarded by writing
  bool below_reserve = false;                ///< guarded by writing
  std::optional<Error> log_error;            ///< guarded by writing

  std::mutex maintaining;
  std::uint64_t next_sequence = 1;  ///< guarded by maintaining
  Time rotated;                     ///< guarded by maintaining; when the present generation began
  /// Guarded by maintaining: where the log stood when a generation was set apart that is in no blocks yet.
  std::optional<storage::LogPosition> unfinished;
  std::atomic<bool> memory_is_full = false;   ///< of samples: writers are to wait
  std::atomic<bool> series_are_full = false;  ///< no new ones
  RateLimit rates;

  std::mutex waking;
  std::condition_variable wake;
  bool stopping = false;  ///< guarded by waking
  std::thread worker;

  storage::CommitQueue<Pending> queue;  // last: its thread ends before what it uses
};

}  // namespace atalaya::tsdb
