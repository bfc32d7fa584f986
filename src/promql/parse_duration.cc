// Lengths of time: of ranges, steps and offsets.
#include <fmt/format.h>

#include <cmath>

#include "promql/durations.h"
#include "promql/parser.h"

namespace atalaya::promql {
namespace {

using Form = DurationNode::Kind;
/// What Go's time.Duration holds, in seconds.
constexpr double kMaxSeconds = 9223372036.854775807;

DurationNodePtr number(double seconds, bool is_duration) {
  DurationNode node;
  node.seconds = seconds;
  node.is_duration = is_duration;
  return std::make_shared<const DurationNode>(std::move(node));
}

}  // namespace

Result<DurationNodePtr> Parser::length_node(DurationNode node, std::size_t begin) const {
  if (node.left) node.depth = node.left->depth + 1;
  if (node.right) node.depth = std::max(node.depth, node.right->depth + 1);
  if (node.depth > kMaxDepth) return error_at(begin, "the expression nests too deeply");
  return std::make_shared<const DurationNode>(std::move(node));
}

/// A bare number is known now; anything else when the query's step and range are.
Result<WrittenDuration> Parser::written(DurationNodePtr node, std::size_t begin) const {
  WrittenDuration out;
  if (node->kind != Form::kNumber) {
    out.expression = std::move(node);
    out.place = place_of(begin);
    return out;
  }
  if (!(std::abs(node->seconds) <= kMaxSeconds)) return error_at(begin, "duration out of range");
  out.constant = Duration{static_cast<std::int64_t>(std::round(node->seconds * 1000))};
  return out;
}

Result<WrittenDuration> Parser::positive_length() {
  const auto begin = peek().begin;
  AT_TRY(auto node, length(1));
  // Of a bare number it is known now; that of an expression shows when it is evaluated.
  const bool known = node->kind == Form::kNumber;
  if (known && !(std::round(node->seconds * 1000) > 0)) return error_at(begin, "duration must be greater than 0");
  return written(std::move(node), begin);
}

Result<WrittenDuration> Parser::offset_length() {
  const auto begin = peek().begin;
  // One term alone: in `foo offset -5m ^ 2` the power is taken of the vector.
  const bool minus = is_symbol("-");
  if (minus || is_symbol("+")) take();
  AT_TRY(auto node, length_primary());
  if (minus) {
    AT_TRY(node, negated(std::move(node), begin));
  }
  return written(std::move(node), begin);
}

Result<DurationNodePtr> Parser::negated(DurationNodePtr node, std::size_t begin) const {
  if (node->kind == Form::kNumber) return number(-node->seconds, node->is_duration);
  DurationNode out;
  out.kind = Form::kNegate;
  out.left = std::move(node);
  return length_node(std::move(out), begin);
}

Result<DurationNodePtr> Parser::length(int least_precedence) {
  const auto begin = peek().begin;
  AT_TRY(auto left, length_unary());
  for (;;) {
    if (peek().kind != Token::Kind::kSymbol) return left;
    const Token op = peek();
    const int precedence = op.text == "+" || op.text == "-"                     ? 1
                           : op.text == "*" || op.text == "/" || op.text == "%" ? 2
                           : op.text == "^"                                     ? 3
                                                                                : 0;
    if (precedence == 0 || precedence < least_precedence) return left;
    take();
    AT_TRY(auto right, length(precedence == 3 ? 3 : precedence + 1));
    const bool divides = op.text == "/" || op.text == "%";
    if (divides && right->kind == Form::kNumber && right->seconds == 0) {
      return error_at(op.begin, op.text == "/" ? "division by zero" : "modulo by zero");
    }
    DurationNode node;
    switch (op.text[0]) {
      case '+': node.kind = Form::kAdd; break;
      case '-': node.kind = Form::kSub; break;
      case '*': node.kind = Form::kMul; break;
      case '/': node.kind = Form::kDiv; break;
      case '%': node.kind = Form::kMod; break;
      default: node.kind = Form::kPow; break;
    }
    node.left = std::move(left);
    node.right = std::move(right);
    AT_TRY(left, length_node(std::move(node), begin));
  }
}

Result<DurationNodePtr> Parser::length_unary() {
  if (!is_symbol("+") && !is_symbol("-")) return length_primary();
  AT_TRY(const auto inside, nest());
  const Token sign = take();
  // A sign before a power takes the whole power: -2^2 is -4.
  AT_TRY(auto out, length(3));
  if (sign.text == "+") return out;
  return negated(std::move(out), sign.begin);
}

Result<DurationNodePtr> Parser::length_primary() {
  const Token token = peek();
  if (token.kind == Token::Kind::kNumber) {
    take();
    if (!(std::abs(token.number) <= kMaxSeconds)) return error_at(token.begin, "duration out of range");
    return number(token.number, token.is_duration);
  }
  AT_TRY(const auto inside, nest());
  if (take_symbol("(")) {
    AT_TRY(const auto inner, length(1));
    if (!take_symbol(")")) return unexpected("duration expression", "\")\"");
    if (inner->kind == Form::kNumber) return inner;
    DurationNode wrapped = *inner;
    wrapped.wrapped = true;
    return std::make_shared<const DurationNode>(std::move(wrapped));
  }
  return length_call();
}

Result<DurationNodePtr> Parser::length_call() {
  constexpr std::string_view kWhere = "duration expression";
  const Token word = peek();
  const bool own = is_word("step") || is_word("range");
  const bool least = is_word("min_of") || is_word("min");
  if ((!own && !least && !is_word("max_of") && !is_word("max")) || !is_symbol("(", 1)) return unexpected(kWhere);
  DurationNode node;
  node.kind = is_word("step") ? Form::kStep : is_word("range") ? Form::kRange : least ? Form::kMin : Form::kMax;
  take();
  take();
  if (!own) {
    AT_TRY(node.left, length(1));
    if (!take_symbol(",")) return unexpected(kWhere, "\",\"");
    AT_TRY(node.right, length(1));
  }
  if (!take_symbol(")")) return unexpected(kWhere, "\")\"");
  return length_node(std::move(node), word.begin);
}

}  // namespace atalaya::promql
