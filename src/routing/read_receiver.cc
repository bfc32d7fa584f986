// Receivers with their integrations, and `global`, by the tables of integration_fields.

#include <fmt/format.h>

#include <algorithm>

#include "routing/integration_fields.h"
#include "routing/read_parts.h"

namespace atalaya::routing {
namespace {

using config::Errors;
using config::Node;
using config::Reader;
using config::YamlValue;
using Kind = IntegrationField::Kind;

/// An http or https address with a host. Templates are filled in later.
void check_url(const Node& node, Errors& errors) {
  std::string url;
  const auto before = errors.size();
  decode(node, url, errors);
  if (errors.size() != before || url.find("{{") != std::string::npos) return;
  const auto scheme = url.find("://");
  const auto host = scheme == std::string::npos ? "" : url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
  if ((url.starts_with("http://") || url.starts_with("https://")) && !host.empty() &&
      host.find_first_of(" \t") == std::string::npos) {
    return;
  }
  // The address may be a secret: it is not repeated.
  complain(errors, node.place(), "this is no address of HTTP with a host", "write it as https://host/path");
}

template <typename T>
void check_as(const Node& node, Errors& errors) {
  T value{};
  decode(node, value, errors);
}

void check_http(const Node& node, Errors& errors) {
  Reader read(node, "http_config", errors);
  for (const auto key : http_fields()) read.find(key);
  read.finish();
}

void check_kind(const Node& node, const IntegrationField& field, Errors& errors) {
  if (node.is_null()) return;
  switch (field.kind) {
    case Kind::kText: return check_as<std::string>(node, errors);
    case Kind::kUrl: return check_url(node, errors);
    case Kind::kInteger: return check_as<std::int64_t>(node, errors);
    case Kind::kNumber: return check_as<double>(node, errors);
    case Kind::kBoolean: return check_as<YesNo>(node, errors);
    case Kind::kDuration: return check_as<Duration>(node, errors);
    case Kind::kMap: static_cast<void>(config::expect_mapping(node, errors)); return;
    case Kind::kList: static_cast<void>(config::expect_sequence(node, errors)); return;
    case Kind::kAny:
      if (field.name == "http_config") check_http(node, errors);
      return;
  }
}

bool is_set(const YamlValue& values, std::string_view key) {
  const auto* value = values.get(key);
  return value != nullptr &&
         (value->kind == YamlValue::Kind::kMap || value->kind == YamlValue::Kind::kList || !value->scalar.empty());
}

std::string twin_of(std::string_view key) {
  constexpr std::string_view kFile = "_file";
  return key.ends_with(kFile) ? std::string(key.substr(0, key.size() - kFile.size()))
                              : std::string(key) + std::string(kFile);
}

std::string list_of(const std::vector<std::string_view>& keys) {
  std::string out;
  for (const auto key : keys) out += fmt::format("{}{}", out.empty() ? "" : ", ", key);
  return out;
}

/// Booleans in the words of YAML 1.2.
YamlValue value_for(const Node& node, const IntegrationField& field) {
  if (field.kind != Kind::kBoolean || node.is_null()) return config::value_of(node);
  YesNo yes;
  Errors told;
  decode(node, yes, told);
  return yes.value;
}

void fill_from_global(const IntegrationType& type, const YamlValue& global, YamlValue& settings) {
  const auto own = settings;
  for (const auto& field : type.fields) {
    if (field.global.empty() || own.get(field.name) != nullptr || is_set(own, twin_of(field.name))) continue;
    if (is_set(global, field.global)) settings.set(std::string(field.name), *global.get(field.global));
  }
}

void check_presence(const IntegrationType& type, const Node& node, const YamlValue& settings, Errors& errors) {
  for (const auto& keys : type.at_most_one) {
    const auto count = std::count_if(keys.begin(), keys.end(), [&](auto key) { return is_set(settings, key); });
    if (count > 1)
      complain(errors, node.place(), fmt::format("of {} only one may be there", list_of(keys)), "remove one");
  }
  for (const auto& keys : type.one_of) {
    if (std::any_of(keys.begin(), keys.end(), [&](auto key) { return is_set(settings, key); })) continue;
    std::string global;
    for (const auto& field : type.fields) {
      if (!field.global.empty() && field.name == keys.front()) global = fmt::format(", or {} to global", field.global);
    }
    complain(errors, node.place(),
             keys.size() == 1 ? fmt::format("{}_configs needs {}", type.name, keys.front())
                              : fmt::format("{}_configs needs one of {}", type.name, list_of(keys)),
             fmt::format("add {}{}", keys.front(), global));
  }
}

Integration read_integration(const IntegrationType& type, std::size_t index, const Node& node, const Global& global,
                             Errors& errors) {
  Integration out{std::string(type.name), index, type.send_resolved, type.carried_out, YamlValue::map(), node.place()};
  const auto before = errors.size();
  Reader read(node, fmt::format("{}_configs", type.name), errors);
  out.send_resolved = read.optional<YesNo>("send_resolved").value_or(YesNo{type.send_resolved}).value;
  for (const auto& field : type.fields) {
    const auto* value = read.find(field.name);
    if (value == nullptr) continue;
    check_kind(*value, field, errors);
    out.settings.set(std::string(field.name), value_for(*value, field));
  }
  read.finish();
  fill_from_global(type, global.values, out.settings);
  if (errors.size() == before) check_presence(type, node, out.settings, errors);
  return out;
}

}  // namespace

Global read_global(const Node& node, Errors& errors) {
  Global out;
  Reader read(node, "global", errors);
  for (const auto& field : global_fields()) {
    const auto* value = read.find(field.name);
    if (value == nullptr || value->is_null()) continue;
    check_kind(*value, field, errors);
    out.values.set(std::string(field.name), value_for(*value, field));
  }
  out.resolve_timeout = read.optional<Duration>("resolve_timeout").value_or(out.resolve_timeout);
  read.finish();
  for (const auto& field : global_fields()) {
    const auto twin = twin_of(field.name);
    if (twin.ends_with("_file") && is_set(out.values, field.name) && is_set(out.values, twin)) {
      read.complain(twin, fmt::format("global has both {} and {}", field.name, twin), "remove one");
    }
  }
  return out;
}

Receiver read_receiver(const Node& node, const Global& global, Errors& errors, Errors& warnings) {
  Receiver out;
  out.place = node.place();
  Reader read(node, "a receiver", errors);
  out.name = read.optional<std::string>("name").value_or("");
  if (out.name.empty() && read.ok()) read.complain("name", "a receiver has no name", "add name:");
  for (const auto& type : integration_table()) {
    const auto* list = read.find(fmt::format("{}_configs", type.name));
    if (list == nullptr || list->is_null() || !config::expect_sequence(*list, errors)) continue;
    for (std::size_t i = 0; i < list->items().size(); ++i) {
      out.integrations.push_back(read_integration(type, i, *list->items()[i], global, errors));
    }
    if (type.carried_out || list->items().empty()) continue;
    complain(warnings, list->place(),
             fmt::format("receiver \"{}\": {} is not carried out here, nobody is told by it", out.name, type.name),
             "give the receiver a webhook or another integration beside it");
  }
  read.finish();
  return out;
}

}  // namespace atalaya::routing
