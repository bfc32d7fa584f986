// An item in an editor: its text and its form follow each other, and neither is saved.

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "packages/composer.h"
#include "packages/planner.h"
#include "packages/service_impl.h"

namespace atalaya::packages {
namespace {

constexpr std::string_view kFile = "package.yaml";

/// The text as the only item of a package's only file, so that everything that reads and edits packages
/// works on it; and back.
class Wrapped {
 public:
  Wrapped(const schema::Section& section, const DraftRequest& request) : path_(request.path) {
    text_ = fmt::format("package: {}\nversion: 1.0.0\n{}:\n", request.package, section.name);
    std::size_t depth = 2;
    if (section.shape == schema::Shape::kTree) {
      path_.resize(section.indexes.size(), "draft");
      for (const auto& name : path_) {
        text_ += fmt::format("{}{}:\n", std::string(depth, ' '), config::write_text(name, false));
        depth += 2;
      }
    }
    const bool is_list = section.shape == schema::Shape::kList;
    if (is_list) {
      // The text's only item is meant, whatever its key says or lacks; a new one begins with its key alone.
      depth = 4;
      const auto& key = section.indexes.back().name;
      const auto parsed = config::Document::parse(request.yaml, "");
      const auto* own = parsed ? parsed->root().get(key) : nullptr;
      if (own != nullptr && own->is_scalar()) {
        path_ = {own->text()};
      } else {
        path_.resize(1, "draft");
        if (!parsed || parsed->root().is_null())
          text_ += fmt::format("  - {}: {}\n", key, config::write_text(path_[0], false));
      }
    }
    lines_ = static_cast<std::uint32_t>(std::count(text_.begin(), text_.end(), '\n'));
    indent_ = static_cast<std::uint32_t>(depth);
    bool first = true;
    for (std::size_t at = 0; at < request.yaml.size();) {
      const auto end = std::min(request.yaml.find('\n', at), request.yaml.size());
      const auto line = std::string_view(request.yaml).substr(at, end - at);
      const bool has_content =
          line.find_first_not_of(" \t\r") != std::string_view::npos && line[line.find_first_not_of(" \t\r")] != '#';
      if (is_list && first && has_content) {
        text_ += "  - ";
        first = false;
      } else if (!line.empty()) {
        text_ += std::string(depth, ' ');
      }
      text_ += line;
      text_ += '\n';
      at = end + 1;
    }
  }

  const std::string& text() const { return text_; }
  const std::vector<std::string>& path() const { return path_; }
  /// A place of the whole as one of the item's text; the text's beginning for what lies before it.
  Place unwrap(const Place& place) const {
    if (place.line <= lines_) return {"", 1, 1};
    return {"", place.line - lines_, place.column > indent_ ? place.column - indent_ : 1};
  }

 private:
  std::vector<std::string> path_;
  std::string text_;
  std::uint32_t lines_ = 0;
  std::uint32_t indent_ = 0;
};

Result<std::string> edited(const schema::Section& section, const DraftRequest& request, const Wrapped& wrapped) {
  if (request.set.empty() && request.unset.empty()) return request.yaml;
  const auto file = fmt::format("{}/{}", request.package, kFile);
  std::vector<Operation> operations;
  ItemAddress at{request.package, section.name, wrapped.path()};
  const bool is_list = section.shape == schema::Shape::kList;
  for (const auto& [field, value] : request.set) {
    if (is_list && field == std::vector<std::string>{section.indexes.back().name}) {
      // The key of a list's item is its name.
      if (value.scalar == at.path[0] || value.scalar.empty()) continue;
      operations.push_back({.what = Operation::What::kRename, .at = at, .text = value.scalar});
      at.path[0] = value.scalar;
      continue;
    }
    operations.push_back({.what = Operation::What::kSet, .at = at, .field = field, .value = value});
  }
  for (const auto& field : request.unset) {
    operations.push_back({.what = Operation::What::kUnset, .at = at, .field = field});
  }
  const auto find = [&](std::string_view name) { return name == section.name ? &section : nullptr; };
  AT_TRY(auto changes, apply({{file, wrapped.text()}}, operations, find));
  if (changes.empty()) return request.yaml;
  AT_TRY(auto found, find_item({{file, *changes.front().after}}, at, find));
  return std::move(found.yaml);
}

/// The values of an instance against its specification's parameters, and put in where it uses them.
void check_values(const InstanceItem& instance, const LoadContext& context,
                  const std::shared_ptr<const schema::SchemaSet>& schemas, config::Errors& errors) {
  const auto* specification = context.tree_of ? context.tree_of(instance.specification) : nullptr;
  if (specification == nullptr || !specification->has_section("parameters")) {
    errors.push_back({ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no specification", instance.specification),
                      instance.origin, "name a package that has parameters"});
    return;
  }
  const auto before = errors.size();
  const auto values = parameter_values(*specification, *schemas, &instance, errors);
  if (!values || errors.size() != before) return;
  auto with = context;
  with.name = instance_name(instance.specification, "", instance.name);
  with.schemas = schemas;
  with.values = &*values;
  for (auto& error : load_package(*specification, with).errors) {
    const auto file = error.place ? error.place->file : std::string();
    blame_value(*specification, instance, error);
    // What does not come from a value is told by the specification itself.
    if (!error.place || error.place->file == file) continue;
    error.message = fmt::format("instance {}: {}", with.name, error.message);
    errors.push_back(std::move(error));
  }
}

}  // namespace

Result<DraftView> Service::draft(const TenantId& tenant, const DraftRequest& given) const {
  const auto& impl = *impl_;
  auto request = given;
  const auto at = request.package.find('@');
  request.package = request.package.substr(0, at);
  const auto known = schemas(tenant, request.package);
  const auto* section = known ? known->section(request.section) : nullptr;
  if (section == nullptr) {
    if (known) return no_section(*known, request.section);
    return fail(ErrorCode::kUnavailable, "packages are not loaded yet");
  }
  if (request.yaml.size() > kMaxPackageFile) return fail(ErrorCode::kTooLarge, "the item's text is longer than 1 MiB");
  DraftView out;
  AT_TRY(out.yaml, edited(*section, request, Wrapped(*section, request)));
  request.yaml = out.yaml;
  const auto parsed = config::Document::parse(out.yaml, "");
  if (!parsed) {
    out.errors.push_back({parsed.error(), request.package, request.section, request.path, ""});
    return out;
  }
  out.written = schema::to_json(parsed->root());
  const Wrapped wrapped(*section, request);
  config::Errors errors;
  const auto path = fmt::format("{}/{}", request.package, kFile);
  const auto tree =
      PackageTree::read(request.package, {{path, std::string(kFile), wrapped.text(), std::nullopt}}, errors);
  const auto on_disk = impl.disk_files(tenant);
  std::map<std::string, std::unique_ptr<PackageTree>> trees;
  std::map<std::string, config::YamlValue> values;
  LoadContext context;
  {
    const std::shared_lock lock(impl.mutex);
    const auto* world = impl.find_world(tenant);
    if (world != nullptr) context = world->context_of(request.package, on_disk, trees, values);
  }
  context.run = impl.ask_now(on_disk);
  context.tenant = tenant;
  context.name = request.package;
  context.schemas = known;
  context.overrides.clear();
  context.alone = true;
  std::map<std::string, config::YamlValue> samples;
  if (const auto* whole = context.tree_of ? context.tree_of(request.package) : nullptr;
      whole != nullptr && whole->has_section("parameters") && section->name != "parameters") {
    config::Errors ignored;
    samples = sample_values(*whole, *known, context.unjudged, ignored);
    context.values = &samples;
  }
  auto loaded = load_package(tree, context);
  errors.insert(errors.end(), loaded.errors.begin(), loaded.errors.end());
  if (!request.path.empty()) {
    for (const auto& instance : loaded.package.instances) {
      const auto theirs = schemas(tenant, instance.specification);
      auto as_there = context;
      as_there.read_file = [&](const std::string& file) { return on_disk.read_file(instance.specification, file); };
      as_there.values = nullptr;
      as_there.unjudged.clear();
      check_values(instance, as_there, theirs ? theirs : known, errors);
    }
  }
  for (auto& error : errors) {
    const bool own = error.place && error.place->file == path;
    const auto place = own ? wrapped.unwrap(*error.place) : Place{"", 1, 1};
    error.place = place;
    auto field = own ? schema::field_at(parsed->root(), place) : std::string();
    out.errors.push_back({std::move(error), request.package, request.section, request.path, std::move(field)});
  }
  return out;
}

}  // namespace atalaya::packages
