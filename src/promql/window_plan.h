// Where the windows of a range selector lie, for all steps at once.
#pragma once

#include <cstddef>
#include <span>

#include "model/sample.h"
#include "promql/steps.h"

namespace atalaya::promql {

/// The samples of one range window, stale markers already taken out; never empty.
struct Window {
  std::span<const Sample> samples;
  Time start;  ///< exclusive
  Time end;    ///< inclusive
};

/// Windows move with the steps, or stand still when the selector has an @.
/// An extended plan (`anchored`, `smoothed`) also hands over what lies up to a lookback before the
/// start, and for `smoothed` after the end. Immutable.
class WindowPlan {
 public:
  enum class Extension : std::uint8_t { kNone, kAnchored, kSmoothed };

  WindowPlan(const Steps& steps, EffectiveTimes ends, Duration range, Extension extension, Duration lookback)
      : steps_(steps), ends_(ends), range_(range), extension_(extension), lookback_(lookback) {}

  Time step(std::size_t i) const { return steps_.at(i); }
  std::size_t count() const { return steps_.count; }
  Duration range() const { return range_; }
  Extension extension() const { return extension_; }
  /// Of samples that any window may hold, inclusive.
  Time first() const { return shifted(ends_.at(0), -range_ - before() + Duration{1}); }
  Time last() const { return shifted(ends_.at(steps_.count - 1), after()); }

  /// Calls `visit(i, begin, end, window)` for each step whose window is not empty; [begin, end) are
  /// the window's places in `samples`. Both only ever move forward.
  template <typename Visit>
  void for_each(std::span<const Sample> samples, Visit visit) const {
    std::size_t first = 0;
    std::size_t behind = 0;
    for (std::size_t i = 0; i < steps_.count; ++i) {
      Window window;
      window.end = ends_.at(i);
      window.start = shifted(window.end, -range_);
      const Time from = shifted(window.start, -before());
      const Time to = shifted(window.end, after());
      while (behind < samples.size() && samples[behind].time <= to) ++behind;
      while (first < behind && samples[first].time <= from) ++first;
      if (first == behind) continue;
      window.samples = samples.subspan(first, behind - first);
      visit(i, first, behind, window);
    }
  }

 private:
  Duration before() const { return extension_ == Extension::kNone ? Duration{0} : lookback_; }
  Duration after() const { return extension_ == Extension::kSmoothed ? lookback_ : Duration{0}; }

  Steps steps_;
  EffectiveTimes ends_;
  Duration range_;
  Extension extension_;
  Duration lookback_;
};

}  // namespace atalaya::promql
