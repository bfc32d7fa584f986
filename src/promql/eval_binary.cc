// Binary operators between vectors, and between a vector and a scalar.
#include <fmt/format.h>

#include <algorithm>

#include "promql/evaluator.h"
#include "promql/matching.h"

namespace atalaya::promql {
namespace {

std::string incompatible_floats(Op op) {
  return fmt::format("incompatible sample types encountered for binary operator \"{0}\": float {0} float", name(op));
}

}  // namespace

/// `a or b or c …` may be long: one operand after the other, without recursion.
Result<Table> Evaluator::binary(const Expression& node) {
  std::vector<const Expression*> chain;
  const Expression* first = &node;
  const auto goes_on = [&] {
    return first->kind == Kind::kBinary &&
           ((steps_.count == 1 && !steps_.spans) || first == &node || !is_step_invariant(*first));
  };
  while (goes_on() && first->args[0]->type != ValueType::kScalar) {
    chain.push_back(first);
    first = first->args[0].get();
  }
  Table left = empty();
  if (goes_on()) {
    AT_TRY(left, vector(*first->args[1]));
    AT_TRY(left, with_scalar(*first, true, std::move(left)));
  } else {
    AT_TRY(left, vector(*first));
  }
  for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
    AT_TRY(query_.budget.go_on());
    AT_TRY(left, with_left(**it, std::move(left)));
  }
  return left;
}

Result<Table> Evaluator::with_left(const Expression& node, Table left) {
  if (is_set(node.op)) return set_operation(node, std::move(left));
  if (node.args[1]->type == ValueType::kScalar) return with_scalar(node, false, std::move(left));
  return matched(node, left);
}

Result<Table> Evaluator::with_scalar(const Expression& node, bool scalar_left, Table table) {
  AT_TRY(const auto numbers, scalar(*node.args[scalar_left ? 0 : 1]));
  if (is_trim(node.op)) {
    if (!table.empty()) query_.notes.info(node.place, incompatible_floats(node.op));
    return empty();
  }
  const bool filter = is_comparison(node.op) && !node.return_bool;
  for (std::size_t row = 0; row < table.size(); ++row) {
    if (!filter) table.head(row).drops_name = true;
    const auto cells = table.cells(row);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      double& cell = cells[i];
      if (is_stale(cell)) continue;
      const double value = scalar_left ? apply(node.op, numbers[i], cell) : apply(node.op, cell, numbers[i]);
      if (!filter) {
        cell = value;
      } else if (value == 0) {
        cell = stale_marker();
      }
    }
  }
  if (filter) table.drop_empty();
  return table;
}

Result<Table> Evaluator::set_operation(const Expression& node, Table left) {
  AT_TRY(auto right, vector(*node.args[1]));
  MatchGroups groups(node.matching);
  const auto left_groups = groups.of(left);
  const auto right_groups = groups.of(right);
  // Who is asked about, and whose groups decide.
  const bool is_or = node.op == Op::kOr;
  Table& asked = is_or ? right : left;
  const auto& asked_groups = is_or ? right_groups : left_groups;
  const Table& deciding = is_or ? left : right;
  const auto& deciding_groups = is_or ? left_groups : right_groups;
  std::vector<bool> present(groups.count() * steps_.count);
  for (std::size_t row = 0; row < deciding.size(); ++row) {
    const auto cells = deciding.cells(row);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!is_stale(cells[i])) present[deciding_groups[row] * steps_.count + i] = true;
    }
  }
  for (std::size_t row = 0; row < asked.size(); ++row) {
    const auto cells = asked.cells(row);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (present[asked_groups[row] * steps_.count + i] != (node.op == Op::kAnd)) cells[i] = stale_marker();
    }
  }
  asked.drop_empty();
  if (!is_or) return left;
  left.append(std::move(right));
  // A series that is now on this side and now on the other is one.
  AT_TRY(join_same(left));
  return left;
}

Result<Table> Evaluator::matched(const Expression& node, const Table& left) {
  AT_TRY(const auto right, vector(*node.args[1]));
  if (is_trim(node.op)) {
    if (!left.empty() && !right.empty()) query_.notes.info(node.place, incompatible_floats(node.op));
    return empty();
  }
  return match(node, left, right, query_.budget);
}

}  // namespace atalaya::promql
