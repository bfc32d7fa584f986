// The parts of a Store and who holds which lock; the work is in store*.cc.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "storage/commit_queue.h"
#include "storage/segment_log.h"
#include "tsdb/block/merge.h"
#include "tsdb/block_set.h"
#include "tsdb/deletes.h"
#include "tsdb/head/head.h"
#include "tsdb/log/replayer.h"
#include "tsdb/partitioned_writer.h"
#include "tsdb/rate_limit.h"
#include "tsdb/store.h"
#include "tsdb/store_metrics.h"
#include "tsdb/suspects.h"

namespace atalaya::tsdb {

class PastSamples;

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
  std::uint64_t first_recent(const std::vector<storage::Segment>& segments) const;
  Status replay_recent();
  Status read_past(std::map<TenantId, PastSamples>& past);
  Status replay_past();
  Status add_past(const TenantId& tenant, const PastSamples& samples, PartitionedWriter& out);
  void maintain_past();
  void report_damage();

  // store_commit.cc
  void commit(std::vector<Pending>& group);
  Status ensure_segment();
  Status check_reserve();
  Status stage_batch(Staged& staged);
  Status stage_definitions(const Staged& staged, std::span<const std::uint32_t> ids);
  Result<storage::LogPosition> stage_samples(const Staged& staged);
  void apply(std::vector<Staged>& staged, const storage::OriginMarks& group_marks);
  void unstage(std::vector<Staged>& staged);
  void note_failure(const Error& error);
  void complain_of_series(const TenantId& tenant, const Labels& labels, std::string_view why);
  void complain_of_future(const storage::Appended& appended, TenantHead& head);

  // store_flush.cc
  void work();  ///< of the background thread
  void maintain();
  void tell_sizes();
  void make_room() const {
    if (options.make_room) options.make_room();
  }
  bool is_below_reserve() const;
  void note(std::string_view what, const Status& status);
  bool flush_is_due();
  bool look_at_memory();
  Status flush_locked(bool drop_log, bool ends = false);  ///< `ends`: nothing will be written any more
  Status flush_older(bool drop_log, bool goes_on);
  Status rotate();
  Result<BlockList> write_blocks();
  Status add_older(const TenantId& tenant, const TenantHead& one, PartitionedWriter& out);
  Status finish_flush(bool drop_log, bool goes_on);
  Status write_checkpoint(bool with_series);
  Status drop_log_before(std::uint64_t segment, bool all);
  Status merge(bool all);
  BlockList next_run(const BlockList& stretch, bool all) const;
  Result<bool> merge_once(bool all);
  Status wait_for_disk(std::uint64_t bytes);
  Status erase_deleted();
  static constexpr std::uint64_t kSlackBytes = 1 << 20;  ///< stays free where what is written gives room
  bool has_room_to_erase(std::uint64_t left) const;
  /// Beside what is to stay free; complains once an hour.
  bool has_room_for(std::uint64_t bytes, std::uint64_t reserve);
  Status erase_deleted(const DeletionList& deletions, const std::function<bool(const BlockPtr&)>& is_meant);
  bool is_over(std::int64_t stretch) const;
  Status without_room(Error error) const;
  Status delete_series(const TenantId& tenant, const Matchers& matchers, storage::TimeRange range);

  // store_tiers.cc
  Status roll_up();
  using ByResolution = std::map<std::int64_t, BlockList>;
  using Stretches = std::map<std::int64_t, ByResolution>;  ///< by their first millisecond
  Stretches stretches() const;
  bool is_rolled(std::int64_t stretch, const ByResolution& of, std::int64_t resolution) const;
  Status roll_up(std::int64_t stretch, const ByResolution& of, std::int64_t resolution);
  Status drop_aged();
  Status drop_aged_classes();
  Result<BlockPtr> without_aged(const BlockPtr& block, Time end);
  BlockList first_to_go(const Stretches& all) const;
  Status keep_to_size();
  Result<BlockPtr> rolled(const ByResolution& of, const BlockName& name,
                          const std::function<bool(const Labels&)>& leads, const DroppedRanges& dropped_of_present);
  static BlockName rolled_name(std::int64_t stretch, const ByResolution& of, std::int64_t resolution);
  static bool is_whole(const ByResolution& of, std::int64_t resolution);
  Result<BlockPtr> make_anew(std::int64_t stretch, const ByResolution& of, std::int64_t resolution,
                             const DeletionList& deletions);

  // store_care.cc
  struct SetAside {
    std::vector<std::string> paths;
    std::uint64_t bytes = 0;
  };
  SetAside set_aside() const;
  void tell_of_damage();
  Result<std::string> snapshot();
  Status fill_snapshot(const std::string& place);
  Status remove_snapshot(const std::string& name);
  Status remove_unfinished_snapshots();
  Result<BlockSet::Salvaged> salvage(const Block& block, const std::string& path);
  Result<std::vector<std::string>> verify();
  Result<std::vector<std::string>> look_at_log();
  Result<std::vector<std::string>> set_damage_aside(const BlockList& list);
  Result<std::optional<std::string>> look_at(const BlockPtr& block);
  bool hides_raw(const ByResolution& of) const;
  Status set_aside(const BlockPtr& block, const Block& readable);

  // store_select.cc
  class Selection;
  Result<std::vector<storage::SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range,
                                                      const storage::SelectHints& hints) const;

  // store_query.cc
  Status check_past(Time from) const;
  template <typename FromMemory, typename FromBlock>
  std::vector<std::string> collect(const TenantId& tenant, FromMemory&& from_memory, FromBlock&& from_block) const;

  // store_feed.cc
  Status replay(storage::LogPosition after, const storage::SamplesListener& listener) const;

  /// The oldest instant of what is kept so long; nothing is where that is 0.
  Time cutoff_of(Duration kept) const {
    const auto now = clock.now();
    return kept == Duration{0} ? kMaxTime : now - std::min(kept, now.time_since_epoch());
  }
  /// What is older is not only kept no longer: all of it that was taken before has left memory, too.
  Time settled(Duration kept) const {
    const auto cut = cutoff_of(kept);
    return cut == kMaxTime ? cut : cut - options.flush_age;
  }
  /// Nothing waits that may be older than what is taken now: neither what a start read from the log, nor what it has
  /// yet to read, nor what a flush that failed has left. Else buckets would lack it, and raw samples go before it
  /// comes. Under `maintaining`.
  bool is_settled() const { return !unfinished && past_before == 0 && rotated != Time{}; }
  /// Of raw samples.
  Time cutoff() const { return cutoff_of(retention.longest(0)); }
  /// Unix milliseconds.
  std::int64_t stretch_of(const Block& block) const {
    const auto name = BlockName::parse(block.path());
    return name ? name->stretch : block.meta().first / options.partition.count() * options.partition.count();
  }
  Time end_of(std::int64_t stretch) const { return from_ms(stretch + options.partition.count()); }
  std::uint32_t now_seconds() const { return static_cast<std::uint32_t>(to_ms(clock.now()) / 1000); }

  io::FileSystem& files;
  const Clock& clock;
  const Options options;
  const Retention retention;
  StoreMetrics metrics;
  const std::shared_ptr<Suspects> suspects = std::make_shared<Suspects>(metrics.unreadable);
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
  /// Guarded by maintaining: segments before this one are in neither memory nor blocks; 0: there are none.
  std::uint64_t past_before = 0;
  std::optional<Replayer> replayer;  ///< guarded by maintaining; until all of the log is read
  /// Unix milliseconds: no sample of those segments is younger.
  std::atomic<std::int64_t> past_until = INT64_MIN;
  std::uint64_t next_sequence = 1;  ///< guarded by maintaining
  /// Guarded by maintaining: stretch and resolution of which no series is kept, and the sequence up to which.
  std::map<std::pair<std::int64_t, std::int64_t>, std::uint64_t> without_buckets;
  /// Guarded by maintaining: of blocks (paths), how many bounds of classes had passed when they were looked at.
  std::map<std::string, std::size_t> aged;
  Steady next_memory_look{};       ///< guarded by maintaining
  Steady next_room_complaint{};    ///< guarded by maintaining
  std::uint64_t mended_files = 0;  ///< guarded by maintaining; with damage, and in their place still
  Time rotated;  ///< guarded by maintaining; when the present generation began, Time{} if a log was read
  /// A place in the log, and which sequences of sources were there by then, or some of them.
  struct Cut {
    storage::LogPosition position;
    storage::OriginMarks marks;
  };
  /// Guarded by maintaining: where the log stood when a generation was set apart that is in no blocks yet.
  std::optional<Cut> unfinished;
  Cut flushed;  ///< guarded by maintaining; what is before it is in blocks, once there was a flush
  std::atomic<bool> memory_is_full = false;   ///< of samples: writers are to wait
  std::atomic<bool> series_are_full = false;  ///< no new ones
  std::atomic<bool> series_are_many = false;  ///< new ones only for tenants with few
  /// Who has as many gets no new ones where memory is little: an equal share, with one tenant more.
  std::atomic<std::size_t> fair_series = 0;
  bool admits_to_little(const TenantHead& tenant) const;
  std::atomic<std::uint32_t> resolved = 0;  ///< label sets, as often as asked
  RateLimit rates;
  std::atomic<std::int64_t> next_series_complaint = 0;  ///< nanoseconds of the steady clock

  std::mutex waking;
  std::condition_variable wake;
  bool stopping = false;  ///< guarded by waking
  std::thread worker;

  storage::CommitQueue<Pending> queue;  // last: its thread ends before what it uses
};

}  // namespace atalaya::tsdb
