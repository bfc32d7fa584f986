// Between YAML and JSON, and places in a person's text.
#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "schema/validate.h"

namespace atalaya::schema {
namespace {

namespace json = boost::json;
using config::Node;
using config::YamlValue;

bool is_before(const Place& a, const Place& b) { return std::tie(a.line, a.column) < std::tie(b.line, b.column); }

/// The node that begins last among those that begin at or before the place; of several that begin there, the outermost.
struct Nearest {
  const Place& wanted;
  Place best;
  std::string path;

  void look(const Place& begin, const std::string& at) {
    if (begin.file != wanted.file || is_before(wanted, begin)) return;
    if (best.line != 0 && !is_before(best, begin)) return;
    best = begin;
    path = at;
  }

  void walk(const Node& node, const std::string& at) {
    look(node.place(), at);
    const auto below = [&](std::string_view name) {
      return at.empty() ? std::string(name) : fmt::format("{}.{}", at, name);
    };
    for (const auto& entry : node.entries()) {
      const auto name = below(entry.key->text());
      look(entry.key->place(), name);
      walk(*entry.value, name);
    }
    for (std::size_t i = 0; i < node.items().size(); ++i) walk(*node.items()[i], below(std::to_string(i)));
  }
};

/// By how much the lines of a literal block are indented, told by its length alone; 0 where that does not say.
std::size_t indent_by_length(const Node& block) {
  std::size_t lines = 0;
  std::size_t bytes = 0;
  const auto& text = block.text();
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    if (end > begin) ++lines;
    bytes += end - begin + 1;
    begin = end + 1;
  }
  const std::size_t header = text.ends_with('\n') ? 2 : 3;  // "|\n", "|-\n"
  const auto length = block.end() - block.begin();
  if (lines == 0 || length < header + bytes || (length - header - bytes) % lines != 0) return 0;
  return (length - header - bytes) / lines;
}

/// A place in a text of several lines. Its end, after the last line break, is on a line that may be another
/// field's in the file: what is wrong there is told at the end of the last line that holds something.
Place within_lines(std::string_view text, const Place& in_text) {
  const auto last = text.find_last_not_of(" \t\r\n");
  if (last == std::string_view::npos) return in_text;
  text = text.substr(0, last + 1);
  const auto lines = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  if (in_text.line <= lines) return in_text;
  const auto line_begin = text.find_last_of('\n') + 1;  // 0 where there is one line: npos + 1
  return {in_text.file, lines, static_cast<std::uint32_t>(text.size() - line_begin) + 1};
}

}  // namespace

json::value to_json(const Node& node) {
  if (node.is_sequence()) {
    json::array out;
    out.reserve(node.items().size());
    for (const auto* item : node.items()) out.push_back(to_json(*item));
    return out;
  }
  if (node.is_mapping()) {
    json::object out;
    out.reserve(node.entries().size());
    for (const auto& entry : node.entries()) out[entry.key->text()] = to_json(*entry.value);
    return out;
  }
  if (node.is_null()) return nullptr;
  if (node.style() == Node::Style::kPlain) {
    if (const auto boolean = as_boolean(node)) return *boolean;
    if (const auto integer = as_integer(node)) return *integer;
    if (const auto number = as_number(node); number && std::isfinite(*number)) return *number;
  }
  return json::value(json::string(node.text()));
}

YamlValue to_yaml(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return {};
    case json::kind::bool_: return value.get_bool();
    case json::kind::int64: return value.get_int64();
    case json::kind::uint64: {
      YamlValue token;
      token.scalar = std::to_string(value.get_uint64());
      return token;
    }
    case json::kind::double_: return value.get_double();
    case json::kind::string: return std::string_view(value.get_string());
    case json::kind::array: {
      auto list = YamlValue::list();
      for (const auto& item : value.get_array()) list.items.push_back(to_yaml(item));
      return list;
    }
    case json::kind::object: break;
  }
  auto map = YamlValue::map();
  for (const auto& [key, item] : value.get_object()) map.entries.emplace_back(std::string(key), to_yaml(item));
  return map;
}

std::string field_at(const Node& item, const Place& place) {
  Nearest nearest{place, {}, {}};
  nearest.walk(item, "");
  return nearest.path;
}

Place place_within(std::string_view text, const Node& scalar, const Place& in_text) {
  auto place = scalar.place();
  if (in_text.line == 0) return place;
  const bool quoted = scalar.style() == Node::Style::kSingleQuoted || scalar.style() == Node::Style::kDoubleQuoted;
  if (scalar.style() == Node::Style::kLiteral) {
    // The text begins on the line after the `|`; all its lines are indented as its first.
    auto indent = indent_by_length(scalar);
    if (scalar.end() <= text.size()) {
      const auto raw = text.substr(scalar.begin(), scalar.end() - scalar.begin());
      const auto first = raw.find('\n');
      if (first == std::string_view::npos) return place;
      const auto begin = raw.find_first_not_of(' ', first + 1);
      indent = begin == std::string_view::npos ? 0 : begin - first - 1;
    }
    const auto within = within_lines(scalar.text(), in_text);
    place.line += within.line;
    place.column = indent == 0 ? 1 : static_cast<std::uint32_t>(indent) + within.column;
  } else if (in_text.line == 1 && in_text.column > 0 && (quoted || scalar.style() == Node::Style::kPlain) &&
             scalar.end() - scalar.begin() == scalar.text().size() + (quoted ? 2 : 0)) {
    // As many bytes as the text has: neither escapes nor folded lines.
    place.column += in_text.column - 1 + (quoted ? 1 : 0);
  }
  return place;
}

}  // namespace atalaya::schema
