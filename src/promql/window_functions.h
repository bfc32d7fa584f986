// Functions of a range window, with Prometheus' arithmetic.
#pragma once

#include <optional>

#include "promql/functions.h"

namespace atalaya::promql {

/// Per second increase of a counter, extrapolated to the window's edges; nullopt below two samples.
std::optional<double> rate(const Window& window);
std::optional<double> increase(const Window& window);
/// As increase, for a gauge: no counter resets, no stop at zero.
std::optional<double> delta(const Window& window);
/// Of the last two samples.
std::optional<double> irate(const Window& window);
std::optional<double> idelta(const Window& window);
std::optional<double> deriv(const Window& window);
std::optional<double> changes(const Window& window);
std::optional<double> resets(const Window& window);

std::optional<double> sum_over_time(const Window& window);
std::optional<double> avg_over_time(const Window& window);
std::optional<double> min_over_time(const Window& window);
std::optional<double> max_over_time(const Window& window);
std::optional<double> count_over_time(const Window& window);
std::optional<double> present_over_time(const Window& window);
std::optional<double> last_over_time(const Window& window);
std::optional<double> first_over_time(const Window& window);
std::optional<double> stddev_over_time(const Window& window);
std::optional<double> stdvar_over_time(const Window& window);

}  // namespace atalaya::promql
