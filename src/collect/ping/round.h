// One round of echoes: which were sent, which were answered, how long it took.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"

namespace atalaya::collect::ping {

/// Pure. Thread-compatible.
class Round {
 public:
  Round() = default;
  /// Sequence numbers go on from round to round, and over the end: an answer to an earlier round is
  /// not taken for one of this. `count` is 1 to 1000.
  Round(std::uint16_t first, std::size_t count) : first_(first), count_(count) { echoes_.reserve(count); }

  bool all_sent() const { return echoes_.size() == count_; }
  /// The number that the next echo bears.
  std::uint16_t next() const { return static_cast<std::uint16_t>(first_ + echoes_.size()); }
  void sent(Steady at) { echoes_.push_back({at, {}}); }
  /// False for an answer that nobody waits for: of another round, or a second one.
  bool received(std::uint16_t sequence, Steady at) {
    const std::size_t index = static_cast<std::uint16_t>(sequence - first_);
    if (index >= echoes_.size() || echoes_[index].round_trip) return false;
    echoes_[index].round_trip = at - echoes_[index].sent;
    ++answers_;
    return true;
  }
  bool complete() const { return answers_ == count_; }

  std::size_t answers() const { return answers_; }
  /// Of those that were sent, or to be sent when nothing was.
  double loss() const {
    const auto of = echoes_.empty() ? count_ : echoes_.size();
    return of == 0 ? 1 : 1 - static_cast<double>(answers_) / static_cast<double>(of);
  }
  /// Seconds; nullopt without an answer.
  std::optional<double> average() const {
    if (answers_ == 0) return std::nullopt;
    std::chrono::duration<double> sum{0};
    for (const auto& echo : echoes_) sum += echo.round_trip.value_or(std::chrono::nanoseconds{0});
    return sum.count() / static_cast<double>(answers_);
  }

 private:
  struct One {
    Steady sent;
    std::optional<std::chrono::nanoseconds> round_trip;
  };
  std::uint16_t first_ = 0;
  std::size_t count_ = 0;
  std::vector<One> echoes_;
  std::size_t answers_ = 0;
};

}  // namespace atalaya::collect::ping
