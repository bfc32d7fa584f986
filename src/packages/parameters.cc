// What a specification asks for, and what its instances say.

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "config/suggest.h"
#include "config/yaml_compose.h"
#include "packages/loader.h"

namespace atalaya::packages {
namespace {

using config::Errors;
using config::Node;
using config::YamlValue;

/// Something of the type, so that a specification can be checked before anybody uses it.
YamlValue sample_of(const schema::Type& type) {
  using enum schema::Kind;
  switch (type.kind) {
    case kInteger:
      return YamlValue(static_cast<std::int64_t>(std::isfinite(type.least) ? std::max(1.0, type.least) : 1));
    case kNumber:
    case kRatio: return YamlValue(std::isfinite(type.least) ? type.least : 0.5);
    case kBoolean: return YamlValue(true);
    case kDuration: return YamlValue("30s");
    case kBytes: return YamlValue(1024);
    case kTime: return YamlValue("2024-01-01T00:00:00Z");
    case kCron: return YamlValue("0 * * * *");
    case kZone: return YamlValue("UTC");
    case kPromql: return YamlValue("up");
    case kSelector: return YamlValue("{job=\"x\"}");
    case kUrl: return YamlValue("http://localhost/");
    case kHost: return YamlValue("localhost");
    case kPort: return YamlValue(80);
    case kPath: return YamlValue("/x");
    case kEmail: return YamlValue("x@example.org");
    case kColour: return YamlValue("#808080");
    case kEnumeration: return type.choices.empty() ? YamlValue("x") : YamlValue(type.choices.front().value);
    case kList: return YamlValue::list({type.of ? sample_of(*type.of) : YamlValue("x")});
    case kMap: return YamlValue::map({{"x", type.of ? sample_of(*type.of) : YamlValue("x")}});
    default: return YamlValue("x");
  }
}

/// As it would be written; nothing where there is none.
std::optional<YamlValue> example_of(const schema::Field& field) {
  using enum schema::Kind;
  if (field.example.empty()) return std::nullopt;
  const auto kind = field.type->kind;
  const bool is_text =
      !schema::is_numeric(kind) && kind != kBoolean && kind != kList && kind != kMap && kind != kRecord && kind != kAny;
  if (is_text) return YamlValue(field.example);
  const auto document = config::Document::parse(field.example, "");
  if (!document) return YamlValue(field.example);
  return config::value_of(document->root());
}

}  // namespace

std::vector<std::string> sampled_parameters(const PackageTree& specification, const schema::SchemaSet& schemas) {
  Errors told;  // by whoever reads the values
  std::vector<std::string> out;
  const auto section = specification.whole_section("parameters", told);
  const auto type = section ? schemas.holding_record(*section->node, told) : nullptr;
  if (!type) return out;
  for (const auto& field : type->fields) {
    if (field.fallback.is_null() && field.example.empty()) out.push_back(field.name);
  }
  return out;
}

std::map<std::string, YamlValue> sample_values(const PackageTree& specification, const schema::SchemaSet& schemas,
                                               std::set<std::string>& unjudged, Errors& errors) {
  std::map<std::string, YamlValue> out{{"instance", YamlValue("sample")}};
  const auto section = specification.whole_section("parameters", errors);
  const auto type = section ? schemas.holding_record(*section->node, errors) : nullptr;
  for (const auto& field : type ? type->fields : std::vector<schema::Field>{}) {
    auto& value = out[field.name];
    if (!field.fallback.is_null()) {
      value = schema::to_yaml(field.fallback);
    } else {
      const auto example = example_of(field);
      value = example ? *example : sample_of(*field.type);
    }
  }
  for (const auto& entry : section ? section->node->entries() : std::span<const Node::Entry>{}) {
    // Its name is known all the same, for who means it.
    if (out.try_emplace(entry.key->text()).second) unjudged.insert(entry.key->text());
  }
  return out;
}

std::optional<std::map<std::string, YamlValue>> parameter_values(const PackageTree& specification,
                                                                 const schema::SchemaSet& schemas,
                                                                 const InstanceItem* instance, Errors& errors) {
  const auto before = errors.size();
  if (instance == nullptr) {
    std::set<std::string> unjudged;
    auto samples = sample_values(specification, schemas, unjudged, errors);
    if (errors.size() != before || !specification.has_section("parameters")) return std::nullopt;
    return samples;
  }
  const auto section = specification.whole_section("parameters", errors);
  if (!section) return std::nullopt;
  const auto type = schemas.record(*section->node, errors);
  if (!type) return std::nullopt;
  std::map<std::string, YamlValue> out;
  std::vector<std::string> names;
  const schema::Rules rules{schemas, {}};
  for (const auto& field : type->fields) {
    names.push_back(field.name);
    const auto given = instance->values.find(field.name);
    if (given != instance->values.end()) {
      // Checked as a document of its own; told at the place of the instance.
      Place place = instance->origin;
      for (const auto& [name, at] : instance->places) place = name == field.name ? at : place;
      auto text = config::Document::parse(config::write_flow(given->second), place.file);
      std::vector<schema::Reference> references;
      Errors mine;
      if (text) schema::check_value(text->root(), *field.type, field.name, rules, references, mine);
      for (auto& error : mine) {
        error.place = place;
        errors.push_back(std::move(error));
      }
      out[field.name] = given->second;
    } else if (!field.fallback.is_null()) {
      out[field.name] = schema::to_yaml(field.fallback);
    } else if (field.required) {
      errors.push_back({ErrorCode::kInvalidArgument,
                        fmt::format("the parameter \"{}\" of {} is not given", field.name, instance->specification),
                        instance->origin, fmt::format("add it below with:, e.g. with: {{{}: …}}", field.name)});
    } else {
      out[field.name] = YamlValue();
    }
  }
  for (const auto& [name, place] : instance->places) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    errors.push_back({ErrorCode::kInvalidArgument,
                      fmt::format("{} has no parameter \"{}\"", instance->specification, name), place,
                      config::suggestion(name, names)});
  }
  out["instance"] = YamlValue(instance->name);
  if (errors.size() != before) return std::nullopt;
  return out;
}

boost::json::object shown_parameters(const PackageTree& specification, const schema::SchemaSet& schemas,
                                     const std::map<std::string, YamlValue>& values) {
  Errors told;  // by whoever reads the values
  const auto section = specification.whole_section("parameters", told);
  const auto type = section ? schemas.record(*section->node, told) : nullptr;
  const auto is_secret = [&](const std::string& name) {
    return !type || std::any_of(type->fields.begin(), type->fields.end(), [&](const auto& field) {
      return field.name == name && field.type->kind == schema::Kind::kSecret;
    });
  };
  boost::json::object out;
  for (const auto& [name, value] : values) {
    if (is_secret(name)) continue;
    const auto document = config::Document::parse(config::write_flow(value), "");
    if (document) out[name] = schema::to_json(document->root());
  }
  return out;
}

}  // namespace atalaya::packages
