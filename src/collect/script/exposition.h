// What a script prints: Prometheus' text exposition format.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/labels.h"

namespace atalaya::collect::script {

constexpr std::size_t kMaxSeries = 10'000;
constexpr std::size_t kMaxLabels = 64;

struct ExpositionSample {
  std::string metric;
  Labels labels;
  double value = 0;

  bool operator==(const ExpositionSample&) const = default;
};

/// Format 0.0.4, strictly: one bad line refuses the whole, as invalid_argument with `line N`. Lines are UTF-8;
/// comments are passed over, HELP and TYPE are checked. A time at a line's end is refused: a script measures
/// now, and the agent says when that is. A series may come once.
Result<std::vector<ExpositionSample>> parse_exposition(std::string_view text);

}  // namespace atalaya::collect::script
