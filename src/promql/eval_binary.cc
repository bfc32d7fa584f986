// Binary operators between vectors, and between a vector and a scalar.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "promql/evaluator.h"

namespace atalaya::promql {
namespace {

bool listed(const std::vector<std::string>& labels, std::string_view name) {
  return std::find(labels.begin(), labels.end(), name) != labels.end();
}

/// The labels by which elements of both sides are matched.
Labels signature(const Matching& matching, const Labels& labels) {
  LabelsBuilder builder;
  for (const auto& [name, value] : labels) {
    const bool in = listed(matching.labels, name);
    if (matching.on ? in : !in && name != kMetricName) builder.set(name, value);
  }
  return builder.build();
}

/// Of a one-to-one result.
Labels result_labels(const Matching& matching, const Labels& left, bool drop_name) {
  LabelsBuilder builder;
  for (const auto& [name, value] : left) {
    if (name == kMetricName && drop_name) continue;
    if (matching.on == listed(matching.labels, name)) builder.set(name, value);
  }
  return builder.build();
}

using BySignature = std::unordered_map<Labels, std::vector<std::size_t>>;
BySignature group(const Matching& matching, const Rows& rows) {
  BySignature out;
  for (std::size_t i = 0; i < rows.size(); ++i) out[signature(matching, rows[i].labels)].push_back(i);
  return out;
}

std::string labels_text(const Labels& labels) {
  auto text = to_string(labels);
  return text.empty() ? "{}" : text;
}

}  // namespace

Result<Rows> Evaluator::binary(const Expression& node) {
  if (is_set(node.op)) return set_operation(node);
  if (node.args[0]->type == ValueType::kScalar) return with_scalar(node, true);
  if (node.args[1]->type == ValueType::kScalar) return with_scalar(node, false);
  return matched(node);
}

Result<Rows> Evaluator::with_scalar(const Expression& node, bool scalar_left) {
  AT_TRY(const auto numbers, scalar(*node.args[scalar_left ? 0 : 1]));
  AT_TRY(auto rows, vector(*node.args[scalar_left ? 1 : 0]));
  const bool filter = is_comparison(node.op) && !node.return_bool;
  for (auto& row : rows) {
    if (!filter) row.drops_name = true;
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      double& cell = row.cells[i];
      if (is_stale(cell)) continue;
      const double value = scalar_left ? apply(node.op, numbers[i], cell) : apply(node.op, cell, numbers[i]);
      if (!filter) {
        cell = value;
      } else if (value == 0) {
        cell = stale_marker();
      }
    }
  }
  return rows;
}

Result<Rows> Evaluator::set_operation(const Expression& node) {
  AT_TRY(auto left, vector(*node.args[0]));
  AT_TRY(auto right, vector(*node.args[1]));
  const auto present = [](const Rows& rows, const BySignature& index, const Labels& key, std::size_t step) {
    const auto it = index.find(key);
    if (it == index.end()) return false;
    return std::any_of(it->second.begin(), it->second.end(),
                       [&](std::size_t i) { return !is_stale(rows[i].cells[step]); });
  };
  if (node.op == Op::kOr) {
    const auto index = group(node.matching, left);
    for (auto& row : right) {
      const auto key = signature(node.matching, row.labels);
      for (std::size_t i = 0; i < steps_.count; ++i) {
        if (!is_stale(row.cells[i]) && present(left, index, key, i)) row.cells[i] = stale_marker();
      }
    }
    left.insert(left.end(), std::make_move_iterator(right.begin()), std::make_move_iterator(right.end()));
    return left;
  }
  const auto index = group(node.matching, right);
  for (auto& row : left) {
    const auto key = signature(node.matching, row.labels);
    for (std::size_t i = 0; i < steps_.count; ++i) {
      if (is_stale(row.cells[i])) continue;
      if (present(right, index, key, i) != (node.op == Op::kAnd)) row.cells[i] = stale_marker();
    }
  }
  return left;
}

Result<Rows> Evaluator::matched(const Expression& node) {
  AT_TRY(const auto left, vector(*node.args[0]));
  AT_TRY(const auto right, vector(*node.args[1]));
  const auto index = group(node.matching, right);
  const bool filter = is_comparison(node.op) && !node.return_bool;
  const bool arithmetic = !is_comparison(node.op);
  Rows rows;
  std::unordered_map<Labels, std::size_t> made;            // result labels → row
  std::unordered_map<Labels, std::vector<bool>> consumed;  // signature → steps at which the left side used it
  for (const auto& l : left) {
    const auto key = signature(node.matching, l.labels);
    const auto candidates = index.find(key);
    if (candidates == index.end()) continue;
    auto& used = consumed[key];
    used.resize(steps_.count);
    const auto labels = result_labels(node.matching, l.labels, arithmetic);
    for (std::size_t i = 0; i < steps_.count; ++i) {
      if (is_stale(l.cells[i])) continue;
      const Row* r = nullptr;
      for (const auto candidate : candidates->second) {
        if (is_stale(right[candidate].cells[i])) continue;
        if (r) {
          return fail(ErrorCode::kUnprocessable, node.place,
                      fmt::format("found duplicate series for the match group {} on the right hand-side of the "
                                  "operation: [{}, {}];many-to-many matching not allowed: matching labels must be "
                                  "unique on one side",
                                  labels_text(key), labels_text(r->labels), labels_text(right[candidate].labels)));
        }
        r = &right[candidate];
      }
      if (!r) continue;
      if (used[i]) {
        return fail(ErrorCode::kUnprocessable, node.place,
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
      }
      used[i] = true;
      const double value = apply(node.op, l.cells[i], r->cells[i]);
      if (filter && value == 0) continue;
      const auto [it, fresh] = made.emplace(labels, rows.size());
      if (fresh) {
        AT_TRY(count_samples(steps_.count));
        rows.push_back(empty_row());
        rows.back().labels = labels;
        rows.back().drops_name = node.return_bool || l.drops_name;
      }
      rows[it->second].cells[i] = filter ? l.cells[i] : value;
    }
  }
  return rows;
}

}  // namespace atalaya::promql
