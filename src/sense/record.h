// What flows through a sensor's pipe: one value of one stream at one instant, or one line of text.
#pragma once

#include <limits>
#include <optional>
#include <string>

#include "base/time.h"
#include "model/labels.h"

namespace atalaya::sense {

/// Bounds of one record, wherever it comes from.
constexpr std::size_t kMaxRecordTextBytes = 64 << 10;
constexpr std::size_t kMaxRecordLabelsBytes = 16 << 10;
constexpr std::size_t kMaxStreamNameBytes = 128;

/// A line has a text and no value (NaN). A stale marker (`is_stale`) ends the series of its labels.
struct Record {
  Time time{};
  double value = std::numeric_limits<double>::quiet_NaN();
  Labels labels;
  std::optional<std::string> text;

  bool is_line() const { return text.has_value(); }
};

}  // namespace atalaya::sense
