// Configurations under which every suite of the store runs: what holds, holds in each.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <ostream>
#include <string>

#include "tsdb/store.h"

namespace atalaya::tsdb {

/// A store whose every bound is met at once. Immutable.
struct HostileOptions {
  const char* name;
  bool small_chunks = false;    ///< four samples each, a page for every few bytes
  bool small_segments = false;  ///< of the log, and none of it is kept behind a flush
  bool minute_blocks = false;   ///< a block for every minute touched
  bool little_memory = false;   ///< flushed after every write; no room for many series

  void apply(Options& options) const {
    if (small_chunks) {
      options.head_chunk_samples = 4;
      options.block.chunk_samples = 4;
      options.block.page_bytes = 16;
    }
    if (small_segments) {
      options.segment_bytes = 4096;
      options.keep_log = Duration{0};
      options.keep_log_bytes = 0;
    }
    if (minute_blocks) options.partition = std::chrono::minutes{1};
    if (little_memory) {
      options.flush_bytes = 1;
      options.memory_bytes = 256 << 10;
    }
  }
  /// Whether a flush leaves nothing of the log to be told again.
  bool forgets_the_log() const { return small_segments && little_memory; }
};

inline constexpr std::array kHostileOptions{
    HostileOptions{.name = "usual"},
    HostileOptions{.name = "small_chunks", .small_chunks = true},
    HostileOptions{.name = "small_segments", .small_segments = true},
    HostileOptions{.name = "minute_blocks", .minute_blocks = true},
    HostileOptions{.name = "little_memory", .little_memory = true},
    HostileOptions{.name = "all_of_it",
                   .small_chunks = true,
                   .small_segments = true,
                   .minute_blocks = true,
                   .little_memory = true},
};

inline void PrintTo(const HostileOptions& options, std::ostream* out) { *out << options.name; }
inline std::string name_of(const testing::TestParamInfo<HostileOptions>& info) { return info.param.name; }

}  // namespace atalaya::tsdb
