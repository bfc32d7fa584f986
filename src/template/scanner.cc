#include "template/scanner.h"

#include <charconv>
#include <cstdint>

#include "base/utf8.h"

namespace atalaya::templates {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return kSpace.find(c) != std::string_view::npos; }

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
  const auto inside = at_;
  space();
  if (!at("/*")) {
    at_ = inside;
    space();
    return Opened::kAction;
  }
  const auto end = source_.find("*/", at_ + 2);
  if (end == std::string_view::npos) return Opened::kBadComment;
  at_ = end + 2;
  space();
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

std::optional<boost::json::value> Scanner::number() {
  if (peek() == '\'') {
    const auto end = source_.find('\'', at_ + 2);
    if (end != at_ + 2) return std::nullopt;
    const auto code = static_cast<unsigned char>(source_[at_ + 1]);
    at_ = end + 1;
    return boost::json::value(static_cast<std::int64_t>(code));
  }
  auto rest = source_.substr(at_);
  std::size_t sign = 0;
  if (rest.starts_with('+') || rest.starts_with('-')) sign = 1;
  if (rest.size() <= sign || !(is_digit(rest[sign]) || rest[sign] == '.')) return std::nullopt;
  const bool negative = sign == 1 && rest[0] == '-';
  rest.remove_prefix(sign);
  const bool hex = rest.starts_with("0x") || rest.starts_with("0X");
  if (hex) rest.remove_prefix(2);
  std::int64_t integer = 0;
  const auto [int_end, int_failed] = std::from_chars(rest.data(), rest.data() + rest.size(), integer, hex ? 16 : 10);
  const auto used = static_cast<std::size_t>(int_end - rest.data());
  const char next = used < rest.size() ? rest[used] : ' ';
  if (hex || (int_failed == std::errc{} && next != '.' && next != 'e' && next != 'E')) {
    if (int_failed != std::errc{}) return std::nullopt;
    at_ += sign + (hex ? 2 : 0) + used;
    return boost::json::value(negative ? -integer : integer);
  }
  double real = 0;
  const auto [real_end, real_failed] = std::from_chars(rest.data(), rest.data() + rest.size(), real);
  if (real_failed != std::errc{}) return std::nullopt;
  at_ += sign + static_cast<std::size_t>(real_end - rest.data());
  return boost::json::value(negative ? -real : real);
}

}  // namespace atalaya::templates
