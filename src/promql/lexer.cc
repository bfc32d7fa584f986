#include "promql/lexer.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "base/bytes.h"
#include "base/time.h"
#include "base/utf8.h"

namespace atalaya::promql {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    for (;;) {
      skip_blanks();
      if (at_ >= text_.size()) break;
      AT_TRY(one());
    }
    const auto end = static_cast<std::uint32_t>(text_.size());
    tokens_.push_back(Token{Token::Kind::kEnd, end, end, {}, {}, 0, false});
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void skip_blanks() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        if (at_ >= text_.size()) return;
      } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
        return;
      }
    }
  }

  Token& emit(Token::Kind kind, std::size_t begin) {
    Token token;
    token.kind = kind;
    token.begin = static_cast<std::uint32_t>(begin);
    token.end = static_cast<std::uint32_t>(at_);
    token.text = text_.substr(begin, at_ - begin);
    return tokens_.emplace_back(std::move(token));
  }

  Status one() {
    const char c = peek();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (c == '"' || c == '\'' || c == '`') return string();
    if (is_alpha(c) || (c == ':' && brackets_ == 0 && braces_ == 0)) return identifier();
    return symbol();
  }

  Status identifier() {
    const auto begin = at_;
    const bool colons = brackets_ == 0 && braces_ == 0;
    while (is_alpha(peek()) || is_digit(peek()) || (colons && peek() == ':')) ++at_;
    emit(Token::Kind::kIdentifier, begin);
    return {};
  }

  Status number() {
    const auto begin = at_;
    const bool hex = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
    while (is_alpha(peek()) || is_digit(peek()) || peek() == '.') {
      const bool exponent = !hex && (peek() == 'e' || peek() == 'E');
      ++at_;
      if (exponent && (peek() == '+' || peek() == '-') && is_digit(peek(1))) ++at_;
    }
    Token& token = emit(Token::Kind::kNumber, begin);
    if (parse_number(token.text, token.number)) {
      if (!std::isinf(token.number)) return {};
      return parse_error(text_, begin, fmt::format("error parsing number: \"{}\" is out of range", token.text));
    }
    bool plain = true;
    for (const char c : token.text) plain = plain && (is_digit(c) || (c >= 'a' && c <= 'z'));
    const auto duration = parse_duration(token.text);
    if (duration) {
      token.number = to_seconds(*duration);
      token.is_duration = true;
      return {};
    }
    const bool units =
        plain && token.text.find_first_not_of("0123456789smhdwy") == token.text.npos && !is_digit(token.text.back());
    std::string text(token.text);
    return parse_error(text_, begin,
                       units && text.find("mm") == text.npos
                           ? fmt::format("not a valid duration string: \"{}\"", text)
                           : fmt::format("bad number or duration syntax: \"{}\"", text));
  }

  Status string() {
    const auto begin = at_;
    const char quote = text_[at_++];
    std::string value;
    for (;;) {
      if (at_ >= text_.size()) {
        return parse_error(text_, begin, quote == '`' ? "unterminated raw string" : "unterminated quoted string");
      }
      const char c = text_[at_++];
      if (c == quote) break;
      if (c == '\n' && quote != '`') return parse_error(text_, begin, "unterminated quoted string");
      if (c == '\\' && quote != '`') {
        AT_TRY(escape(quote, value));
      } else {
        value += c;
      }
    }
    Token& token = emit(Token::Kind::kString, begin);
    if (!is_utf8(value)) return parse_error(text_, begin, "invalid UTF-8 rune");
    token.value = std::move(value);
    return {};
  }

  /// After the backslash; Go's escapes.
  Status escape(char quote, std::string& out) {
    static constexpr std::string_view kFrom = "abfnrtv\\";
    static constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\";
    const auto begin = at_ - 1;
    const char c = peek();
    ++at_;
    if (c == quote) {
      out += c;
      return {};
    }
    if (const auto known = kFrom.find(c); known != kFrom.npos) {
      out += kTo[known];
      return {};
    }
    const int digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : (c >= '0' && c <= '7') ? 3 : 0;
    if (digits == 0) return parse_error(text_, begin, "unknown escape sequence in a string");
    const int base = digits == 3 ? 8 : 16;
    if (base == 8) --at_;
    const auto written = text_.substr(std::min(at_, text_.size()), static_cast<std::size_t>(digits));
    std::uint32_t rune = 0;
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), rune, base);
    if (error != std::errc{} || end != written.data() + digits || static_cast<int>(written.size()) != digits) {
      return parse_error(text_, begin, "unfinished escape sequence in a string");
    }
    at_ += written.size();
    if (c == 'u' || c == 'U') {
      if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) {
        return parse_error(text_, begin, "escape sequence is not a Unicode code point");
      }
      append_utf8(out, rune);
    } else {
      if (rune > 255) return parse_error(text_, begin, "octal escape above 255 in a string");
      out += static_cast<char>(rune);
    }
    return {};
  }

  Status symbol() {
    static constexpr std::string_view kTwo[] = {"==", "!=", "<=", ">=", "=~", "!~", "</", ">/"};
    static constexpr std::string_view kOne = "+-*/%^<>=(){}[],@:";
    const auto begin = at_;
    const auto rest = text_.substr(at_);
    for (const auto two : kTwo) {
      // Inside braces `==` is two equal signs, as Prometheus says in its message.
      if (!rest.starts_with(two) || (two == "==" && braces_ > 0)) continue;
      at_ += 2;
      emit(Token::Kind::kSymbol, begin);
      return {};
    }
    const char c = rest[0];
    if (braces_ > 0 && c == ':') return parse_error(text_, begin, "unexpected character inside braces: ':'");
    if (kOne.find(c) == kOne.npos) {
      std::size_t length = 1;
      while (length < rest.size() && (rest[length] & 0xc0) == 0x80) ++length;
      if (!is_utf8(rest.substr(0, length))) return parse_error(text_, begin, "invalid UTF-8 rune");
      return parse_error(text_, begin, fmt::format("unexpected character: '{}'", rest.substr(0, length)));
    }
    if (c == '[') ++brackets_;
    if (c == ']' && brackets_ > 0) --brackets_;
    if (c == '{') ++braces_;
    if (c == '}' && braces_ > 0) --braces_;
    ++at_;
    emit(Token::Kind::kSymbol, begin);
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int brackets_ = 0;
  int braces_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view text) { return Lexer(text).run(); }

Place place_at(std::string_view text, std::size_t offset) {
  Place place;
  place.line = 1;
  place.column = 1;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
  }
  return place;
}

std::unexpected<Error> parse_error(std::string_view text, std::size_t offset, std::string message) {
  return fail(ErrorCode::kInvalidArgument, place_at(text, offset), "parse error: " + std::move(message));
}

namespace {

/// Go's rule: an underscore stands between two digits, or after the base's prefix.
bool underscores_are_well_placed(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  char before = hex ? '0' : 'i';
  for (const char c : text.substr(hex ? 2 : 0)) {
    const char lower = static_cast<char>(c | 0x20);
    if (is_digit(c) || (hex && lower >= 'a' && lower <= 'f')) {
      before = '0';
    } else if (c == '_') {
      if (before != '0') return false;
      before = '_';
    } else {
      if (before == '_') return false;
      before = '!';
    }
  }
  return before != '_';
}

bool parse_plain_number(std::string_view text, double& out) {
  const auto* const end = text.data() + text.size();
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) base = 16;
  if (base == 10 && text.size() > 1 && text[0] == '0' && text.find_first_not_of("01234567") == text.npos) base = 8;
  if (base != 10) {
    std::uint64_t integer = 0;
    const auto* begin = text.data() + (base == 16 ? 2 : 1);
    const auto [stop, error] = std::from_chars(begin, end, integer, base);
    out = static_cast<double>(integer);
    return error == std::errc{} && stop == end && begin != end;
  }
  if (text.empty() || (!is_digit(text[0]) && text[0] != '.')) return false;
  const auto [stop, error] = std::from_chars(text.data(), end, out, std::chars_format::general);
  if (stop != end) return false;
  if (error == std::errc::result_out_of_range) {
    const auto exponent = text.find_first_of("eE");
    const bool tiny = exponent != text.npos && exponent + 1 < text.size() && text[exponent + 1] == '-';
    out = tiny ? 0.0 : std::numeric_limits<double>::infinity();
  }
  return error != std::errc::invalid_argument;
}

}  // namespace

bool parse_number(std::string_view text, double& out) {
  if (text.size() == 3) {
    std::string lower;
    for (const char c : text) lower += static_cast<char>(c | 0x20);
    if (lower == "inf") out = std::numeric_limits<double>::infinity();
    if (lower == "nan") out = std::numeric_limits<double>::quiet_NaN();
    if (lower == "inf" || lower == "nan") return true;
  }
  if (text.find('_') == text.npos) return parse_plain_number(text, out);
  if (!underscores_are_well_placed(text)) return false;
  std::string digits;
  for (const char c : text) {
    if (c != '_') digits += c;
  }
  return parse_plain_number(digits, out);
}

}  // namespace atalaya::promql
