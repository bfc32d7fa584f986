#include "promql/pin.h"

#include "promql/functions.h"

namespace atalaya::promql {
namespace {

bool reads_clock(const Expression& node) {
  if (node.kind == Kind::kCall && node.function->reads_clock) return true;
  if (node.at && node.at->kind != AtModifier::Kind::kTime) return true;
  for (const auto& arg : node.args) {
    if (reads_clock(*arg)) return true;
  }
  return false;
}

ExpressionPtr pinned(const Expression& node, Time at) {
  auto copy = std::make_shared<Expression>(node);
  const bool stops = node.kind == Kind::kSelector || node.kind == Kind::kSubquery;
  if (stops) {
    if (!copy->at) copy->at = AtModifier{AtModifier::Kind::kTime, at};
    return copy;
  }
  for (auto& arg : copy->args) arg = pinned(*arg, at);
  return copy;
}

}  // namespace

ExpressionPtr pin(const Expression& expression, Time at) {
  return reads_clock(expression) ? nullptr : pinned(expression, at);
}

}  // namespace atalaya::promql
