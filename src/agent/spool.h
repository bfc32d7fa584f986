// What was collected and is not yet acknowledged, on the agent's disk.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/spool_format.h"
#include "base/result.h"
#include "base/time.h"
#include "collect/batch.h"
#include "collect/collector.h"
#include "io/file_system.h"

namespace atalaya::agent {

struct SpoolOptions {
  std::string directory;
  std::uint64_t max_bytes = 512ull << 20;
  std::uint64_t max_memory_bytes = 4 << 20;  ///< while the disk refuses writes
  std::uint64_t segment_bytes = 4 << 20;     ///< less when `max_bytes` is small
  Duration segment_age{3'600'000};
  Duration retry_disk_after{5'000};
  /// A place that the disk has refused to read for so long, and at several attempts, is lost.
  Duration give_up_reading_after{600'000};
  bool sync = false;
  std::uint64_t boot = 0;  ///< hash of the kernel's boot id
};

struct SpoolStats {
  std::uint64_t bytes = 0;         ///< on disk
  std::uint64_t memory_bytes = 0;  ///< held in memory because the disk refuses
  std::uint64_t segments = 0;
  std::uint64_t dropped_records = 0;  ///< lost to the bounds, unacknowledged
  std::uint64_t damaged = 0;          ///< places where stored bytes did not hold
  std::uint64_t write_errors = 0;
  std::uint64_t read_errors = 0;
};

/// Where a reader stands. Valid for ever: what was dropped under it is skipped.
struct SpoolCursor {
  std::uint64_t segment = 0;  ///< its first sequence; 0 is before everything
  std::uint64_t offset = 0;   ///< of the next record
};

/// A record as the server gets it.
struct SpoolRecord {
  std::uint64_t sequence = 0;
  std::uint64_t scope = 0;
  std::uint8_t contents = 0;
  std::uint64_t raw_size = 0;
  std::string_view payload;  ///< until the next call of a non-const member
};

/// Segments of checksummed records, oldest dropped above the bound.
///
/// Operation: `begin` says in which scope the next record must be encoded (label numbers count
/// within a scope), `append` writes it with the next sequence; records survive kill -9, with
/// `sync` also a power cut. While the disk refuses, records go to memory, except those that must be
/// durable. `acknowledge` lets go of segments. A disk that fails to read is no damage: the reader stays where it is
/// and tries again with its next call, until the disk has refused for so long that the place counts as lost.
/// Concurrency: strand-bound. One process at a time: a lock in the directory is held.
/// Invariant: sequences ascend and are never used for two different records that may have left
/// this machine.
class Spool {
 public:
  /// conflict when another process has it; otherwise only a disk that cannot be used or read now is an
  /// error: damage is counted and passed over.
  static Result<std::unique_ptr<Spool>> open(io::FileSystem& files, SpoolOptions options);
  ~Spool();

  const std::string& id() const { return id_; }
  /// The collectors' progress as of the last record.
  const collect::Marks& marks() const { return marks_; }

  /// Call before encoding a record: starts a new segment when one is due (or `new_scope`) and
  /// returns the scope.
  std::uint64_t begin(Time now, bool new_scope = false);
  /// Whether the next record would lie on the disk, as far as we know.
  bool on_disk() const;
  /// Its sequence. `contents` are kRecord bits. After an error nothing of it remains and the scope is
  /// over: call `begin` and encode anew. Records with marks are durable or refused.
  Result<std::uint64_t> append(std::uint8_t contents, std::uint64_t raw_size, std::string_view payload,
                               std::span<const collect::Batch::Mark> marks);

  /// Everything up to `sequence` is the server's now.
  void acknowledge(std::uint64_t sequence);
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t last_sequence() const { return next_sequence_ - 1; }

  /// The record at the cursor, which moves behind it; false at the end and while the disk cannot be
  /// read: then the cursor stays before the record.
  bool next(SpoolCursor& cursor, SpoolRecord& out);
  /// The (compressed) payloads of the cursor's segment before it that define labels, in order: all of
  /// them, or an error. After kCorruption they will never come: `pass_over`; else try again later.
  Result<std::vector<SpoolRecord>> defining_before(const SpoolCursor& cursor, std::vector<std::string>& storage);
  /// Gives up the rest of the cursor's segment, as damage.
  void pass_over(SpoolCursor& cursor);

  SpoolStats stats() const;

 private:
  struct Segment {
    SegmentHeader header;
    std::uint64_t size = 0;  ///< valid bytes with the header
    std::uint64_t last = 0;  ///< sequence of its last record; 0 when not known
    bool in_memory = false;
    std::string memory;
  };
  using Segments = std::map<std::uint64_t, Segment>;

  Spool(io::FileSystem& files, SpoolOptions options);
  Status recover();
  Status load_id();
  void sync_newest();
  Status choose_first_sequence();
  Status load_segments();
  /// Reads the newest segments until one holds a record; a torn end is cut off.
  Status recover_newest();
  Status scan_newest(std::uint64_t first, Segment& segment);
  std::string path_of(std::uint64_t first) const;
  std::uint64_t segment_limit() const;

  void close_active();
  Status write(std::uint64_t sequence, std::string_view record);
  Status write_to_disk(std::uint64_t first, std::uint64_t valid_bytes, std::string_view bytes);
  void apply(std::span<const collect::Batch::Mark> marks);

  void enforce_bounds();
  void erase(Segments::iterator segment);
  Segments::iterator oldest(bool in_memory);
  Segments::iterator newest_on_disk();
  std::uint64_t last_of(Segments::iterator segment) const;
  std::uint64_t count_unacknowledged(Segments::iterator segment);

  /// The record at `offset`, which moves behind it, or nothing at the end. kCorruption where damage
  /// begins; any other error is the disk's.
  Result<std::optional<RecordView>> read_record(std::uint64_t first, const Segment& segment, std::uint64_t& offset);
  Result<std::string_view> read_bytes(std::uint64_t first, const Segment& segment, std::uint64_t offset,
                                      std::size_t size);
  Result<std::string> read_disk(std::uint64_t first, std::uint64_t offset, std::size_t size, std::size_t wanted);
  /// Turns an error of the disk into damage once it has lasted.
  Error refused_to_read(std::uint64_t first, std::uint64_t offset, Error error);

  io::FileSystem& files_;
  const SpoolOptions options_;
  std::unique_ptr<void, void (*)(void*)> lock_;
  std::string id_;

  Segments segments_;
  bool active_ = false;  ///< the last of `segments_` takes records; else the next record begins one
  std::unique_ptr<io::File> writer_;
  SegmentHeader header_;  ///< of the active or the coming segment
  bool in_memory_ = false;
  Time active_since_{};
  Time now_{};
  bool disk_failed_ = false;
  Time retry_at_ = kMinTime;

  std::uint64_t next_sequence_ = 1;
  std::uint64_t acknowledged_ = 0;
  collect::Marks marks_;

  // The last record written, so that an uplink that keeps up never reads the disk, and the piece of a
  // segment last read.
  std::uint64_t tail_segment_ = 0;
  std::uint64_t tail_offset_ = 0;
  std::string tail_;
  std::uint64_t read_segment_ = 0;
  std::uint64_t read_offset_ = 0;
  std::string read_;
  std::unique_ptr<io::File> reader_;
  std::uint64_t reader_segment_ = 0;

  /// Where the disk refuses to read.
  struct Refusal {
    std::uint64_t segment = 0;  ///< 0: nowhere
    std::uint64_t offset = 0;
    std::uint64_t attempts = 0;
    Time since{};
  };
  Refusal refusal_;

  std::uint64_t disk_bytes_ = 0;
  std::uint64_t memory_bytes_ = 0;
  std::uint64_t dropped_records_ = 0;
  std::uint64_t damaged_ = 0;
  std::uint64_t write_errors_ = 0;
  std::uint64_t read_errors_ = 0;
};

}  // namespace atalaya::agent
