// Go's fmt.Sprintf for the values that templates have.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/utf8.h"
#include "template/value.h"

namespace atalaya::templates {
namespace json = boost::json;
namespace {

constexpr int kMaxWidth = 4096;
constexpr int kMaxDepth = 32;

struct Verb {
  bool minus = false, plus = false, zero = false, space = false, sharp = false;
  int width = 0;
  int precision = -1;
  std::string_view verb = "v";  ///< one character
};

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string pad(std::string text, const Verb& verb) {
  const auto width = static_cast<std::size_t>(verb.width);
  const auto size = characters(text);
  if (size >= width) return text;
  if (verb.minus) return text + std::string(width - size, ' ');
  return std::string(width - size, verb.zero ? '0' : ' ') + text;
}

/// Zeros go behind the sign.
std::string pad_number(std::string text, const Verb& verb) {
  if (!verb.zero || verb.minus || text.empty() || (text[0] != '-' && text[0] != '+' && text[0] != ' ')) {
    return pad(std::move(text), verb);
  }
  const auto width = static_cast<std::size_t>(verb.width);
  if (text.size() < width) text.insert(1, width - text.size(), '0');
  return text;
}

std::string go_type(const json::value& value) {
  const auto is_text = [](const json::value& one) { return one.is_string(); };
  if (const auto* object = value.if_object()) {
    const bool texts = std::ranges::all_of(*object, [&](const auto& one) { return is_text(one.value()); });
    return texts ? "map[string]string" : "map[string]interface {}";
  }
  if (const auto* array = value.if_array()) {
    return std::ranges::all_of(*array, is_text) ? "[]string" : "[]interface {}";
  }
  return std::string(type_name(value));
}

std::string one(const json::value& value, const Verb& verb, int depth = 0);

/// The value stands in it as %v would write it, to the same width.
std::string wrong(const Verb& verb, const json::value& value) {
  if (value.is_null()) return fmt::format("%!{}(<nil>)", verb.verb);
  auto plain = verb;
  plain.verb = "v";
  return fmt::format("%!{}({}={})", verb.verb, go_type(value), one(value, plain));
}

std::string signed_text(std::string text, const Verb& verb) {
  if (text.starts_with('-')) return text;
  return verb.plus ? "+" + text : verb.space ? " " + text : text;
}

std::string real(double value, const Verb& verb) {
  if (!std::isfinite(value)) {
    auto plain = verb;
    plain.zero = false;
    if (!std::isnan(value)) return pad(value < 0 ? "-Inf" : verb.space && !verb.plus ? " Inf" : "+Inf", plain);
    return pad(signed_text("NaN", verb), plain);
  }
  const char letter = verb.verb == "v" ? 'g' : verb.verb == "F" ? 'f' : verb.verb[0];
  std::string text;
  if ((letter == 'g' || letter == 'G') && verb.precision < 0) {
    text = print_number(value);
    if (letter == 'G') std::ranges::replace(text, 'e', 'E');
  } else {
    const std::array<char, 5> format{'%', '.', '*', letter, '\0'};
    const int precision = verb.precision < 0 ? 6 : verb.precision;
    const auto size = std::snprintf(nullptr, 0, format.data(), precision, value);
    text.resize(static_cast<std::size_t>(size));
    std::snprintf(text.data(), text.size() + 1, format.data(), precision, value);
  }
  return pad_number(signed_text(std::move(text), verb), verb);
}

std::string escaped(const Rune& rune) {
  const auto code = static_cast<std::uint32_t>(rune.code);
  if (code < 0x80) return fmt::format("\\x{:02x}", code);
  return code <= 0xffff ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
}

std::string quoted(std::string_view text, const Verb& verb, char quote = '"') {
  if (verb.sharp && quote == '"' && text.find_first_of("`\n\r\x7f") == std::string_view::npos) {
    return fmt::format("`{}`", text);
  }
  std::string out(1, quote);
  while (!text.empty()) {
    const auto rune = first_rune(text);
    const auto one = text.substr(0, rune.size);
    text.remove_prefix(one.size());
    constexpr std::string_view kFrom = "\a\b\f\n\r\t\v\\";
    constexpr std::string_view kTo = "abfnrtv\\";
    if (const auto at = kFrom.find(one[0]); at != std::string_view::npos) {
      out += {'\\', kTo[at]};
    } else if (one[0] == quote) {
      out += {'\\', quote};
    } else if (!rune.good) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(one[0]));
    } else if (rune.code < 0x20 || rune.code == 0x7f || (verb.plus && rune.code >= 0x80)) {
      out += escaped(rune);
    } else {
      out += one;
    }
  }
  return out + quote;
}

std::string hex_of_bytes(std::string_view text, const Verb& verb) {
  const bool upper = verb.verb == "X";
  if (verb.precision >= 0) text = text.substr(0, static_cast<std::size_t>(verb.precision));
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (verb.space && i > 0) out += ' ';
    if (verb.sharp && (verb.space || i == 0)) out += upper ? "0X" : "0x";
    const auto byte = static_cast<unsigned char>(text[i]);
    out += upper ? fmt::format("{:02X}", byte) : fmt::format("{:02x}", byte);
  }
  return out;
}

/// One character by its number; what is none is the replacement.
std::string character(std::int64_t number, const Verb& verb) {
  if (verb.verb == "U") return pad(fmt::format("U+{:04X}", static_cast<std::uint64_t>(number)), verb);
  std::string out;
  const bool good = number >= 0 && number <= 0x10ffff && !(number >= 0xd800 && number <= 0xdfff);
  append_utf8(out, good ? static_cast<std::uint32_t>(number) : 0xfffd);
  return pad(verb.verb == "q" ? quoted(out, verb, '\'') : out, verb);
}

std::string integer(bool negative, std::uint64_t magnitude, const json::value& value, const Verb& verb) {
  const char letter = verb.verb == "v" ? 'd' : verb.verb[0];
  std::string digits;
  std::string prefix;
  switch (letter) {
    case 'd': digits = fmt::to_string(magnitude); break;
    case 'b': digits = fmt::format("{:b}", magnitude); break;
    case 'o':
    case 'O': digits = fmt::format("{:o}", magnitude); break;
    case 'x': digits = fmt::format("{:x}", magnitude); break;
    case 'X': digits = fmt::format("{:X}", magnitude); break;
    default: return wrong(verb, value);
  }
  const auto least = static_cast<std::size_t>(std::max(verb.precision, 0));
  if (verb.precision == 0 && magnitude == 0) digits.clear();
  if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
  if (letter == 'O') prefix = "0o";
  if (verb.sharp) {
    if (letter == 'b') prefix = "0b";
    if (letter == 'o' && !digits.starts_with('0')) prefix = "0";
    if (letter == 'x' || letter == 'X') prefix = letter == 'x' ? "0x" : "0X";
  }
  const std::string sign = negative ? "-" : verb.plus ? "+" : verb.space ? " " : "";
  auto plain = verb;
  if (verb.zero && !verb.minus && verb.precision < 0) {
    // Zeros fill the width behind sign and prefix, which Go does not count.
    const auto width = static_cast<std::size_t>(verb.width) - (sign.empty() || verb.width == 0 ? 0 : 1);
    if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  }
  plain.zero = false;
  return pad(sign + prefix + digits, plain);
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

std::string of_text(std::string_view text, const json::value& value, const Verb& verb) {
  if (verb.verb == "v" || verb.verb == "s") return pad(cut(std::string(text), verb), verb);
  if (verb.verb == "q") return pad(quoted(cut(std::string(text), verb), verb), verb);
  if (verb.verb == "x" || verb.verb == "X") return pad(hex_of_bytes(text, verb), verb);
  return wrong(verb, value);
}

/// What is within a list or map is written by the same verb.
std::string one(const json::value& value, const Verb& verb, int depth) {
  if (depth > kMaxDepth) return "...";
  if (verb.verb == "T") return pad(go_type(value), verb);
  switch (value.kind()) {
    case json::kind::null: return verb.verb == "v" ? pad("<nil>", verb) : wrong(verb, value);
    case json::kind::bool_: return verb.verb == "t" || verb.verb == "v" ? pad(print(value), verb) : wrong(verb, value);
    case json::kind::double_: {
      constexpr std::string_view kReal = "veEfFgG";
      return kReal.find(verb.verb) != std::string_view::npos ? real(value.get_double(), verb) : wrong(verb, value);
    }
    case json::kind::int64:
    case json::kind::uint64: {
      const auto number = value.is_int64() ? value.get_int64() : static_cast<std::int64_t>(value.get_uint64());
      if (verb.verb == "c" || verb.verb == "q" || verb.verb == "U") return character(number, verb);
      const bool negative = value.is_int64() && number < 0;
      return integer(negative, negative ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number),
                     value, verb);
    }
    case json::kind::string: return of_text(value.get_string(), value, verb);
    case json::kind::array: {
      std::string out = "[";
      for (const auto& item : value.get_array()) out += (out.size() > 1 ? " " : "") + one(item, verb, depth + 1);
      return out + "]";
    }
    case json::kind::object: {
      std::vector<std::pair<std::string, std::string>> parts;
      for (const auto& [key, item] : value.get_object()) {
        parts.emplace_back(key, one(json::value(key), verb, depth + 1) + ":" + one(item, verb, depth + 1));
      }
      std::ranges::sort(parts);
      std::string out = "map[";
      for (const auto& [key, part] : parts) out += (out.size() > 4 ? " " : "") + part;
      return out + "]";
    }
  }
  return {};
}

/// One call of printf.
class Printer {
 public:
  Printer(std::string_view format, const Arguments& arguments) : format_(format), arguments_(arguments) {}

  Result<std::string> print_all() {
    while (at_ < format_.size()) {
      if (format_[at_] != '%') {
        out_ += format_[at_++];
        continue;
      }
      AT_TRY(print_verb());
    }
    if (!reordered_ && next_ < arguments_.size()) print_extra();
    return std::move(out_);
  }

 private:
  Status print_verb() {
    ++at_;
    Verb verb;
    good_index_ = true;
    read_flags(verb);
    bool after_index = index();
    AT_TRY(read_width(verb, after_index));
    if (peek() == '.') {
      ++at_;
      if (after_index) good_index_ = false;
      after_index = index();
      AT_TRY(read_precision(verb, after_index));
    }
    if (!after_index) index();
    if (at_ >= format_.size()) {
      out_ += "%!(NOVERB)";
      return {};
    }
    verb.verb = format_.substr(at_, first_rune(format_.substr(at_)).size);
    at_ += verb.verb.size();
    if (verb.verb == "%") {
      out_ += '%';
    } else if (!good_index_) {
      out_ += fmt::format("%!{}(BADINDEX)", verb.verb);
    } else if (next_ >= arguments_.size()) {
      out_ += fmt::format("%!{}(MISSING)", verb.verb);
    } else {
      out_ += one(*arguments_[next_++], verb);
    }
    return {};
  }

  void read_flags(Verb& verb) {
    for (;; ++at_) {
      switch (peek()) {
        case '-': verb.minus = true; break;
        case '+': verb.plus = true; break;
        case '0': verb.zero = true; break;
        case ' ': verb.space = true; break;
        case '#': verb.sharp = true; break;
        default:
          if (verb.minus) verb.zero = false;
          return;
      }
    }
  }

  Status read_width(Verb& verb, bool& after_index) {
    if (peek() == '*') {
      ++at_;
      AT_TRY(const auto given, star());
      after_index = false;
      if (!given) {
        out_ += "%!(BADWIDTH)";
        return {};
      }
      verb.minus = verb.minus || *given < 0;
      verb.zero = verb.zero && !verb.minus;
      verb.width = std::abs(*given);
      return {};
    }
    AT_TRY(const auto given, number());
    if (given && after_index) good_index_ = false;
    verb.width = given.value_or(0);
    return {};
  }

  Status read_precision(Verb& verb, bool& after_index) {
    if (peek() == '*') {
      ++at_;
      AT_TRY(const auto given, star());
      after_index = false;
      if (given && *given >= 0)
        verb.precision = *given;
      else if (!given)
        out_ += "%!(BADPREC)";
      return {};
    }
    AT_TRY(const auto given, number());
    verb.precision = given.value_or(0);
    return {};
  }

  /// `[2]`: the second argument is the next.
  bool index() {
    if (peek() != '[') return false;
    reordered_ = true;
    const auto close = format_.find(']', at_);
    const auto digits = close == std::string_view::npos ? "" : format_.substr(at_ + 1, close - at_ - 1);
    at_ = close == std::string_view::npos ? at_ + 1 : close + 1;
    std::size_t wanted = 0;
    for (const char c : digits)
      wanted = c >= '0' && c <= '9' && wanted < kMaxWidth ? wanted * 10 + (c - '0') : SIZE_MAX / 16;
    good_index_ = good_index_ && wanted >= 1 && wanted < arguments_.size();
    if (wanted >= 1 && wanted < arguments_.size()) next_ = wanted;
    return good_index_;
  }

  std::unexpected<Error> too_wide() const {
    return fail(ErrorCode::kUnprocessable, fmt::format("printf: width or precision is above {}", kMaxWidth));
  }
  Result<std::optional<int>> number() {
    std::optional<int> out;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      out = out.value_or(0) * 10 + (peek() - '0');
      if (*out > kMaxWidth) return too_wide();
    }
    return out;
  }
  Result<std::optional<int>> star() {
    const auto* given = next_ < arguments_.size() ? arguments_[next_]->if_int64() : nullptr;
    if (next_ < arguments_.size()) ++next_;
    if (given == nullptr) return std::nullopt;
    if (*given > kMaxWidth || *given < -kMaxWidth) return too_wide();
    return static_cast<int>(*given);
  }

  void print_extra() {
    out_ += "%!(EXTRA ";
    for (auto i = next_; i < arguments_.size(); ++i) {
      if (i > next_) out_ += ", ";
      const auto& value = *arguments_[i];
      out_ += value.is_null() ? "<nil>" : go_type(value) + "=" + print(value);
    }
    out_ += ')';
  }

  char peek() const { return at_ < format_.size() ? format_[at_] : '\0'; }

  const std::string_view format_;
  const Arguments& arguments_;  ///< the first is the format
  std::size_t at_ = 0;
  std::size_t next_ = 1;
  bool reordered_ = false;
  bool good_index_ = true;
  std::string out_;
};

}  // namespace

Result<std::string> go_printf(const Arguments& arguments) {
  const auto* format = arguments.empty() ? nullptr : arguments[0]->if_string();
  if (format == nullptr) return fail(ErrorCode::kUnprocessable, "printf: the format must be a string");
  return Printer(*format, arguments).print_all();
}

}  // namespace atalaya::templates
