// An append-only log in numbered files: the durable half of the stores (docs/formats/segment-log.md).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/compress.h"
#include "io/file_system.h"
#include "storage/position.h"

namespace atalaya::storage {

constexpr std::size_t kMaxPayloadBytes = 16 << 20;

struct SegmentLogOptions {
  std::string directory;
  std::string kind;  ///< four letters
  std::uint64_t segment_bytes = 64 << 20;
  bool sync = true;         ///< in `flush`; without, the operating system writes when it likes
  std::uint64_t above = 0;  ///< numbers of new segments are: somebody may have taken the files away
};

/// A file of the log.
struct Segment {
  std::uint64_t number = 0;
  std::uint64_t epoch = 0;
  std::uint64_t salt = 0;
  Time created;
  std::uint64_t bytes = 0;  ///< durable and readable
};

struct SegmentRecord {
  LogPosition position;
  std::string_view payload;  ///< unpacked; lives for the call
  std::uint64_t begin = 0;   ///< in the file
  std::uint64_t end = 0;
};

/// What opening found besides healthy data.
struct LogDamage {
  std::uint64_t torn_bytes = 0;
  std::vector<std::string> damaged;  ///< one sentence each
  std::uint64_t files = 0;           ///< segments that they are about, as far as bytes of them are damaged
};

/// Operation: the writer stages records and flushes them with one sync. A failed flush abandons the
/// segment: nothing staged counts as written (it may still be found after a restart), and writing
/// goes on in a new segment.
///
/// Concurrency: one writer at a time (start_segment, stage, flush, seal, drop); `segments`, `read`
/// and `bytes` from any thread beside it.
///
/// Holds a lock on its directory.
class SegmentLog {
 public:
  using Visit = std::function<Status(const Segment&, const SegmentRecord&)>;
  using Lock = std::unique_ptr<void, void (*)(void*)>;

  /// Repairs what a crash left, then shows every record in order. A corruption error of `visit` is
  /// noted as damage and the next record follows; any other ends the opening. `salt` is random.
  static Result<std::unique_ptr<SegmentLog>> open(io::FileSystem& files, SegmentLogOptions options, std::uint64_t salt,
                                                  const Visit& visit, LogDamage& damage, Lock held = no_lock());
  /// Of a directory, which is made if need be: for who works beside the log before it is opened.
  static Result<Lock> lock(io::FileSystem& files, const std::string& directory);
  ~SegmentLog();

  /// Whether records can be staged; false before the first start_segment and after a failed flush.
  bool is_writable() const { return file_ != nullptr; }
  bool is_full() const { return current_.bytes + staged_.size() >= options_.segment_bytes; }
  const Segment& current() const { return current_; }

  /// Seals the current segment and begins the next. The header is durable when this returns.
  Status start_segment(Time now);
  /// Whether a record is worth the time of compressing it.
  enum class Packing { kCompress, kPlain };
  /// Adds a record that takes `ordinals` positions; too_large above kMaxPayloadBytes.
  Result<LogPosition> stage(std::string_view payload, std::uint32_t ordinals = 1, Packing packing = Packing::kCompress);
  /// Where in the segment the next staged record will begin.
  std::uint64_t staged_end() const { return current_.bytes + staged_.size(); }
  /// Writes and syncs what is staged.
  Status flush();
  /// Marks the end of the segment, so that later damage in it cannot pass for a torn write.
  void seal();
  /// Removes a segment that is not the current one.
  Status drop(std::uint64_t number);

  /// In order of number.
  std::vector<Segment> segments() const;
  /// Shows the records that begin in [from, to) of the file, skipping what is damaged. not_found
  /// once the segment is dropped.
  Status read(const Segment& segment, std::uint64_t from, std::uint64_t to, const Visit& visit) const;
  /// Of a segment, how many bytes between its records are no records. not_found once it is dropped.
  Result<std::uint64_t> damaged_bytes(const Segment& segment) const;
  std::uint64_t bytes() const;
  /// The highest position handed out, or below which none will be.
  LogPosition last_position() const;

 private:
  SegmentLog(io::FileSystem& files, SegmentLogOptions options, std::uint64_t salt)
      : files_(files), options_(std::move(options)), salt_(salt) {}
  static Lock no_lock() {
    return {nullptr, [](void*) {}};
  }
  Status recover(const Visit& visit, LogDamage& damage);
  Result<std::uint64_t> settle_names();
  Status sync_newest();
  Result<bool> repair(std::uint64_t number, Segment& segment, LogDamage& damage);
  Status rescue(const Segment& segment, std::uint64_t size);
  Status set_aside(std::uint64_t number);
  void abandon();
  std::string path(std::uint64_t number) const;

  io::FileSystem& files_;
  const SegmentLogOptions options_;
  const std::uint64_t salt_;
  Lock lock_ = no_lock();
  io::ZstdCompressor compressor_;

  std::unique_ptr<io::File> file_;  ///< of the current segment; null when there is none
  Segment current_;
  std::uint64_t next_number_ = 1;
  std::uint64_t epoch_ = 0;  ///< 0 until this process has begun a segment
  std::uint32_t next_ordinal_ = 1;
  std::string staged_;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, Segment> segments_;  ///< guarded by mutex_
  std::uint64_t last_position_ = 0;            ///< guarded by mutex_
};

}  // namespace atalaya::storage
