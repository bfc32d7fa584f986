// What collectors hand over: samples, log lines and the progress that belongs to them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/labels.h"

namespace atalaya::collect {

/// A label set in use by a collector of this process.
using LabelsId = std::uint32_t;
constexpr LabelsId kNoLabels = UINT32_MAX;

/// Numbers the label sets that the collectors of one agent use, so that a cycle moves numbers
/// instead of texts. A released number is used again only after `sweep`, when the batch
/// that spoke of it last has been encoded. Strand-bound.
class LabelsTable {
 public:
  LabelsId add(Labels labels);
  /// Views and references live until the next `add` or `sweep`.
  const Labels& at(LabelsId id) const { return sets_[id]; }
  void release(LabelsId id);
  /// Frees what was released and returns it.
  const std::vector<LabelsId>& sweep();
  std::size_t size() const { return sets_.size() - free_.size(); }

 private:
  std::vector<Labels> sets_;
  std::vector<LabelsId> released_;
  std::vector<LabelsId> swept_;
  std::vector<LabelsId> free_;
};

/// Samples, lines and marks of one moment. Kept and cleared between cycles so that a steady state
/// allocates nothing. Strand-bound.
class Batch {
 public:
  struct SampleEntry {
    LabelsId series;
    Time time;
    double value;
  };
  struct LogEntry {
    LabelsId stream;
    Time time;
    std::uint32_t offset;
    std::uint32_t size;
  };
  /// A collector's progress (for instance an offset in a file) after the lines of this batch: kept
  /// in the same record of the spool, so that both survive or neither. An empty value forgets it.
  struct Mark {
    std::string key;
    std::string value;
  };

  void sample(LabelsId series, Time time, double value) { samples_.push_back({series, time, value}); }
  void log(LabelsId stream, Time time, std::string_view line) {
    logs_.push_back({stream, time, static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(line.size())});
    text_.append(line);
  }
  void mark(std::string key, std::string value) { marks_.push_back({std::move(key), std::move(value)}); }

  const std::vector<SampleEntry>& samples() const { return samples_; }
  const std::vector<LogEntry>& logs() const { return logs_; }
  const std::vector<Mark>& marks() const { return marks_; }
  std::string_view line(const LogEntry& entry) const {
    return std::string_view(text_).substr(entry.offset, entry.size);
  }
  std::size_t text_bytes() const { return text_.size(); }
  bool empty() const { return samples_.empty() && logs_.empty() && marks_.empty(); }
  void clear();

 private:
  std::vector<SampleEntry> samples_;
  std::vector<LogEntry> logs_;
  std::vector<Mark> marks_;
  std::string text_;
};

}  // namespace atalaya::collect
