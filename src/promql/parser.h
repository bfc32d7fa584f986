// Recursive descent over PromQL's grammar. Inside this library only; the door is `parse`.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "promql/ast.h"
#include "promql/lexer.h"

namespace atalaya::promql {

/// Builds the checked tree of one text, once. Thread-compatible.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens);

  /// The whole text as one expression.
  Result<ExpressionPtr> run();

 private:
  using Node = std::shared_ptr<Expression>;
  /// A length of time that may hang on the evaluation's own step or range.
  struct Length {
    bool constant = true;
    bool literal = false;  ///< a number, perhaps with a sign
    double seconds = 0;
  };

  // parser.cc: operators, primaries
  Result<Node> binary(int least_precedence);
  Result<Node> unary();
  Result<Node> postfix();
  Result<Node> primary();
  Result<Node> parenthesis();
  Status binary_modifiers(Expression& node, const Token& op);
  Status fill_modifiers(Expression& node);

  // parse_call.cc: functions, aggregations
  Result<Node> call();
  Result<Node> aggregate();
  Result<std::vector<ExpressionPtr>> arguments();
  Result<Grouping> grouping();
  Result<std::vector<std::string>> label_list();

  // parse_selector.cc: selectors and what follows them
  Result<Node> selector();
  Status matchers(Expression& node);
  Status one_matcher(Expression& node);
  Status finish_selector(Expression& node);
  Result<Node> range_or_subquery(Node node);
  Result<Node> offset(Node node);
  Result<Node> at(Node node);
  Status extension(Expression& node);
  Result<Length> length(int least_precedence);
  Result<Length> length_unary();
  Result<Length> length_primary();
  Result<WrittenDuration> positive(const Length& length, std::size_t begin);
  Result<WrittenDuration> written(const Length& length, std::size_t begin);

  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& take() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_.back(); }
  bool is_symbol(std::string_view symbol, std::size_t ahead = 0) const {
    return peek(ahead).kind == Token::Kind::kSymbol && peek(ahead).text == symbol;
  }
  bool is_word(std::string_view lower_case, std::size_t ahead = 0) const;
  bool take_symbol(std::string_view symbol);
  bool take_word(std::string_view lower_case);
  std::uint32_t previous_end() const { return at_ == 0 ? 0 : tokens_[at_ - 1].end; }

  Place place_of(std::size_t offset) const;
  Node make(Kind kind, ValueType type, std::size_t begin) const;
  /// Sets the end and the depth; an error when the tree has become too deep.
  Result<Node> finish(Node node) const;
  std::unexpected<Error> error_at(std::size_t offset, std::string message) const {
    return parse_error(text_, offset, std::move(message));
  }
  /// `unexpected … in <where>, expected …`
  std::unexpected<Error> unexpected(std::string_view where = {}, std::string_view expected = {}) const;
  Status expect_type(const Expression& node, ValueType type, const std::string& where) const;

  std::string_view text_;
  std::vector<Token> tokens_;
  std::vector<std::size_t> lines_;  ///< where each line begins
  std::size_t at_ = 0;
  int nesting_ = 0;
};

/// Type rules that join operands (`check.cc`).
Status check_binary(std::string_view text, const Expression& node, std::size_t op_begin);
/// unprocessable with the place of the first part that this version cannot evaluate.
Status check_supported(const Expression& node);

bool is_aggregator(std::string_view lower_case);
bool aggregator_takes_parameter(std::string_view lower_case);
/// Words that can never be a metric's name.
bool is_reserved(std::string_view lower_case);
std::string to_lower(std::string_view text);

}  // namespace atalaya::promql
