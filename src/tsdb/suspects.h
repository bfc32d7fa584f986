// Blocks that did not read when somebody asked.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "base/result.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "tsdb/block_set.h"

namespace atalaya::tsdb {

/// Readers note them, maintenance looks at them next. Thread-safe.
class Suspects {
 public:
  /// The counter counts reads that met damage, and outlives it.
  explicit Suspects(telemetry::Counter& unreadable) : unreadable_(unreadable) {}

  /// Logged for the first of the reads that met the block.
  void add(const BlockPtr& block, const Error& error) {
    unreadable_.add();
    {
      const std::lock_guard lock(mutex_);
      if (!blocks_.insert(block).second) return;
    }
    telemetry::log_error("tsdb", "a block does not read; the rest serves", {{"error", to_string(error)}});
  }
  /// Those since the last call.
  std::set<BlockPtr> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(blocks_, {});
  }

 private:
  telemetry::Counter& unreadable_;
  std::mutex mutex_;
  std::set<BlockPtr> blocks_;  ///< guarded by mutex_
};

}  // namespace atalaya::tsdb
