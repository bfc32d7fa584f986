// One plan in the making. Inside this library only.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "packages/world.h"

namespace atalaya::packages {

/// Used once. Thread-compatible.
class Planner {
 public:
  Planner(const World& world, const Files& files);
  Plan make(const std::optional<std::set<std::string>>& changed);

  /// Parsed once, kept while this lives; null: there is none. Errors are those of its files.
  const PackageTree* tree_of(const std::string& package);
  std::shared_ptr<const schema::SchemaSet> schemas_for(const std::string& package, config::Errors& errors);
  std::vector<ForeignOverride> overrides_on(const std::string& package) const;
  LoadContext context(const std::string& name, const std::string& package);

 private:
  // planner.cc: packages for themselves.
  void read_base();
  void read_parts(const std::set<std::string>& changed);
  SchemaPart part_of(const PackageTree& tree, config::Errors& errors) const;
  void check(const std::string& package);
  void check_again(const std::string& package);
  std::set<std::string> followers(const std::set<std::string>& changed) const;
  void run_last_good(const std::string& package, Slot& slot);
  std::shared_ptr<const schema::SchemaSet> build_schemas(const std::vector<std::string>& imports,
                                                         const std::string& package, const SchemaPart* own,
                                                         config::Errors& errors) const;
  std::vector<ChannelTypeFile> channel_types_with(const Package& package) const;

  // planner_overrides.cc
  void check_override_targets();
  void check_override_conflicts();
  const Manifest& earlier(const std::string& name);
  bool is_told_at(const std::string& package, const std::vector<Place>& keys, const Place& place) const;
  void try_written_overrides();
  void try_override(const std::string& by, const Override& one);
  bool reject_overrides(const std::vector<ForeignOverride>& overrides, std::vector<Error>& errors);
  void reject(const std::set<std::string>& culprits);

  // planner_world.cc: packages among each other.
  void check_requirements();
  void check_broken_requirements(const std::set<std::string>& changed);
  void find_cycles();
  void check_references();
  void make_instances(const std::set<std::string>& changed);
  bool had_instance(const std::string& package, const InstanceItem& item);
  void complain_about_specification(const InstanceItem& item, const std::string& declared_in);
  void check_instance(const InstanceItem& item, const std::string& declared_in);
  void make_instance(const InstanceItem& item, const std::string& outer, const std::string& declared_in,
                     std::vector<std::string>& chain, const std::set<std::string>& changed);

  const Slot* slot(const std::string& name) const;  ///< as planned, else as it is
  Slot& change(const std::string& name);            ///< a copy of what is, to be changed
  /// As what runs says; `as_written`: as the files say, where they do not hold.
  bool requires_package(const std::string& who, const std::string& what, std::set<std::string>& seen,
                        bool as_written = false) const;
  const Manifest& written(const std::string& name) const;
  std::vector<std::string> present() const;                ///< all that will be there, instances not
  bool complain(const std::string& package, Error error);  ///< false: said already
  Error not_running(const std::string& package, std::string broken, const Place& place) const;
  bool is_checking(const std::string& package) const;  ///< nothing but programs' answers is missing
  /// Packages that declare this section, whether they hold or not; by name.
  const std::vector<std::string>& declared_by(const std::string& section);

  // planner_errors.cc: what is told in the end.
  void keep_complaints(const std::set<std::string>& changed);
  void collect_errors(const std::set<std::string>& changed, const std::optional<std::set<std::string>>& wanted);
  PackageError located(const std::string& package, Error error);
  void name_field(PackageError& error);
  const ItemLocator* locator_of(const std::string& package);

  const World& world_;
  const Files& files_;
  Plan plan_;
  std::vector<std::string> names_;  ///< of folders
  std::map<std::string, std::unique_ptr<PackageTree>> trees_;
  std::map<std::string, config::Errors> tree_errors_;
  std::map<std::string, std::map<std::string, config::YamlValue>> values_;  ///< of instances that are made
  std::set<std::string> checked_;
  std::map<std::string, PackagePtr> broken_;            ///< what the files of those that do not hold would have been
  std::set<std::string> overriders_;                    ///< packages that override, before the change or after
  std::set<std::string> rejected_overrides_;            ///< packages whose overrides do not hold
  std::set<std::string> restored_overrides_;            ///< packages whose overrides are those of the version that runs
  std::map<std::string, Manifest> earlier_;             ///< what ran before, as far as somebody asked
  std::map<std::string, Manifest> written_;             ///< of packages with mistakes, which are told all at once
  std::map<std::string, std::set<std::string>> asked_;  ///< whose trees a package asked for
  std::map<std::string, Place> wanted_instances_;       ///< with the item that each was first made of
  std::map<std::string, bool> as_it_ran_;               ///< packages that a start finds, by whether they ran so
  std::map<std::string, std::vector<std::string>> declared_by_;  ///< by section that somebody lacks
  std::map<std::string, std::vector<Error>> complaints_;         ///< world errors, by package
  struct Located {
    std::shared_ptr<const schema::SchemaSet> schemas;
    std::optional<ItemLocator> items;  ///< nothing: there is no such package
  };
  std::map<std::string, Located> locators_;
  bool all_ = false;
};

/// Of a specification's mistake that an instance's value makes: it becomes one at the value.
void blame_value(const PackageTree& specification, const InstanceItem& item, Error& error);
/// Of one that a made-up value of these parameters may make: its remedy says how to give a better one.
void blame_sample(const PackageTree& specification, const std::vector<std::string>& sampled, Error& error);

/// Fields that the settings of a channel type's file give to a channel of that type.
std::vector<schema::OpenKind> open_kinds(const std::vector<SourceFile>& files);

}  // namespace atalaya::packages
