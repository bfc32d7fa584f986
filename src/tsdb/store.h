// The store of time series: durable log first, then memory, then everybody who waits.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/file_system.h"
#include "storage/series.h"
#include "telemetry/metrics.h"

namespace atalaya::tsdb {

struct Options {
  std::string directory;                       ///< of its own; made when absent
  Duration retention{std::chrono::hours{24}};  ///< samples older than this are neither taken nor served
  Duration ahead{std::chrono::minutes{1}};     ///< nor those further in the future than this
  std::uint64_t segment_bytes = 64 << 20;      ///< a log file is closed at this size
  std::size_t queue_batches = 4096;            ///< waiting batches beyond this are refused
  std::size_t queue_samples = 4'000'000;       ///< and samples in them
  std::size_t max_series_per_tenant = 1'000'000;
  std::size_t max_labels_per_series = 64;
  std::size_t max_label_name_bytes = 256;
  std::size_t max_label_value_bytes = 4096;
  Duration retry{std::chrono::seconds{1}};         ///< between attempts to write again after the disk failed
  Duration maintenance{std::chrono::seconds{30}};  ///< between looks for what has aged out
  /// Commit inside `append`, on the caller's thread: for tests and simulation. Then nothing needs
  /// `start`, and only one thread may append.
  bool commit_inline = false;
};

/// What start-up found besides healthy data.
struct OpenReport {
  std::uint64_t samples = 0;         ///< replayed into memory
  std::uint64_t torn_bytes = 0;      ///< cut off the end of the log: an unfinished write
  std::vector<std::string> damaged;  ///< one sentence for each file in which damage was set aside
};

/// Operation: `append` queues a batch; the commit thread takes all that wait, writes them to the
/// log with one sync, applies them to memory, tells listeners in order of position, then calls each
/// `done`. Queries read memory alone. When the log cannot be written, the waiting batches get the
/// error, nothing of them becomes visible, and the store refuses writes until a new log file can be
/// opened (tried every `retry`); queries go on.
///
/// Start-up replays the log one record at a time. Damage is set aside (`*.damaged`), named in the
/// report and in the program's log, and the rest serves.
///
/// Owner: the app; made by `open`, used after `start`, listeners registered in between.
/// Thread-safe.
class Store final : public storage::SeriesAppender, public storage::SeriesQuerier, public storage::SamplesFeed {
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
  /// Drops what has aged out. The commit thread does it by itself; simulations call it.
  void maintain();

  Result<SeriesId> resolve(const TenantId& tenant, const Labels& labels) override;
  void append(const TenantId& tenant, storage::SampleBatch batch, storage::AppendDone done) override;
  std::uint64_t last_sequence(const TenantId& tenant, const std::string& source) const override;

  void listen(storage::SamplesListener listener) override;
  Status replay(storage::LogPosition after, const storage::SamplesListener& listener) const override;

  Result<std::vector<storage::SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range) const override;
  Result<storage::SelectedSeries> series(const TenantId& tenant, SeriesId id, storage::TimeRange range) const override;
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
