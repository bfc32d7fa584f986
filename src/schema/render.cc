// From plain values back to words: for files and for people.
#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "config/sizes.h"
#include "schema/type_script.h"
#include "schema/validate.h"

namespace atalaya::schema {
namespace {

namespace json = boost::json;
using config::YamlValue;

constexpr const char* kHidden = "••••••";

const Field* find_field(const Type& type, std::string_view name) {
  const auto found =
      std::find_if(type.fields.begin(), type.fields.end(), [&](const Field& f) { return f.name == name; });
  return found == type.fields.end() ? nullptr : &*found;
}

std::optional<std::int64_t> integer_of(const json::value& value) {
  if (const auto* number = value.if_int64()) return *number;
  return std::nullopt;
}

YamlValue serialise_parts(const json::value& value, const Type& type, const Rules& rules) {
  if (const auto* items = value.if_array(); items != nullptr && type.of) {
    if (type.one_or_many && items->size() == 1) return serialise(items->front(), *type.of, rules);
    auto list = YamlValue::list();
    for (const auto& item : *items) list.items.push_back(serialise(item, *type.of, rules));
    return list;
  }
  const auto* object = value.if_object();
  if (object == nullptr || (type.kind != Kind::kMap && type.kind != Kind::kRecord)) return to_yaml(value);
  auto map = YamlValue::map();
  for (const auto& [key, part] : *object) {
    const auto* field = type.kind == Kind::kRecord ? find_field(type, key) : nullptr;
    const auto* of = type.kind == Kind::kMap ? type.of.get() : field != nullptr ? field->type.get() : nullptr;
    map.entries.emplace_back(std::string(key), of != nullptr ? serialise(part, *of, rules) : to_yaml(part));
  }
  return map;
}

/// In the largest unit that leaves at least one, with at most one decimal.
std::string format_size(std::int64_t bytes) {
  static constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < kUnits.size(); ++unit) size /= 1024;
  return fmt::format("{:g} {}", std::round(size * 10) / 10, kUnits[unit]);
}

std::string format_number(const json::value& value, const Type& type) {
  if (type.kind == Kind::kRatio && value.is_double()) return fmt::format("{:g} %", value.get_double() * 100);
  const auto integer = integer_of(value);
  if (type.kind == Kind::kDuration && integer) return format_duration(Duration{*integer});
  if (type.kind == Kind::kTime && integer) return format_rfc3339(from_ms(*integer));
  if (type.kind == Kind::kBytes && integer) return format_size(*integer);
  const auto number = value.is_double() ? fmt::format("{:g}", value.get_double()) : json::serialize(value);
  return type.unit.empty() ? number : number + " " + type.unit;
}

std::string format_parts(const json::value& value, const Type& type, const Rules& rules) {
  std::string out;
  const auto add = [&](const std::string& part) { out += (out.empty() ? "" : ", ") + part; };
  if (const auto* items = value.if_array()) {
    for (const auto& item : *items) add(type.of ? format(item, *type.of, rules) : json::serialize(item));
    return out;
  }
  for (const auto& [key, part] : value.get_object()) {
    const auto* field = type.kind == Kind::kRecord ? find_field(type, key) : nullptr;
    const auto* of = type.kind == Kind::kMap ? type.of.get() : field != nullptr ? field->type.get() : nullptr;
    if (part.is_null() && (of == nullptr || of->or_words.empty())) continue;
    add(fmt::format("{} {}", std::string_view(key), of != nullptr ? format(part, *of, rules) : json::serialize(part)));
  }
  return out;
}

}  // namespace

YamlValue serialise(const json::value& value, const Type& type, const Rules& rules) {
  if (value.is_null()) return type.or_words.empty() ? YamlValue() : YamlValue(type.or_words.front());
  if (!type.script.empty() && rules.run) {
    if (const auto written = ask_script(rules, type, "serialise", value)) return to_yaml(*written);
  }
  const auto integer = integer_of(value);
  switch (type.kind) {
    case Kind::kDuration: return integer ? YamlValue(Duration{*integer}) : to_yaml(value);
    case Kind::kTime: return integer ? YamlValue(format_rfc3339(from_ms(*integer))) : to_yaml(value);
    case Kind::kBytes: {
      if (!integer || *integer < 0) return to_yaml(value);
      auto text = config::format_bytes(static_cast<std::uint64_t>(*integer));
      const bool bare = text.find_first_not_of("0123456789") == std::string::npos;
      return bare ? YamlValue(*integer) : YamlValue(std::move(text));
    }
    case Kind::kList:
    case Kind::kMap:
    case Kind::kRecord: return serialise_parts(value, type, rules);
    default: return to_yaml(value);
  }
}

std::string format(const json::value& value, const Type& type, const Rules& rules) {
  if (type.kind == Kind::kSecret) return value.is_null() ? std::string() : kHidden;
  if (value.is_null()) return type.or_words.empty() ? std::string() : type.or_words.front();
  if (!type.script.empty() && rules.run) {
    if (const auto text = ask_script(rules, type, "format", value); text && text->is_string()) {
      return std::string(text->get_string());
    }
  }
  if (value.is_bool()) return value.get_bool() ? "yes" : "no";
  if (value.is_number()) return format_number(value, type);
  if (type.kind == Kind::kScript) {
    const auto* file = value.is_object() ? value.get_object().if_contains("file") : nullptr;
    if (file != nullptr && file->is_string()) return std::string(file->get_string());
    if (value.is_string()) {
      const std::string_view text = value.get_string();
      return fmt::format("{} lines", std::count(text.begin(), text.end(), '\n') + (text.ends_with('\n') ? 0 : 1));
    }
  }
  if (type.kind == Kind::kAny && !value.is_string()) return json::serialize(value);
  if (value.is_string()) return std::string(value.get_string());
  return format_parts(value, type, rules);
}

}  // namespace atalaya::schema
