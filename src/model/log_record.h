// A log line with the labels of its stream.
#pragma once

#include <string>

#include "base/time.h"
#include "model/labels.h"

namespace atalaya {

/// `labels` usually hold instance, file or unit, and level where it was recognised.
struct LogRecord {
  Time time;
  Labels labels;
  std::string line;  ///< without its line end; bytes that are not UTF-8 already replaced by U+FFFD
};

}  // namespace atalaya
