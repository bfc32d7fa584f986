// All packages of one tenant together: what each needs of the others, and what runs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "packages/loader.h"
#include "packages/locate.h"

namespace atalaya::packages {

/// Where the files of packages come from: the disk, or the disk with a change that is only tried.
struct Files {
  std::function<std::vector<std::string>()> list;                                ///< names of packages, sorted
  std::function<std::vector<SourceFile>(const std::string& package)> read;       ///< YAML files; {} : no such package
  std::function<std::vector<SourceFile>(const std::string& package)> last_good;  ///< as it ran before; {} : never
  std::function<Result<std::string>(const std::string& package, const std::string& name)> read_file;
  std::function<bool(const std::string& package)> has_channel_types;
};

/// What is asked of a type's program: the value as JSON.
struct TypeQuestion {
  std::string program;  ///< its text
  std::string verb;
  std::string input;
};

/// Of what is not known before a type's program has answered; it says nothing against anybody.
bool is_awaited(const Error& error);

/// Runs a type's program (its text) with a verb and the value as JSON; answers what it printed. Nothing: it
/// could not be asked now, and the package waits for it.
using RunProgram = std::function<std::optional<Result<std::string>>(const std::string& program, std::string_view verb,
                                                                    const std::string& input)>;

struct WorldOptions {
  TenantId tenant;
  std::vector<SourceFile> base;  ///< the shipped base package: in force while the tenant's own does not hold
  RunProgram run = {};
  /// Further errors of a package's channels, with their places: what only their types can judge. The types
  /// are those of the tenant, the package's own (last) included.
  std::function<std::vector<Error>(const std::vector<ChannelItem>&, const std::vector<ChannelTypeFile>&)>
      check_channels = {};
  /// Further errors of a package's items, with their places: what only those who run them can judge.
  std::function<std::vector<Error>(const Package&)> check_items = {};
};

/// The state of one package, or of one instance of a specification.
struct Slot {
  PackagePtr running;               ///< null: none runs
  Manifest manifest;                ///< of what runs, else of the files
  std::vector<Error> errors;        ///< of the files alone
  std::vector<Error> world_errors;  ///< of the package among the others
  std::vector<PackageError> told;   ///< both, with the items that they lie in; what is awaited left out
  /// Of an instance: what it was made of, and the package that declares it.
  std::optional<InstanceItem> instance;
  std::string declared_in;
  bool failed = false;          ///< of an instance: it does not hold, which is told to who declares it
  bool waiting = false;         ///< programs of types have not answered yet: whether it holds is not known
  std::set<std::string> asked;  ///< packages whose items it links to, absent ones too

  bool broken() const { return !errors.empty() || !world_errors.empty(); }
};
using Slots = std::map<std::string, Slot>;

/// What a package gives to the schemas of others.
struct SchemaPart {
  std::optional<Linked> schemas;
  std::optional<Linked> types;
  std::vector<schema::OpenKind> kinds;
};

/// What the world becomes by a change; nothing is in force before it is taken. Only slots that differ.
struct Plan {
  Slots slots;
  std::set<std::string> removed;
  std::map<std::string, SchemaPart> parts;  ///< of all packages
  std::map<std::string, std::shared_ptr<const schema::SchemaSet>> schemas;
  /// Packages of the change that do not hold, with all errors.
  std::vector<PackageError> errors;
  /// What programs of types could not be asked, and the packages whose values wait for it: these do not hold
  /// until it is known, and go on as they ran before.
  std::vector<TypeQuestion> questions;
  std::set<std::string> waiting;
};

/// Thread-compatible; planning is const.
class World {
 public:
  explicit World(WorldOptions options) : options_(std::move(options)) {}

  /// What happens when the files of these packages are as `files` says; nullopt: of all. A package that does
  /// not hold goes on as it ran before. Deterministic: the order of names and files does not count.
  Plan plan(const std::optional<std::set<std::string>>& changed, const Files& files) const;
  void take(Plan plan);

  const Slots& slots() const { return slots_; }
  const TenantId& tenant() const { return options_.tenant; }
  /// What the files of this package may use. Null before the first plan.
  std::shared_ptr<const schema::SchemaSet> schemas_of(const std::string& package) const;
  /// The context in which a package's items were made, for looking at one of them again.
  LoadContext context_of(const std::string& package, const Files& files,
                         std::map<std::string, std::unique_ptr<PackageTree>>& trees,
                         std::map<std::string, config::YamlValue>& values) const;

 private:
  friend class Planner;
  const WorldOptions options_;
  Slots slots_;
  std::set<std::string> overriders_;  ///< packages that override fields of others
  std::map<std::string, SchemaPart> parts_;
  std::map<std::string, std::shared_ptr<const schema::SchemaSet>>
      schemas_;  ///< by package that has its own; "" : base alone
};

/// Finds the programs of types among the files; empty where `run` is. `note` hears what could not be asked.
schema::RunTypeScript run_type_script(const RunProgram& run, const Files& files,
                                      std::function<void(TypeQuestion)> note = {});

/// `mysql@db1`; within an instance `outer`: `mysql@outer.db1`.
std::string instance_name(const std::string& specification, const std::string& outer, const std::string& name);

}  // namespace atalaya::packages
