#include "routing/matcher_lexer.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/utf8.h"

namespace atalaya::routing {
namespace {

using Kind = MatcherToken::Kind;

/// Unicode's white space, as Go's unicode.IsSpace has it.
bool is_space(char32_t c) {
  return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool is_reserved(char32_t c) {
  return is_space(c) || (c < 0x80 && std::string_view("{}!=~,\\\"'`").find(static_cast<char>(c)) != std::string::npos);
}

std::unexpected<Error> bad(std::string message) { return fail(ErrorCode::kInvalidArgument, std::move(message)); }

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

/// `count` digits of that base, taken from `left`.
std::optional<char32_t> take_number(std::string_view& left, std::size_t count, int base) {
  if (left.size() < count) return std::nullopt;
  char32_t value = 0;
  for (const char c : left.substr(0, count)) {
    const int digit = digit_of(c);
    if (digit >= base) return std::nullopt;
    value = value * static_cast<char32_t>(base) + static_cast<char32_t>(digit);
  }
  left.remove_prefix(count);
  return value;
}

/// The escape whose backslash is gone already.
bool take_escape(std::string_view& left, std::string& out) {
  if (left.empty()) return false;
  const char c = left[0];
  constexpr std::string_view kNames = "abfnrtv\\\"";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"";
  if (const auto at = kNames.find(c); at != std::string_view::npos) {
    out += kMeanings[at];
    left.remove_prefix(1);
    return true;
  }
  const bool octal = c >= '0' && c <= '7';
  if (!octal) left.remove_prefix(1);
  const auto value = octal      ? take_number(left, 3, 8)
                     : c == 'x' ? take_number(left, 2, 16)
                     : c == 'u' ? take_number(left, 4, 16)
                     : c == 'U' ? take_number(left, 8, 16)
                                : std::nullopt;
  if (!value) return false;
  if (octal || c == 'x') {
    if (*value > 255) return false;
    out += static_cast<char>(*value);
    return true;
  }
  if (*value > 0x10ffff || (*value >= 0xd800 && *value < 0xe000)) return false;
  append_utf8(out, *value);
  return true;
}

}  // namespace

std::optional<char32_t> MatcherLexer::next(Position& at) const {
  if (at.byte >= text_.size()) return std::nullopt;
  const auto lead = static_cast<unsigned char>(text_[at.byte]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t c = length == 1 ? lead : lead & (0x7f >> length);
  for (std::size_t i = 1; i < length && at.byte + i < text_.size(); ++i) {
    c = (c << 6) | (static_cast<unsigned char>(text_[at.byte + i]) & 0x3f);
  }
  at.byte += length;
  ++at.column;
  return c;
}

MatcherToken MatcherLexer::token(Kind kind, const Position& begin, const Position& end) const {
  return {kind, text_.substr(begin.byte, end.byte - begin.byte), begin.column, end.column};
}

Result<MatcherToken> MatcherLexer::scan_operator(Position& at) const {
  const auto begin = at;
  if (next(at) == U'=') {
    auto behind = at;
    if (next(behind) != U'~') return token(Kind::kEqual, begin, at);
    at = behind;
    return token(Kind::kRegex, begin, at);
  }
  auto behind = at;
  const auto second = next(behind);
  if (second == U'=' || second == U'~') {
    at = behind;
    return token(second == U'=' ? Kind::kNotEqual : Kind::kNotRegex, begin, at);
  }
  if (at.byte >= text_.size()) {
    return bad(fmt::format("{}:{}: unexpected end of input, expected one of '=~'", begin.column, at.column));
  }
  return bad(fmt::format("{}:{}: !: expected one of '=~'", begin.column, at.column));
}

Result<MatcherToken> MatcherLexer::scan_quoted(Position& at) const {
  const auto begin = at;
  next(at);
  bool escaped = false;
  while (const auto c = next(at)) {
    if (!escaped && *c == U'"') return token(Kind::kQuoted, begin, at);
    escaped = !escaped && *c == U'\\';
  }
  return bad(fmt::format("{}:{}: {}: missing end \"", begin.column, at.column, text_.substr(begin.byte)));
}

MatcherToken MatcherLexer::scan_unquoted(Position& at) const {
  const auto begin = at;
  for (auto behind = at; const auto c = next(behind);) {
    if (is_reserved(*c)) break;
    at = behind;
  }
  return token(Kind::kUnquoted, begin, at);
}

Result<MatcherToken> MatcherLexer::scan(Position& at) const {
  while (true) {
    const auto begin = at;
    auto behind = at;
    const auto c = next(behind);
    if (!c) return token(Kind::kEnd, begin, at);
    if (*c == U'=' || *c == U'!') return scan_operator(at);
    if (*c == U'"') return scan_quoted(at);
    if (!is_reserved(*c)) return scan_unquoted(at);
    at = behind;
    if (*c == U'{') return token(Kind::kOpenBrace, begin, at);
    if (*c == U'}') return token(Kind::kCloseBrace, begin, at);
    if (*c == U',') return token(Kind::kComma, begin, at);
    if (!is_space(*c)) {
      return bad(fmt::format("{}:{}: {}: invalid input", begin.column, at.column,
                             text_.substr(begin.byte, at.byte - begin.byte)));
    }
  }
}

Result<MatcherToken> MatcherLexer::peek() {
  auto at = at_;
  return scan(at);
}

Result<MatcherToken> MatcherLexer::take() {
  auto at = at_;
  auto token = scan(at);
  if (token) at_ = at;
  return token;
}

std::optional<std::string> unquoted(const MatcherToken& token) {
  if (token.kind != Kind::kQuoted) return std::string(token.text);
  auto left = token.text.substr(1, token.text.size() - 2);
  std::string out;
  while (!left.empty()) {
    const char c = left[0];
    left.remove_prefix(1);
    if (c == '\n') return std::nullopt;
    if (c != '\\') {
      out += c;
    } else if (!take_escape(left, out)) {
      return std::nullopt;
    }
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

}  // namespace atalaya::routing
