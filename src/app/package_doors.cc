#include "app/package_doors.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "api/occi_check.h"
#include "app/web_files.h"
#include "config/suggest.h"
#include "config/yaml.h"
#include "config/yaml_value.h"
#include "schema/describe.h"
#include "schema/scalars.h"
#include "schema/validate.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;

std::string text(const json::object& fields, std::string_view key) {
  const auto* value = fields.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string path_of(const packages::FoundInPackage& found) {
  return found.item->id.substr(found.package->name.size() + 1);
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto slash = path.find('/');
    out.emplace_back(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return out;
}

/// A page's address leaves out the group where that says nothing: `pages/machine` of group `pages`, or any
/// whose name alone is asked for.
bool is_page(const packages::FoundInPackage& found, const std::string& path) {
  const auto own = path_of(found);
  return own == path || own.substr(own.find('/') + 1) == path;
}

Result<pages::PageDefinition> definition(const packages::Service& packages, const TenantId& tenant,
                                         const packages::FoundInPackage& found, const std::string& path) {
  const auto& fields = found.item->fields;
  pages::PageDefinition out;
  out.package = found.package->name;
  out.path = path;
  out.title = found.item->title.empty() ? path : found.item->title;
  if (const auto* widgets = fields.if_contains("widgets"); widgets != nullptr && widgets->is_array()) {
    out.widgets = widgets->get_array();
    return out;
  }
  const auto name = text(fields, "template");
  out.file = found.package->name + "/" + name;
  out.parameters = found.package->parameters;
  AT_TRY(auto file, packages.file(tenant, found.package->name, name));
  out.text = std::move(file.text);
  return out;
}

std::optional<api::Procedure> procedure_of(const packages::Service& packages, const TenantId& tenant,
                                           const packages::FoundInPackage& found) {
  const auto& fields = found.item->fields;
  api::Procedure out;
  out.id = found.item->id;
  out.package = found.package->name;
  out.title = found.item->title;
  out.help = text(fields, "help");
  const auto role = text(fields, "role");
  out.role = role == "admin" ? auth::Role::kAdmin : role == "viewer" ? auth::Role::kViewer : auth::Role::kOperator;
  out.on = text(fields, "on");
  if (const auto* timeout = fields.if_contains("timeout"); timeout != nullptr && timeout->is_int64()) {
    out.timeout = Duration{timeout->get_int64()};
  }
  if (const auto* limit = fields.if_contains("output_limit"); limit != nullptr && limit->is_int64()) {
    out.output_limit = static_cast<std::uint64_t>(limit->get_int64());
  }
  const auto* script = fields.if_contains("script");
  if (script == nullptr) return std::nullopt;
  if (script->is_string()) {
    out.program = std::string(script->get_string());
  } else if (script->is_object()) {
    const auto file = packages.file(tenant, out.package, text(script->get_object(), "file"));
    if (!file) return std::nullopt;
    out.program = file->text;
  }
  return out;
}

/// Bounds are kept as texts, since those of durations are; numbers among them are written as such.
void write_bounds(config::YamlValue& definition) {
  for (auto& [name, value] : definition.entries) {
    double number = 0;
    const auto* end = value.scalar.data() + value.scalar.size();
    const bool is_number = !value.scalar.empty() && std::from_chars(value.scalar.data(), end, number).ptr == end;
    if ((name == "min" || name == "max") && value.kind == config::YamlValue::Kind::kText && is_number) {
      value.kind = config::YamlValue::Kind::kToken;
    }
    write_bounds(value);
  }
}

/// By its whole path, or by its name alone where no other procedure of the package bears it; then in the
/// packages that this one falls back to, nearest first.
std::optional<packages::FoundInPackage> find_procedure(const packages::Service& packages, const TenantId& tenant,
                                                       const std::string& package, const std::string& name) {
  std::vector<std::string> wanted{package};
  std::set<std::string> seen;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto at = wanted[i];
    if (!seen.insert(at).second) continue;
    if (auto found = packages.find(tenant, "rpc", fmt::format("{}/{}", at, name))) return found;
    std::vector<packages::FoundInPackage> bearers;
    for (auto& one : packages.items(tenant, "rpc")) {
      if (one.package->name == at && one.item->id.ends_with("/" + name)) bearers.push_back(std::move(one));
    }
    if (bearers.size() == 1) return bearers.front();
    for (auto& fallback : packages.fallbacks(tenant, at)) wanted.push_back(std::move(fallback));
  }
  return std::nullopt;
}

/// The record of a procedure's arguments; null where it takes none or they do not hold.
schema::TypePtr arguments_of(const schema::SchemaSet& schemas, const packages::Item& item) {
  const auto* arguments = item.fields.if_contains("arguments");
  if (arguments == nullptr || !arguments->is_object()) return nullptr;
  auto definition = schema::to_yaml(*arguments);
  write_bounds(definition);
  const auto document = config::Document::parse(config::write_flow(definition), "arguments");
  if (!document) return nullptr;
  config::Errors errors;
  return schemas.record(document->root(), errors);
}

Result<api::CheckedArguments> check_arguments(schema::Type record, const schema::SchemaSet& schemas,
                                              const json::object& given) {
  api::CheckedArguments out;
  // What is missing is told by its own name; a place it has none.
  for (auto& field : record.fields) {
    if (!field.required || given.contains(field.name)) continue;
    const auto wanted = field.type ? schema::wanted(*field.type) : std::string();
    out.wrong.push_back({field.name, fmt::format("the argument \"{}\" is missing", field.name),
                         fmt::format("give \"{}\": {}{}", field.name, field.help.empty() ? wanted : field.help,
                                     field.help.empty() || wanted.empty() ? "" : fmt::format(" ({})", wanted))});
    field.required = false;
  }
  // A file's `pin: 1234` is a secret as well; JSON says which type it means.
  auto rest = given;
  for (const auto& field : record.fields) {
    const auto* value = given.if_contains(field.name);
    if (value == nullptr || value->is_string() || !field.type || field.type->kind != schema::Kind::kSecret) continue;
    out.wrong.push_back({field.name, fmt::format("\"{}\" must be a text", field.name),
                         fmt::format("give \"{}\" in quotes", field.name)});
    rest.erase(field.name);
  }
  for (auto& field : record.fields) field.required = field.required && rest.contains(field.name);
  AT_TRY(const auto document, config::Document::parse(config::write_flow(schema::to_yaml(rest)), "arguments"));
  config::Errors errors;
  std::vector<schema::Reference> references;
  auto value = schema::check_value(document.root(), record, "arguments", {schemas, {}}, references, errors);
  for (auto& error : errors) {
    auto field = error.place ? schema::field_at(document.root(), *error.place) : std::string();
    out.wrong.push_back({std::move(field), std::move(error.message), std::move(error.remedy)});
  }
  if (value && value->is_object()) out.values = std::move(value->get_object());
  return out;
}

}  // namespace

packages::Service::Options package_options(const std::string& data, const Channels& channels,
                                           packages::TypeScripts& scripts, const registry::Hosts& hosts) {
  packages::Service::Options out;
  out.root = data + "/packages";
  out.last_good = data + "/packages-last-good";
  out.history = data + "/packages-history";
  out.shipped = shipped_packages();
  out.check_channels = [&channels](const auto& list, const auto& types) { return channels.check(list, types); };
  // What OCCI makes was judged by the same rules.
  out.check_items = [](const packages::Package& package) {
    return package.name == "ondemand" ? std::vector<Error>{} : api::check_sensor_items(package);
  };
  out.type_scripts = &scripts;
  out.host_names = [&hosts](const TenantId& tenant) {
    std::vector<std::string> names;
    for (auto& host : hosts.list(tenant)) names.push_back(std::move(host.name));
    return names;
  };
  out.most_agent_configuration_bytes = ingest::kMaxConfigBytes;
  return out;
}

api::PageDirectory page_directory(const packages::Service& packages, const registry::Items& items) {
  api::PageDirectory out;
  out.page = [&packages](const TenantId& tenant, const std::string& package,
                         const std::string& path) -> std::optional<Result<pages::PageDefinition>> {
    for (const auto& found : packages.items(tenant, "pages")) {
      if (found.package->name == package && is_page(found, path)) return definition(packages, tenant, found, path);
    }
    return std::nullopt;
  };
  out.file = [&packages](const TenantId& tenant, const std::string& package,
                         const std::string& path) -> std::optional<std::string> {
    auto file = packages.file(tenant, package, "pages/" + path);
    if (!file) return std::nullopt;
    return std::move(file->text);
  };
  out.fallbacks = [&packages](const TenantId& tenant, const std::string& package) {
    return packages.fallbacks(tenant, package);
  };
  out.list = [&packages](const TenantId& tenant) {
    std::vector<api::PageEntry> list;
    for (const auto& found : packages.items(tenant, "pages")) {
      list.push_back({found.item->id, found.package->name, split(path_of(found)), found.item->title,
                      found.item->fields.contains("widgets")});
    }
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return list;
  };
  out.items = [&items](const TenantId& tenant, const std::string& kind) {
    json::array list;
    for (const auto& item : items.list(tenant, kind)) {
      list.push_back(json::object{{"id", item.id},
                                  {"kind", item.kind},
                                  {"package", item.package},
                                  {"title", item.title},
                                  {"links", json::array(item.links.begin(), item.links.end())}});
    }
    return list;
  };
  return out;
}

PackageProcedures package_procedures(const packages::Service& packages) {
  PackageProcedures out;
  const auto with_arguments = [&packages](const TenantId& tenant, const packages::FoundInPackage& found,
                                          api::Procedure procedure) {
    const auto schemas = packages.schemas(tenant, found.package->name);
    if (const auto record = schemas ? arguments_of(*schemas, *found.item) : nullptr) {
      for (const auto& field : record->fields) procedure.arguments.push_back(schema::to_json(field));
    }
    return procedure;
  };
  out.list = [&packages, with_arguments](const TenantId& tenant) {
    std::vector<api::Procedure> list;
    for (const auto& found : packages.items(tenant, "rpc")) {
      if (auto made = procedure_of(packages, tenant, found))
        list.push_back(with_arguments(tenant, found, std::move(*made)));
    }
    return list;
  };
  out.find = [&packages, with_arguments](const TenantId& tenant, const std::string& package,
                                         const std::string& name) -> Result<api::Procedure> {
    const auto found = find_procedure(packages, tenant, package, name);
    auto made = found ? procedure_of(packages, tenant, *found) : std::nullopt;
    if (!made) {
      std::vector<std::string> known;
      for (const auto& one : packages.items(tenant, "rpc")) known.push_back(one.item->id);
      const auto id = fmt::format("{}/{}", package, name);
      // By its name alone too, as it may be called.
      for (const auto& one : packages.items(tenant, "rpc")) {
        const auto short_name = one.item->id.substr(one.item->id.rfind('/') + 1);
        if (one.package->name == package && name.find('/') == std::string::npos) {
          known.push_back(fmt::format("{}/{}", package, short_name));
        }
      }
      return fail(ErrorCode::kNotFound, fmt::format("there is no procedure {}", id),
                  known.empty() ? "no package has any" : config::suggestion(id, known));
    }
    return with_arguments(tenant, *found, std::move(*made));
  };
  out.check_arguments = [&packages](const TenantId& tenant, const api::Procedure& procedure,
                                    const json::object& given) -> Result<api::CheckedArguments> {
    const auto found = packages.find(tenant, "rpc", procedure.id);
    const auto schemas = packages.schemas(tenant, procedure.package);
    const auto record = found && schemas ? arguments_of(*schemas, *found->item) : nullptr;
    if (!record) {
      api::CheckedArguments none;
      for (const auto& [name, value] : given) {
        none.wrong.push_back({std::string(name), fmt::format("the procedure {} takes no arguments", procedure.id),
                              fmt::format("leave \"{}\" out", std::string(name))});
      }
      return none;
    }
    return check_arguments(*record, *schemas, given);
  };
  return out;
}

Result<std::vector<std::string>> read_package_keys(io::FileSystem& files, const std::vector<std::string>& paths) {
  constexpr std::uint64_t kMostBytes = 64 << 10;
  const auto read = [&](const std::string& path) -> Result<std::string> {
    AT_TRY(auto text, io::read_file(files, path, kMostBytes));
    if (auto key = packages::key_fingerprint(text); !key) return std::unexpected(std::move(key).error());
    return text;
  };
  std::vector<std::string> keys;
  for (const auto& path : paths) {
    auto text = read(path);
    if (!text) {
      return fail(text.error().code, fmt::format("--package-key {}: {}", path, text.error().message),
                  "give the .pub file that `atalaya package keygen` wrote");
    }
    keys.push_back(std::move(*text));
  }
  return keys;
}

pages::Assets page_assets() {
  for (const auto& file : embedded_web()) {
    if (file.path != "manifest.json") continue;
    if (auto assets = pages::read_assets(file.bytes)) return std::move(*assets);
  }
  return {};
}

}  // namespace atalaya::app
