#include "packages/fields.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "config/suggest.h"

namespace atalaya::packages {
namespace {

namespace json = boost::json;
using config::Errors;
using config::Node;

void add(Errors& errors, const Node& node, std::string message, std::string remedy = {}) {
  errors.push_back({ErrorCode::kInvalidArgument, std::move(message), node.place(), std::move(remedy)});
}

template <typename T>
std::optional<T> value_of(const Node& node, Errors& errors) {
  T value{};
  const auto before = errors.size();
  decode(node, value, errors);
  if (errors.size() != before) return std::nullopt;
  return value;
}

bool in_bounds(const Field& field, double value, const Node& node, Errors& errors) {
  if (std::isfinite(value) && value >= field.least && value <= field.most) return true;
  if (field.most < 1e300) {
    add(errors, node,
        fmt::format("\"{}\" is {:g}; it must be {:g} to {:g}", field.name, value, field.least, field.most));
  } else if (field.least > -1e300) {
    add(errors, node,
        fmt::format("\"{}\" is {:g}; it must be a finite number of at least {:g}", field.name, value, field.least));
  } else {
    add(errors, node, fmt::format("\"{}\" must be a finite number", field.name));
  }
  return false;
}

std::vector<std::string> words_of(std::string_view words) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= words.size();) {
    const auto end = std::min(words.find('|', at), words.size());
    out.emplace_back(words.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::optional<json::value> read_text(const Field& field, const Node& node, Errors& errors) {
  const auto text = value_of<std::string>(node, errors);
  if (!text) return std::nullopt;
  if (!field.words.empty()) {
    const auto words = words_of(field.words);
    if (std::find(words.begin(), words.end(), *text) == words.end()) {
      add(errors, node, fmt::format("\"{}\" is no value of \"{}\"", *text, field.name),
          config::suggestion(*text, words));
      return std::nullopt;
    }
  }
  if (field.required && text->empty()) {
    add(errors, node, fmt::format("\"{}\" is empty", field.name));
    return std::nullopt;
  }
  return json::value(*text);
}

std::optional<json::value> read_texts(const Node& node, Errors& errors) {
  std::vector<std::string> texts;
  if (node.is_sequence()) {
    const auto before = errors.size();
    decode(node, texts, errors);
    if (errors.size() != before) return std::nullopt;
  } else if (auto one = value_of<std::string>(node, errors)) {
    texts.push_back(std::move(*one));
  } else {
    return std::nullopt;
  }
  json::array out;
  for (auto& text : texts) out.emplace_back(text);
  return out;
}

std::optional<json::value> read_map(const Node& node, Errors& errors) {
  const auto texts = value_of<std::map<std::string, std::string>>(node, errors);
  if (!texts) return std::nullopt;
  json::object out;
  for (const auto& [key, text] : *texts) out[key] = text;
  return out;
}

std::optional<json::value> read_levels(const Field& field, const Node& node, Errors& errors) {
  config::Reader read(node, fmt::format("\"{}\"", field.name), errors);
  json::object out;
  for (const auto* level : {"warning", "critical"}) {
    if (const auto number = read.optional<double>(level)) {
      if (in_bounds({.name = level, .type = FieldType::kNumber}, *number, *node.get(level), errors))
        out[level] = *number;
    }
  }
  if (read.ok() && out.empty()) {
    add(errors, node, fmt::format("\"{}\" sets neither warning nor critical", field.name),
        "set at least one, e.g. {warning: 0.8, critical: 0.9}");
  }
  read.finish();
  if (!read.ok()) return std::nullopt;
  return out;
}

std::optional<json::value> read_duration(const Node& node, Errors& errors) {
  const auto duration = value_of<Duration>(node, errors);
  if (!duration) return std::nullopt;
  return json::value(static_cast<std::int64_t>(duration->count()));
}

std::optional<json::value> read_value(const Field& field, const Node& node, Errors& errors) {
  switch (field.type) {
    case FieldType::kText: return read_text(field, node, errors);
    case FieldType::kInteger: {
      const auto number = value_of<std::int64_t>(node, errors);
      if (!number || !in_bounds(field, static_cast<double>(*number), node, errors)) return std::nullopt;
      return json::value(*number);
    }
    case FieldType::kNumber: {
      const auto number = value_of<double>(node, errors);
      if (!number || !in_bounds(field, *number, node, errors)) return std::nullopt;
      return json::value(*number);
    }
    case FieldType::kBoolean: {
      const auto boolean = value_of<bool>(node, errors);
      if (!boolean) return std::nullopt;
      return json::value(*boolean);
    }
    case FieldType::kDurationOrNever:
      if (node.is_scalar() && node.text() == "never") return json::value(nullptr);
      return read_duration(node, errors);
    case FieldType::kDuration: return read_duration(node, errors);
    case FieldType::kTexts: return read_texts(node, errors);
    case FieldType::kTextMap: return read_map(node, errors);
    case FieldType::kLevels: return read_levels(field, node, errors);
  }
  return std::nullopt;
}

}  // namespace

json::object read_fields(config::Reader& read, std::span<const Field> fields, Errors& errors) {
  json::object out;
  for (const auto& field : fields) {
    const auto* node = field.required ? read.require(field.name) : read.find(field.name);
    if (node == nullptr || (!field.required && node->is_null())) continue;
    if (auto value = read_value(field, *node, errors)) out[field.name] = std::move(*value);
  }
  return out;
}

json::value to_json(const Node& node) {
  if (node.is_sequence()) {
    json::array out;
    for (const auto* item : node.items()) out.push_back(to_json(*item));
    return out;
  }
  if (node.is_mapping()) {
    json::object out;
    for (const auto& entry : node.entries()) out[entry.key->text()] = to_json(*entry.value);
    return out;
  }
  if (node.is_null()) return nullptr;
  if (node.style() == Node::Style::kPlain) {
    if (const auto boolean = as_boolean(node)) return *boolean;
    if (const auto integer = as_integer(node)) return *integer;
    if (const auto number = as_number(node); number && std::isfinite(*number)) return *number;
  }
  return json::value(node.text());
}

Place place_within(const config::Document& document, const Node& scalar, const Place& in_text) {
  auto place = scalar.place();
  if (in_text.line == 0) return place;
  const auto raw = std::string_view(document.text()).substr(scalar.begin(), scalar.end() - scalar.begin());
  const bool quoted = scalar.style() == Node::Style::kSingleQuoted || scalar.style() == Node::Style::kDoubleQuoted;
  if (in_text.line == 1 && (quoted || scalar.style() == Node::Style::kPlain)) {
    const auto shown = quoted && raw.size() >= 2 ? raw.substr(1, raw.size() - 2) : raw;
    if (shown == scalar.text() && in_text.column > 0) place.column += in_text.column - 1 + (quoted ? 1 : 0);
  } else if (scalar.style() == Node::Style::kLiteral) {
    // The text begins on the line after the `|`; all its lines are indented as its first.
    const auto first = raw.find('\n');
    if (first == std::string_view::npos) return place;
    const auto indent = raw.find_first_not_of(' ', first + 1) - first - 1;
    place.line += in_text.line;
    place.column = static_cast<std::uint32_t>(indent) + in_text.column;
  }
  return place;
}

}  // namespace atalaya::packages
