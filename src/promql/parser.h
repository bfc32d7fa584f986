// Recursive descent over PromQL's grammar. Inside this library only; the door is `parse`.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "promql/ast.h"
#include "promql/lexer.h"

namespace atalaya::promql {

/// How deep an expression may nest: parentheses, calls, what stands behind an operator.
constexpr std::uint32_t kMaxDepth = 400;
/// Of a tree, in which each operand of `a or b or c …` is a level of its own. What is expensive goes along such a chain
/// without recursion; the rest takes less than a kilobyte of stack a level.
constexpr std::uint32_t kMaxTreeDepth = 2000;

/// Builds the checked tree of one text, once. Thread-compatible.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens);

  /// The whole text as one expression.
  Result<ExpressionPtr> run();

 private:
  using Node = std::shared_ptr<Expression>;

  /// Counts how deep the recursion is, as long as it lives.
  class Nesting {
   public:
    explicit Nesting(int& level) : level_(&level) { ++level; }
    Nesting(Nesting&& other) noexcept : level_(std::exchange(other.level_, nullptr)) {}
    Nesting& operator=(Nesting&&) = delete;
    ~Nesting() {
      if (level_) --*level_;
    }

   private:
    int* level_;
  };
  Result<Nesting> nest();

  // parser.cc: operators, primaries
  Result<Node> binary(int least_precedence);
  Result<Node> unary();
  Result<Node> postfix();
  Result<Node> primary();
  Result<Node> word();
  Result<Node> parenthesis();
  Status binary_modifiers(Expression& node, const Token& op);
  Status grouping_modifiers(Expression& node, const Token& op);
  Status fill_modifiers(Expression& node);
  Result<double> fill_value();

  // parse_call.cc: functions, aggregations
  Result<Node> call();
  Status check_arguments(const Expression& node) const;
  Status check_info(const Expression& node) const;
  Result<Node> aggregate();
  Result<std::vector<ExpressionPtr>> arguments();
  Result<Grouping> grouping();
  Result<std::vector<std::string>> label_list();

  // parse_selector.cc: selectors and what follows them
  Result<Node> selector();
  Status matchers(Expression& node);
  Status one_matcher(Expression& node);
  Status check_name_set_once(const Expression& node) const;
  Result<Node> range_or_subquery(Node node);
  Result<Node> offset(Node node);
  Result<Node> at(Node node);
  Result<Node> extension(Node node);

  // parse_duration.cc: lengths of time
  Result<WrittenDuration> positive_length();
  Result<WrittenDuration> offset_length();
  Result<DurationNodePtr> length(int least_precedence);
  Result<DurationNodePtr> length_unary();
  Result<DurationNodePtr> length_primary();
  Result<DurationNodePtr> length_call();
  Result<DurationNodePtr> negated(DurationNodePtr node, std::size_t begin) const;
  Result<DurationNodePtr> length_node(DurationNode node, std::size_t begin) const;
  Result<WrittenDuration> written(DurationNodePtr node, std::size_t begin) const;

  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& take() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_.back(); }
  bool is_symbol(std::string_view symbol, std::size_t ahead = 0) const {
    return peek(ahead).kind == Token::Kind::kSymbol && peek(ahead).text == symbol;
  }
  bool is_word(std::string_view lower_case, std::size_t ahead = 0) const;
  bool take_symbol(std::string_view symbol);
  bool take_word(std::string_view lower_case);
  bool closes_nothing() const;
  std::uint32_t previous_end() const { return at_ == 0 ? 0 : tokens_[at_ - 1].end; }

  /// A tree of wrong types is told once the text is known to be one: where one still types, what is wrong is its end.
  void later(Status checked);
  Place place_of(std::size_t offset) const;
  Node make(Kind kind, ValueType type, std::size_t begin) const;
  /// Sets the end and the depth; an error when the tree has become too deep.
  Result<Node> finish(Node node) const;
  std::unexpected<Error> error_at(std::size_t offset, std::string message) const {
    return parse_error(text_, offset, std::move(message));
  }
  /// `unexpected … in <where>, expected …`
  std::string_view left_open() const;
  std::unexpected<Error> unexpected(std::string_view where = {}, std::string_view expected = {}) const;
  Status expect_type(const Expression& node, ValueType type, const std::string& where) const;

  std::string_view text_;
  std::vector<Token> tokens_;
  std::vector<std::size_t> lines_;  ///< where each line begins
  std::size_t at_ = 0;
  int nesting_ = 0;
  std::optional<Error> mistake_;  ///< the first one of types
};

/// Type rules that join operands (`check.cc`).
Status check_binary(std::string_view text, const Expression& node, std::size_t op_begin);
/// Every selector refuses the empty value somewhere, but those that select data labels for info().
Status check_selectors(std::string_view text, const Expression& node);

std::optional<Aggregation> find_aggregation(std::string_view lower_case);
/// Words that can never be a metric's name.
bool is_reserved(std::string_view lower_case);
std::string to_lower(std::string_view text);

}  // namespace atalaya::promql
