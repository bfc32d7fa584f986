// Numbers as values of labels.
#pragma once

#include <string>

namespace atalaya {

/// As OpenMetrics writes those of `le` and `quantile`, always with a point or an exponent: `1.0`, `0.5`, `1e+06`,
/// `+Inf`.
std::string label_number(double value);

}  // namespace atalaya
