#include "api/packages.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "api/packages_json.h"
#include "api/parameters.h"
#include "config/suggest.h"
#include "packages/explain.h"
#include "schema/describe.h"

namespace atalaya::api {
namespace {

using auth::Principal;

std::vector<std::string> segments(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto slash = path.find('/');
    if (slash != 0) out.emplace_back(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return out;
}

/// 0 when absent: all that is remembered.
Result<std::uint64_t> since_parameter(const net::Request& request) {
  const auto text = request.query.get("since");
  std::uint64_t out = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  if (!text.empty() && (read.ec != std::errc{} || read.ptr != text.data() + text.size())) {
    return fail(ErrorCode::kInvalidArgument, "since must be a whole number", "the revision of the answer before");
  }
  return out;
}

std::string capture(const net::Request& request, std::string_view name) {
  return std::string(request.captures.get(name));
}

/// Literal secrets are in the item's text and in its lists as they are written, for who writes them. Others see
/// dots: of what the section's types call a secret, and of what an instance gives to a secret parameter.
void hide_from_viewers(const PackageServices& s, const Principal& who, packages::ItemView& view) {
  const auto known = s.packages.schemas(who.tenant, view.package);
  const auto* section = known ? known->section(view.section) : nullptr;
  if (section == nullptr || !section->body) return;
  const auto hide = [&](json::object& values, const schema::Type& type) {
    json::value whole(std::move(values));
    packages::hide_all_secrets(whole, type);
    values = std::move(whole.get_object());
  };
  if (packages::holds_secrets(*section->body)) view.yaml.clear();
  hide(view.written, *section->body);
  hide(view.effective, *section->body);
  const auto mask = [&](std::string_view name, const schema::Type* type) {
    for (auto* values : {&view.written, &view.effective}) {
      auto* value = values->if_contains(name);
      if (value == nullptr) continue;
      if (type != nullptr)
        packages::hide_all_secrets(*value, *type);
      else
        *value = packages::kHiddenSecret;
    }
    for (auto& field : view.fields) {
      if (field.field != name && !field.field.starts_with(fmt::format("{}.", name))) continue;
      const auto& fields = section->body->fields;
      const auto of =
          std::find_if(fields.begin(), fields.end(), [&](const auto& one) { return one.name == field.field; });
      const auto* value = view.effective.if_contains(field.field);
      // What is no secret beside one may be seen.
      field.value = type != nullptr && of != fields.end() && value != nullptr
                        ? schema::format(*value, *of->type, {*known})
                        : std::string(packages::kHiddenSecret);
    }
  };
  if (view.section == "instances" && !view.path.empty()) {
    const auto specification = s.packages.view(who.tenant, view.path.front());
    const auto* parameters = specification ? specification->parameters.get() : nullptr;
    if (parameters == nullptr || !packages::holds_secrets(*parameters)) return;
    view.yaml.clear();
    mask("with", parameters);
  } else if (view.section == "parameters") {
    const auto* type = view.written.if_contains("type");
    if (type == nullptr || !type->is_string() || type->get_string().find("secret") == json::string::npos) return;
    view.yaml.clear();
    for (const auto* name : {"default", "sample"}) mask(name, nullptr);
  }
}

Result<net::Response> show_item(const PackageServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(auto view, s.packages.item(who.tenant, capture(request, "package"), capture(request, "section"),
                                    segments(request.captures.get("path"))));
  if (who.role < auth::Role::kOperator) hide_from_viewers(s, who, view);
  return ok(to_json(view));
}

}  // namespace

void add_package_routes(Doors& doors, PackageServices s) {
  doors.add("GET", "~/packages", Need::kViewer, [s](const Principal& who, net::Request&) -> Result<net::Response> {
    json::array list;
    for (const auto& package : s.packages.list(who.tenant)) {
      auto one = to_json(package);
      auto processed = s.processed ? s.processed(who.tenant, package.name) : json::array();
      if (!processed.empty()) one["processed"] = std::move(processed);
      list.push_back(std::move(one));
    }
    return ok(json::object{{"packages", std::move(list)}});
  });
  doors.add("GET", "~/packages/{package}", Need::kViewer,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto view, s.packages.view(who.tenant, capture(request, "package")));
              auto out = to_json(view);
              if (s.processed) out["processed"] = s.processed(who.tenant, view.state.name);
              return ok(out);
            });
  doors.add("GET", "~/packages/{package}/tree", Need::kViewer,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto tree, s.packages.tree(who.tenant, capture(request, "package")));
              return ok(json::object{{"sections", to_json(tree)}});
            });
  const auto item = [s](const Principal& who, net::Request& request) { return show_item(s, who, request); };
  doors.add("GET", "~/packages/{package}/items/{section}", Need::kViewer, item);
  doors.add("GET", "~/packages/{package}/items/{section}/{path...}", Need::kViewer, item);
  doors.add("GET", "~/packages/{package}/files/{path...}", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto file,
                     s.packages.file(who.tenant, capture(request, "package"), capture(request, "path")));
              return ok(json::object{{"file", file.file}, {"text", file.text}, {"hash", file.hash}});
            });
  doors.add("GET", "~/packages/{package}/diff", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto changes, s.packages.diff_from_shipped(who.tenant, capture(request, "package")));
              json::array files;
              for (const auto& change : changes) {
                files.push_back(json::object{{"file", change.file}, {"diff", packages::unified_diff(change)}});
              }
              return ok(json::object{{"files", std::move(files)}});
            });
}

namespace {

json::object head_of(const packages::FoundInPackage& found) {
  const auto& item = *found.item;
  const auto path = segments(std::string_view(item.id).substr(found.package->name.size() + 1));
  const auto* help = item.fields.if_contains("help");
  return {{"id", item.id},
          {"package", found.package->name},
          {"path", json::array(path.begin(), path.end())},
          {"title", item.title},
          {"help", help != nullptr && help->is_string() ? help->get_string() : json::string()},
          {"writable", found.package->name.find('@') == std::string::npos}};
}

Result<net::Response> show_dashboard(const PackageServices& s, const Principal& who, const std::string& id) {
  const auto found = s.packages.find(who.tenant, "dashboards", id);
  if (!found) return fail(ErrorCode::kNotFound, fmt::format("there is no dashboard {}", id));
  auto out = head_of(*found);
  const auto path = segments(std::string_view(id).substr(found->package->name.size() + 1));
  AT_TRY(const auto view, s.packages.item(who.tenant, found->package->name, "dashboards", path));
  // As a person writes it, with what overrides and defaults add.
  const auto known = s.packages.schemas(who.tenant, found->package->name);
  const auto* section = known ? known->section("dashboards") : nullptr;
  if (section != nullptr && section->body) {
    const schema::Rules rules{*known, {}};
    const auto written = schema::serialise(view.effective, *section->body, rules);
    const auto document = config::Document::parse(config::write_flow(written), "");
    const auto values = document ? schema::to_json(document->root()) : json::value();
    if (values.is_object()) {
      for (const auto& [key, value] : values.get_object()) out[key] = value;
    }
  }
  out["file"] = view.file;
  out["hash"] = view.hash;
  return ok(out);
}

/// A kind of which there is no entity yet is known all the same: sections of whatever package, hosts, routes. So is one
/// that a section's program gave an entity.
Status check_kind(const PackageServices& s, const Principal& who, std::string_view kind) {
  std::set<std::string> known{std::string(registry::kHosts), std::string(registry::kRoutes)};
  if (kind.empty() || known.contains(std::string(kind))) return {};
  std::set<const schema::SchemaSet*> seen;
  for (const auto& package : s.packages.list(who.tenant)) {
    const auto schemas = s.packages.schemas(who.tenant, package.name);
    if (!schemas || !seen.insert(schemas.get()).second) continue;
    for (const auto* section : schemas->sections()) known.insert(section->name);
  }
  if (known.contains(std::string(kind)) || !s.items.list(who.tenant, kind).empty()) return {};
  for (const auto& item : s.items.list(who.tenant)) known.insert(item.kind);
  return fail(ErrorCode::kInvalidArgument, fmt::format("there is no kind \"{}\"", kind),
              config::suggestion(kind, {known.begin(), known.end()}));
}

Result<net::Response> item_changes(const PackageServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto since, since_parameter(request));
  AT_TRY(const auto limit, limit_parameter(request.query, 1000, registry::Items::kFeed));
  const auto feed = s.items.changes(who.tenant, since, limit);
  json::array list;
  for (const auto& change : feed.changes) {
    list.push_back(to_json(change));
  }
  return ok(json::object{{"changes", std::move(list)}, {"revision", feed.revision}, {"gap", feed.gap}});
}

}  // namespace

void add_item_routes(Doors& doors, PackageServices s) {
  doors.add("GET", "~/schemas", Need::kViewer,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              const auto known = s.packages.schemas(who.tenant, std::string(request.query.get("package")));
              if (!known) return fail(ErrorCode::kUnavailable, "packages are not loaded yet");
              return ok(schema::to_json(*known));
            });
  doors.add("GET", "~/dashboards", Need::kViewer, [s](const Principal& who, net::Request&) -> Result<net::Response> {
    json::array list;
    for (const auto& found : s.packages.items(who.tenant, "dashboards")) list.push_back(head_of(found));
    return ok(json::object{{"dashboards", std::move(list)}});
  });
  doors.add("GET", "~/dashboards/{id...}", Need::kViewer,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              return show_dashboard(s, who, capture(request, "id"));
            });
  doors.add_reading("items", [s](const Principal& who, net::Request& request) -> Result<net::Response> {
    const auto text = request.query.get("text");
    const auto kind = request.query.get("kind");
    AT_TRY(check_kind(s, who, kind));
    AT_TRY(const auto limit, limit_parameter(request.query, 1000, registry::Items::kFeed));
    const auto has = [&](std::string_view where) {
      return std::search(where.begin(), where.end(), text.begin(), text.end(), [](char a, char b) {
               return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
             }) != where.end();
    };
    json::array list;
    std::size_t total = 0;
    for (const auto& item : s.items.list(who.tenant, kind)) {
      if (!text.empty() && !has(item.id) && !has(item.title)) continue;
      if (++total > limit) continue;
      list.push_back(to_json(item));
    }
    return ok(json::object{{"items", std::move(list)}, {"total", total}, {"revision", s.items.revision()}});
  });
  doors.add("GET", "~/item-changes", Need::kViewer,
            [s](const Principal& who, net::Request& request) { return item_changes(s, who, request); });
}

}  // namespace atalaya::api
