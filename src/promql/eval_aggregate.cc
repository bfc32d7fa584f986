// sum, count, avg, min, max, group, stddev, stdvar.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "promql/evaluator.h"

namespace atalaya::promql {
namespace {

Labels group_labels(const Grouping& grouping, const Labels& labels) {
  LabelsBuilder builder;
  for (const auto& [name, value] : labels) {
    const bool listed = std::find(grouping.labels.begin(), grouping.labels.end(), name) != grouping.labels.end();
    if (grouping.without ? !listed && name != kMetricName : listed) builder.set(name, value);
  }
  return builder.build();
}

/// Of one group at one step. All that any of the operators needs.
struct Accumulator {
  double count = 0;
  KahanSum sum;
  double least = 0;
  double most = 0;
  double mean = 0;  // also right where the sum overflows
  double squares = 0;

  void add(double value) {
    ++count;
    sum.add(value);
    if (count == 1 || value < least || std::isnan(least)) least = value;
    if (count == 1 || value > most || std::isnan(most)) most = value;
    const double before = value - mean;
    mean += before / count;
    squares += before * (value - mean);
  }
};

double average(const Accumulator& group) {
  const double sum = group.sum.value();
  // A sum that overflowed although no element is infinite.
  if (std::isinf(sum) && !std::isinf(group.least) && !std::isinf(group.most)) return group.mean;
  return sum / group.count;
}

double result(std::string_view op, const Accumulator& group) {
  if (op == "sum") return group.sum.value();
  if (op == "count") return group.count;
  if (op == "avg") return average(group);
  if (op == "min") return group.least;
  if (op == "max") return group.most;
  if (op == "group") return 1;
  const double variance = group.squares / group.count;
  return op == "stdvar" ? variance : std::sqrt(variance);
}

struct Group {
  Labels labels;
  bool drops_name = false;
  std::vector<std::size_t> members;
};

}  // namespace

Result<Rows> Evaluator::aggregate(const Expression& node) {
  AT_TRY(const auto input, vector(*node.args[0]));
  std::vector<Group> groups;
  std::unordered_map<Labels, std::size_t> index;
  for (std::size_t i = 0; i < input.size(); ++i) {
    auto labels = group_labels(node.grouping, input[i].labels);
    const auto [it, fresh] = index.emplace(labels, groups.size());
    if (fresh) groups.push_back(Group{std::move(labels), false, {}});
    auto& group = groups[it->second];
    group.drops_name = group.drops_name || input[i].drops_name;
    group.members.push_back(i);
  }
  Rows rows;
  for (auto& group : groups) {
    Row row = empty_row();
    row.labels = std::move(group.labels);
    row.drops_name = group.drops_name;
    for (std::size_t step = 0; step < steps_.count; ++step) {
      Accumulator cell;
      for (const auto member : group.members) {
        const double value = input[member].cells[step];
        if (!is_stale(value)) cell.add(value);
      }
      if (cell.count > 0) row.cells[step] = result(node.text, cell);
    }
    AT_TRY(count_samples(steps_.count));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace atalaya::promql
