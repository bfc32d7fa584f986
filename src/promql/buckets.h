// Classic histograms: counts of what is at or below each bound.
#pragma once

#include <vector>

namespace atalaya::promql {

struct Bucket {
  double bound = 0;
  double count = 0;
};

/// Counts that fell below that of a lower bound and were lifted to it; differences that rounding explains are
/// evened out silently.
struct LiftedBuckets {
  bool any = false;
  double lowest_bound = 0;
  double highest_bound = 0;
  double greatest_difference = 0;
};

/// The quantile by linear interpolation; sorts and mends `buckets`, of which there are some. The highest
/// bucket must be +Inf, and is answered with the bound below it. NaN for q = NaN, no observations, a single bucket;
/// ∓Inf for q outside 0…1.
double bucket_quantile(double q, std::vector<Bucket>& buckets, LiftedBuckets& lifted);

/// The part of the observations between two bounds; sorts `buckets`, of which there are some.
double bucket_fraction(double lower, double upper, std::vector<Bucket>& buckets);

}  // namespace atalaya::promql
