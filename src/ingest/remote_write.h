// From the body of a remote write request to samples that are on disk.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "ingest/remote_write_reader.h"
#include "storage/exemplars.h"
#include "storage/series.h"
#include "telemetry/metrics.h"

namespace atalaya::ingest {

constexpr std::size_t kMaxRemoteWriteBytes = 64 << 20;  ///< unpacked

/// What became of one body. Samples that were there already with the same value count as written.
struct RemoteWritten {
  std::uint64_t samples = 0;  ///< written
  std::uint64_t conflicting = 0;
  std::uint64_t too_old = 0;
  std::uint64_t too_new = 0;
  std::uint64_t bad_labels = 0;   ///< samples of series whose labels are refused
  std::uint64_t over_limits = 0;  ///< samples of series that are one too many
  std::uint64_t histograms = 0;   ///< refused: native histograms are not stored
  std::uint64_t exemplars = 0;    ///< dropped: they are best effort
  std::uint64_t exemplars_kept = 0;
  std::vector<std::string> named;  ///< the first few refusals, each with its series

  std::uint64_t refused() const { return conflicting + too_old + too_new + bad_labels + over_limits + histograms; }
  /// "1990 of 2000 samples were written; refused: 10 too old; first up{…} at 2026-…: too old". Of one line.
  std::string to_string() const;
};

/// Takes bodies; a series seen before is known by the bytes of its labels, and only others are read into labels.
/// Thread-safe: as many bodies at once as there are callers, each with buffers that are kept for the next.
class RemoteWriter {
 public:
  /// All outlive this.
  /// `exemplars` null: none are kept.
  RemoteWriter(storage::SeriesAppender& series, storage::SeriesKeys& keys, telemetry::Registry& metrics,
               storage::Exemplars* exemplars = nullptr);
  /// Waits for the bodies that the store has.
  ~RemoteWriter();

  using Done = std::function<void(Result<RemoteWritten>)>;
  /// `snappy` is in the block format, and read before this returns. Calls `done` exactly once, when what it holds is on
  /// disk and visible: on the store's commit thread, so it must be short, or before this returns. What cannot be taken
  /// is left out and told. An error means that nothing was written: invalid_argument and too_large for the body as a
  /// whole, resource_exhausted when the store cannot keep up, unavailable when it cannot write.
  void write(const TenantId& tenant, RemoteWriteVersion version, std::string_view snappy, Done done);

 private:
  struct Work;
  struct Counters;
  std::unique_ptr<Work> take_work();
  void give_back(std::unique_ptr<Work> work);
  /// What can be told before the store is asked; the samples that are to be appended are in `work` then.
  Result<RemoteWritten> read(const TenantId& tenant, RemoteWriteVersion version, std::string_view snappy, Work& work);
  Status resolve_unknown(const TenantId& tenant, Work& work, RemoteWritten& out);
  Status resolve_one(const TenantId& tenant, std::size_t index, std::uint64_t samples, Work& work, RemoteWritten& out);
  static void fill_batch(Work& work);
  void keep_exemplars(const TenantId& tenant, Work& work, RemoteWritten& out);
  static void tell(const storage::Appended& appended, Work& work, RemoteWritten& out);
  void finish(std::unique_ptr<Work> work, Result<RemoteWritten> written, const Done& done);
  void count(const RemoteWritten& written, const Work& work);

  storage::SeriesAppender& series_;
  storage::SeriesKeys& keys_;
  storage::Exemplars* const exemplars_;
  const std::unique_ptr<Counters> counters_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::vector<std::unique_ptr<Work>> idle_;  ///< guarded
  std::size_t under_way_ = 0;                ///< guarded: what has been taken and not given back
};

}  // namespace atalaya::ingest
