// What scalars mean.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "config/sizes.h"
#include "config/yaml.h"

namespace atalaya::config {
namespace {

bool is_plain(const Node& node) {
  return node.is_scalar() && node.style() == Node::Style::kPlain && node.tag().empty();
}

std::unexpected<Error> wrong(const Node& node, std::string_view wanted, std::string remedy) {
  return fail(ErrorCode::kInvalidArgument, node.place(), fmt::format("expected {}, found {}", wanted, describe(node)),
              std::move(remedy));
}

/// Numbers and booleans in quotes are text; say so instead of the general remedy.
std::string unquoted(const Node& node, std::string remedy) {
  return node.is_scalar() && !is_plain(node) ? "write it without quotes" : std::move(remedy);
}

template <typename T>
bool parse_whole(std::string_view text, T& out, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse_integer(std::string_view text, std::int64_t& out) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  if (text.starts_with("0x")) return text.size() > 2 && text[2] != '-' && parse_whole(text.substr(2), out, 16);
  if (text.starts_with("0o")) return text.size() > 2 && text[2] != '-' && parse_whole(text.substr(2), out, 8);
  return parse_whole(text, out);
}

bool parse_number(std::string_view text, double& out) {
  std::int64_t whole = 0;
  if (text.starts_with("0x") || text.starts_with("0o")) {
    if (!parse_integer(text, whole)) return false;
    out = static_cast<double>(whole);
    return true;
  }
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    out = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  const bool minus = text.starts_with('-');
  const auto bare = minus ? text.substr(1) : text;
  if (bare == ".inf" || bare == ".Inf" || bare == ".INF") {
    out = minus ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return true;
  }
  // from_chars would also take "inf", "nan" and "infinity", which are text in YAML.
  if (bare.empty() || !((bare[0] >= '0' && bare[0] <= '9') || bare[0] == '.')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

bool is_boolean(std::string_view text, bool& out) {
  if (text == "true" || text == "True" || text == "TRUE") {
    out = true;
    return true;
  }
  out = false;
  return text == "false" || text == "False" || text == "FALSE";
}

enum class Meaning { kNull, kBoolean, kNumber, kText };

bool is_null_word(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

Meaning meaning_of_plain(std::string_view text) {
  bool boolean = false;
  double number = 0;
  if (is_null_word(text)) return Meaning::kNull;
  if (is_boolean(text, boolean)) return Meaning::kBoolean;
  return parse_number(text, number) ? Meaning::kNumber : Meaning::kText;
}

Meaning meaning(const Node& node) { return is_plain(node) ? meaning_of_plain(node.text()) : Meaning::kText; }

}  // namespace

bool Node::is_null() const { return is_plain(*this) && is_null_word(text_); }

bool is_text(const Node& node) { return node.is_scalar() && meaning(node) == Meaning::kText; }
bool is_plain_text(std::string_view text) { return meaning_of_plain(text) == Meaning::kText; }

std::string describe(const Node& node) {
  if (node.is_mapping()) return "a mapping";
  if (node.is_sequence()) return "a list";
  if (node.is_null()) return "nothing";
  // Cut at a character, not inside one.
  auto text = node.text().substr(0, 40);
  while (text.size() < node.text().size() && !text.empty() && (node.text()[text.size()] & 0xc0) == 0x80) {
    text.pop_back();
  }
  return fmt::format("{}\"{}{}\"", meaning(node) == Meaning::kText ? "the text " : "", text,
                     text.size() < node.text().size() ? "…" : "");
}

bool same_value(const Node& a, const Node& b) {
  if (a.kind() != b.kind() || a.entries().size() != b.entries().size() || a.items().size() != b.items().size()) {
    return false;
  }
  if (a.is_scalar()) {
    return meaning(a) == meaning(b) && (a.is_null() || a.text() == b.text()) && a.tag() == b.tag();
  }
  for (std::size_t i = 0; i < a.items().size(); ++i) {
    if (!same_value(*a.items()[i], *b.items()[i])) return false;
  }
  for (const auto& entry : a.entries()) {
    const auto* other = b.get(entry.key->text());
    if (!other || !same_value(*entry.value, *other)) return false;
  }
  return true;
}

Result<std::string> as_text(const Node& node) {
  if (node.is_scalar() && !node.is_null()) return node.text();
  return wrong(node, "a text", {});
}

Result<std::int64_t> as_integer(const Node& node) {
  std::int64_t value = 0;
  if (is_plain(node) && parse_integer(node.text(), value)) return value;
  return wrong(node, "a whole number", unquoted(node, {}));
}

Result<double> as_number(const Node& node) {
  double value = 0;
  if (is_plain(node) && parse_number(node.text(), value)) return value;
  return wrong(node, "a number", unquoted(node, {}));
}

Result<bool> as_boolean(const Node& node) {
  bool value = false;
  if (is_plain(node) && is_boolean(node.text(), value)) return value;
  return wrong(node, "true or false", unquoted(node, "write true or false"));
}

Result<Duration> as_duration(const Node& node) {
  if (node.is_scalar()) {
    if (const auto value = parse_duration(node.text())) return *value;
  }
  return wrong(node, "a duration", "write units from large to small, such as 1h30m, 15s, 250ms");
}

Result<std::uint64_t> as_bytes(const Node& node) {
  if (node.is_scalar()) {
    if (const auto value = parse_bytes(node.text())) return *value;
  }
  return wrong(node, "a number of bytes", "write such as 512, 64KiB, 8MB, 1GiB");
}

}  // namespace atalaya::config
