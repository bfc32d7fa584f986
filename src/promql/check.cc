// What may be joined with what.
#include <fmt/format.h>

#include <cmath>

#include "promql/functions.h"
#include "promql/parser.h"

namespace atalaya::promql {

std::string_view name(ValueType type) {
  switch (type) {
    case ValueType::kScalar: return "scalar";
    case ValueType::kVector: return "instant vector";
    case ValueType::kMatrix: return "range vector";
    case ValueType::kString: return "string";
  }
  return "";
}

std::string_view name(Op op) {
  constexpr std::string_view kNames[] = {
      "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", "<=", ">", ">=", "and", "or", "unless", "</", ">/"};
  return kNames[static_cast<int>(op)];
}

double apply(Op op, double left, double right) {
  switch (op) {
    case Op::kAdd: return left + right;
    case Op::kSub: return left - right;
    case Op::kMul: return left * right;
    case Op::kDiv: return left / right;
    case Op::kMod: return std::fmod(left, right);
    case Op::kPow: return std::pow(left, right);
    case Op::kAtan2: return std::atan2(left, right);
    case Op::kEqual: return left == right;
    case Op::kNotEqual: return left != right;
    case Op::kLess: return left < right;
    case Op::kLessOrEqual: return left <= right;
    case Op::kGreater: return left > right;
    case Op::kGreaterOrEqual: return left >= right;
    case Op::kAnd:
    case Op::kOr:
    case Op::kUnless:
    case Op::kTrimUpper:
    case Op::kTrimLower: break;
  }
  return std::nan("");
}

Status check_binary(std::string_view text, const Expression& node, std::size_t op_begin) {
  const auto& left = *node.args[0];
  const auto& right = *node.args[1];
  for (const auto* side : {&left, &right}) {
    if (side->type != ValueType::kScalar && side->type != ValueType::kVector) {
      return parse_error(text, side->begin, "binary expression must contain only scalar and instant vector types");
    }
  }
  const bool scalars = left.type == ValueType::kScalar && right.type == ValueType::kScalar;
  const bool vectors = left.type == ValueType::kVector && right.type == ValueType::kVector;
  if (scalars && is_comparison(node.op) && !node.return_bool) {
    return parse_error(text, op_begin, "comparisons between scalars must use BOOL modifier");
  }
  if (scalars && is_trim(node.op)) {
    return parse_error(text, op_begin, fmt::format("operator \"{}\" not allowed for scalar operations", name(node.op)));
  }
  if (!vectors && is_set(node.op)) {
    return parse_error(text, node.begin,
                       fmt::format("set operator \"{}\" not allowed in binary scalar expression", name(node.op)));
  }
  if (!vectors && node.matching.written && !node.matching.labels.empty()) {
    return parse_error(text, node.begin, "vector matching only allowed between instant vectors");
  }
  const bool fills = node.matching.fill_left || node.matching.fill_right;
  if (fills && !vectors) {
    return parse_error(text, node.begin, "filling in missing series only allowed between instant vectors");
  }
  if (fills && is_set(node.op)) {
    return parse_error(text, node.begin, "filling in missing series not allowed for set operators");
  }
  return {};
}

Status check_selectors(std::string_view text, const Expression& node) {
  if (node.kind == Kind::kSelector) {
    for (const auto& matcher : node.matchers) {
      if (!matcher.matches("")) return {};
    }
    // With a name the matchers refuse the empty one, unless that was it.
    if (!node.metric.empty()) return {};
    return parse_error(text, node.begin, "vector selector must contain at least one non-empty matcher");
  }
  const bool info = node.kind == Kind::kCall && node.function->special == Function::Special::kInfo;
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    if (info && i == 1) continue;
    AT_TRY(check_selectors(text, *node.args[i]));
  }
  return {};
}

const Expression& without_parens(const Expression& node) {
  const auto* inner = &node;
  while (inner->kind == Kind::kParen) inner = inner->args[0].get();
  return *inner;
}

}  // namespace atalaya::promql
