#include "schema/describe.h"

#include <boost/json.hpp>

#include <cmath>
#include <vector>

namespace atalaya::schema {
namespace {

namespace json = boost::json;

/// Types may be built on types on types; what a form cannot need is left out, and `types` has it.
constexpr std::size_t kMostFields = 100'000;

json::array texts(const std::vector<std::string>& values) {
  json::array out;
  for (const auto& value : values) out.emplace_back(value);
  return out;
}

json::array sets(const std::vector<std::vector<std::string>>& values) {
  json::array out;
  for (const auto& set : values) out.push_back(texts(set));
  return out;
}

class Describer {
 public:
  void put_type(const Type& type, json::object& out);
  json::object field(const Field& field);

 private:
  void put_limits(const Type& type, json::object& out);
  void put_record(const Type& type, json::object& out);

  std::vector<const Type*> within_;
  std::size_t fields_ = 0;
};

void Describer::put_limits(const Type& type, json::object& out) {
  const auto& own = *builtin(type.kind);
  const bool bounded = type.kind == Kind::kPort || type.kind == Kind::kRatio;
  if (std::isfinite(type.least) && (bounded || type.least != own.least)) out["min"] = type.least;
  if (std::isfinite(type.most) && (bounded || type.most != own.most)) out["max"] = type.most;
  if (!type.pattern.empty()) out["pattern"] = type.pattern;
  if (!type.pattern_help.empty()) out["pattern_help"] = type.pattern_help;
  if (!type.or_words.empty()) out["or"] = texts(type.or_words);
  if (!type.unit.empty()) out["unit"] = type.unit;
  if (!type.variables.empty()) out["variables"] = type.variables;
  if (!type.script.empty()) out["script"] = true;
  if (!type.help.empty()) out["type_help"] = type.help;
}

void Describer::put_record(const Type& type, json::object& out) {
  // A route holds routes: the inner ones are looked up by their type's name.
  bool again = fields_ > kMostFields;
  for (const auto* outer : within_) again = again || outer == &type;
  if (again) {
    out["recursive"] = true;
    return;
  }
  within_.push_back(&type);
  json::array fields;
  for (const auto& one : type.fields) fields.push_back(field(one));
  within_.pop_back();
  out["fields"] = std::move(fields);
  if (!type.one_of.empty()) out["one_of"] = sets(type.one_of);
  if (!type.some_of.empty()) out["some_of"] = sets(type.some_of);
}

void Describer::put_type(const Type& type, json::object& out) {
  out["kind"] = name(type.kind);
  out["type"] = type.name;
  if (type.of) {
    json::object of;
    put_type(*type.of, of);
    out["of"] = std::move(of);
  }
  if (type.one_or_many) out["one_or_many"] = true;
  if (!type.section.empty()) out["section"] = type.section;
  if (!type.choices.empty()) {
    json::array values;
    for (const auto& choice : type.choices) values.push_back({{"value", choice.value}, {"help", choice.help}});
    out["values"] = std::move(values);
  }
  if (type.kind == Kind::kRecord) put_record(type, out);
  put_limits(type, out);
}

json::object Describer::field(const Field& field) {
  ++fields_;
  json::object out{
      {"name", field.name}, {"title", title_of(field)}, {"help", field.help}, {"required", field.required}};
  if (!field.fallback.is_null()) {
    auto shown = field.fallback;
    hide_all_secrets(shown, *field.type);
    out["default"] = std::move(shown);
  }
  if (!field.example.empty()) out["example"] = field.example;
  put_type(*field.type, out);
  return out;
}

std::string_view name_of(Shape shape) {
  switch (shape) {
    case Shape::kTree: return "tree";
    case Shape::kList: return "list";
    case Shape::kDocument: return "document";
  }
  return "tree";
}

}  // namespace

void hide_all_secrets(json::value& value, const Type& type) {
  if (value.is_null()) return;
  if (type.kind == Kind::kSecret) {
    value = kHiddenSecret;
  } else if (type.one_or_many && type.of && !value.is_array()) {
    hide_all_secrets(value, *type.of);
  } else if (auto* list = value.if_array(); list != nullptr && type.of) {
    for (auto& one : *list) hide_all_secrets(one, *type.of);
  } else if (auto* values = value.if_object()) {
    for (const auto& field : type.fields) {
      if (auto* one = values->if_contains(field.name)) hide_all_secrets(*one, *field.type);
    }
    if (type.kind != Kind::kMap || !type.of) return;
    for (auto& [name, one] : *values) hide_all_secrets(one, *type.of);
  }
}

json::object to_json(const Field& field) { return Describer().field(field); }

namespace {

json::object describe(const Section& section, Describer& describer) {
  json::object out{{"name", section.name}, {"item", section.item},       {"title", section.title},
                   {"help", section.help}, {"package", section.package}, {"shape", name_of(section.shape)}};
  if (!section.acts.empty()) out["acts"] = section.acts;
  if (!section.open_kinds.empty()) out["open_kinds"] = section.open_kinds;
  json::array indexes;
  for (const auto& index : section.indexes) {
    Field field;
    field.name = index.name;
    field.title = index.title;
    field.help = index.help;
    field.type = index.type;
    field.required = true;
    indexes.push_back(describer.field(field));
  }
  out["indexes"] = std::move(indexes);
  json::array fields;
  for (const auto& field : section.body->fields) fields.push_back(describer.field(field));
  out["fields"] = std::move(fields);
  out["one_of"] = sets(section.body->one_of);
  out["some_of"] = sets(section.body->some_of);
  json::array field_sets;
  for (const auto& set : section.field_sets) {
    field_sets.push_back({{"name", set.name}, {"title", set.title}, {"page", set.page}, {"fields", texts(set.fields)}});
  }
  out["field_sets"] = std::move(field_sets);
  out["contains"] = texts(section.contains);
  return out;
}

json::object describe(const Type& type, Describer& describer) {
  json::object out{{"name", type.name}, {"package", type.package}, {"help", type.help}};
  describer.put_type(type, out);
  return out;
}

}  // namespace

json::object to_json(const Section& section) {
  Describer describer;
  return describe(section, describer);
}

json::object to_json(const Type& type) {
  Describer describer;
  return describe(type, describer);
}

json::object to_json(const SchemaSet& schemas) {
  // All together are bounded.
  Describer describer;
  json::array sections;
  for (const auto* section : schemas.sections()) sections.push_back(describe(*section, describer));
  json::array types;
  for (const auto& type : schemas.types()) types.push_back(describe(*type, describer));
  return {{"sections", std::move(sections)}, {"types", std::move(types)}};
}

}  // namespace atalaya::schema
