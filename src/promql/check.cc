// What may be joined with what, and what this version can evaluate.
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
      "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", "<=", ">", ">=", "and", "or", "unless"};
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
    case Op::kUnless: break;
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
    return parse_error(text, node.begin, "comparisons between scalars must use BOOL modifier");
  }
  if (!vectors && is_set(node.op)) {
    return parse_error(text, node.begin,
                       fmt::format("set operator \"{}\" not allowed in binary scalar expression", name(node.op)));
  }
  if (!vectors && node.matching.written && !node.matching.labels.empty()) {
    return parse_error(text, op_begin, "vector matching only allowed between instant vectors");
  }
  if (!node.extension.empty() && (!vectors || is_set(node.op))) {
    return parse_error(text, op_begin, "filling in missing series only allowed between instant vectors");
  }
  return {};
}

namespace {

std::unexpected<Error> unsupported(const Expression& node, std::string what) {
  return fail(ErrorCode::kUnprocessable, node.place, what + " cannot be evaluated by this version");
}

Status check_lengths(const Expression& node) {
  const auto one = [&](const WrittenDuration& length, bool positive) -> Status {
    if (!length.expression.empty()) return unsupported(node, fmt::format("the duration \"{}\"", length.expression));
    if (positive && length.constant <= Duration{0}) {
      return fail(ErrorCode::kUnprocessable, node.place, "duration must be greater than 0");
    }
    return {};
  };
  AT_TRY(one(node.offset, false));
  if (node.range) AT_TRY(one(*node.range, true));
  if (node.step) AT_TRY(one(*node.step, true));
  return {};
}

}  // namespace

Status check_supported(const Expression& node) {
  switch (node.kind) {
    case Kind::kNumber:
    case Kind::kString:
    case Kind::kParen:
    case Kind::kUnary: break;
    case Kind::kSelector:
      if (!node.extension.empty()) return unsupported(node, fmt::format("\"{}\"", node.extension));
      AT_TRY(check_lengths(node));
      break;
    case Kind::kSubquery: return unsupported(node, "a subquery");
    case Kind::kCall:
      if (!node.function->implemented()) return unsupported(node, fmt::format("{}()", node.function->name));
      break;
    case Kind::kAggregate:
      if (aggregator_takes_parameter(node.text)) return unsupported(node, node.text);
      break;
    case Kind::kBinary:
      if (node.matching.cardinality == Cardinality::kManyToOne) return unsupported(node, "group_left");
      if (node.matching.cardinality == Cardinality::kOneToMany) return unsupported(node, "group_right");
      if (!node.extension.empty()) return unsupported(node, node.extension);
      break;
  }
  for (const auto& arg : node.args) AT_TRY(check_supported(*arg));
  return {};
}

}  // namespace atalaya::promql
