// When the rules of a group are evaluated.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace atalaya::rules {

/// The instants at which a group is evaluated: every `interval`, moved by a part of it that follows from file
/// and name, so that groups do not all run at once and each runs at the same instants for ever. Immutable.
class Schedule {
 public:
  Schedule(std::string_view file, std::string_view name, Duration interval);

  /// The last instant at or before `now`.
  Time last(Time now) const;
  Time next(Time now) const { return last(now) + interval_; }
  Duration interval() const { return interval_; }

 private:
  Duration interval_;
  Duration offset_;
};

}  // namespace atalaya::rules
