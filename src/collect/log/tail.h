// Follows log files: every line once, across rotation, truncation and restarts.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collect/collector.h"

namespace atalaya::collect::log {

struct TailOptions {
  std::string id;  ///< of the collector: names its marks
  std::string instance;
  std::vector<std::string> paths;             ///< glob(7) patterns
  std::map<std::string, std::string> labels;  ///< added to every line's
  bool from_start = false;                    ///< also for files that are there when it runs for the first time
  Duration period{250};
  Duration rescan{2'000};                 ///< looks for new files of a pattern
  Duration partial_timeout{5'000};        ///< a line without an end is then taken as it is
  Duration drain{30'000};                 ///< a renamed or removed file is read until it is quiet so long
  std::size_t max_line_bytes = 64 << 10;  ///< the rest of a longer one is left out, with a marker
  std::size_t max_cycle_bytes = 1 << 20;  ///< read in one cycle, all files together
  std::size_t max_files = 500;
  /// Hears of files that were gone before it is known that they were read to their end; may be empty.
  std::function<void(std::size_t files)> missed;
};

/// One pattern set. A line gets the labels {instance, job="log", file, level} and the time at which it
/// was read. Offsets are marks in the batch that carries the lines, so they advance exactly when the
/// lines are in the spool; on restart a file is known by device, inode and its first bytes.
///
/// A file that was there when the collector ran for the first time is read from its end (unless
/// `from_start`); every file that comes later from its beginning. Rename: the old file is drained, the new
/// one followed from its start; so are files that came and were renamed again between two looks, found
/// beside the old one by the names that rotation gives. Copy-truncate: smaller than before, or other first bytes → from
/// the start. Strand-bound.
class Tail final : public Collector {
 public:
  /// `marks` of former runs; those of other collectors are passed over.
  Tail(TailOptions options, LabelsTable& labels, const Marks& marks);
  ~Tail() override;

  Duration period() const override { return options_.period; }
  bool needs_durable() const override { return true; }
  /// unavailable names a pattern that matches nothing or a file that cannot be read.
  Status collect(Time now, Batch& out) override;
  void settled(bool stored) override;
  void finish(Time now, Batch& out) override;

 private:
  struct Position {
    std::uint64_t offset = 0;
    bool skipping = false;          ///< within the rest of a line that was cut
    std::uint32_t print_bytes = 0;  ///< how many of the first bytes the print is of
    std::uint64_t print = 0;
    bool operator==(const Position&) const = default;
  };
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    auto operator<=>(const Identity&) const = default;
  };
  struct File {
    std::string path;  ///< under which it was first seen: the label
    std::string name;  ///< the same as the file system spells it
    int fd = -1;
    Position position;
    Position stored;
    bool unmarked = true;  ///< the spool holds no mark yet
    std::uint64_t seen_size = UINT64_MAX;
    timespec seen_change{};
    std::uint64_t partial_bytes = 0;
    Time partial_since{};
    Time quiet_since{};
    bool listed = true;  ///< found under a pattern in the last scan
    /// What rotation had left beside it when it was opened or truncated: not of interest.
    std::set<Identity> beside;
    bool more = false;  ///< the cycle's bound left something unread
    std::map<std::string, LabelsId, std::less<>> streams;
  };
  struct Known {
    Position position;
    std::string path;
  };

  void scan(Time now);
  void found(const std::string& path, Time now);
  void find_rotated(Time now);
  /// A known file left its name: takes up what came under that name since and left it too.
  void find_missed(const File& left, bool beside_known, Time now);
  bool renamed() const;
  static std::set<Identity> beside(const std::string& path);
  void tell_missed(std::size_t files) const;
  void open_file(const std::string& path, const Identity& identity, Position position, bool marked, Time now);
  bool read_file(const Identity& identity, File& file, Time now, Batch& out);
  /// Takes whole lines from `bytes`; returns how many bytes it took.
  std::size_t take_lines(File& file, std::string_view bytes, bool at_end, Time now, Batch& out);
  void emit(File& file, std::string_view line, bool cut, Time now, Batch& out);
  bool truncated(const File& file, std::uint64_t size) const;
  void refresh_print(File& file, std::uint64_t size) const;
  void close_file(std::map<Identity, File>::iterator file, Batch& out);
  std::string mark_key(const Identity& identity) const;
  static std::string mark_value(const File& file);
  void load_marks(const Marks& marks);

  const TailOptions options_;
  LabelsTable& labels_;
  std::map<Identity, File> files_;
  std::map<Identity, Known> known_;  ///< marks whose files were not found yet
  bool first_run_ = true;
  bool scanned_ = false;
  bool say_known_ = false;  ///< the next batch marks that this collector has run
  Time next_scan_ = kMinTime;
  std::size_t budget_ = 0;
  std::string problem_;
  std::vector<Identity> forgotten_;
  std::string buffer_;
  std::string line_;
};

}  // namespace atalaya::collect::log
