#include "occi/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/bytes.h"

namespace atalaya::occi {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string render_number(double number) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number).ptr;
  std::string out(buffer, end);
  if (out.find_first_of(".en") == std::string::npos) out += ".0";
  return out;
}

std::unexpected<Error> wrong(std::string_view name, std::string_view why) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("attribute {}: {}", name, why),
              "a text in double quotes, a number, true or false");
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += is_control(c) ? ' ' : c;
  }
  return out + '"';
}

std::string render_value(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&value)) return render_number(*number);
  return std::get<bool>(value) ? "true" : "false";
}

Result<Value> parse_value(std::string_view name, std::string_view text) {
  if (text == "true") return Value(true);
  if (text == "false") return Value(false);
  if (text.starts_with('"')) {
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] == '"') {
        if (i + 1 != text.size()) return wrong(name, "something stands behind its closing quote");
        if (out.size() > kMostValueBytes) return wrong(name, fmt::format("longer than {} bytes", kMostValueBytes));
        if (!is_clean(out)) return wrong(name, "it holds control characters or is not UTF-8");
        return Value(std::move(out));
      }
      // Only quotes and backslashes are escaped; a backslash before anything else is one.
      if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
      out += text[i];
    }
    return wrong(name, "its closing quote is missing");
  }
  if (text.empty()) return wrong(name, "it has no value");
  std::int64_t whole = 0;
  const auto* end = text.data() + text.size();
  if (const auto read = std::from_chars(text.data(), end, whole); read.ec == std::errc{} && read.ptr == end)
    return Value(whole);
  double number = 0;
  if (const auto read = std::from_chars(text.data(), end, number);
      read.ec == std::errc{} && read.ptr == end && std::isfinite(number))
    return Value(number);
  return wrong(name, fmt::format("\"{}\" is no value", text.substr(0, 64)));
}

bool equal(const Value& a, const Value& b) {
  const auto number = [](const Value& value) -> const double* { return std::get_if<double>(&value); };
  const auto whole = [](const Value& value) -> const std::int64_t* { return std::get_if<std::int64_t>(&value); };
  if (number(a) != nullptr && whole(b) != nullptr) return *number(a) == static_cast<double>(*whole(b));
  if (whole(a) != nullptr && number(b) != nullptr) return *number(b) == static_cast<double>(*whole(a));
  return a == b;
}

const Value* find(const AttributeList& list, std::string_view name) {
  const auto at = std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.first == name; });
  return at == list.end() ? nullptr : &at->second;
}

std::string text_of(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::string() : *text;
}

bool is_attribute_name(std::string_view name) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > kMostNameBytes || !is_word(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return is_word(c) || c == '.' || c == '-' || c == '_'; });
}

bool is_clean(std::string_view text) { return std::none_of(text.begin(), text.end(), is_control) && is_utf8(text); }

}  // namespace atalaya::occi
