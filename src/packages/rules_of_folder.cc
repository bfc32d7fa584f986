#include "packages/rules_of_folder.h"

#include "packages/check.h"
#include "packages/disk.h"
#include "packages/loader.h"

namespace atalaya::packages {
namespace {

/// The schemas of the base package alone: what rules are written by.
Result<std::shared_ptr<const schema::SchemaSet>> schemas_of(const std::vector<SourceFile>& base) {
  config::Errors errors;
  const auto tree = PackageTree::read("base", base, errors);
  const auto schemas = tree.whole_section("schemas", errors);
  const auto types = tree.whole_section("types", errors);
  auto set = schema::SchemaSet::build({{"base", schemas ? schemas->node : nullptr, types ? types->node : nullptr, {}}},
                                      errors);
  if (!errors.empty()) return std::unexpected(errors.front());
  return set;
}

}  // namespace

Result<std::vector<rules::RuleSpec>> rules_of_folder(io::FileSystem& files, const std::string& folder,
                                                     const std::map<std::string, std::string>& parameters,
                                                     const std::vector<SourceFile>& base) {
  const auto name = folder_name(folder);
  const auto beside = io::parent_path(folder) + "/base";
  AT_TRY(const auto schemas, schemas_of(base.empty() ? read_folder(files, beside, beside) : base));
  config::Errors errors;
  const auto tree = PackageTree::read(name, read_folder(files, folder, folder), errors);
  LoadContext context;
  context.tenant = default_tenant();
  context.name = name;
  context.schemas = schemas;
  context.alone = true;
  context.read_file = [&](const std::string& file) { return read_package_file(files, folder, file); };
  std::map<std::string, config::YamlValue> values;
  if (tree.has_section("parameters")) {
    if (auto samples = parameter_values(tree, *schemas, nullptr, errors)) values = std::move(*samples);
    for (const auto& [parameter, text] : parameters) {
      const auto given = config::Document::parse(text, folder);
      values[parameter] =
          given && given->root().is_scalar() ? config::value_of(given->root()) : config::YamlValue(text);
    }
    context.values = &values;
  }
  auto loaded = load_package(tree, context);
  errors.insert(errors.end(), loaded.errors.begin(), loaded.errors.end());
  if (!errors.empty()) return std::unexpected(errors.front());
  return std::move(loaded.package.rules);
}

}  // namespace atalaya::packages
