// Functions of classic histograms: series that differ only in their label `le`.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "model/label_number.h"
#include "model/names.h"
#include "promql/buckets.h"
#include "promql/evaluator.h"
#include "promql/format.h"
#include "promql/numeric.h"

namespace atalaya::promql {
namespace {

constexpr std::string_view kBucketLabel = "le";

bool is_quantile(double q) { return q >= 0 && q <= 1; }

std::string bad_bucket(const Labels& labels) {
  auto text = fmt::format("bucket label \"le\" is missing or has a malformed value of {}",
                          quote_label_value(labels.get(kBucketLabel)));
  if (labels.has(kMetricName)) text += " for metric name " + quote_label_value(labels.get(kMetricName));
  return text;
}

}  // namespace

/// The rows of one table, by histogram.
struct Evaluator::Histograms {
  struct Member {
    std::size_t row = 0;
    double bound = 0;
  };
  struct One {
    LabelsPtr labels;
    std::vector<Member> members;
  };
  Table rows;
  std::vector<One> all;

  /// The buckets that one of them has at a step; false when it has none.
  bool buckets_at(const One& one, std::size_t step, std::vector<Bucket>& out) const {
    out.clear();
    for (const auto& member : one.members) {
      const double count = rows.at(member.row, step);
      if (!is_stale(count)) out.push_back({member.bound, count});
    }
    return !out.empty();
  }
};

Result<Evaluator::Histograms> Evaluator::histograms(const Expression& node) {
  AT_TRY(auto rows, vector(node));
  Histograms out{std::move(rows), {}};
  std::unordered_map<Labels, std::size_t> known;
  for (std::size_t row = 0; row < out.rows.size(); ++row) {
    const auto& labels = out.rows.labels(row);
    double bound = 0;
    if (!parse_float(labels.get(kBucketLabel), bound)) {
      query_.notes.warn(without_parens(node).place, bad_bucket(labels));
      continue;
    }
    auto own = labels.without(kBucketLabel);
    const auto [it, fresh] = known.emplace(own, out.all.size());
    if (fresh) out.all.push_back({std::make_shared<const Labels>(std::move(own)), {}});
    out.all[it->second].members.push_back({row, bound});
  }
  return out;
}

Status Evaluator::quantile_rows(const Expression& vector, Histograms& input, std::span<const double> q, Table& out,
                                std::size_t first_row) {
  std::vector<Bucket> buckets;
  for (std::size_t i = 0; i < input.all.size(); ++i) {
    const auto& one = input.all[i];
    const auto cells = out.cells(first_row + i);
    for (std::size_t step = 0; step < steps_.count; ++step) {
      if (!input.buckets_at(one, step, buckets)) continue;
      LiftedBuckets lifted;
      cells[step] = bucket_quantile(q[step], buckets, lifted);
      if (!lifted.any) continue;
      query_.notes.lifted(vector.place, one.labels->get(kMetricName),
                          {lifted.lowest_bound, lifted.highest_bound, lifted.greatest_difference, steps_.at(step)});
    }
    AT_TRY(query_.budget.go_on());
  }
  return {};
}

Result<Table> Evaluator::histogram_quantile(const Expression& node) {
  AT_TRY(const auto q, scalar(*node.args[0]));
  for (const double one : q) {
    if (is_quantile(one)) continue;
    query_.notes.warn(without_parens(*node.args[0]).place,
                      fmt::format("quantile value should be between 0 and 1, got {}", format_general(one)));
  }
  AT_TRY(auto input, histograms(*node.args[1]));
  Table out = empty();
  AT_TRY(out.add_rows(query_.budget, input.all.size()));
  for (std::size_t i = 0; i < input.all.size(); ++i) out.head(i) = {input.all[i].labels, true};
  AT_TRY(quantile_rows(without_parens(*node.args[1]), input, q, out, 0));
  out.drop_empty();
  return out;
}

/// Several quantiles at once, told apart by a label.
Result<Table> Evaluator::histogram_quantiles(const Expression& node) {
  const auto& label = without_parens(*node.args[1]).text;
  AT_TRY(auto input, histograms(*node.args[0]));
  Table out = empty();
  for (std::size_t k = 2; k < node.args.size(); ++k) {
    AT_TRY(const auto q, scalar(*node.args[k]));
    for (const double one : q) {
      if (is_quantile(one)) continue;
      query_.notes.warn(without_parens(*node.args[k]).place,
                        fmt::format("quantile value should be between 0 and 1, got {}", format_general(one)));
    }
    // The label follows from the value, which a parameter may change from step to step.
    std::vector<double> seen;
    for (const double one : q) {
      const auto same = [&](double other) { return other == one || (std::isnan(other) && std::isnan(one)); };
      if (std::find_if(seen.begin(), seen.end(), same) != seen.end()) continue;
      seen.push_back(one);
      const auto first = out.size();
      AT_TRY(out.add_rows(query_.budget, input.all.size()));
      for (std::size_t i = 0; i < input.all.size(); ++i) {
        out.head(first + i).drops_name = true;
        out.set_labels(first + i, input.all[i].labels->with(label, label_number(one)));
      }
      AT_TRY(quantile_rows(without_parens(*node.args[1]), input, q, out, first));
      for (std::size_t row = first; row < out.size(); ++row) {
        for (std::size_t step = 0; step < steps_.count; ++step) {
          if (!same(q[step])) out.cells(row)[step] = stale_marker();
        }
      }
    }
  }
  out.drop_empty();
  return out;
}

Result<Table> Evaluator::histogram_fraction(const Expression& node) {
  AT_TRY(const auto lower, scalar(*node.args[0]));
  AT_TRY(const auto upper, scalar(*node.args[1]));
  AT_TRY(const auto input, histograms(*node.args[2]));
  Table out = empty();
  AT_TRY(out.add_rows(query_.budget, input.all.size()));
  std::vector<Bucket> buckets;
  for (std::size_t i = 0; i < input.all.size(); ++i) {
    out.head(i) = {input.all[i].labels, true};
    for (std::size_t step = 0; step < steps_.count; ++step) {
      if (input.buckets_at(input.all[i], step, buckets)) {
        out.cells(i)[step] = bucket_fraction(lower[step], upper[step], buckets);
      }
    }
  }
  out.drop_empty();
  return out;
}

}  // namespace atalaya::promql
