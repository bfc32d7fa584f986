// What the process may take of the machine's memory, and whether it is beyond it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "telemetry/metrics.h"

namespace atalaya::telemetry {

/// Operation: `look`, once a second, measures; beyond eight tenths of the limit what makes the process larger for good
/// is refused to those with most (`is_tight`) until it is below seven, at the limit to everybody (`is_full`) until it
/// is below nine. What somebody will need in a while (`expect`) counts for the former as if it were taken, but is no
/// reason to give back what serves (`is_short`). Before it says so for the first time it has memory given back. Whoever
/// is refused says so to its caller; what goes on goes on.
/// Thread-safe; `look` by one thread.
class MemoryBudget {
 public:
  struct Process {
    std::function<std::uint64_t()> taken;  ///< bytes; any thread
    std::function<void()> give_back;       ///< to the system, what the process holds in vain; takes its time
  };

  MemoryBudget(std::uint64_t limit_bytes, Process process, Registry& metrics);

  void look();
  /// Bytes, in place of what was expected before.
  void expect(std::uint64_t bytes) { expected_ = bytes; }
  bool is_tight() const { return tight_; }
  /// As `is_tight`, of what is taken already.
  bool is_short() const { return short_; }
  /// Measures, too: what asks may be the one that is too much.
  bool is_full() const;
  /// As of the last look the process takes a quarter more than the limit, and 64 MiB more at least: then even what is
  /// reserved for somebody is no more.
  bool is_far_beyond() const { return far_beyond_; }
  std::uint64_t limit() const { return limit_; }
  std::uint64_t taken() const { return process_.taken(); }

 private:
  bool measure(std::uint64_t taken) const;

  const std::uint64_t limit_;
  const Process process_;
  Gauge& taken_bytes_;
  Gauge& tight_gauge_;
  Gauge& full_gauge_;
  std::uint32_t looks_until_give_back_ = 0;
  std::atomic<std::uint64_t> expected_ = 0;
  mutable std::atomic<bool> tight_ = false;
  mutable std::atomic<bool> short_ = false;
  mutable std::atomic<bool> full_ = false;
  std::atomic<bool> far_beyond_ = false;
};

/// Memory of this process that is in RAM and in no file: what the system cannot have back. 0 where /proc is absent.
std::uint64_t own_memory_bytes();
/// Of the machine, or what the control group of this process may take, if that is less.
std::uint64_t memory_of_the_machine();
/// Measures this process.
MemoryBudget::Process this_process();

}  // namespace atalaya::telemetry
