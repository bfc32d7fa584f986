// Function calls and aggregations.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "promql/functions.h"
#include "promql/parser.h"

namespace atalaya::promql {

namespace {

constexpr std::array<std::string_view, 14> kAggregations{"sum",      "avg",          "min",    "max",        "count",
                                                         "group",    "stddev",       "stdvar", "topk",       "bottomk",
                                                         "quantile", "count_values", "limitk", "limit_ratio"};

}  // namespace

std::string_view name(Aggregation aggregation) { return kAggregations[static_cast<std::size_t>(aggregation)]; }

std::optional<Aggregation> find_aggregation(std::string_view word) {
  const auto* const it = std::find(kAggregations.begin(), kAggregations.end(), word);
  if (it == kAggregations.end()) return std::nullopt;
  return static_cast<Aggregation>(it - kAggregations.begin());
}

Status Parser::expect_type(const Expression& node, ValueType type, const std::string& where) const {
  if (node.type == type) return {};
  return error_at(node.begin, fmt::format("expected type {} in {}, got {}", name(type), where, name(node.type)));
}

Result<std::vector<ExpressionPtr>> Parser::arguments() {
  if (!take_symbol("(")) return unexpected();
  std::vector<ExpressionPtr> args;
  if (take_symbol(")")) return args;
  for (;;) {
    if (peek().kind == Token::Kind::kEnd) return error_at(peek().begin, "unclosed left parenthesis");
    AT_TRY(auto arg, binary(1));
    args.push_back(std::move(arg));
    if (take_symbol(")")) return args;
    if (peek().kind == Token::Kind::kEnd) return error_at(peek().begin, "unclosed left parenthesis");
    const auto comma = peek().begin;
    if (!take_symbol(",")) return unexpected();
    if (is_symbol(")")) return error_at(comma, "trailing commas not allowed in function call args");
  }
}

Result<Parser::Node> Parser::call() {
  const Token word = take();
  const auto* function = find_function(word.text);
  if (!function) return error_at(word.begin, fmt::format("unknown function with name \"{}\"", word.text));
  auto node = make(Kind::kCall, function->result, word.begin);
  node->function = function;
  AT_TRY(node->args, arguments());
  later(check_arguments(*node));
  return finish(std::move(node));
}

Status Parser::check_arguments(const Expression& node) const {
  const auto& function = *node.function;
  const auto given = node.args.size();
  const auto declared = function.args.size();
  const auto wrong = [&](std::string_view bound, std::size_t count) {
    return error_at(node.begin, fmt::format("expected {}{} argument(s) in call to \"{}\", got {}", bound, count,
                                            function.name, given));
  };
  if (function.variadic == 0) {
    if (given != declared) return wrong("", declared);
  } else if (given + 1 < declared) {
    return wrong("at least ", declared - 1);
  } else if (const auto most = declared - 1 + static_cast<std::size_t>(std::max(function.variadic, 0));
             function.variadic > 0 && given > most) {
    return wrong("at most ", most);
  }
  if (function.special == Function::Special::kInfo) AT_TRY(check_info(node));
  for (std::size_t i = 0; i < given; ++i) {
    const auto type = function.args[std::min(i, declared - 1)];
    AT_TRY(expect_type(*node.args[i], type, fmt::format("call to function \"{}\"", function.name)));
  }
  return {};
}

Status Parser::check_info(const Expression& node) const {
  if (node.args.size() < 2) return {};
  const auto& labels = *node.args[1];
  AT_TRY(expect_type(labels, ValueType::kVector, "call to function \"info\""));
  if (labels.kind != Kind::kSelector) return error_at(labels.begin, "expected label selectors only");
  if (!labels.metric.empty()) {
    return error_at(labels.begin, "expected label selectors only, got vector selector instead");
  }
  return {};
}

Result<Parser::Node> Parser::aggregate() {
  const Token word = take();
  auto node = make(Kind::kAggregate, ValueType::kVector, word.begin);
  node->aggregation = *find_aggregation(to_lower(word.text));
  if (!is_symbol("(")) {
    AT_TRY(node->grouping, grouping());
  }
  AT_TRY(auto args, arguments());
  if (!node->grouping.written && (is_word("by") || is_word("without"))) {
    AT_TRY(node->grouping, grouping());
  }
  if (args.empty()) return error_at(word.begin, "no arguments for aggregate expression provided");
  const std::size_t wanted = takes_parameter(node->aggregation) ? 2 : 1;
  if (args.size() != wanted) {
    return error_at(word.begin, fmt::format("wrong number of arguments for aggregate expression provided, expected {}, "
                                            "got {}",
                                            wanted, args.size()));
  }
  later(expect_type(*args.back(), ValueType::kVector, "aggregation expression"));
  if (wanted == 2) {
    const auto type = node->aggregation == Aggregation::kCountValues ? ValueType::kString : ValueType::kScalar;
    later(expect_type(*args[0], type, "aggregation parameter"));
    std::swap(args[0], args[1]);
  }
  node->args = std::move(args);
  return finish(std::move(node));
}

Result<Grouping> Parser::grouping() {
  Grouping out;
  out.written = true;
  out.without = is_word("without");
  take();
  AT_TRY(out.labels, label_list());
  return out;
}

Result<std::vector<std::string>> Parser::label_list() {
  constexpr std::string_view kWhere = "grouping opts";
  if (!take_symbol("(")) return unexpected(kWhere, "\"(\"");
  std::vector<std::string> labels;
  while (!take_symbol(")")) {
    const Token& token = peek();
    const bool quoted = token.kind == Token::Kind::kString && !token.value.empty();
    const bool plain = token.kind == Token::Kind::kIdentifier && token.text.find(':') == token.text.npos;
    if (!quoted && !plain) return unexpected(kWhere, "label");
    labels.push_back(quoted ? token.value : std::string(token.text));
    take();
    if (!take_symbol(",") && !is_symbol(")")) return unexpected(kWhere, "\",\" or \")\"");
  }
  return labels;
}

}  // namespace atalaya::promql
