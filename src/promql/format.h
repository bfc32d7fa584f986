// How Prometheus writes numbers in its answers.
#pragma once

#include <string>

namespace atalaya::promql {

/// The shortest decimal that reads back as the same double: `1.5`, `NaN`, `+Inf`, `-Inf`; with an
/// exponent (`1e+21`, `1e-07`) at or above 1e21 and below 1e-6, without one between.
std::string format_value(double value);

}  // namespace atalaya::promql
