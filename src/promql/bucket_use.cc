#include "promql/bucket_use.h"

#include <algorithm>
#include <array>

namespace atalaya::promql {
namespace {

using storage::BucketValue;

constexpr Duration kFar = std::chrono::hours{24 * 7};
constexpr std::array<Duration, 2> kLengths{std::chrono::hours{1}, std::chrono::minutes{5}};
constexpr int kBucketsAtLeast = 12;

struct Row {
  std::string_view function;
  BucketUse use;
};
// Not rate and increase: a counter that began anew within a bucket, and ended above where it was, has no trace in it.
constexpr std::array kUses{
    Row{"min_over_time", {BucketValue::kMin, true}},      Row{"max_over_time", {BucketValue::kMax, true}},
    Row{"sum_over_time", {BucketValue::kSum, true}},      Row{"count_over_time", {BucketValue::kCount, true}},
    Row{"avg_over_time", {BucketValue::kSum, true}},      Row{"last_over_time", {BucketValue::kLast, true}},
    Row{"present_over_time", {BucketValue::kLast, true}}, Row{"absent_over_time", {BucketValue::kLast, true}},
};

}  // namespace

BucketUse bucket_use(std::string_view function) {
  const auto it = std::find_if(kUses.begin(), kUses.end(), [&](const Row& row) { return row.function == function; });
  return it == kUses.end() ? BucketUse{} : it->use;
}

Duration coarsest_buckets(const Steps& steps, Duration window) {
  if (steps.count < 2 || steps.step * static_cast<std::int64_t>(steps.count - 1) < kFar) return Duration{0};
  for (const auto length : kLengths) {
    const auto least = length * kBucketsAtLeast;
    if (steps.step >= least && (window == Duration{0} || window >= least)) return length;
  }
  return Duration{0};
}

Duration look_back_at(const std::vector<storage::BucketSpan>& buckets, Time at, Duration usual) {
  for (const auto& span : buckets) {
    if (at >= span.range.from && at <= shifted(span.range.to, span.length)) return std::max(usual, span.length);
  }
  return usual;
}

}  // namespace atalaya::promql
