#include "promql/buckets.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace atalaya::promql {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kRounding = 1e-12;

bool almost_equal(double a, double b, double epsilon) {
  if (a == b) return true;
  const double sum = std::fabs(a) + std::fabs(b);
  const double difference = std::fabs(a - b);
  if (a == 0 || b == 0 || sum < std::numeric_limits<double>::min()) {
    return difference < epsilon * std::numeric_limits<double>::min();
  }
  return difference / std::min(sum, std::numeric_limits<double>::max()) < epsilon;
}

/// Ascending; the same bound written in two ways (`1`, `1.0`) is one bucket.
void put_in_order(std::vector<Bucket>& buckets) {
  std::sort(buckets.begin(), buckets.end(), [](const Bucket& a, const Bucket& b) { return a.bound < b.bound; });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < buckets.size(); ++i) {
    if (buckets[i].bound == buckets[kept].bound) {
      buckets[kept].count += buckets[i].count;
    } else {
      buckets[++kept] = buckets[i];
    }
  }
  buckets.resize(kept + 1);
}

void make_monotonic(std::vector<Bucket>& buckets, LiftedBuckets& lifted) {
  double before = buckets.front().count;
  lifted.lowest_bound = kInf;
  lifted.highest_bound = -kInf;
  for (auto& bucket : buckets) {
    if (bucket.count == before) continue;
    if (almost_equal(before, bucket.count, kRounding)) {
      bucket.count = before;
    } else if (bucket.count < before) {
      lifted.any = true;
      lifted.lowest_bound = std::min(lifted.lowest_bound, bucket.bound);
      lifted.highest_bound = std::max(lifted.highest_bound, bucket.bound);
      lifted.greatest_difference = std::max(lifted.greatest_difference, before - bucket.count);
      bucket.count = before;
    } else {
      before = bucket.count;
    }
  }
}

}  // namespace

double bucket_quantile(double q, std::vector<Bucket>& buckets, LiftedBuckets& lifted) {
  if (std::isnan(q)) return kNaN;
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  put_in_order(buckets);
  if (buckets.back().bound != kInf) return kNaN;
  make_monotonic(buckets, lifted);
  if (buckets.size() < 2) return kNaN;
  const double observations = buckets.back().count;
  if (observations == 0) return kNaN;
  const double rank = q * observations;
  const auto last = buckets.end() - 1;
  const auto found = std::find_if(buckets.begin(), last, [&](const Bucket& bucket) { return bucket.count >= rank; });
  if (found == last) return (last - 1)->bound;
  if (found == buckets.begin()) {
    // Observations are taken to be positive unless a bound says otherwise.
    return found->bound <= 0 ? found->bound : found->bound * (rank / found->count);
  }
  const auto& below = *(found - 1);
  return below.bound + (found->bound - below.bound) * ((rank - below.count) / (found->count - below.count));
}

double bucket_fraction(double lower, double upper, std::vector<Bucket>& buckets) {
  put_in_order(buckets);
  if (buckets.back().bound != kInf) return kNaN;
  const double all = buckets.back().count;
  if (all == 0 || std::isnan(lower) || std::isnan(upper)) return kNaN;
  if (lower >= upper) return 0;
  /// How many are at or below `value`.
  const auto rank_of = [&](double value) {
    double rank = 0;
    double from = buckets.front().bound <= 0 ? -kInf : 0;
    for (const auto& bucket : buckets) {
      if (from >= value) return rank;
      if (bucket.bound > value) {
        if (from == -kInf) return bucket.count;
        return rank + (bucket.count - rank) * (value - from) / (bucket.bound - from);
      }
      rank = bucket.count;
      from = bucket.bound;
    }
    return all;
  };
  return (std::min(rank_of(upper), all) - std::min(rank_of(lower), all)) / all;
}

}  // namespace atalaya::promql
