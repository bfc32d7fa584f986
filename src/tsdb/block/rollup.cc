#include "tsdb/block/rollup.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>

#include "tsdb/block/merge_impl.h"

namespace atalaya::tsdb {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Columns in the order of RollupColumn.
struct Bucket {
  double count = 0;
  double sum = 0;
  double min = kNone;
  double max = kNone;
  double last = kNone;

  void add(double value) {
    last = value;
    if (!std::isnan(value)) add(1, value, value, value);
  }
  void add(double counted, double summed, double least, double greatest) {
    const bool first = count == 0;
    count += counted;
    sum += summed;
    min = first || least < min ? least : min;
    max = first || greatest > max ? greatest : max;
  }
};

void put(ColumnsRead& out, std::int64_t time, const Bucket& bucket) {
  out.times.push_back(time);
  std::size_t c = 0;
  for (const double value : {bucket.count, bucket.sum, bucket.min, bucket.max, bucket.last}) {
    out.columns[c++].push_back(value);
  }
}

/// `add(i, bucket)` takes sample i into the bucket.
template <typename Add>
void fill_buckets(const std::vector<std::int64_t>& times, std::int64_t resolution, ColumnsRead& out, const Add& add) {
  std::size_t i = 0;
  while (i < times.size()) {
    const auto end = bucket_instant(times[i], resolution);
    Bucket bucket;
    for (; i < times.size() && times[i] <= end; ++i) add(i, bucket);
    put(out, end, bucket);
  }
}

}  // namespace

std::int64_t bucket_instant(std::int64_t time, std::int64_t resolution) {
  auto into = time % resolution;
  if (into < 0) into += resolution;
  const auto left = resolution - 1 - into;
  return time > std::numeric_limits<std::int64_t>::max() - left ? std::numeric_limits<std::int64_t>::max()
                                                                : time + left;
}

void roll_up(const ColumnsRead& samples, std::int64_t resolution, ColumnsRead& out) {
  out.times.clear();
  out.columns.resize(kRollupColumns);
  for (auto& column : out.columns) column.clear();
  const auto& from = samples.columns;
  if (from.size() == 1) {
    fill_buckets(samples.times, resolution, out, [&](std::size_t i, Bucket& bucket) { bucket.add(from[0][i]); });
    return;
  }
  fill_buckets(samples.times, resolution, out, [&](std::size_t i, Bucket& bucket) {
    if (from[0][i] != 0) bucket.add(from[0][i], from[1][i], from[2][i], from[3][i]);
    bucket.last = from[4][i];
  });
}

Result<std::shared_ptr<const Block>> rollup_blocks(io::FileSystem& files, const std::string& path,
                                                   std::span<const std::shared_ptr<const Block>> blocks,
                                                   std::int64_t resolution, const BlockOptions& options,
                                                   const DroppedRanges& dropped, const MergePace& pace) {
  AT_TRY(auto meta, merged_meta(blocks));
  const bool finer = meta.resolution == 0 || (meta.resolution == kFiveMinutes && resolution == kOneHour);
  if ((resolution != kFiveMinutes && resolution != kOneHour) || !finer) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("no buckets of {} ms out of a resolution of {} ms", resolution, meta.resolution));
  }
  meta.resolution = resolution;
  meta.columns = kRollupColumns;
  ColumnsRead buckets;
  return write_walk(files, path, blocks, meta, options, dropped, pace,
                    [&](const ColumnsRead& samples) -> const ColumnsRead& {
                      roll_up(samples, resolution, buckets);
                      return buckets;
                    });
}

}  // namespace atalaya::tsdb
