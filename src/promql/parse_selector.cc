// Selectors, and what may follow one: range, subquery, offset, @.
#include <fmt/format.h>

#include <cmath>

#include "promql/format.h"
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
  AT_TRY(check_name_set_once(*node));
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
  if (!matcher) return error_at(label.begin, matcher.error().message);
  node.matchers.push_back(std::move(*matcher));
  return {};
}

/// Before the braces or within them; beside a name within them there may be patterns of it.
Status Parser::check_name_set_once(const Expression& node) const {
  const Matcher* found = nullptr;
  for (const auto& matcher : node.matchers) {
    if (matcher.name() != kMetricName) continue;
    if (node.metric.empty() && matcher.op() != Matcher::Op::kEqual) continue;
    if (found && !found->value().empty()) {
      return error_at(node.begin, fmt::format("metric name must not be set twice: \"{}\" or \"{}\"", found->value(),
                                              matcher.value()));
    }
    found = &matcher;
  }
  return {};
}

Result<Parser::Node> Parser::range_or_subquery(Node node) {
  const auto bracket = take().begin;
  AT_TRY(auto range, positive_length());
  if (is_symbol(":")) {
    if (node->type != ValueType::kVector) {
      return error_at(node->begin, fmt::format("subquery is only allowed on instant vector, got {} instead",
                                               node->type == ValueType::kMatrix ? "matrix" : name(node->type)));
    }
    take();
    auto query = make(Kind::kSubquery, ValueType::kMatrix, node->begin);
    query->range = std::move(range);
    if (!is_symbol("]")) {
      AT_TRY(query->step, positive_length());
    }
    if (!take_symbol("]")) return unexpected("subquery selector", "\"]\"");
    query->args = {node};
    return finish(std::move(query));
  }
  if (!is_symbol("]")) return unexpected("subquery or range", "\":\" or \"]\"");
  take();
  if (node->kind != Kind::kSelector || node->range) {
    return error_at(bracket, "ranges only allowed for vector selectors");
  }
  if (node->offset.is_set()) return error_at(bracket, "no offset modifiers allowed before range");
  if (node->at) return error_at(bracket, "no @ modifiers allowed before range");
  node->range = std::move(range);
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
  if (node->offset.is_set()) return error_at(node->begin, "offset may not be set multiple times");
  AT_TRY(node->offset, offset_length());
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
      return error_at(node->begin, "timestamp out of bounds for @ modifier: " +
                                       (std::isfinite(seconds) ? fmt::format("{:f}", seconds) : format_fixed(seconds)));
    }
    at.time = from_ms(static_cast<std::int64_t>(ms));
  }
  node->at = at;
  return finish(std::move(node));
}

Result<Parser::Node> Parser::extension(Node node) {
  const auto word = to_lower(take().text);
  if (node->kind == Kind::kSubquery) {
    return error_at(node->begin, word + " modifier is not supported for subqueries");
  }
  if (node->kind != Kind::kSelector) return error_at(node->begin, word + " modifier not implemented");
  if (!node->extension.empty() && node->extension != word) {
    return error_at(node->begin, "anchored and smoothed modifiers cannot be used together");
  }
  node->extension = word;
  return finish(std::move(node));
}

}  // namespace atalaya::promql
