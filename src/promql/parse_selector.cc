// Selectors, and what may follow one: range, subquery, offset, @.
#include <fmt/format.h>

#include <cmath>

#include "promql/parser.h"

namespace atalaya::promql {

Result<Parser::Node> Parser::selector() {
  auto node = make(Kind::kSelector, ValueType::kVector, peek().begin);
  if (peek().kind == Token::Kind::kIdentifier) {
    node->metric = std::string(take().text);
    node->matchers.push_back(Matcher::equal(std::string(kMetricName), node->metric));
  }
  if (is_symbol("{")) {
    AT_TRY(matchers(*node));
  }
  AT_TRY(node, finish(std::move(node)));
  AT_TRY(finish_selector(*node));
  return node;
}

Status Parser::matchers(Expression& node) {
  take();
  while (!take_symbol("}")) {
    if (peek().kind == Token::Kind::kEnd) return error_at(peek().begin, "unexpected end of input inside braces");
    AT_TRY(one_matcher(node));
    if (is_symbol("}") || take_symbol(",")) continue;
    if (peek().kind == Token::Kind::kEnd) return error_at(peek().begin, "unexpected end of input inside braces");
    return unexpected("label matching", "\",\" or \"}\"");
  }
  return {};
}

Status Parser::one_matcher(Expression& node) {
  constexpr std::string_view kWhere = "label matching";
  const Token label = peek();
  const bool quoted = label.kind == Token::Kind::kString;
  if (!quoted && label.kind != Token::Kind::kIdentifier) return unexpected(kWhere, "identifier or \"}\"");
  take();
  if (quoted && (is_symbol(",") || is_symbol("}"))) {  // a metric's name in quotes
    if (!node.metric.empty()) {
      return error_at(node.begin,
                      fmt::format("metric name must not be set twice: \"{}\" or \"{}\"", node.metric, label.value));
    }
    node.metric = label.value;
    node.matchers.push_back(Matcher::equal(std::string(kMetricName), label.value));
    return {};
  }
  auto op = Matcher::Op::kEqual;
  if (is_symbol("!=")) op = Matcher::Op::kNotEqual;
  if (is_symbol("=~")) op = Matcher::Op::kRegex;
  if (is_symbol("!~")) op = Matcher::Op::kNotRegex;
  if (op == Matcher::Op::kEqual && !is_symbol("=")) {
    if (peek().kind == Token::Kind::kEnd) return error_at(peek().begin, "unexpected end of input inside braces");
    return unexpected(kWhere, "label matching operator");
  }
  take();
  if (peek().kind != Token::Kind::kString) {
    if (peek().kind == Token::Kind::kEnd) return error_at(peek().begin, "unexpected end of input inside braces");
    return unexpected(kWhere, "string");
  }
  const Token& value = take();
  auto matcher = Matcher::make(quoted ? label.value : std::string(label.text), op, value.value);
  if (!matcher) return error_at(value.begin, matcher.error().message);
  node.matchers.push_back(std::move(*matcher));
  return {};
}

Status Parser::finish_selector(Expression& node) {
  bool refuses_empty = false;
  for (const auto& matcher : node.matchers) {
    refuses_empty = refuses_empty || !matcher.matches("");
    if (&matcher != &node.matchers.front() && !node.metric.empty() && matcher.name() == kMetricName &&
        matcher.op() == Matcher::Op::kEqual && node.matchers.front().value() == node.metric) {
      return error_at(node.begin,
                      fmt::format("metric name must not be set twice: \"{}\" or \"{}\"", node.metric, matcher.value()));
    }
  }
  if (!refuses_empty) return error_at(node.begin, "vector selector must contain at least one non-empty matcher");
  return {};
}

Result<Parser::Node> Parser::range_or_subquery(Node node) {
  const auto bracket = take().begin;
  const auto begin = peek().begin;
  AT_TRY(const auto range, length(1));
  AT_TRY(auto range_written, positive(range, begin));
  if (is_symbol(":")) {
    if (node->type != ValueType::kVector) {
      return error_at(node->begin, fmt::format("subquery is only allowed on instant vector, got {} instead",
                                               node->type == ValueType::kMatrix ? "matrix" : name(node->type)));
    }
    take();
    auto query = make(Kind::kSubquery, ValueType::kMatrix, node->begin);
    query->range = std::move(range_written);
    if (!is_symbol("]")) {
      const auto step_begin = peek().begin;
      AT_TRY(const auto step, length(1));
      AT_TRY(query->step, positive(step, step_begin));
    }
    if (!take_symbol("]")) return unexpected("subquery selector", "\"]\"");
    query->args = {node};
    return finish(std::move(query));
  }
  if (!is_symbol("]")) return unexpected("duration expression", "\"]\" or \":\"");
  take();
  if (node->kind != Kind::kSelector || node->range) {
    return error_at(bracket, "ranges only allowed for vector selectors");
  }
  if (node->offset.constant != Duration{0} || !node->offset.expression.empty()) {
    return error_at(bracket, "no offset modifiers allowed before range");
  }
  if (node->at) return error_at(bracket, "no @ modifiers allowed before range");
  node->range = std::move(range_written);
  node->type = ValueType::kMatrix;
  return finish(std::move(node));
}

Result<Parser::Node> Parser::offset(Node node) {
  take();
  if (node->kind != Kind::kSelector && node->kind != Kind::kSubquery) {
    return error_at(node->begin,
                    "offset modifier must be preceded by an instant vector selector or range vector "
                    "selector or a subquery");
  }
  if (node->offset.constant != Duration{0} || !node->offset.expression.empty()) {
    return error_at(node->begin, "offset may not be set multiple times");
  }
  const auto begin = peek().begin;
  // One term alone: in `foo offset -5m ^ 2` the power is taken of the vector.
  const bool minus = is_symbol("-");
  if (minus || is_symbol("+")) take();
  AT_TRY(auto by, length_primary());
  if (minus) by.seconds = -by.seconds;
  AT_TRY(node->offset, written(by, begin));
  return finish(std::move(node));
}

Result<Parser::Node> Parser::at(Node node) {
  take();
  if (node->kind != Kind::kSelector && node->kind != Kind::kSubquery) {
    return error_at(node->begin,
                    "@ modifier must be preceded by an instant vector selector or range vector selector "
                    "or a subquery");
  }
  if (node->at) return error_at(node->begin, "@ <timestamp> may not be set multiple times");
  AtModifier at;
  if (is_word("start") || is_word("end")) {
    at.kind = is_word("start") ? AtModifier::Kind::kStart : AtModifier::Kind::kEnd;
    take();
    if (!take_symbol("(") || !take_symbol(")")) return unexpected("@", "\"()\"");
  } else {
    const bool minus = is_symbol("-");
    if (minus || is_symbol("+")) take();
    double seconds = peek().number;
    if (peek().kind != Token::Kind::kNumber && !parse_number(peek().text, seconds)) return unexpected("@", "timestamp");
    take();
    if (minus) seconds = -seconds;
    const double ms = std::round(seconds * 1000);
    if (!(std::abs(ms) < 9.2e18)) {
      return error_at(node->begin, fmt::format("timestamp out of bounds for @ modifier: {:f}", seconds));
    }
    at.time = from_ms(static_cast<std::int64_t>(ms));
  }
  node->at = at;
  return finish(std::move(node));
}

Status Parser::extension(Expression& node) {
  node.extension = to_lower(take().text);
  node.end = previous_end();
  return {};
}

Result<WrittenDuration> Parser::written(const Length& length, std::size_t begin) {
  WrittenDuration out;
  if (!length.constant) {
    out.expression = std::string(text_.substr(begin, previous_end() - begin));
    return out;
  }
  const double ms = std::round(length.seconds * 1000);
  if (!(std::abs(ms) < 9.2e15)) return error_at(begin, "duration out of range");
  out.constant = Duration{static_cast<std::int64_t>(ms)};
  return out;
}

Result<WrittenDuration> Parser::positive(const Length& length, std::size_t begin) {
  AT_TRY(auto out, written(length, begin));
  // A computed length that comes out wrong is an error of evaluation, as in Prometheus.
  if (length.constant && length.literal && out.constant <= Duration{0}) {
    return error_at(begin, "duration must be greater than 0");
  }
  return out;
}

Result<Parser::Length> Parser::length(int least_precedence) {
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
    AT_TRY(const auto right, length(precedence == 3 ? 3 : precedence + 1));
    if ((op.text == "/" || op.text == "%") && right.constant && right.seconds == 0) {
      return error_at(op.begin, op.text == "/" ? "division by zero" : "modulo by zero");
    }
    Length out;
    out.constant = left.constant && right.constant;
    switch (op.text[0]) {
      case '+': out.seconds = left.seconds + right.seconds; break;
      case '-': out.seconds = left.seconds - right.seconds; break;
      case '*': out.seconds = left.seconds * right.seconds; break;
      case '/': out.seconds = left.seconds / right.seconds; break;
      case '%': out.seconds = std::fmod(left.seconds, right.seconds); break;
      default: out.seconds = std::pow(left.seconds, right.seconds); break;
    }
    left = std::move(out);
  }
}

Result<Parser::Length> Parser::length_unary() {
  if (!is_symbol("+") && !is_symbol("-")) return length_primary();
  if (++nesting_ > 400) return error_at(peek().begin, "the expression nests too deeply");
  const bool minus = take().text == "-";
  // A sign before a power takes the whole power: -2^2 is -4.
  AT_TRY(auto out, length(3));
  --nesting_;
  if (!minus) return out;
  out.seconds = -out.seconds;
  return out;
}

Result<Parser::Length> Parser::length_primary() {
  constexpr std::string_view kWhere = "duration expression";
  const Token token = peek();
  Length out;
  if (token.kind == Token::Kind::kNumber) {
    take();
    out.literal = true;
    out.seconds = token.number;
    return out;
  }
  if (take_symbol("(")) {
    if (++nesting_ > 400) return error_at(token.begin, "the expression nests too deeply");
    AT_TRY(out, length(1));
    --nesting_;
    if (!take_symbol(")")) return unexpected(kWhere, "\")\"");
    return out;
  }
  const bool own = is_word("step") || is_word("range");
  const bool least = is_word("min_of") || is_word("min");
  if (!own && !least && !is_word("max_of") && !is_word("max")) return unexpected(kWhere);
  take();
  if (!take_symbol("(")) return unexpected(kWhere, "\"(\"");
  out.constant = !own;
  if (!own) {
    if (++nesting_ > 400) return error_at(token.begin, "the expression nests too deeply");
    AT_TRY(const auto a, length(1));
    if (!take_symbol(",")) return unexpected(kWhere, "\",\"");
    AT_TRY(const auto b, length(1));
    --nesting_;
    out.constant = a.constant && b.constant;
    out.seconds = least ? std::min(a.seconds, b.seconds) : std::max(a.seconds, b.seconds);
  }
  if (!take_symbol(")")) return unexpected(kWhere, "\")\"");
  return out;
}

}  // namespace atalaya::promql
