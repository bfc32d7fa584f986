// Makes the items of one package what they are in force. Inside this library only.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "packages/loader.h"

namespace atalaya::packages {

/// Borrows tree and context. Thread-compatible.
class Composer {
 public:
  Composer(const PackageTree& tree, const LoadContext& context) : tree_(tree), context_(context) {}

  /// Nothing after errors.
  std::optional<ComposedItem> compose(Linked item, const schema::Section& section, const std::vector<std::string>& path,
                                      config::Errors& errors);
  /// A key with the instance's values filled in.
  std::optional<std::string> key_text(const config::Node& key, config::Errors& errors) const;
  /// Was this node of an override laid on an item?
  bool used(const config::Node* node) const { return used_.contains(node); }

  /// What stands at this path of the section, an item or a group; nothing where there is none. With the
  /// values of an instance its keys are those of the instance.
  static std::optional<Linked> find(const PackageTree& tree, const schema::Section& section,
                                    const std::vector<std::string>& path, config::Errors& errors,
                                    const std::map<std::string, config::YamlValue>* values = nullptr);

 private:
  std::optional<Linked> filled(Linked from, config::Errors& errors) const;
  bool is_unjudged(const config::Node& node) const;
  std::optional<Linked> resolved(const PackageTree& tree, Linked item, const schema::Section& section, int depth,
                                 config::Errors& errors) const;
  std::optional<Linked> link_target(const config::Node& link, const schema::Section& section, int depth,
                                    config::Errors& errors) const;

  const PackageTree& tree_;
  const LoadContext& context_;
  std::set<const config::Node*> used_;
};

/// not_found, with the sections that there are.
std::unexpected<Error> no_section(const schema::SchemaSet& schemas, const std::string& section);

}  // namespace atalaya::packages
