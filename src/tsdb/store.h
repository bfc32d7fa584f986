// The store of time series: durable log first, then memory, then everybody who waits.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/file_system.h"
#include "storage/series.h"
#include "telemetry/memory_budget.h"
#include "telemetry/metrics.h"
#include "tsdb/block/block.h"
#include "tsdb/cardinality.h"
#include "tsdb/limit_names.h"
#include "tsdb/retention.h"

namespace atalaya::tsdb {

struct Options {
  std::string directory;                       ///< of its own; made when absent
  Duration retention{std::chrono::hours{24}};  ///< samples older than this are neither taken nor served
  Duration keep_five_minutes{0};               ///< buckets of five minutes; 0 makes none
  Duration keep_one_hour{0};                   ///< and of an hour
  std::vector<RetentionClass> classes;         ///< series that are kept otherwise; the first that matches counts
  std::uint64_t max_bytes = 0;  ///< of blocks: beyond it the oldest raw samples go, buckets last; 0: no limit
  Duration ahead{std::chrono::minutes{1}};  ///< nor those further in the future than this
  Duration window{std::chrono::hours{1}};   ///< how far behind its series' youngest a sample may come
  std::uint64_t segment_bytes = 64 << 20;   ///< a log file is closed at this size
  bool sync = true;                       ///< of the log before an acknowledgement; false loses seconds at a power cut
  std::size_t queue_batches = 4096;       ///< waiting batches beyond this are refused
  std::size_t queue_samples = 4'000'000;  ///< and samples in them
  std::size_t max_series_per_tenant = 1'000'000;
  std::size_t max_labels_per_series = 64;
  std::size_t max_label_name_bytes = 256;
  std::size_t max_label_value_bytes = 4096;
  LimitNames limit_names;
  std::size_t max_samples_per_second = 0;  ///< of a tenant, over ten seconds; 0: no limit
  std::size_t memory_bytes = 0;            ///< beyond this no new series are made; 0: no limit
  /// Of the whole process; outlives the store. While it is tight no new series are made, and what can be given back is.
  telemetry::MemoryBudget* budget = nullptr;
  /// Asked for room on the disk before a deletion is written, which is what gives room.
  std::function<void()> make_room = nullptr;
  std::uint64_t disk_reserve_bytes = 128 << 20;  ///< with less left on the disk nothing is taken
  Duration gather{4};  ///< at most, and no longer than a sync takes: for batches of others to share it
  Duration retry{std::chrono::seconds{1}};         ///< between attempts to write again after the disk failed
  Duration maintenance{std::chrono::seconds{30}};  ///< between looks for what has aged out
  std::uint16_t head_chunk_samples = 128;
  Duration flush_age{std::chrono::hours{1}};    ///< samples go from memory to blocks at this age
  std::size_t flush_bytes = 512 << 20;          ///< or when they take this much; at twice of it writers wait
  Duration partition{std::chrono::hours{24}};   ///< a block holds samples of one such stretch since 1970
  std::uint64_t keep_log_bytes = 256 << 20;     ///< of the log, for judges that missed something
  Duration keep_log{std::chrono::minutes{10}};  ///< younger than this
  /// Of the log a start reads this much before it serves; if there is more, what the last minutes brought.
  std::uint64_t replay_at_once_bytes = 128 << 20;
  Duration replay_at_once{std::chrono::minutes{7}};
  std::uint64_t merge_bytes_per_second = 64 << 20;  ///< of reading and writing behind everybody's back; 0: no limit
  BlockOptions block;
  std::size_t page_cache_bytes = 64 << 20;  ///< of blocks, unpacked, for those who ask again
  bool flush_on_stop = true;                ///< leave blocks and an empty log behind; without, what a kill leaves
  /// Commit and flush inside the calls, on the caller's thread: for tests and simulation. Then nothing
  /// needs `start`, and only one thread may append.
  bool commit_inline = false;
};

/// What start-up found besides healthy data.
struct OpenReport {
  std::uint64_t samples = 0;         ///< replayed into memory
  std::uint64_t torn_bytes = 0;      ///< cut off the end of the log: an unfinished write
  std::vector<std::string> damaged;  ///< what of it is damaged, and what became of that: a sentence each
  std::uint64_t damaged_files = 0;   ///< that they are about
};

/// Operation: `append` queues a batch; the commit thread takes all that wait, leaves out what is not
/// taken, writes the rest to the log with one sync, applies it to memory, tells listeners in order of
/// position, then calls each `done`. Another thread writes what has been in memory for long to blocks,
/// drops the log behind it, merges blocks, rolls up stretches that are over and removes what aged out. When the log
/// cannot be written, the waiting batches get the error (unavailable), nothing of them becomes visible, and the store
/// refuses writes until a new log file can be opened (tried every `retry`); queries go on. So it does
/// while the disk has less left than its reserve.
///
/// A query sees memory and blocks as one. Of two samples of one series and instant the one that was
/// written first stands.
///
/// Start-up maps the blocks and replays the log behind them, one record at a time; of a long log the last
/// minutes, and the rest behind everybody's back, straight to blocks. Until that is done, who asks for what
/// is older gets the error unavailable, never less than there is. Damage is set aside
/// (`*.damaged`), named in the report and in the program's log, and the rest serves.
///
/// Ids: a series that got no sample and was not resolved for an hour, and has none in memory, loses
/// its id; no other ever gets it. SelectedSeries of such series have the id 0.
///
/// Owner: the app; made by `open`, used after `start`, listeners registered in between.
/// Thread-safe.
class Store final : public storage::SeriesAppender,
                    public storage::SeriesKeys,
                    public storage::SeriesQuerier,
                    public storage::SamplesFeed {
 public:
  /// `files`, `clock` and `metrics` outlive the store. `conflict` when another process has the
  /// directory.
  static Result<std::unique_ptr<Store>> open(io::FileSystem& files, const Clock& clock, telemetry::Registry& metrics,
                                             Options options);
  ~Store() override;

  /// Starts the commit thread. Nothing for `commit_inline`.
  void start();
  /// Commits what is queued, then ends the thread; later appends get `unavailable`. Idempotent.
  void stop();
  const OpenReport& report() const;
  /// What the background thread does when it is due: flush, merge, drop what has aged out.
  void maintain();
  /// Writes all that is in memory to blocks and drops the log. What comes meanwhile stays in both.
  Status flush();
  /// Merges blocks until there is nothing left to win, takes out what was deleted, and rolls up.
  Status compact();
  /// Hides the samples in the range of all series that match, as far as they were acknowledged before the
  /// call: durably, from the next query on. The space comes back with the next maintenance. At least one
  /// matcher must refuse the empty value, else invalid_argument.
  Status delete_series(const TenantId& tenant, const Matchers& matchers, storage::TimeRange range);
  /// A copy of everything acknowledged before the call, as a folder below `snapshots` that can be opened as
  /// a store: memory is written to blocks, and these are linked, so that it costs hardly any room while they
  /// live. Its path.
  Result<std::string> snapshot();
  /// By the last part of its path; not_found when there is none of that name.
  Status remove_snapshot(const std::string& name);
  /// Reads every byte of blocks, log and checkpoint. A damaged block is set aside and named, the rest serves on; for
  /// log and checkpoint, if they are damaged, memory is written to blocks, and they begin anew.
  Result<std::vector<std::string>> verify();
  /// Files with damage that were set aside, now or earlier; nobody reads them, and they may be removed.
  std::vector<std::string> set_aside() const;
  /// Of the series that get samples.
  Cardinality cardinality(const TenantId& tenant, std::size_t limit) const;
  /// Of the blocks that serve, ascending in sequence.
  std::vector<BlockMeta> blocks() const;

  Result<SeriesId> resolve(const TenantId& tenant, const Labels& labels) override;
  void append(const TenantId& tenant, storage::SampleBatch batch, storage::AppendDone done) override;
  std::uint64_t last_sequence(const TenantId& tenant, const std::string& source) const override;

  void find_bound(const TenantId& tenant, std::span<const storage::SeriesKey> keys,
                  std::span<SeriesId> ids) const override;
  void bind(const TenantId& tenant, const storage::SeriesKey& key, SeriesId id) override;

  void listen(storage::SamplesListener listener) override;
  Status replay(storage::LogPosition after, const storage::SamplesListener& listener) const override;

  Result<std::vector<storage::SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range) const override;
  Result<std::vector<storage::SelectedSeries>> select_hinted(const TenantId& tenant, const Matchers& matchers,
                                                             storage::TimeRange range,
                                                             const storage::SelectHints& hints) const override;
  /// Samples alone: buckets are for those who look far.
  Result<storage::SelectedSeries> series(const TenantId& tenant, SeriesId id, storage::TimeRange range) const override;
  Time complete_from() const override;
  std::shared_ptr<const Labels> labels_of(const TenantId& tenant, SeriesId id) const override;
  std::vector<std::string> label_names(const TenantId& tenant, const Matchers& matchers) const override;
  std::vector<std::string> label_values(const TenantId& tenant, std::string_view name,
                                        const Matchers& matchers) const override;

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::tsdb
