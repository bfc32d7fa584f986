#include "promql/numeric.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "promql/lexer.h"

namespace atalaya::promql {

void Mean::add(double value) {
  ++count_;
  if (!incremental_) {
    KahanSum next = sum_;
    next.add(value);
    if (!std::isinf(next.sum_)) {
      sum_ = next;
      return;
    }
    incremental_ = true;
    sum_.sum_ /= count_ - 1;
    sum_.rest_ /= count_ - 1;
  }
  const double weight = (count_ - 1) / count_;
  sum_.sum_ *= weight;
  sum_.rest_ *= weight;
  sum_.add(value / count_);
}

double Mean::value() const {
  if (incremental_) return sum_.sum_ + sum_.rest_;
  return sum_.sum_ / count_ + sum_.rest_ / count_;
}

double quantile(double q, std::vector<double>& values) {
  constexpr auto kInf = std::numeric_limits<double>::infinity();
  if (values.empty() || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  std::sort(values.begin(), values.end(), [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  const double rank = q * (static_cast<double>(values.size()) - 1);
  const auto lower = static_cast<std::size_t>(std::max(0.0, std::floor(rank)));
  const auto upper = std::min(values.size() - 1, lower + 1);
  const double weight = rank - std::floor(rank);
  return values[lower] * (1 - weight) + values[upper] * weight;
}

std::pair<double, double> linear_regression(std::span<const Sample> samples, Time intercept) {
  KahanSum x_sum;
  KahanSum y_sum;
  KahanSum xy_sum;
  KahanSum xx_sum;
  bool constant = true;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto& sample = samples[i];
    if (i > 0 && sample.value != samples.front().value) constant = false;
    const double x = to_seconds(sample.time - intercept);
    x_sum.add(x);
    y_sum.add(sample.value);
    xy_sum.add(x * sample.value);
    xx_sum.add(x * x);
  }
  if (constant) {
    const double y = samples.front().value;
    return std::isinf(y) ? std::pair{std::nan(""), std::nan("")} : std::pair{0.0, y};
  }
  const auto n = static_cast<double>(samples.size());
  const double covariance = xy_sum.value() - x_sum.value() * y_sum.value() / n;
  const double spread = xx_sum.value() - x_sum.value() * x_sum.value() / n;
  const double slope = covariance / spread;
  return {slope, y_sum.value() / n - slope * x_sum.value() / n};
}

bool parse_float(std::string_view text, double& out) {
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  if (text.size() == 8 && (text == "Infinity" || text == "infinity")) text = "Inf";
  // A leading zero does not make it octal.
  while (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') text.remove_prefix(1);
  if (!parse_number(text, out)) return false;
  if (minus) out = -out;
  return true;
}

}  // namespace atalaya::promql
