#include "sense/part_types.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "config/suggest.h"
#include "config/yaml.h"

namespace atalaya {
EmbeddedFiles sense_data();
}

namespace atalaya::sense {
namespace {

using config::Node;
using Kind = AttributeType::Kind;

// The data is part of the program: what is wrong with it is wrong with us.

template <typename T>
T sound(Result<T> result) {
  AT_CHECK(result.has_value());
  return std::move(*result);
}

Kind kind_of(std::string_view type) {
  if (type == "integer") return Kind::kInteger;
  if (type == "number") return Kind::kNumber;
  if (type == "boolean") return Kind::kBoolean;
  AT_CHECK(type == "string" || type == "uri");
  return Kind::kText;
}

Setting setting_of(Kind kind, const Node& node) {
  switch (kind) {
    case Kind::kText: return node.text();
    case Kind::kInteger: return sound(config::as_integer(node));
    case Kind::kNumber: return sound(config::as_number(node));
    case Kind::kBoolean: return sound(config::as_boolean(node));
  }
  AT_CHECK(false);
}

AttributeType read_attribute(std::string_view name, const Node& node) {
  AttributeType out;
  out.name = short_name(name);
  out.kind = kind_of(node.get("type")->text());
  const auto flag = [&](std::string_view key) { return node.get(key) && sound(config::as_boolean(*node.get(key))); };
  out.required = flag("required");
  out.secret = flag("secret");
  if (const auto* least = node.get("min")) out.min = sound(config::as_number(*least));
  if (const auto* greatest = node.get("max")) out.max = sound(config::as_number(*greatest));
  if (const auto* most = node.get("most")) out.most = static_cast<std::size_t>(sound(config::as_integer(*most)));
  if (const auto* fallback = node.get("default")) out.fallback = setting_of(out.kind, *fallback);
  if (const auto* pattern = node.get("pattern")) {
    out.pattern = pattern->text();
    out.regex = std::make_shared<const re2::RE2>(out.pattern);
    AT_CHECK(out.regex->ok());
  }
  return out;
}

std::vector<PartType> read_types(Family family, std::string_view file) {
  const auto files = sense_data();
  const auto at = std::find_if(files.begin(), files.end(), [&](const auto& one) { return one.path == file; });
  AT_CHECK(at != files.end());
  const auto document = sound(config::Document::parse(std::string(at->bytes), std::string(file)));
  std::vector<PartType> out;
  for (const auto& mixin : document.root().get("mixins")->entries()) {
    PartType type{family, mixin.key->text(), {}};
    for (const auto& entry : mixin.value->get("attributes")->entries())
      type.attributes.push_back(read_attribute(entry.key->text(), *entry.value));
    out.push_back(std::move(type));
  }
  return out;
}

std::vector<std::string> names(const std::vector<PartType>& types) {
  std::vector<std::string> out;
  for (const auto& type : types) out.push_back(type.name);
  return out;
}
std::vector<std::string> names(const std::vector<AttributeType>& types) {
  std::vector<std::string> out;
  for (const auto& type : types) out.push_back(type.name);
  return out;
}

std::string_view word(Kind kind) {
  switch (kind) {
    case Kind::kText: return "a text";
    case Kind::kInteger: return "a whole number";
    case Kind::kNumber: return "a number";
    case Kind::kBoolean: return "true or false";
  }
  AT_CHECK(false);
}

std::optional<double> as_number(const Setting& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return std::nullopt;
}

/// The value as the attribute's type has it; nothing when it is of another.
std::optional<Setting> as_kind(Kind kind, const Setting& value) {
  const auto number = as_number(value);
  switch (kind) {
    case Kind::kText:
      if (std::holds_alternative<std::string>(value)) return value;
      return std::nullopt;
    case Kind::kInteger:
      if (!number || std::trunc(*number) != *number || std::fabs(*number) > 9e15) return std::nullopt;
      return static_cast<std::int64_t>(*number);
    case Kind::kNumber:
      if (!number || !std::isfinite(*number)) return std::nullopt;
      return *number;
    case Kind::kBoolean:
      if (std::holds_alternative<bool>(value)) return value;
      return std::nullopt;
  }
  AT_CHECK(false);
}

/// "" when the value keeps the attribute's bounds.
std::string out_of_bounds(const AttributeType& type, const Setting& value) {
  if (const auto number = as_number(value)) {
    if (type.min && *number < *type.min) return fmt::format("{} is below {}", *number, *type.min);
    if (type.max && *number > *type.max) return fmt::format("{} is above {}", *number, *type.max);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    // A secret that is kept sealed is longer than the secret.
    const auto most = type.secret ? 2 * type.most + 64 : type.most;
    if (text->size() > most) return fmt::format("{} bytes are more than {}", text->size(), most);
    const bool control = std::any_of(text->begin(), text->end(), [](unsigned char c) { return c < 32 || c == 127; });
    if (control) return "a control character stands in it";
    if (type.regex && !re2::RE2::FullMatch(*text, *type.regex))
      return type.secret ? "it does not match" : fmt::format("\"{}\" does not match {}", *text, type.pattern);
  }
  return "";
}

}  // namespace

const AttributeType* PartType::find(std::string_view wanted) const {
  for (const auto& attribute : attributes)
    if (attribute.name == wanted) return &attribute;
  return nullptr;
}

std::string_view PartType::input() const {
  for (const std::string_view one : {"instream", "input", "in_msg"})
    if (find(one) != nullptr) return one;
  AT_CHECK(false);
}

EmbeddedFiles mixin_files() { return sense_data(); }

std::string_view term_of(std::string_view mixin) {
  const auto mark = mixin.rfind('#');
  return mark == std::string_view::npos ? mixin : mixin.substr(mark + 1);
}
std::string_view short_name(std::string_view attribute) {
  const auto dot = attribute.rfind('.');
  return dot == std::string_view::npos ? attribute : attribute.substr(dot + 1);
}

const std::vector<PartType>& part_types(Family family) {
  static const auto aggregators = read_types(Family::kAggregator, "aggregators.yaml");
  static const auto publishers = read_types(Family::kPublisher, "publishers.yaml");
  return family == Family::kAggregator ? aggregators : publishers;
}

const PartType* find_part_type(Family family, std::string_view mixin) {
  const auto term = term_of(mixin);
  for (const auto& type : part_types(family))
    if (type.name == term) return &type;
  return nullptr;
}

Result<PartSettings> PartSettings::read(Family family, const Part& part) {
  PartSettings out;
  out.type_ = find_part_type(family, part.mixin);
  if (out.type_ == nullptr) {
    const auto* what = family == Family::kAggregator ? "aggregator" : "publisher";
    return fail(ErrorCode::kInvalidArgument, fmt::format("there is no {} {}", what, part.mixin),
                config::suggestion(term_of(part.mixin), names(part_types(family))));
  }
  for (const auto& [given, value] : part.attributes) {
    const auto name = short_name(given);
    const auto* type = out.type_->find(name);
    if (type == nullptr)
      return out.wrong(name, "there is no such attribute", config::suggestion(name, names(out.type_->attributes)));
    auto fitting = as_kind(type->kind, value);
    if (!fitting) return out.wrong(name, fmt::format("it is not {}", word(type->kind)));
    const auto problem = out_of_bounds(*type, *fitting);
    if (!problem.empty()) return out.wrong(name, problem);
    if (!out.values_.emplace(name, std::move(*fitting)).second) return out.wrong(name, "it is given twice");
  }
  for (const auto& type : out.type_->attributes) {
    if (out.values_.contains(type.name)) continue;
    if (type.required) return out.wrong(type.name, "it is missing");
    if (type.fallback) out.values_.emplace(type.name, *type.fallback);
  }
  return out;
}

std::string PartSettings::text(std::string_view attribute) const {
  const auto at = values_.find(attribute);
  return at == values_.end() ? std::string() : std::get<std::string>(at->second);
}
std::optional<double> PartSettings::number(std::string_view attribute) const {
  const auto at = values_.find(attribute);
  return at == values_.end() ? std::nullopt : as_number(at->second);
}
std::int64_t PartSettings::integer(std::string_view attribute) const {
  const auto at = values_.find(attribute);
  return at == values_.end() ? 0 : std::get<std::int64_t>(at->second);
}
bool PartSettings::flag(std::string_view attribute) const {
  const auto at = values_.find(attribute);
  return at != values_.end() && std::get<bool>(at->second);
}
std::optional<Duration> PartSettings::seconds(std::string_view attribute) const {
  const auto given = number(attribute);
  if (!given) return std::nullopt;
  return Duration{static_cast<std::int64_t>(std::llround(*given * 1000))};
}

std::vector<std::string> PartSettings::list(std::string_view attribute) const {
  std::vector<std::string> out;
  const auto all = text(attribute);
  std::size_t from = 0;
  while (from <= all.size()) {
    const auto comma = std::min(all.find(',', from), all.size());
    auto name = std::string_view(all).substr(from, comma - from);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty()) out.emplace_back(name);
    from = comma + 1;
  }
  return out;
}

std::unexpected<Error> PartSettings::wrong(std::string_view attribute, std::string message, std::string remedy) const {
  return fail(ErrorCode::kInvalidArgument, fmt::format("{}: {}: {}", type_->name, attribute, message),
              std::move(remedy));
}

}  // namespace atalaya::sense
