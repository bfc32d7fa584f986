// From the tree of one package to what it declares, or to everything that is wrong with it.
#pragma once

#include <boost/json/object.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "packages/package.h"
#include "packages/tree.h"
#include "schema/schema_set.h"
#include "schema/validate.h"

namespace atalaya::packages {

/// Changes by another package to single fields of this one's items.
struct ForeignOverride {
  std::string by;
  config::Document document;  ///< its root is the mapping of sections
};

/// What loading one package may ask of the others. What is null or empty is not there.
struct LoadContext {
  TenantId tenant;
  std::string name;  ///< of what comes out: the package's, or `mysql@db1`
  std::shared_ptr<const schema::SchemaSet> schemas;
  const std::map<std::string, config::YamlValue>* values = nullptr;  ///< of an instance, all filled in
  /// Parameters that do not hold themselves, which is told there: what uses one is not judged.
  std::set<std::string> unjudged = {};
  std::vector<ForeignOverride> overrides;  ///< in the order in which they win
  /// The tree of another package; null: there is none.
  std::function<const PackageTree*(const std::string& package)> tree_of = {};
  std::function<Result<std::string>(const std::string& name)> read_file = {};
  schema::RunTypeScript run = {};
  /// Packages whose own section this is, also such as are not imported.
  std::function<std::vector<std::string>(const std::string& section)> declared_by = {};
  bool alone = false;  ///< one item out of its package: what it refers to is not looked for
};

struct Loaded {
  Package package;
  std::vector<Error> errors;  ///< by place; empty: the package is good
};

/// Checks all sections together. The same tree and context give the same answer.
Loaded load_package(const PackageTree& tree, const LoadContext& context);

/// An item as it is in force: links followed, values filled in, overrides laid on.
struct ComposedItem {
  Linked tree;
  const config::Node* written = nullptr;  ///< what its own package says
  std::vector<std::string> overridden_by;
};
/// not_found where the path names no item.
Result<ComposedItem> compose_item(const PackageTree& tree, const LoadContext& context, const std::string& section,
                                  const std::vector<std::string>& path);

/// The values of a specification's parameters for one instance: given, else default. `complain_at` is where
/// it is declared. Nothing after errors.
std::optional<std::map<std::string, config::YamlValue>> parameter_values(const PackageTree& specification,
                                                                         const schema::SchemaSet& schemas,
                                                                         const InstanceItem* instance,
                                                                         config::Errors& errors);
/// Values by which a specification is checked before anybody uses it: defaults, examples, samples. Parameters that do
/// not hold themselves have none; their names come into `unjudged`.
std::map<std::string, config::YamlValue> sample_values(const PackageTree& specification,
                                                       const schema::SchemaSet& schemas,
                                                       std::set<std::string>& unjudged, config::Errors& errors);

/// The parameters for which a specification is checked with values that nobody wrote: those without default and
/// example.
std::vector<std::string> sampled_parameters(const PackageTree& specification, const schema::SchemaSet& schemas);

/// What pages may show of these values: all but secrets, as plain JSON.
boost::json::object shown_parameters(const PackageTree& specification, const schema::SchemaSet& schemas,
                                     const std::map<std::string, config::YamlValue>& values);

/// `${name}` in a text replaced; a text that is nothing but one takes its value as it is. `$${` is `${`.
std::optional<config::YamlValue> fill_in(const config::Node& scalar,
                                         const std::map<std::string, config::YamlValue>& values,
                                         config::Errors* errors);

}  // namespace atalaya::packages
