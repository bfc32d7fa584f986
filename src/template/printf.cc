// Go's fmt.Sprintf for the values that templates have.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>

#include "base/utf8.h"
#include "template/value.h"

namespace atalaya::templates {
namespace json = boost::json;
namespace {

constexpr int kMaxWidth = 4096;

struct Verb {
  bool minus = false, plus = false, zero = false, space = false, sharp = false;
  int width = 0;
  int precision = -1;
  char verb = 'v';
};

std::string pad(std::string text, const Verb& verb, bool number) {
  const auto width = static_cast<std::size_t>(verb.width);
  if (text.size() >= width) return text;
  const auto missing = width - text.size();
  if (verb.minus) return text + std::string(missing, ' ');
  if (verb.zero && number) {
    const std::size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    return text.insert(sign, missing, '0');
  }
  return std::string(missing, ' ') + text;
}

std::string wrong(const Verb& verb, const json::value& value) {
  return fmt::format("%!{}({}={})", verb.verb, type_name(value), print(value));
}

std::string signed_text(std::string text, const Verb& verb) {
  if (!text.starts_with('-') && !text.starts_with('+')) {
    if (verb.plus) return "+" + text;
    if (verb.space) return " " + text;
  }
  return text;
}

std::string real(double value, const Verb& verb) {
  if (!std::isfinite(value)) return std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  std::string text;
  if ((verb.verb == 'v' || verb.verb == 'g') && verb.precision < 0) {
    text = print_number(value);
  } else {
    const std::array<char, 5> format{'%', '.', '*', verb.verb == 'v' ? 'g' : verb.verb, '\0'};
    const int precision = verb.precision < 0 ? 6 : verb.precision;
    const auto size = std::snprintf(nullptr, 0, format.data(), precision, value);
    text.resize(static_cast<std::size_t>(size));
    std::snprintf(text.data(), text.size() + 1, format.data(), precision, value);
  }
  return signed_text(text, verb);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

std::string hex_of(const json::value& value, const Verb& verb) {
  const bool upper = verb.verb == 'X';
  if (const auto* text = value.if_string()) {
    std::string out;
    for (const char c : std::string_view(*text)) {
      const auto byte = static_cast<unsigned char>(c);
      out += upper ? fmt::format("{:02X}", byte) : fmt::format("{:02x}", byte);
    }
    return out;
  }
  if (const auto* i = value.if_int64()) {
    const auto magnitude = *i < 0 ? -static_cast<std::uint64_t>(*i) : static_cast<std::uint64_t>(*i);
    return (*i < 0 ? "-" : "") + (upper ? fmt::format("{:X}", magnitude) : fmt::format("{:x}", magnitude));
  }
  return wrong(verb, value);
}

std::string in_base(const json::value& value, const Verb& verb) {
  const auto* i = value.if_int64();
  if (i == nullptr) return wrong(verb, value);
  const auto magnitude = *i < 0 ? -static_cast<std::uint64_t>(*i) : static_cast<std::uint64_t>(*i);
  const std::string_view prefix = verb.verb == 'O' || (verb.verb == 'o' && verb.sharp) ? (verb.verb == 'O' ? "0o" : "0")
                                  : verb.verb == 'b' && verb.sharp                     ? "0b"
                                                                                       : "";
  const auto digits = verb.verb == 'b' ? fmt::format("{:b}", magnitude) : fmt::format("{:o}", magnitude);
  return signed_text((*i < 0 ? "-" : "") + std::string(prefix) + digits, verb);
}

/// One character by its number; what is none is the replacement.
std::string character(const json::value& value, const Verb& verb) {
  const auto* i = value.if_int64();
  if (i == nullptr) return wrong(verb, value);
  if (verb.verb == 'U') return fmt::format("U+{:04X}", static_cast<std::uint64_t>(*i));
  std::string out;
  const bool good = *i >= 0 && *i <= 0x10ffff && !(*i >= 0xd800 && *i <= 0xdfff);
  append_utf8(out, good ? static_cast<std::uint32_t>(*i) : 0xfffd);
  return verb.verb == 'q' ? "'" + out + "'" : out;
}

std::string cut(std::string text, const Verb& verb) {
  if (verb.precision < 0) return text;
  // Precision counts characters.
  std::size_t at = 0;
  for (int n = 0; at < text.size(); ++at) {
    if ((text[at] & 0xc0) != 0x80 && n++ == verb.precision) break;
  }
  text.resize(at);
  return text;
}

std::string one(const json::value& value, const Verb& verb) {
  switch (verb.verb) {
    case 'v':
      if (const auto* d = value.if_double()) return pad(real(*d, verb), verb, true);
      return pad(value.is_number() ? signed_text(print(value), verb) : print(value), verb, value.is_number());
    case 's':
      return value.is_string() || value.is_null() ? pad(cut(print(value), verb), verb, false)
                                                  : pad(wrong(verb, value), verb, false);
    case 'q':
      return value.is_string() ? pad(quoted(value.get_string()), verb, false)
                               : pad(character(value, verb), verb, false);
    case 'c':
    case 'U': return pad(character(value, verb), verb, false);
    case 'b':
    case 'o':
    case 'O': return pad(in_base(value, verb), verb, true);
    case 'd':
      return value.is_int64() || value.is_uint64() ? pad(signed_text(print(value), verb), verb, true)
                                                   : wrong(verb, value);
    case 't': return value.is_bool() ? pad(print(value), verb, false) : wrong(verb, value);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      if (const auto* d = value.if_double()) return pad(real(*d, verb), verb, true);
      return wrong(verb, value);
    case 'x':
    case 'X': return pad(hex_of(value, verb), verb, !value.is_string());
    case 'T': return std::string(type_name(value));
    default: return wrong(verb, value);
  }
}

/// Reads flags, width and precision behind a '%'; false when they are too large.
bool read_verb(std::string_view format, std::size_t& i, const Arguments& arguments, std::size_t& next, Verb& verb) {
  for (; i < format.size(); ++i) {
    const char c = format[i];
    if (c == '-')
      verb.minus = true;
    else if (c == '+')
      verb.plus = true;
    else if (c == '0')
      verb.zero = true;
    else if (c == ' ')
      verb.space = true;
    else if (c == '#')
      verb.sharp = true;
    else
      break;
  }
  const auto number = [&](int fallback) {
    if (i < format.size() && format[i] == '*') {
      ++i;
      const auto* given = next < arguments.size() ? arguments[next]->if_int64() : nullptr;
      ++next;
      return given == nullptr ? fallback : *given < 0 || *given > kMaxWidth ? -2 : static_cast<int>(*given);
    }
    int n = -1;
    for (; i < format.size() && format[i] >= '0' && format[i] <= '9'; ++i) {
      n = (n < 0 ? 0 : n) * 10 + (format[i] - '0');
      if (n > kMaxWidth) return -2;
    }
    return n < 0 ? fallback : n;
  };
  verb.width = number(0);
  if (i < format.size() && format[i] == '.') {
    ++i;
    verb.precision = number(0);
  }
  return verb.width >= 0 && verb.precision >= -1;
}

}  // namespace

Result<std::string> go_printf(const Arguments& arguments) {
  const auto* format_value = arguments.empty() ? nullptr : arguments[0]->if_string();
  if (format_value == nullptr) return fail(ErrorCode::kUnprocessable, "printf: the format must be a string");
  const std::string_view format = *format_value;
  std::string out;
  std::size_t next = 1;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    Verb verb;
    if (!read_verb(format, ++i, arguments, next, verb)) {
      return fail(ErrorCode::kUnprocessable, fmt::format("printf: width or precision is above {}", kMaxWidth));
    }
    if (i >= format.size()) {
      out += "%!(NOVERB)";
      break;
    }
    verb.verb = format[i];
    if (verb.verb == '%') {
      out += '%';
    } else if (next >= arguments.size()) {
      out += fmt::format("%!{}(MISSING)", verb.verb);
    } else {
      out += one(*arguments[next++], verb);
    }
  }
  if (next < arguments.size()) {
    out += "%!(EXTRA ";
    for (auto i = next; i < arguments.size(); ++i) {
      if (i > next) out += ", ";
      out += fmt::format("{}={}", type_name(*arguments[i]), print(*arguments[i]));
    }
    out += ')';
  }
  return out;
}

}  // namespace atalaya::templates
