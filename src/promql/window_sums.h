// sum_over_time and avg_over_time: windows of one series summed side by side.
#pragma once

#include <span>

#include "promql/functions.h"

namespace atalaya::promql {

/// To the last bit what KahanSum and Mean make of each window alone.
void window_sum(const WindowArguments& in, std::span<double> out);
void window_average(const WindowArguments& in, std::span<double> out);

}  // namespace atalaya::promql
