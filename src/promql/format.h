// How Prometheus writes numbers.
#pragma once

#include <string>

namespace atalaya::promql {

/// In its answers, the shortest decimal that reads back as the same double: `1.5`, `NaN`, `+Inf`, `-Inf`; with an
/// exponent (`1e+21`, `1e-07`) at or above 1e21 and below 1e-6, without one between.
std::string format_value(double value);
void append_value(std::string& out, double value);
/// In expressions and in the labels of count_values: the same without any exponent.
std::string format_fixed(double value);
/// In messages (Go's %g): with an exponent from 1e6 on and below 1e-4; `digits` > 0 rounds to that many.
std::string format_general(double value, int digits = 0);

}  // namespace atalaya::promql
