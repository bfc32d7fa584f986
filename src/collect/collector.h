// What a collector is to the agent that runs it.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "collect/batch.h"
#include "collect/spec.h"

namespace atalaya::collect {

/// Progress that outlived the process: mark key → value, from the spool.
using Marks = std::map<std::string, std::string, std::less<>>;

/// Measures one resource again and again. Owned by the agent; strand-bound: constructed, called and
/// destroyed on the agent's loop. It must never block for long: what waits is asynchronous.
class Collector {
 public:
  virtual ~Collector() = default;

  /// Time from one call of `collect` to the next.
  virtual Duration period() const = 0;
  /// Whether its batches must be on the disk before they count (they carry marks). Such a collector
  /// is not called while the spool cannot write.
  virtual bool needs_durable() const { return false; }
  /// Adds what is new. An error is reported once per change and does not undo what was added.
  virtual Status collect(Time now, Batch& out) = 0;
  /// For `needs_durable`: what the last `collect` added is in the spool, or was lost and must be
  /// collected again.
  virtual void settled(bool stored) { static_cast<void>(stored); }
  /// Goes on as another specification with the history that it has; false: it cannot, make another.
  virtual bool change(const CollectorSpec& spec) {
    static_cast<void>(spec);
    return false;
  }
  /// Last call: ends its series with stale markers and releases its labels.
  virtual void finish(Time now, Batch& out) = 0;
};

}  // namespace atalaya::collect
