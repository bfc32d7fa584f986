// Aggregations that let some elements of a group through: topk, bottomk, limitk, limit_ratio.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "io/xxh64.h"
#include "promql/evaluator.h"
#include "promql/format.h"
#include "promql/grouping.h"

namespace atalaya::promql {
namespace {

/// The k best of some rows at one step, best first. NaN is worse than any number; of equal ones the
/// earlier stays.
class Best {
 public:
  Best(const Table& table, std::size_t step, bool most) : table_(table), step_(step), most_(most) {}

  std::vector<std::size_t> of(const std::vector<std::size_t>& rows, std::size_t k) const {
    std::vector<std::size_t> out;
    for (const auto row : rows) {
      if (!is_stale(table_.at(row, step_))) out.push_back(row);
    }
    k = std::min(k, out.size());
    const auto better = [this](std::size_t a, std::size_t b) { return is_better(a, b); };
    std::partial_sort(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(k), out.end(), better);
    out.resize(k);
    return out;
  }

 private:
  bool is_better(std::size_t a, std::size_t b) const {
    const double x = table_.at(a, step_);
    const double y = table_.at(b, step_);
    if (std::isnan(x) || std::isnan(y)) return std::isnan(x) == std::isnan(y) ? a < b : std::isnan(y);
    if (x == y) return a < b;
    return most_ ? x > y : x < y;
  }

  const Table& table_;
  const std::size_t step_;
  const bool most_;
};

/// A text behind its length: one byte, or 255 and three, the lowest first.
void append_sized(std::string& out, std::string_view text) {
  const auto size = text.size();
  if (size < 255) {
    out += static_cast<char>(size);
  } else {
    out += '\xff';
    for (const int shift : {0, 8, 16}) out += static_cast<char>(size >> shift & 0xff);
  }
  out += text;
}

/// Where a series lies between 0 and 1 by its labels: the same at every step and in every query, and where it lies for
/// Prometheus 3 (util/ratiosampler over the hash of model/labels, as it is built for release).
double place_of(const Labels& labels) {
  std::string packed;
  for (const auto& [name, value] : labels) {
    append_sized(packed, name);
    append_sized(packed, value);
  }
  return static_cast<double>(io::xxh64(packed)) / static_cast<double>(std::numeric_limits<std::uint64_t>::max());
}

bool is_in_sample(double ratio, double place) { return ratio >= 0 ? place < ratio : place >= 1 + ratio; }

}  // namespace

Status Evaluator::check_parameter(const Expression& node, std::span<const double> parameter) const {
  constexpr double kMost = 9223372036854774784.0;
  constexpr double kLeast = -9223372036854775808.0;
  const auto refuse = [&](std::string message) {
    return fail(ErrorCode::kUnprocessable, node.place, std::move(message));
  };
  const bool ratio = node.aggregation == Aggregation::kLimitRatio;
  bool nan = false;
  double least = parameter[0];
  double most = parameter[0];
  for (const double value : parameter) {
    nan = nan || std::isnan(value);
    least = std::min(least, value);
    most = std::max(most, value);
  }
  if (nan) return refuse(ratio ? "Ratio value is NaN" : "Parameter value is NaN");
  if (!ratio) {
    if (most < 1) return {};
    if (least <= kLeast) return refuse(fmt::format("Scalar value {} underflows int64", format_general(least)));
    if (most >= kMost) return refuse(fmt::format("Scalar value {} overflows int64", format_general(most)));
    return {};
  }
  const auto cap = [&](double value, int to) {
    query_.notes.warn(
        without_parens(*node.args[1]).place,
        fmt::format("ratio value should be between -1 and 1, got {}, capping to {}", format_general(value), to));
  };
  if (most > 1) cap(most, 1);
  if (least < -1) cap(least, -1);
  return {};
}

Result<Table> Evaluator::selected(const Expression& node, Table input) {
  AT_TRY(const auto parameter, scalar(*node.args[1]));
  if (input.empty()) return input;
  AT_TRY(check_parameter(node, parameter));
  if (node.aggregation == Aggregation::kLimitRatio) {
    for (std::size_t row = 0; row < input.size(); ++row) {
      const double place = place_of(input.labels(row));
      const auto cells = input.cells(row);
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const double ratio = std::clamp(parameter[i], -1.0, 1.0);
        if (ratio == 0 || !is_in_sample(ratio, place)) cells[i] = stale_marker();
      }
    }
    input.drop_empty();
    return input;
  }
  const auto groups = group_rows(node.grouping, input);
  std::vector<std::size_t> order;  // of an instant query: groups one after the other, best first
  for (const auto& group : groups) {
    for (std::size_t i = 0; i < steps_.count; ++i) {
      const double wanted = std::min(parameter[i], static_cast<double>(input.size()));
      const auto k = wanted < 1 ? 0 : static_cast<std::size_t>(wanted);
      std::vector<std::size_t> kept;
      if (node.aggregation == Aggregation::kLimitk) {
        for (const auto row : group.rows) {
          if (kept.size() < k && !is_stale(input.at(row, i))) kept.push_back(row);
        }
      } else {
        kept = Best(input, i, node.aggregation == Aggregation::kTopk).of(group.rows, k);
      }
      if (steps_.count == 1) order.insert(order.end(), kept.begin(), kept.end());
      std::sort(kept.begin(), kept.end());
      for (const auto row : group.rows) {
        if (!std::binary_search(kept.begin(), kept.end(), row)) input.cells(row)[i] = stale_marker();
      }
    }
    AT_TRY(query_.budget.go_on());
  }
  if (steps_.count == 1) {
    input.reorder(order);
  } else {
    input.drop_empty();
  }
  return input;
}

}  // namespace atalaya::promql
