#include "promql/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace atalaya::promql {
namespace {

constexpr std::size_t kMaxText = 1 << 20;

struct Operator {
  std::string_view text;
  Op op;
  int precedence;
};
constexpr std::array kOperators{
    Operator{"or", Op::kOr, 1},          Operator{"and", Op::kAnd, 2},      Operator{"unless", Op::kUnless, 2},
    Operator{"==", Op::kEqual, 3},       Operator{"!=", Op::kNotEqual, 3},  Operator{"<", Op::kLess, 3},
    Operator{"<=", Op::kLessOrEqual, 3}, Operator{">", Op::kGreater, 3},    Operator{">=", Op::kGreaterOrEqual, 3},
    Operator{"+", Op::kAdd, 4},          Operator{"-", Op::kSub, 4},        Operator{"*", Op::kMul, 5},
    Operator{"/", Op::kDiv, 5},          Operator{"%", Op::kMod, 5},        Operator{"atan2", Op::kAtan2, 5},
    Operator{"</", Op::kTrimUpper, 5},   Operator{">/", Op::kTrimLower, 5}, Operator{"^", Op::kPow, 6},
};
constexpr int kUnaryOperand = 6;  // `-a ^ b` is `-(a ^ b)`, `-a * b` is `(-a) * b`

const Operator* find_operator(const Token& token) {
  if (token.kind != Token::Kind::kSymbol && token.kind != Token::Kind::kIdentifier) return nullptr;
  const auto text = token.kind == Token::Kind::kIdentifier ? to_lower(token.text) : std::string(token.text);
  const auto it = std::find_if(kOperators.begin(), kOperators.end(), [&](const auto& op) { return op.text == text; });
  return it == kOperators.end() ? nullptr : it;
}

std::string describe(const Token& token) {
  switch (token.kind) {
    case Token::Kind::kEnd: return "end of input";
    case Token::Kind::kNumber: return fmt::format("number \"{}\"", token.text);
    case Token::Kind::kString: return fmt::format("string {}", token.text);
    case Token::Kind::kIdentifier: {
      const auto lower = to_lower(token.text);
      if (find_operator(token)) return fmt::format("<op:{}>", lower);
      if (is_reserved(lower) || lower == "by" || lower == "without" || lower == "offset") {
        return fmt::format("<{}>", lower);
      }
      return fmt::format("identifier \"{}\"", token.text);
    }
    case Token::Kind::kSymbol: break;
  }
  if (find_operator(token)) return fmt::format("<op:{}>", token.text);
  return fmt::format("\"{}\"", token.text);
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

bool is_reserved(std::string_view word) {
  constexpr std::array kWords{"atan2", "on", "ignoring", "group_left", "group_right", "bool"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

Parser::Parser(std::string_view text, std::vector<Token> tokens) : text_(text), tokens_(std::move(tokens)), lines_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') lines_.push_back(i + 1);
  }
}

/// As place_at, but not linear in the offset: it is asked for every node.
Place Parser::place_of(std::size_t offset) const {
  const auto line = std::upper_bound(lines_.begin(), lines_.end(), offset) - lines_.begin();
  return Place{"", static_cast<std::uint32_t>(line),
               static_cast<std::uint32_t>(offset - lines_[static_cast<std::size_t>(line) - 1] + 1)};
}

/// A parenthesis that nothing opened is told otherwise than one that comes too early.
bool Parser::closes_nothing() const {
  if (!is_symbol(")")) return false;
  std::ptrdiff_t open = 0;
  for (std::size_t i = 0; i < at_; ++i) {
    if (tokens_[i].kind != Token::Kind::kSymbol) continue;
    if (tokens_[i].text == "(") ++open;
    if (tokens_[i].text == ")") --open;
  }
  return open <= 0;
}

bool Parser::is_word(std::string_view lower_case, std::size_t ahead) const {
  return peek(ahead).kind == Token::Kind::kIdentifier && to_lower(peek(ahead).text) == lower_case;
}
bool Parser::take_symbol(std::string_view symbol) {
  const bool there = is_symbol(symbol);
  if (there) take();
  return there;
}
bool Parser::take_word(std::string_view lower_case) {
  const bool there = is_word(lower_case);
  if (there) take();
  return there;
}

/// What is still open where the text ends, in Prometheus' words.
std::string_view Parser::left_open() const {
  int parentheses = 0;
  bool bracket = false;
  for (const auto& token : tokens_) {
    if (token.kind != Token::Kind::kSymbol) continue;
    if (token.text == "(") ++parentheses;
    if (token.text == ")") --parentheses;
    if (token.text == "[" || token.text == "]") bracket = token.text == "[";
  }
  if (bracket) return "unexpected end of input in duration expression";
  return parentheses > 0 ? "unclosed left parenthesis" : "";
}

std::unexpected<Error> Parser::unexpected(std::string_view where, std::string_view expected) const {
  if (peek().kind == Token::Kind::kEnd && !left_open().empty()) {
    return error_at(peek().begin, std::string(left_open()));
  }
  std::string message = "unexpected " + (closes_nothing() ? "right parenthesis ')'" : describe(peek()));
  if (!where.empty()) message += fmt::format(" in {}", where);
  if (!expected.empty()) message += fmt::format(", expected {}", expected);
  return error_at(peek().begin, std::move(message));
}

void Parser::later(Status checked) {
  if (!checked && !mistake_) mistake_ = std::move(checked).error();
}

Parser::Node Parser::make(Kind kind, ValueType type, std::size_t begin) const {
  auto node = std::make_shared<Expression>();
  node->kind = kind;
  node->type = type;
  node->begin = static_cast<std::uint32_t>(begin);
  node->place = place_of(begin);
  return node;
}

Result<Parser::Node> Parser::finish(Node node) const {
  node->end = previous_end();
  for (const auto& arg : node->args) node->depth = std::max(node->depth, arg->depth + 1);
  if (node->depth > kMaxTreeDepth) return error_at(node->begin, "the expression nests too deeply");
  return node;
}

Result<ExpressionPtr> Parser::run() {
  if (peek().kind == Token::Kind::kEnd) return error_at(0, "no expression found in input");
  AT_TRY(auto node, binary(1));
  if (peek().kind != Token::Kind::kEnd) return unexpected();
  if (mistake_) return std::unexpected(std::move(*mistake_));
  return ExpressionPtr(std::move(node));
}

Result<Parser::Node> Parser::binary(int least_precedence) {
  AT_TRY(auto left, unary());
  for (;;) {
    const Token op_token = peek();
    const Operator* op = find_operator(op_token);
    if (!op || op->precedence < least_precedence) return left;
    take();
    auto node = make(Kind::kBinary, ValueType::kVector, left->begin);
    node->op = op->op;
    AT_TRY(binary_modifiers(*node, op_token));
    const bool right_associative = op->op == Op::kPow;
    AT_TRY(auto right, binary(right_associative ? op->precedence : op->precedence + 1));
    if (left->type == ValueType::kScalar && right->type == ValueType::kScalar) node->type = ValueType::kScalar;
    node->args = {left, right};
    AT_TRY(left, finish(std::move(node)));
    later(check_binary(text_, *left, op_token.begin));
  }
}

Status Parser::binary_modifiers(Expression& node, const Token& op) {
  if (is_set(node.op)) node.matching.cardinality = Cardinality::kManyToMany;
  if (take_word("bool")) {
    if (!is_comparison(node.op)) {
      return error_at(op.begin, "bool modifier can only be used on comparison operators");
    }
    node.return_bool = true;
  }
  if (is_word("on") || is_word("ignoring")) AT_TRY(grouping_modifiers(node, op));
  return fill_modifiers(node);
}

Status Parser::grouping_modifiers(Expression& node, const Token& op) {
  node.matching.on = is_word("on");
  node.matching.written = true;
  take();
  AT_TRY(node.matching.labels, label_list());
  const bool left = is_word("group_left");
  if (!left && !is_word("group_right")) return {};
  if (is_set(node.op)) {
    return error_at(node.begin, fmt::format("no grouping allowed for \"{}\" operation", name(node.op)));
  }
  take();
  node.matching.cardinality = left ? Cardinality::kManyToOne : Cardinality::kOneToMany;
  if (is_symbol("(")) {
    AT_TRY(node.matching.include, label_list());
  }
  if (!node.matching.on) return {};
  for (const auto& label : node.matching.include) {
    if (std::find(node.matching.labels.begin(), node.matching.labels.end(), label) != node.matching.labels.end()) {
      return error_at(op.begin, fmt::format("label \"{}\" must not occur in ON and GROUP clause at once", label));
    }
  }
  return {};
}

/// `fill` is both sides at once.
Status Parser::fill_modifiers(Expression& node) {
  while ((is_word("fill") || is_word("fill_left") || is_word("fill_right")) && is_symbol("(", 1)) {
    const auto word = to_lower(peek().text);
    const auto begin = take().begin;
    auto& left = node.matching.fill_left;
    auto& right = node.matching.fill_right;
    const bool both = word == "fill";
    if ((left && (both || word == "fill_left")) || (right && (both || word == "fill_right"))) {
      return error_at(begin, word + " may not be set multiple times");
    }
    AT_TRY(const double value, fill_value());
    if (both || word == "fill_left") left = value;
    if (both || word == "fill_right") right = value;
  }
  return {};
}

Result<double> Parser::fill_value() {
  constexpr std::string_view kWhere = "fill modifier";
  take();
  const bool minus = is_symbol("-");
  if (minus || is_symbol("+")) take();
  double value = peek().number;
  if (peek().kind != Token::Kind::kNumber && !parse_number(peek().text, value)) return unexpected(kWhere, "number");
  take();
  if (!take_symbol(")")) return unexpected(kWhere, "\")\"");
  return minus ? -value : value;
}

Result<Parser::Nesting> Parser::nest() {
  if (nesting_ >= static_cast<int>(kMaxDepth)) return error_at(peek().begin, "the expression nests too deeply");
  return Nesting(nesting_);
}

Result<Parser::Node> Parser::unary() {
  AT_TRY(const auto inside, nest());
  if (!is_symbol("+") && !is_symbol("-")) return postfix();
  const Token sign = take();
  AT_TRY(auto operand, binary(kUnaryOperand));
  if (operand->type != ValueType::kScalar && operand->type != ValueType::kVector) {
    later(error_at(sign.begin, fmt::format("unary expression only allowed on expressions of type scalar or instant "
                                           "vector, got \"{}\"",
                                           name(operand->type))));
  }
  if (operand->kind == Kind::kNumber) {
    if (sign.text == "-") operand->number = -operand->number;
    operand->begin = sign.begin;
    operand->place = place_of(sign.begin);
    return operand;
  }
  auto node = make(Kind::kUnary, operand->type, sign.begin);
  node->op = sign.text == "-" ? Op::kSub : Op::kAdd;
  node->args = {operand};
  return finish(std::move(node));
}

Result<Parser::Node> Parser::postfix() {
  AT_TRY(auto node, primary());
  for (;;) {
    if (is_symbol("[")) {
      AT_TRY(node, range_or_subquery(std::move(node)));
    } else if (is_word("offset")) {
      AT_TRY(node, offset(std::move(node)));
    } else if (is_symbol("@")) {
      AT_TRY(node, at(std::move(node)));
    } else if (is_word("anchored") || is_word("smoothed")) {
      AT_TRY(node, extension(std::move(node)));
    } else {
      return node;
    }
  }
}

Result<Parser::Node> Parser::primary() {
  const Token& token = peek();
  switch (token.kind) {
    case Token::Kind::kNumber: {
      auto node = make(Kind::kNumber, ValueType::kScalar, token.begin);
      node->is_duration = token.is_duration;
      node->number = take().number;
      return finish(std::move(node));
    }
    case Token::Kind::kString: {
      auto node = make(Kind::kString, ValueType::kString, token.begin);
      node->text = take().value;
      return finish(std::move(node));
    }
    case Token::Kind::kIdentifier: return word();
    case Token::Kind::kSymbol:
      if (token.text == "{") return selector();
      if (token.text == "(") return parenthesis();
      break;
    case Token::Kind::kEnd: break;
  }
  return unexpected();
}

/// What a bare word is follows from what stands behind it.
Result<Parser::Node> Parser::word() {
  const Token& token = peek();
  double number = 0;
  if (parse_number(token.text, number)) {  // Inf, NaN
    auto node = make(Kind::kNumber, ValueType::kScalar, token.begin);
    node->number = number;
    take();
    return finish(std::move(node));
  }
  const auto lower = to_lower(token.text);
  const bool called = is_symbol("(", 1);
  if (find_aggregation(lower) && (called || is_word("by", 1) || is_word("without", 1))) return aggregate();
  // `and`, `or` and the like may name a metric, but not one that would read as an operator.
  if (is_reserved(lower)) return unexpected();
  return called ? call() : selector();
}

Result<Parser::Node> Parser::parenthesis() {
  const auto begin = take().begin;
  if (peek().kind == Token::Kind::kEnd) return error_at(peek().begin, "unclosed left parenthesis");
  AT_TRY(auto inner, binary(1));
  if (peek().kind == Token::Kind::kEnd) return error_at(peek().begin, "unclosed left parenthesis");
  if (!take_symbol(")")) return unexpected();
  auto node = make(Kind::kParen, inner->type, begin);
  node->args = {inner};
  return finish(std::move(node));
}

Result<ExpressionPtr> parse(std::string_view text) {
  if (text.size() > kMaxText) return fail(ErrorCode::kTooLarge, "the expression is longer than 1 MiB");
  AT_TRY(auto tokens, tokenize(text));
  AT_TRY(auto expression, Parser(text, std::move(tokens)).run());
  AT_TRY(check_selectors(text, *expression));
  return expression;
}

}  // namespace atalaya::promql
