// The store of log lines: appended once, capped by size and age, found by label, text and time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/file_system.h"
#include "storage/logs.h"
#include "telemetry/metrics.h"

namespace atalaya::logdb {

struct Options {
  std::string directory;                          ///< of its own; made when absent
  std::uint64_t max_bytes = 2ULL << 30;           ///< on disk; the oldest files go first
  Duration max_age{std::chrono::hours{24 * 14}};  ///< a file goes when its youngest line is older
  std::uint64_t segment_bytes = 16 << 20;         ///< a file is closed at this size
  Duration segment_age{std::chrono::hours{6}};    ///< or at this age
  std::size_t queue_batches = 4096;               ///< waiting batches beyond this are refused
  std::size_t queue_bytes = 64 << 20;             ///< and bytes of lines in them
  std::size_t max_line_bytes = 256 << 10;         ///< longer lines are cut and counted
  std::size_t max_streams_per_tenant = 100'000;   ///< label sets; a batch beyond it is refused
  std::size_t max_labels_per_stream = 64;
  Duration retry{std::chrono::seconds{1}};         ///< between attempts to write again after the disk failed
  Duration maintenance{std::chrono::seconds{30}};  ///< between looks for what has aged out
  /// Commit inside `append`, on the caller's thread: for tests and simulation.
  bool commit_inline = false;
};

/// What start-up found besides healthy data.
struct OpenReport {
  std::uint64_t lines = 0;
  std::uint64_t torn_bytes = 0;      ///< cut off the end of the log: an unfinished write
  std::vector<std::string> damaged;  ///< one sentence for each file in which damage was set aside
};

/// Operation: as tsdb::Store, with one difference: lines stay in the log files, and memory holds
/// only a small index of them (time bounds and streams of each stretch of a file). A query reads
/// the stretches that may hold an answer, from the end that is asked for, and stops at its limit.
/// A line's id is the place where it was written: stable, growing with arrival.
///
/// Owner: the app; made by `open`, used after `start`, listeners registered in between.
/// Thread-safe.
class Store final : public storage::LogAppender, public storage::LogQuerier, public storage::LogsFeed {
 public:
  /// `files`, `clock` and `metrics` outlive the store. `conflict` when another process has the
  /// directory.
  static Result<std::unique_ptr<Store>> open(io::FileSystem& files, const Clock& clock, telemetry::Registry& metrics,
                                             Options options);
  ~Store() override;

  void start();
  /// Commits what is queued, then ends the thread; later appends get `unavailable`. Idempotent.
  void stop();
  const OpenReport& report() const;
  /// Drops what has aged out. The commit thread does it by itself; simulations call it.
  void maintain();

  void append(const TenantId& tenant, storage::LogBatch batch, storage::AppendDone done) override;
  std::uint64_t last_sequence(const TenantId& tenant, const std::string& source) const override;

  void listen(storage::LogsListener listener) override;
  Status replay(storage::LogPosition after, const storage::LogsListener& listener) const override;

  Result<std::vector<storage::FoundLog>> query(const TenantId& tenant, const storage::LogQuery& query) const override;
  std::vector<std::string> label_values(const TenantId& tenant, std::string_view name) const override;
  std::vector<Labels> streams(const TenantId& tenant, const Matchers& matchers,
                              storage::TimeRange range) const override;

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::logdb
