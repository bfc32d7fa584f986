#include "api/occi_items.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "auth/digest.h"
#include "occi/monitoring.h"

namespace atalaya::api {
namespace {

namespace json = boost::json;
using config::YamlValue;
using occi::Entity;
using occi::Model;
using occi::Value;

std::string name_of(const std::string& item) { return item.substr(item.rfind('/') + 1); }

std::optional<Value> value_of(const json::value& from) {
  if (from.is_string()) return Value(std::string(from.get_string()));
  if (from.is_bool()) return Value(from.get_bool());
  if (from.is_int64()) return Value(from.get_int64());
  if (from.is_double()) return Value(from.get_double());
  return std::nullopt;
}

std::string text(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::vector<std::string> texts(const json::object& from, std::string_view key) {
  std::vector<std::string> out;
  const auto* list = from.if_contains(key);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& one : list->get_array()) {
    if (one.is_string()) out.emplace_back(one.get_string());
  }
  return out;
}

YamlValue yaml(const Value& value) {
  if (const auto* one = std::get_if<std::string>(&value)) return YamlValue(*one);
  if (const auto* one = std::get_if<std::int64_t>(&value)) return YamlValue(*one);
  if (const auto* one = std::get_if<double>(&value)) return YamlValue(*one);
  return YamlValue(std::get<bool>(value));
}

YamlValue yaml(const std::vector<std::string>& list) {
  auto out = YamlValue::list();
  for (const auto& one : list) out.items.emplace_back(one);
  return out;
}

/// The kind of a section that holds several, by its term or id; of others the one that it holds.
const occi::Category* kind_of(const Model& model, const std::string& section, const std::string& given) {
  if (const auto* found = model.kind(given)) return found;
  const occi::Category* out = nullptr;
  for (const auto* one : model.all()) {
    if (one->cls != occi::Category::Class::kKind || model.section_of(*one) != section || one->location.empty())
      continue;
    if (given.empty() ? one->section == section && (out == nullptr || model.is_a(out->id(), one->id()))
                      : one->term == given)
      out = one;
  }
  return out;
}

/// A mapping within `attributes` says the first parts of names once.
void take_attributes(Entity& entity, const std::string& prefix, const json::object& from) {
  for (const auto& [key, one] : from) {
    const auto name = prefix.empty() ? std::string(key) : fmt::format("{}.{}", prefix, std::string_view(key));
    if (one.is_object())
      take_attributes(entity, name, one.get_object());
    else if (auto value = value_of(one); value && occi::is_attribute_name(name))
      entity.attributes.insert_or_assign(name, std::move(*value));
  }
}

std::vector<const occi::Attribute*> definitions(const Model& model, const Entity& entity) {
  std::vector<const occi::Attribute*> out;
  if (const auto* kind = model.kind(entity.kind)) out = model.attributes_of(*kind);
  for (const auto& id : entity.mixins) {
    const auto* mixin = model.mixin(id);
    if (mixin == nullptr) continue;
    for (const auto* one : model.attributes_of(*mixin)) out.push_back(one);
  }
  return out;
}

YamlValue in_seconds(const Value& value) {
  const auto* whole = std::get_if<std::int64_t>(&value);
  return whole == nullptr ? yaml(value) : YamlValue(format_duration(Duration{*whole * 1000}));
}

bool is_end(std::string_view name) { return name == occi::kSource || name == occi::kTarget; }

}  // namespace

std::vector<std::string> occi_sections(const Model& model) {
  std::vector<std::string> out;
  for (const auto* one : model.all()) {
    if (!one->section.empty() && std::find(out.begin(), out.end(), one->section) == out.end())
      out.push_back(one->section);
  }
  std::stable_partition(out.begin(), out.end(), [&](const auto& section) {
    const auto* kind = kind_of(model, section, "");
    return kind == nullptr || !model.is_link(kind->id());
  });
  return out;
}

namespace {

/// RFC 9562, version 8: the bits are ours.
std::string uuid_of(const std::string& words) {
  auto bytes = auth::sha256("occi:" + words).substr(0, 16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x80);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
  }
  return out;
}

}  // namespace

std::string occi_id(const std::string& package, const std::string& item) {
  return package == "ondemand" ? name_of(item) : uuid_of(item);
}

std::string occi_id_beside_another(const std::string& section, const std::string& item) {
  return uuid_of(section + ":" + item);
}

std::optional<Entity> entity_of(const Model& model, const packages::FoundInPackage& found, const OcciIds& ids) {
  const auto& fields = found.item->fields;
  const auto* kind = kind_of(model, found.item->section, text(fields, "kind"));
  if (kind == nullptr) return std::nullopt;
  Entity out;
  out.id = occi_id(found.package->name, found.item->id);
  out.kind = kind->id();
  out.item = found.item->id;
  out.writable = found.package->name.find('@') == std::string::npos;
  out.mixins = texts(fields, "mixins");
  if (const auto* attributes = fields.if_contains("attributes"); attributes != nullptr && attributes->is_object())
    take_attributes(out, "", attributes->get_object());
  for (const auto* attribute : definitions(model, out)) {
    const auto* given = attribute->field.empty() ? nullptr : fields.if_contains(attribute->field);
    auto value = given == nullptr ? std::nullopt : value_of(*given);
    if (!value) continue;
    // Durations stand in items, and are milliseconds there.
    if (auto* ms = std::get_if<std::int64_t>(&*value); ms != nullptr && attribute->seconds) *ms /= 1000;
    if (is_end(attribute->name)) {
      // Within its package an item is named without it.
      const auto given_id = occi::text_of(*value);
      auto end = ids(fmt::format("{}/{}", found.package->name, given_id));
      if (!end) end = ids(given_id);
      if (!end) return std::nullopt;
      value = std::move(*end);
    }
    out.attributes.insert_or_assign(attribute->name, std::move(*value));
  }
  if (model.is_link(kind->id()) && (out.text(occi::kSource).empty() || out.text(occi::kTarget).empty()))
    return std::nullopt;
  if (const auto* states = model.with_states(*kind)) {
    const auto state = text(fields, "state");
    out.attributes.insert_or_assign(states->state_attribute, state.empty() ? states->initial_state : state);
  }
  return out;
}

std::optional<occi::Category> mixin_of(const packages::FoundInPackage& found) {
  const auto& fields = found.item->fields;
  occi::Category out;
  out.cls = occi::Category::Class::kMixin;
  out.title = text(fields, "title");
  out.term = text(fields, "term");
  if (out.term.empty()) out.term = name_of(found.item->id);
  out.scheme = text(fields, "scheme");
  out.location = text(fields, "location");
  out.applies = texts(fields, "applies");
  out.depends = texts(fields, "depends");
  out.item = found.item->id;
  if (const auto program = text(fields, "program"); !program.empty()) {
    // What it measures makes it a metric, whether it says so or not.
    if (std::find(out.depends.begin(), out.depends.end(), occi::kMetric) == out.depends.end())
      out.depends.emplace_back(occi::kMetric);
    if (!occi::bind_program(out, program)) return std::nullopt;
  }
  return out;
}

YamlValue item_of(const Model& model, const Entity& entity,
                  const std::function<std::string(std::string_view id)>& item_of_entity) {
  auto out = YamlValue::map();
  const auto* kind = model.kind(entity.kind);
  const auto section = kind == nullptr ? std::string() : model.section_of(*kind);
  if (kind != nullptr && kind_of(model, section, "") != kind)
    out.set("kind", kind_of(model, section, kind->term) == kind ? kind->term : kind->id());
  const auto* states = kind == nullptr ? nullptr : model.with_states(*kind);
  std::vector<std::string> done;
  for (const auto* attribute : definitions(model, entity)) {
    const auto at = entity.attributes.find(attribute->name);
    if (attribute->field.empty() || at == entity.attributes.end()) continue;
    done.push_back(attribute->name);
    out.set(attribute->field, is_end(attribute->name) ? YamlValue(item_of_entity(occi::text_of(at->second)))
                              : attribute->seconds    ? in_seconds(at->second)
                                                      : yaml(at->second));
  }
  if (states != nullptr) {
    const auto state = entity.text(states->state_attribute);
    if (!state.empty() && state != states->initial_state) out.set("state", state);
    done.push_back(states->state_attribute);
  }
  if (!entity.mixins.empty()) out.set("mixins", yaml(entity.mixins));
  auto attributes = YamlValue::map();
  for (const auto& [name, value] : entity.attributes) {
    if (std::find(done.begin(), done.end(), name) == done.end()) attributes.set(name, yaml(value));
  }
  if (!attributes.entries.empty()) out.set("attributes", std::move(attributes));
  return out;
}

YamlValue item_of(const occi::Category& mixin) {
  auto out = YamlValue::map();
  if (!mixin.title.empty()) out.set("title", mixin.title);
  out.set("term", mixin.term);
  out.set("scheme", mixin.scheme);
  out.set("location", mixin.location);
  if (!mixin.applies.empty()) out.set("applies", yaml(mixin.applies));
  if (!mixin.depends.empty()) out.set("depends", yaml(mixin.depends));
  if (mixin.measure && !mixin.measure->program.empty()) out.set("program", mixin.measure->program);
  return out;
}

}  // namespace atalaya::api
