// Where buckets of a store may stand for samples: queries that look far.
#pragma once

#include <string_view>
#include <vector>

#include "promql/steps.h"
#include "storage/series.h"

namespace atalaya::promql {

/// What a reader of samples wants of a bucket, and whether buckets will do where samples are still kept.
struct BucketUse {
  storage::BucketValue value = storage::BucketValue::kLast;
  bool will_do = false;
};

/// Of a function of a range. Where it does not make do with buckets it gets their last samples, if nothing
/// else is left.
BucketUse bucket_use(std::string_view function);

/// How long buckets may be that stand for samples: a query over at least a week gets them from steps and
/// windows of twelve buckets on; zero: only samples will do. `window` is zero for an instant selector.
Duration coarsest_buckets(const Steps& steps, Duration window);

/// How far back a value holds at `at`: where there are buckets, at least as long as one of them is.
Duration look_back_at(const std::vector<storage::BucketSpan>& buckets, Time at, Duration usual);

}  // namespace atalaya::promql
