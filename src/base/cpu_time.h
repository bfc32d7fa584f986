// How much work a thread has done, however long it had to wait in between.
#pragma once

#include <chrono>
#include <functional>

namespace atalaya {

/// Of the thread that calls it. Only differences mean something.
using CpuTime = std::function<std::chrono::nanoseconds()>;

/// Processor time of the calling thread, as the system counts it.
std::chrono::nanoseconds thread_cpu_time();

}  // namespace atalaya
