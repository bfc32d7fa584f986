#include "promql/budget.h"

#include <fmt/format.h>

namespace atalaya::promql {

Result<Budget::Held> Budget::take(std::size_t samples, std::size_t bytes) {
  if (bounds_.memory) AT_TRY(bounds_.memory->take(bytes));
  Held held(*this, samples, bytes);
  const auto all_samples = samples_.fetch_add(samples) + samples;
  const auto all_bytes = bytes_.fetch_add(bytes) + bytes;
  for (auto most = most_samples_.load(); all_samples > most;) {
    if (most_samples_.compare_exchange_weak(most, all_samples)) break;
  }
  if (all_samples > bounds_.samples) {
    return fail(ErrorCode::kUnprocessable,
                "query processing would load too many samples into memory in query execution",
                "ask for a shorter range, fewer series or a longer step");
  }
  if (all_bytes > bounds_.bytes) {
    return fail(
        ErrorCode::kUnprocessable,
        fmt::format("query processing would take more than {} MiB of memory in query execution", bounds_.bytes >> 20),
        "ask for a shorter range, fewer series or a longer step");
  }
  AT_TRY(go_on());
  return held;
}

Status Budget::keep(std::size_t bytes) {
  if (bounds_.memory) AT_TRY(bounds_.memory->take(bytes));
  return go_on();
}

Status Budget::go_on() const {
  if (bounds_.stop.stop_requested()) {
    return fail(ErrorCode::kCancelled, "query was canceled in expression evaluation");
  }
  if (bounds_.clock && bounds_.deadline && bounds_.clock->steady() > *bounds_.deadline) {
    return fail(ErrorCode::kDeadlineExceeded, "query timed out in expression evaluation",
                "ask for a shorter range, fewer series or a longer step");
  }
  return {};
}

}  // namespace atalaya::promql
