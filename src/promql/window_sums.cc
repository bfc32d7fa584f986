#include "promql/window_sums.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "promql/numeric.h"
#include "promql/window_plan.h"

namespace atalaya::promql {
namespace {

/// A compensated sum waits for its own last addition; four of them wait together.
constexpr std::size_t kLanes = 4;
using Lanes [[gnu::vector_size(kLanes * sizeof(double))]] = double;

/// Places of a window in the samples of its series, and of its value in the row.
struct Slot {
  std::size_t step = 0;
  std::size_t begin = 0;
  std::size_t end = 0;

  std::size_t size() const { return end - begin; }
};

struct Total {
  double sum = 0;
  double rest = 0;

  bool is_finite() const { return std::isfinite(sum) && std::isfinite(rest); }
};

/// Knuth's two-sum (TAOCP 2, 4.2.2): without a branch, and what rounding loses is exact, as it is in KahanSum, as
/// long as nothing overflows.
template <typename T>
void add(T& sum, T& rest, const T& value) {
  const T next = sum + value;
  const T taken = next - sum;
  rest += (sum - (next - taken)) + (value - taken);
  sum = next;
}

/// Of the samples from `skipped` on in each window, on top of `totals`.
void add_side_by_side(std::span<const Sample> samples, const std::array<Slot, kLanes>& slots, std::size_t skipped,
                      std::array<Total, kLanes>& totals) {
  Lanes sum;
  Lanes rest;
  auto common = slots[0].size();
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    sum[lane] = totals[lane].sum;
    rest[lane] = totals[lane].rest;
    common = std::min(common, slots[lane].size());
  }
  const std::array<const Sample*, kLanes> at = {&samples[slots[0].begin], &samples[slots[1].begin],
                                                &samples[slots[2].begin], &samples[slots[3].begin]};
  for (auto i = skipped; i < common; ++i) {
    add<Lanes>(sum, rest, Lanes{at[0][i].value, at[1][i].value, at[2][i].value, at[3][i].value});
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    totals[lane] = {sum[lane], rest[lane]};
    for (auto i = std::max(skipped, common); i < slots[lane].size(); ++i) {
      add(totals[lane].sum, totals[lane].rest, at[lane][i].value);
    }
  }
}

double sum_of(std::span<const Sample> samples) {
  KahanSum sum;
  for (const auto& sample : samples) sum.add(sample.value);
  return std::isinf(sum.sum()) ? sum.sum() : sum.value();
}

double mean_of(std::span<const Sample> samples) {
  Mean mean(samples.front().value);
  for (const auto& sample : samples.subspan(1)) mean.add(sample.value);
  return mean.value();
}

/// `of_one` where windows do not come in fours, and where one overflows or holds an infinity.
template <double (*of_one)(std::span<const Sample>), typename Finish>
void in_fours(const WindowArguments& in, std::span<double> out, bool starts_from_first, Finish finish) {
  std::array<Slot, kLanes> slots;
  std::size_t waiting = 0;
  const auto one = [&](const Slot& slot) { out[slot.step] = of_one(in.samples.subspan(slot.begin, slot.size())); };
  in.plan.for_each(in.samples, [&](std::size_t step, std::size_t begin, std::size_t end, const Window&) {
    slots[waiting++] = {step, begin, end};
    if (waiting < kLanes) return;
    waiting = 0;
    std::array<Total, kLanes> totals;
    for (std::size_t lane = 0; starts_from_first && lane < kLanes; ++lane) {
      totals[lane].sum = in.samples[slots[lane].begin].value;
    }
    add_side_by_side(in.samples, slots, starts_from_first ? 1 : 0, totals);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if (totals[lane].is_finite()) {
        out[slots[lane].step] = finish(totals[lane], static_cast<double>(slots[lane].size()));
      } else {
        one(slots[lane]);
      }
    }
  });
  for (std::size_t i = 0; i < waiting; ++i) one(slots[i]);
}

}  // namespace

void window_sum(const WindowArguments& in, std::span<double> out) {
  in_fours<sum_of>(in, out, false, [](const Total& total, double) { return total.sum + total.rest; });
}

void window_average(const WindowArguments& in, std::span<double> out) {
  in_fours<mean_of>(in, out, true,
                    [](const Total& total, double count) { return total.sum / count + total.rest / count; });
}

}  // namespace atalaya::promql
