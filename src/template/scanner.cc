#include "template/scanner.h"

#include <charconv>
#include <cstdint>

#include "base/utf8.h"
#include "template/value.h"

namespace atalaya::templates {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return kSpace.find(c) != std::string_view::npos; }

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The last character goes on with a number of those before it.
bool is_of_number(std::string_view text) {
  const char c = text.back();
  if (is_digit(c) || is_letter(c) || c == '.') return true;
  if (c != '+' && c != '-') return false;
  const char before = text.size() > 1 ? small(text[text.size() - 2]) : ' ';
  const bool hex = text.size() > 1 && text[0] == '0' && small(text[1]) == 'x';
  return before == (hex ? 'p' : 'e');
}

/// `_` stands between digits, or between a prefix and a digit; without them. Nothing where one stands elsewhere.
std::optional<std::string> without_underscores(std::string_view text) {
  std::string out;
  const bool prefixed = text.size() > 1 && text[0] == '0' && !is_digit(text[1]) && is_letter(text[1]);
  const auto is_part = [&](char c) { return is_digit(c) || (prefixed && is_letter(c) && c != '_'); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    if (i == 0 || i + 1 == text.size() || !is_part(text[i - 1]) || !is_part(text[i + 1])) return std::nullopt;
  }
  return out;
}

template <typename T, typename... Options>
std::optional<T> whole(std::string_view text, Options... options) {
  T out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, options...);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::optional<double> real_of(std::string_view text) {
  const bool hex = text.size() > 1 && text[0] == '0' && small(text[1]) == 'x';
  if (!hex) return whole<double>(text, std::chars_format::general);
  // Go asks for the exponent.
  if (text.find_first_of("pP") == std::string_view::npos) return std::nullopt;
  return whole<double>(text.substr(2), std::chars_format::hex);
}

std::optional<boost::json::value> number_of(std::string_view written, bool negative) {
  const auto text = without_underscores(written);
  if (!text || text->empty()) return std::nullopt;
  const std::string_view digits = *text;
  if (digits.ends_with('i') && digits.size() > 1) {
    const auto part = real_of(digits.substr(0, digits.size() - 1));
    if (!part) return std::nullopt;
    return boost::json::value("(0" + std::string(negative ? "-" : "+") + print_number(*part) + "i)");
  }
  const char letter = digits.size() > 1 && digits[0] == '0' ? small(digits[1]) : ' ';
  const int base = letter == 'x' ? 16 : letter == 'b' ? 2 : letter == 'o' || is_digit(letter) ? 8 : 10;
  const auto integer = whole<std::int64_t>(digits.substr(is_letter(letter) ? 2 : 0), base);
  if (integer) return boost::json::value(negative ? -*integer : *integer);
  // Too large for a whole number.
  if (digits.find_first_of(".eEpP") == std::string_view::npos) return std::nullopt;
  const auto number = real_of(digits);
  if (!number) return std::nullopt;
  return boost::json::value(negative ? -*number : *number);
}

}  // namespace

std::string Scanner::text() {
  auto end = source_.find("{{", at_);
  if (end == std::string_view::npos) end = source_.size();
  auto text = source_.substr(at_, end - at_);
  at_ = end;
  if (trim_next_) text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  trim_next_ = false;
  // `{{-` trims only with white space behind it; `{{-3}}` is a number.
  if (at("{{-") && end + 3 < source_.size() && is_space(source_[end + 3])) {
    const auto last = text.find_last_not_of(kSpace);
    text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  }
  return std::string(text);
}

Scanner::Opened Scanner::open() {
  at_ += 2;
  if (at("-") && at_ + 1 < source_.size() && is_space(source_[at_ + 1])) at_ += 2;
  if (!at("/*")) {
    space();
    return Opened::kAction;
  }
  const auto end = source_.find("*/", at_ + 2);
  if (end == std::string_view::npos) return Opened::kBadComment;
  at_ = end + 2;
  if (!at_end() && is_space(source_[at_]) && source_.substr(at_ + 1).starts_with("-}}")) ++at_;
  return close() ? Opened::kComment : Opened::kBadComment;
}

bool Scanner::at_close() const { return at("}}") || (at("-}}") && at_ > 0 && is_space(source_[at_ - 1])); }

bool Scanner::close() {
  if (!at_close()) return false;
  trim_next_ = at("-");
  at_ += trim_next_ ? 3 : 2;
  return true;
}

void Scanner::space() {
  while (!at_end() && is_space(source_[at_])) ++at_;
}

bool Scanner::take(std::string_view word) {
  if (!at(word)) return false;
  at_ += word.size();
  return true;
}

bool Scanner::keyword(std::string_view word) {
  space();
  if (!at(word)) return false;
  const auto next = at_ + word.size();
  if (next < source_.size() && (is_letter(source_[next]) || is_digit(source_[next]))) return false;
  at_ = next;
  return true;
}

bool Scanner::digit_after() const { return at_ + 1 < source_.size() && is_digit(source_[at_ + 1]); }

bool Scanner::at_boundary() const {
  const char c = peek();
  return at_end() || is_space(c) || c == ')' || c == '(' || c == '|' || c == ',' || c == '=' || c == ':' || at_close();
}

std::string Scanner::name() {
  const auto start = at_;
  if (at_end() || !is_letter(source_[at_])) return {};
  while (!at_end() && (is_letter(source_[at_]) || is_digit(source_[at_]))) ++at_;
  return std::string(source_.substr(start, at_ - start));
}

std::string Scanner::variable() {
  ++at_;
  const auto start = at_;
  while (!at_end() && (is_letter(source_[at_]) || is_digit(source_[at_]))) ++at_;
  return std::string(source_.substr(start, at_ - start));
}

std::optional<std::string> Scanner::string(std::string& fault) {
  if (peek() == '`') {
    const auto end = source_.find('`', at_ + 1);
    if (end == std::string_view::npos) {
      fault = "a raw string is not closed";
      return std::nullopt;
    }
    auto text = std::string(source_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return text;
  }
  if (peek() != '"') return std::nullopt;
  return quoted(fault);
}

std::optional<std::string> Scanner::quoted(std::string& fault) {
  std::string out;
  ++at_;
  while (!at_end() && peek() != '"' && peek() != '\n') {
    if (peek() != '\\') {
      out += source_[at_++];
    } else if (!escape(out)) {
      fault = "a string holds an unknown escape";
      return std::nullopt;
    }
  }
  if (!take('"')) {
    fault = "a string is not closed";
    return std::nullopt;
  }
  return out;
}

bool Scanner::escape(std::string& out) {
  ++at_;
  if (at_end()) return false;
  const char c = source_[at_++];
  constexpr std::string_view kFrom = "abfnrtv\\'\"";
  constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\'\"";
  if (const auto i = kFrom.find(c); i != std::string_view::npos) {
    out += kTo[i];
    return true;
  }
  const auto digits = [&](std::size_t count, int base) -> std::optional<std::uint32_t> {
    const auto part = source_.substr(std::min(at_, source_.size()), count);
    std::uint32_t code = 0;
    const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), code, base);
    if (failed != std::errc{} || part.size() != count || end != part.data() + count) return std::nullopt;
    at_ += count;
    return code;
  };
  if (c == 'x') {
    const auto code = digits(2, 16);
    if (code) out += static_cast<char>(*code);
    return code.has_value();
  }
  if (c == 'u' || c == 'U') {
    const auto code = digits(c == 'u' ? 4 : 8, 16);
    if (!code || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000)) return false;
    append_utf8(out, *code);
    return true;
  }
  return false;
}

std::optional<boost::json::value> Scanner::character() {
  const auto start = at_++;
  std::string text;
  if (peek() == '\\') {
    if (!escape(text)) text.clear();
  } else if (!at_end() && peek() != '\'') {
    do text += source_[at_++];
    while (!at_end() && (source_[at_] & 0xc0) == 0x80);
  }
  if (text.empty() || !take('\'')) {
    at_ = start;
    return std::nullopt;
  }
  return boost::json::value(static_cast<std::int64_t>(first_rune(text).code));
}

std::optional<boost::json::value> Scanner::number() {
  if (peek() == '\'') return character();
  auto rest = source_.substr(at_);
  std::size_t sign = 0;
  if (rest.starts_with('+') || rest.starts_with('-')) sign = 1;
  if (rest.size() <= sign || !(is_digit(rest[sign]) || rest[sign] == '.')) return std::nullopt;
  const bool negative = sign == 1 && rest[0] == '-';
  rest.remove_prefix(sign);
  std::size_t size = 0;
  while (size < rest.size() && is_of_number(rest.substr(0, size + 1))) ++size;
  auto value = number_of(rest.substr(0, size), negative);
  if (value) at_ += sign + size;
  return value;
}

}  // namespace atalaya::templates
