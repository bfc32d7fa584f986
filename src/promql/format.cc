#include "promql/format.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace atalaya::promql {
namespace {

std::optional<std::string> special(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return std::nullopt;
}

std::string digits_of(double value, std::chars_format format) {
  char buffer[1100];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr};
}

/// Without an exponent. Only the digits that tell the number from its neighbours, then zeros: to_chars
/// would write all digits of a large one.
std::string without_exponent(double value) {
  if (std::fabs(value) < 1e15) return digits_of(value, std::chars_format::fixed);
  const auto text = digits_of(value, std::chars_format::scientific);
  const auto e = text.find('e');
  std::size_t places = 0;
  std::from_chars(text.data() + e + 2, text.data() + text.size(), places);
  std::string out;
  std::size_t digits = 0;
  for (const char c : text.substr(0, e)) {
    if (c == '.') continue;
    out += c;
    digits += c == '-' ? 0 : 1;
  }
  // A number of this size has no fraction that its digits could show, but for those just above the bound.
  if (digits > places + 1) return digits_of(value, std::chars_format::fixed);
  return out.append(places + 1 - digits, '0');
}

}  // namespace

void append_value(std::string& out, double value) {
  const double size = std::fabs(value);
  if (!(size < 1e15) || (size != 0 && size < 1e-6)) {
    out += format_value(value);
    return;
  }
  char buffer[64];
  // Whole numbers are the most frequent by far, and quicker as such; −0 is none of them.
  const auto whole = static_cast<std::int64_t>(value);
  const bool is_whole = static_cast<double>(whole) == value && (whole != 0 || !std::signbit(value));
  const auto end = is_whole ? std::to_chars(buffer, buffer + sizeof buffer, whole).ptr
                            : std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
  out.append(buffer, end);
}

std::string format_value(double value) {
  if (auto word = special(value)) return *word;
  const double size = std::fabs(value);
  const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
  return exponent ? digits_of(value, std::chars_format::scientific) : without_exponent(value);
}

std::string format_fixed(double value) {
  if (auto word = special(value)) return *word;
  return without_exponent(value);
}

std::string format_general(double value, int digits) {
  if (auto word = special(value)) return *word;
  if (digits > 0) {
    char buffer[64];
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, digits).ptr};
  }
  const auto text = digits_of(value, std::chars_format::scientific);
  int exponent = 0;
  const auto at = text.find('e');
  const auto* from = text.data() + at + (text[at + 1] == '+' ? 2 : 1);
  std::from_chars(from, text.data() + text.size(), exponent);
  return exponent < -4 || exponent >= 6 ? text : without_exponent(value);
}

}  // namespace atalaya::promql
