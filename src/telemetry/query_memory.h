// What queries under way hold of the process's memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/result.h"
#include "telemetry/memory_budget.h"
#include "telemetry/metrics.h"

namespace atalaya::telemetry {

/// One account for all queries: half of the limit at most, one query a quarter. A tenth of the limit is theirs whatever
/// else fills the process, but where that is far beyond its limit: answers that nobody reads wait in it, too. Above the
/// tenth they grow as long as the process stays within its limit. Thread-safe.
class QueryMemory {
 public:
  /// Both outlive this. `give_back`: to the system, what the process holds in vain; before anybody is refused.
  QueryMemory(const MemoryBudget& memory, Registry& metrics, std::function<void()> give_back);

  /// What one query holds; given back when it goes. Thread-safe.
  class Share {
   public:
    explicit Share(QueryMemory& all) : all_(all) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share();

    /// Asked before memory is taken: unprocessable beyond what one query may have, unavailable beyond what all may.
    Status take(std::uint64_t bytes);
    void give_back(std::uint64_t bytes);
    std::uint64_t held() const { return held_; }

   private:
    QueryMemory& all_;
    std::atomic<std::uint64_t> held_ = 0;
    std::atomic<std::uint64_t> most_ = 0;
  };

  /// Whether another query may begin.
  Status admit();
  std::uint64_t held() const { return held_; }
  /// Bytes of one evaluation.
  std::uint64_t most_of_one() const { return memory_.limit() / 4; }

 private:
  Status take(std::uint64_t bytes);
  bool has_room(std::uint64_t bytes);

  const MemoryBudget& memory_;
  const std::function<void()> give_back_;
  Counter& refused_;
  Gauge& held_bytes_;
  std::atomic<std::uint64_t> held_ = 0;
  std::atomic<bool> freed_ = false;           ///< much, since it was given back
  std::atomic<std::int64_t> unmeasured_ = 0;  ///< may be taken before the process is measured again
};

}  // namespace atalaya::telemetry
