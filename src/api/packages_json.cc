#include "api/packages_json.h"

#include <fmt/format.h>

#include "packages/explain.h"
#include "schema/canonical.h"
#include "schema/describe.h"

namespace atalaya::api {
namespace {

json::array to_json(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

json::array nodes(const std::vector<packages::TreeNode>& list) {
  json::array out;
  for (const auto& node : list) {
    json::object one{{"name", node.name}, {"item", node.is_item}};
    if (!node.title.empty()) one["title"] = node.title;
    if (node.has_error) one["error"] = true;
    if (!node.children.empty() || !node.is_item) one["children"] = nodes(node.children);
    out.push_back(std::move(one));
  }
  return out;
}

struct Name {
  std::string_view text;
  packages::Operation::What what;
};
constexpr Name kNames[] = {{"set", packages::Operation::What::kSet},
                           {"unset", packages::Operation::What::kUnset},
                           {"create", packages::Operation::What::kCreate},
                           {"replace", packages::Operation::What::kReplace},
                           {"rename", packages::Operation::What::kRename},
                           {"remove", packages::Operation::What::kRemove},
                           {"copy", packages::Operation::What::kCopy},
                           {"move", packages::Operation::What::kMove},
                           {"write", packages::Operation::What::kWriteFile},
                           {"delete_file", packages::Operation::What::kRemoveFile},
                           {"create_package", packages::Operation::What::kCreatePackage},
                           {"remove_package", packages::Operation::What::kRemovePackage}};

std::string text(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Result<packages::Operation> operation_of(const json::object& from) {
  packages::Operation out;
  const auto op = text(from, "op");
  const auto* known =
      std::find_if(std::begin(kNames), std::end(kNames), [&](const auto& one) { return one.text == op; });
  if (known == std::end(kNames)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no operation", op),
                "set, unset, create, replace, rename, remove, copy, move, write, delete_file, create_package or "
                "remove_package");
  }
  out.what = known->what;
  out.at = {text(from, "package"), text(from, "section"), texts_of(from.if_contains("path"))};
  if (out.at.package.empty()) return fail(ErrorCode::kInvalidArgument, "an operation names no package");
  const bool on_files =
      out.what == packages::Operation::What::kWriteFile || out.what == packages::Operation::What::kRemoveFile ||
      out.what == packages::Operation::What::kCreatePackage || out.what == packages::Operation::What::kRemovePackage;
  if (!on_files && out.at.section.empty()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("the operation \"{}\" names no section", op),
                "say in which section the item stands: \"section\": \"rules\"");
  }
  out.field = texts_of(from.if_contains("field"));
  if (const auto* value = from.if_contains("value")) out.value = schema::to_yaml(*value);
  out.file = text(from, "file");
  using enum packages::Operation::What;
  switch (out.what) {
    case kReplace:
    case kCreate: out.text = text(from, "yaml"); break;
    case kRename: out.text = text(from, "name"); break;
    case kWriteFile: out.text = text(from, "text"); break;
    case kCreatePackage:
      out.text = text(from, "version");
      if (const auto title = text(from, "title"); !title.empty()) out.value = config::YamlValue(title);
      break;
    default: break;
  }
  if (const auto* to = from.if_contains("to"); to != nullptr && to->is_object()) {
    out.to = {text(to->get_object(), "package"), text(to->get_object(), "section"),
              texts_of(to->get_object().if_contains("path"))};
    if (out.to.package.empty()) out.to.package = out.at.package;
    if (out.to.section.empty()) out.to.section = out.at.section;
  }
  return out;
}

}  // namespace

std::vector<std::string> texts_of(const json::value* list) {
  std::vector<std::string> out;
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& one : list->get_array()) {
    if (one.is_string())
      out.emplace_back(one.get_string());
    else if (one.is_int64())
      out.push_back(std::to_string(one.get_int64()));
  }
  return out;
}

json::object to_json(const packages::PackageError& error) {
  json::object out{{"message", error.message}, {"remedy", error.remedy}};
  if (error.place) {
    out["file"] = error.place->file;
    out["line"] = error.place->line;
    out["column"] = error.place->column;
  }
  if (!error.section.empty()) {
    out["package"] = error.package;
    out["section"] = error.section;
    out["path"] = to_json(error.path);
  }
  if (!error.section.empty() || !error.field.empty()) out["field"] = error.field;
  return out;
}

json::array to_json(const std::vector<packages::PackageError>& errors) {
  json::array out;
  for (const auto& error : errors) out.push_back(to_json(error));
  return out;
}

json::object to_json(const registry::Item& item) {
  const auto& origin = item.origin;
  json::object from{{"kind", registry::name(origin.kind)}};
  if (!origin.place.file.empty()) {
    from["file"] = origin.place.file;
    from["line"] = origin.place.line;
  }
  if (!origin.who.empty()) from["who"] = origin.who;
  if (origin.at) from["at"] = rfc3339(*origin.at);
  return {{"id", item.id},
          {"tenant", item.tenant.value()},
          {"kind", item.kind},
          {"package", item.package},
          {"title", item.title},
          {"origin", std::move(from)},
          {"links", json::array(item.links.begin(), item.links.end())}};
}

json::object to_json(const registry::ItemChange& change) {
  constexpr std::string_view kNames[] = {"added", "changed", "removed"};
  return {{"revision", change.revision},
          {"what", kNames[static_cast<std::size_t>(change.what)]},
          {"item", to_json(change.item)}};
}

json::object to_json(const packages::PackageState& state) {
  json::object sections;
  for (const auto& [name, count] : state.sections) sections[name] = count;
  json::object out{{"name", state.name},
                   {"version", state.version},
                   {"title", state.title},
                   {"state", state.checking ? "checking"
                             : state.broken ? "broken"
                                            : "ok"},
                   {"errors", to_json(state.errors)},
                   {"items", state.items},
                   {"specification", state.specification},
                   {"shipped", state.shipped},
                   {"sections", std::move(sections)}};
  if (state.instance) {
    out["instance_of"] = json::object{
        {"package", state.instance->specification}, {"name", state.instance->name}, {"declared_in", state.declared_in}};
  }
  return out;
}

namespace {

/// What an instance gives to parameters; dots for secrets, and where the types are not known.
json::object values_of(const packages::InstanceItem& instance, const schema::Type* parameters) {
  json::object out;
  for (const auto& [name, value] : instance.values) {
    const auto* type = parameters == nullptr ? nullptr : schema::type_at(*parameters, {&name, 1});
    const auto document = config::Document::parse(config::write_flow(value), "");
    if (type == nullptr || !document) {
      out[name] = packages::kHiddenSecret;
      continue;
    }
    auto shown = schema::to_json(document->root());
    packages::hide_all_secrets(shown, *type);
    out[name] = std::move(shown);
  }
  return out;
}

}  // namespace

json::object to_json(const packages::PackageView& view) {
  auto out = to_json(view.state);
  if (view.state.instance) {
    out["instance_of"].get_object()["values"] = values_of(*view.state.instance, view.parameters.get());
  }
  out["help"] = view.help;
  json::object requirements;
  for (const auto& [name, range] : view.requirements) requirements[name] = range;
  out["requires"] = std::move(requirements);
  out["imports"] = to_json(view.imports);
  out["fallbacks"] = to_json(view.fallbacks);
  json::array overrides;
  for (const auto& one : view.overrides) {
    overrides.push_back(json::object{{"package", one.package},
                                     {"section", one.section},
                                     {"path", to_json(one.path)},
                                     {"field", to_json(one.field)}});
  }
  out["overrides"] = std::move(overrides);
  json::array files;
  for (const auto& file : view.files) {
    files.push_back(json::object{{"file", file.file}, {"size", file.size_bytes}, {"hash", file.hash}});
  }
  out["files"] = std::move(files);
  if (!view.readme.empty()) out["readme"] = view.readme;
  json::array parameters;
  if (view.parameters) {
    for (const auto& field : view.parameters->fields) parameters.push_back(schema::to_json(field));
  }
  out["parameters"] = std::move(parameters);
  return out;
}

json::array to_json(const packages::TreeView& tree) {
  json::array out;
  for (const auto& section : tree) {
    out.push_back(json::object{{"name", section.section},
                               {"title", section.title},
                               {"count", section.count},
                               {"nodes", nodes(section.nodes)}});
  }
  return out;
}

json::object to_json(const packages::ItemView& view) {
  json::array fields;
  for (const auto& field : view.fields) {
    json::object from{{"how", field.how}, {"package", field.package}};
    if (field.place.line > 0) {
      from["file"] = field.place.file;
      from["line"] = field.place.line;
      from["column"] = field.place.column;
    }
    fields.push_back(json::object{{"field", field.field}, {"value", field.value}, {"from", std::move(from)}});
  }
  return {{"id", view.id},
          {"package", view.package},
          {"section", view.section},
          {"path", to_json(view.path)},
          {"title", view.title},
          {"file", view.file},
          {"line", view.place.line},
          {"hash", view.hash},
          {"yaml", view.yaml},
          {"written", view.written},
          {"effective", view.effective},
          {"fields", std::move(fields)},
          {"errors", to_json(view.errors)},
          {"overridden_by", to_json(view.overridden_by)},
          {"writable", view.writable}};
}

json::object to_json(const packages::FileChange& change) {
  json::object out{{"file", change.file}, {"diff", packages::unified_diff(change)}};
  if (change.before) out["before"] = *change.before;
  if (change.after) out["after"] = *change.after;
  return out;
}

json::object to_json(const packages::ChangeResult& result) {
  json::array files;
  for (const auto& change : result.files) files.push_back(to_json(change));
  json::object hashes;
  for (const auto& [file, hash] : result.hashes) hashes[file] = hash;
  json::object out{{"files", std::move(files)}, {"effects", to_json(result.effects)}, {"hashes", std::move(hashes)}};
  if (result.commit) out["commit"] = *result.commit;
  if (!result.replaces.empty()) out["replaces"] = result.replaces;
  return out;
}

net::Response answer(const packages::ChangeResult& result) {
  if (!result.conflicts.empty()) {
    json::array conflicts;
    for (const auto& one : result.conflicts) {
      conflicts.push_back(
          json::object{{"file", one.file}, {"base_hash", one.base_hash}, {"hash", one.hash}, {"text", one.text}});
    }
    return ok(
        json::object{{"status", "error"},
                     {"errorType", "conflict"},
                     {"error", fmt::format("{} was changed by somebody else meanwhile", result.conflicts.front().file)},
                     {"remedy", "look at both versions, then save again"},
                     {"conflicts", std::move(conflicts)}},
        409);
  }
  if (!result.errors.empty()) {
    const auto& first = result.errors.front();
    json::object out{{"status", "error"},
                     {"errorType", "bad_data"},
                     {"error", to_string(first)},
                     {"errors", to_json(result.errors)}};
    if (!first.remedy.empty()) out["remedy"] = first.remedy;
    return ok(out, 422);
  }
  return ok(to_json(result));
}

json::object to_json(const packages::Commit& commit, bool with_files) {
  json::array files;
  for (const auto& change : commit.files) {
    if (with_files)
      files.push_back(to_json(change));
    else
      files.emplace_back(change.file);
  }
  return {{"id", commit.id},
          {"at", rfc3339(commit.at)},
          {"author", commit.author},
          {"reason", commit.reason},
          {"files", std::move(files)}};
}

Result<std::vector<packages::Operation>> operations_of(const json::value& list) {
  std::vector<packages::Operation> out;
  if (!list.is_array() || list.get_array().empty() || list.get_array().size() > 1000) {
    return fail(ErrorCode::kInvalidArgument, "\"operations\" must be a list of 1 to 1000 operations");
  }
  for (const auto& one : list.get_array()) {
    if (!one.is_object()) return fail(ErrorCode::kInvalidArgument, "an operation is no object");
    auto made = operation_of(one.get_object());
    if (!made) {
      auto error = std::move(made).error();
      error.message = fmt::format("operation {}: {}", out.size() + 1, error.message);
      return std::unexpected(std::move(error));
    }
    out.push_back(std::move(*made));
  }
  return out;
}

}  // namespace atalaya::api
