// Tokens of Alertmanager's UTF-8 notation of matchers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::routing {

struct MatcherToken {
  enum class Kind {
    kEnd,
    kOpenBrace,
    kCloseBrace,
    kComma,
    kEqual,
    kNotEqual,
    kRegex,
    kNotRegex,
    kQuoted,
    kUnquoted,
  };
  Kind kind = Kind::kEnd;
  std::string_view text;  ///< as written, with its quotes
  std::size_t begin = 0;  ///< columns count code points from 0
  std::size_t end = 0;
};

/// Reads tokens of a text that is UTF-8 and outlives it. Messages are Alertmanager's, which its users
/// look for. Thread-compatible.
class MatcherLexer {
 public:
  explicit MatcherLexer(std::string_view text) : text_(text) {}

  /// The next token without taking it. An error stays for good.
  Result<MatcherToken> peek();
  Result<MatcherToken> take();
  /// The column behind the last token taken.
  std::size_t column() const { return at_.column; }

 private:
  struct Position {
    std::size_t byte = 0;
    std::size_t column = 0;
  };
  Result<MatcherToken> scan(Position& at) const;
  Result<MatcherToken> scan_operator(Position& at) const;
  Result<MatcherToken> scan_quoted(Position& at) const;
  MatcherToken scan_unquoted(Position& at) const;
  MatcherToken token(MatcherToken::Kind kind, const Position& begin, const Position& end) const;
  /// The code point at a place and the place behind it; nothing at the end.
  std::optional<char32_t> next(Position& at) const;

  std::string_view text_;
  Position at_;
};

/// What a token stands for: for a quoted one Go's escapes are replaced. Nothing where these are
/// wrong or the result is not UTF-8.
std::optional<std::string> unquoted(const MatcherToken& token);

}  // namespace atalaya::routing
