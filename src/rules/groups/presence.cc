#include "rules/groups/presence.h"

#include "promql/ast.h"
#include "promql/functions.h"

namespace atalaya::rules {
namespace {

using promql::Aggregation;
using promql::Expression;
using promql::ExpressionPtr;
using promql::Kind;
using promql::Op;
using promql::ValueType;

bool asks_for_absence(const Expression& node) {
  if (node.kind == Kind::kCall && node.function->name.starts_with("absent")) return true;
  for (const auto& arg : node.args) {
    if (asks_for_absence(*arg)) return true;
  }
  return false;
}

bool picks(Aggregation aggregation) {
  return aggregation == Aggregation::kTopk || aggregation == Aggregation::kBottomk ||
         aggregation == Aggregation::kLimitk || aggregation == Aggregation::kLimitRatio;
}

ExpressionPtr unfiltered(const ExpressionPtr& node) {
  if (node->kind == Kind::kBinary && node->op == Op::kUnless) return unfiltered(node->args[0]);
  if (node->kind == Kind::kAggregate && picks(node->aggregation)) return unfiltered(node->args[0]);
  auto copy = std::make_shared<Expression>(*node);
  for (auto& arg : copy->args) arg = unfiltered(arg);
  if (copy->kind == Kind::kBinary && is_comparison(copy->op) && copy->type == ValueType::kVector) {
    copy->return_bool = true;
  }
  return copy;
}

}  // namespace

ExpressionPtr presence_of(const ExpressionPtr& expression) {
  if (expression->type != ValueType::kVector || asks_for_absence(*expression)) return nullptr;
  return unfiltered(expression);
}

}  // namespace atalaya::rules
