// Windows that are about increase: rate, irate, delta, resets …
#pragma once

#include "promql/functions.h"

namespace atalaya::promql {

void window_rate(const WindowArguments& in, std::span<double> out);
void window_increase(const WindowArguments& in, std::span<double> out);
void window_delta(const WindowArguments& in, std::span<double> out);
void window_irate(const WindowArguments& in, std::span<double> out);
void window_idelta(const WindowArguments& in, std::span<double> out);
void window_changes(const WindowArguments& in, std::span<double> out);
void window_resets(const WindowArguments& in, std::span<double> out);

}  // namespace atalaya::promql
