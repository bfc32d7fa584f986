// How long samples are kept, and at which resolution: by default, and for series of a class.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/time.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "tsdb/block/rollup.h"

namespace atalaya::tsdb {

/// Of blocks, finest first: raw samples, buckets of five minutes, of an hour. Milliseconds.
constexpr std::array<std::int64_t, 3> kResolutions{0, kFiveMinutes, kOneHour};

/// How long each resolution is kept; 0 for one that is not.
struct Kept {
  Duration raw{0};
  Duration five_minutes{0};
  Duration one_hour{0};

  Duration at(std::int64_t resolution) const {
    return resolution == 0 ? raw : resolution == kFiveMinutes ? five_minutes : one_hour;
  }
  bool operator==(const Kept&) const = default;
};

struct RetentionClass {
  Matchers matchers;  ///< over labels; may be empty: then all series are of it
  Kept kept;
};

/// A series is of the first class that matches, or has what is usual. Immutable.
class Retention {
 public:
  Retention(Kept usual, std::vector<RetentionClass> classes) : usual_(usual), classes_(std::move(classes)) {}

  const Kept& of(const Labels& labels) const {
    for (const auto& one : classes_) {
      if (matches(one.matchers, labels)) return one.kept;
    }
    return usual_;
  }
  bool has_classes() const { return !classes_.empty(); }
  /// Over all classes.
  Duration longest(std::int64_t resolution) const {
    auto out = usual_.at(resolution);
    for (const auto& one : classes_) out = std::max(out, one.kept.at(resolution));
    return out;
  }
  /// At any resolution: samples as old as that have a bucket at least.
  Duration longest() const {
    Duration out{0};
    for (const auto resolution : kResolutions) out = std::max(out, longest(resolution));
    return out;
  }
  /// Of all classes, the usual one among them.
  Duration shortest(std::int64_t resolution) const {
    auto out = usual_.at(resolution);
    for (const auto& one : classes_) out = std::min(out, one.kept.at(resolution));
    return out;
  }
  /// How many of the classes keep this resolution, but not as long as `age`.
  std::size_t count_within(std::int64_t resolution, Duration age) const {
    const auto is_within = [&](const Kept& kept) {
      return kept.at(resolution) > Duration{0} && kept.at(resolution) <= age;
    };
    return static_cast<std::size_t>(is_within(usual_)) +
           static_cast<std::size_t>(std::count_if(classes_.begin(), classes_.end(),
                                                  [&](const RetentionClass& one) { return is_within(one.kept); }));
  }
  /// Whether anybody has buckets that long.
  bool keeps(std::int64_t resolution) const { return longest(resolution) > Duration{0}; }

 private:
  const Kept usual_;
  const std::vector<RetentionClass> classes_;
};

}  // namespace atalaya::tsdb
