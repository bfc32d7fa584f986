// The series that one collector writes, and their ends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "collect/batch.h"
#include "model/labels.h"
#include "model/sample.h"

namespace atalaya::collect {

/// Slots for series with common labels. A series that was written in one cycle and not in the next
/// ends with exactly one stale marker; written again it lives again. Owned by its collector;
/// strand-bound. A cycle is `begin`, any number of `put`, `finish`.
class SeriesSet {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = UINT32_MAX;

  /// `base` goes into every series (instance, job).
  SeriesSet(LabelsTable& labels, Labels base);
  ~SeriesSet();
  SeriesSet(const SeriesSet&) = delete;
  SeriesSet& operator=(const SeriesSet&) = delete;

  /// A slow series is written in slow cycles only, and judged vanished in them only.
  Slot add(std::string_view metric, const Labels& more, bool slow = false);
  void begin(Time now, Batch& out, bool slow_cycle = true);
  void put(Slot slot, double value);
  /// Ends the series, if it lives, and frees the slot. Within a cycle.
  void remove(Slot slot);
  void finish();
  /// Ends every series: nothing is left but the object.
  void end_all(Time now, Batch& out);

  bool slow_cycle() const { return slow_cycle_; }
  Time now() const { return now_; }
  std::size_t size() const { return series_.size() - free_.size(); }

 private:
  struct Series {
    LabelsId labels = kNoLabels;
    bool slow = false;
    bool live = false;
    std::uint32_t cycle = 0;
  };

  LabelsTable& labels_;
  const Labels base_;
  std::vector<Series> series_;
  std::vector<Slot> free_;
  std::uint32_t cycle_ = 0;
  bool slow_cycle_ = true;
  Time now_{};
  Batch* out_ = nullptr;
};

/// Rows of a table whose lines have a name, each with a fixed number of columns: devices, CPUs, mount
/// points, or (with one column) the keys of `/proc/meminfo`. Lines come in the same order again and
/// again, so a row is found by a comparison with its successor. Strand-bound.
class Rows {
 public:
  struct Row {
    std::string key;
    std::string metric;  ///< of a row without columns of its own
    Labels labels;
    bool ignored = false;
    std::uint32_t seen = 0;
    std::vector<SeriesSet::Slot> slots;
    std::vector<double> last;  ///< for collectors that compare with the last cycle
  };

  /// `metrics` are the columns' names; empty for one column named by each row.
  Rows(SeriesSet& set, std::vector<std::string> metrics, bool slow = false);

  void begin();
  /// The row of this name, and whether it is new. Valid until the next call.
  Row& at(std::string_view key, bool& fresh);
  void put(Row& row, std::size_t column, double value);
  /// Rows that were not asked for since `begin` end.
  void finish();

 private:
  SeriesSet& set_;
  const std::vector<std::string> metrics_;
  const bool slow_;
  std::vector<Row> rows_;
  std::size_t next_ = 0;
  std::size_t seen_rows_ = 0;
  std::uint32_t cycle_ = 0;
};

}  // namespace atalaya::collect
