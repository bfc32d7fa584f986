// Functions of a range window, with Prometheus' arithmetic: one pass of a series for all steps.
#pragma once

#include <vector>

#include "promql/functions.h"

namespace atalaya::promql {

/// The table's rows of all functions that take a range.
std::vector<Function> window_functions();

/// Samples at the window's edges in place of those beyond: a range selector with `anchored` or `smoothed`
/// shown as it is. Empty when the window holds nothing.
std::vector<Sample> extended_samples(std::span<const Sample> samples, Time start, Time end, bool smoothed);

}  // namespace atalaya::promql
