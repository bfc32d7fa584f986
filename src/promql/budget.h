// What one evaluation may use.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "telemetry/query_memory.h"

namespace atalaya::promql {

/// Counts what is held now: samples (read ones and cells of tables that have a value) and the bytes of
/// both, with the share of the process's memory that the query has. Thread-safe.
class Budget {
 public:
  struct Bounds {
    std::size_t samples = 0;
    std::size_t bytes = 0;
    std::stop_token stop;
    const Clock* clock = nullptr;  ///< for the deadline; null: there is none
    std::optional<Steady> deadline;
    telemetry::QueryMemory::Share* memory = nullptr;  ///< null: nobody counts
  };
  explicit Budget(Bounds bounds) : bounds_(std::move(bounds)) {}

  /// Gives back what it stands for when it goes.
  class Held {
   public:
    Held() = default;
    Held(Budget& budget, std::size_t samples, std::size_t bytes) : budget_(&budget), samples_(samples), bytes_(bytes) {}
    Held(Held&& other) noexcept { *this = std::move(other); }
    Held& operator=(Held&& other) noexcept {
      if (this != &other) {
        release();
        budget_ = std::exchange(other.budget_, nullptr);
        samples_ = std::exchange(other.samples_, 0);
        bytes_ = std::exchange(other.bytes_, 0);
      }
      return *this;
    }
    ~Held() { release(); }
    void join(Held&& other) {
      samples_ += std::exchange(other.samples_, 0);
      bytes_ += std::exchange(other.bytes_, 0);
      if (!budget_) budget_ = other.budget_;
      other.budget_ = nullptr;
    }

   private:
    void release() {
      if (budget_) budget_->release(samples_, bytes_);
      budget_ = nullptr;
    }
    Budget* budget_ = nullptr;
    std::size_t samples_ = 0;
    std::size_t bytes_ = 0;
  };

  /// unprocessable when that is too much; cancelled or deadline_exceeded when it is time to go.
  Result<Held> take(std::size_t samples, std::size_t bytes);
  /// What goes on when the evaluation is over, as a part of its result: the share keeps it.
  Status keep(std::size_t bytes);
  /// That were held at once until now.
  std::size_t most_samples() const { return most_samples_; }
  /// Only whether to go on: cheap enough for every series.
  Status go_on() const;

 private:
  void release(std::size_t samples, std::size_t bytes) {
    samples_ -= samples;
    bytes_ -= bytes;
    if (bounds_.memory) bounds_.memory->give_back(bytes);
  }

  const Bounds bounds_;
  std::atomic<std::size_t> samples_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> most_samples_{0};
};

}  // namespace atalaya::promql
