// The packages of all tenants: loaded, checked, watched, changed.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "io/file_system.h"
#include "packages/archive.h"
#include "packages/edit.h"
#include "packages/history.h"
#include "packages/package.h"
#include "packages/views.h"
#include "packages/world.h"
#include "registry/items.h"
#include "rules/rule.h"

namespace atalaya::packages {

class TypeScripts;

/// A file that ships inside the binary, as `at_embed` generates it.
struct ShippedFile {
  std::string_view path;  ///< "host/package.yaml"
  std::string_view bytes;
};

/// A check asked for through the API or a command.
struct NewCheck {
  std::string type;    ///< http, tcp, process, ping
  std::string target;  ///< URL, host:port, process name, host
  std::vector<std::string> on;
  std::string name;  ///< "" for one made from the target
  std::optional<Duration> period;
  std::optional<int> expect_status;
  std::string expect_text;
};

/// What changed in a load; each is told only when something of its kind did.
struct Listeners {
  /// All rules of all tenants, for rules::Engine::set_rules: at the start, and when everything was read again.
  std::function<void(const std::vector<rules::RuleSpec>&)> rules = {};
  /// The rules of some packages, after a change: what is not among them is gone.
  std::function<void(const TenantId&, const std::set<std::string>& packages, const std::vector<rules::RuleSpec>&)>
      package_rules = {};
  /// A new revision of the agents' configuration exists: ask `agent_configuration` for each host.
  std::function<void(std::uint64_t revision)> collectors = {};
  /// All channels and channel types of the tenant.
  std::function<void(const TenantId&, const std::vector<ChannelItem>&, const std::vector<ChannelTypeFile>&)> channels =
      {};
  /// Packages (and instances) that differ in whatever way, their errors included.
  std::function<void(const TenantId&, const std::set<std::string>& packages)> packages = {};
};

/// A change that somebody asks for.
struct ChangeRequest {
  std::vector<Operation> operations;
  std::string author;
  std::string reason;
  /// What the caller saw: file → hash. Another hash now is a conflict.
  std::map<std::string, std::string> base;
  bool preview = false;  ///< compute everything, change nothing
  /// May it change what decides over others or runs as a program: schemas, types, procedures, script
  /// collectors, files that are no YAML? Else such a change is refused.
  bool privileged = true;
};

/// A file that is no longer as the caller saw it.
struct Conflict {
  std::string file;
  std::string base_hash;
  std::string hash;
  std::string text;
};

/// What a change does, or why it does not. Only one of `errors` and `conflicts` holds something, and then
/// nothing was changed.
struct ChangeResult {
  std::optional<std::uint64_t> commit;  ///< nothing for a preview, or where nothing differs
  std::vector<FileChange> files;
  std::vector<std::string> effects;           ///< "2 rules change", "1 collector starts on 14 hosts"
  std::map<std::string, std::string> hashes;  ///< of the changed files
  std::string replaces;                       ///< of an installation: a hash of all that it takes the place of
  std::vector<PackageError> errors;
  std::vector<Conflict> conflicts;
};

/// Truth are the files under `root`/<tenant>/<package>/. Each package is all or nothing: one with an error
/// keeps the version that ran before (also across a restart: the last good files are kept under
/// `last_good`) and never holds up the others. Changes through this class are all or nothing over any
/// number of files and packages, survive a crash as one, and are kept in a history; so is what somebody
/// changed by hand.
/// Thread-safe: calls that change take turns and tell listeners on the calling thread before they
/// return; listeners must not call functions that change.
class Service {
 public:
  struct Options {
    std::string root;                                 ///< DATA/packages
    std::string last_good;                            ///< DATA/packages-last-good; "" to keep none
    std::string history;                              ///< DATA/packages-history
    std::vector<TenantId> tenants{default_tenant()};  ///< further ones are found as folders
    std::vector<ShippedFile> shipped;                 ///< written into a tenant's folder where the package is absent
    /// Further errors of a package's channels, with their places: what only their types can judge. The
    /// types are those of the tenant, the package's own (last) included.
    std::function<std::vector<Error>(const std::vector<ChannelItem>&, const std::vector<ChannelTypeFile>&)>
        check_channels = {};
    /// Further errors of a package's items, with their places: what only those who run them can judge.
    std::function<std::vector<Error>(const Package&)> check_items = {};
    /// Asked without any lock, so that programs hold up nobody but who waits for their package; borrowed. Null:
    /// values of types with programs are checked as far as their base goes.
    TypeScripts* type_scripts = nullptr;
    /// Names of the tenant's hosts: for effects, and for what each of their agents would be told.
    std::function<std::vector<std::string>(const TenantId&)> host_names = {};
    /// A change that makes an agent's configuration longer is refused.
    std::size_t most_agent_configuration_bytes = 1 << 20;
  };

  /// Borrows all.
  Service(io::FileSystem& files, registry::Items& items, const Clock& clock, Options options);
  ~Service();

  /// Before load_all.
  void subscribe(Listeners listeners);
  /// Finishes a change that a crash interrupted, installs shipped packages that are absent, then loads
  /// everything. Fails only when the root can neither be made nor read; broken packages show in `list`. Waits
  /// for no program of a type: what needs one runs as it did last, until `ask_programs` knows more.
  Status load_all();
  /// Reads every package again. The answer holds all errors found (none: everything runs as written). Waits for
  /// programs of types, for kTimeOfChange at most.
  std::vector<Error> reload();
  /// Loads the packages whose files were changed by hand. True when something was. Cheap enough for once a
  /// second; waits for no program.
  bool scan();
  /// Asks the programs of types that packages wait for, and takes these packages with the answers; also those
  /// about which a program said nothing a while ago. True when something changed. Costs nothing where nobody
  /// waits, else seconds: call it on a thread of its own, a few times a second.
  bool ask_programs();
  /// Tenants that have none yet get the shipped packages, as a tenant's new folder does by `scan`.
  void welcome(const std::vector<TenantId>& tenants);

  // What is in force.
  std::vector<TenantId> tenants() const;
  std::vector<PackageState> list(const TenantId& tenant) const;
  std::vector<rules::RuleSpec> rules() const;  ///< of all tenants
  std::vector<CollectorItem> collectors(const TenantId& tenant) const;
  std::vector<ChannelItem> channels(const TenantId& tenant) const;
  std::vector<ChannelTypeFile> channel_types(const TenantId& tenant) const;
  /// Items of a section, specifications' left out; with the packages that hold them.
  std::vector<FoundInPackage> items(const TenantId& tenant, std::string_view section) const;
  std::optional<FoundInPackage> find(const TenantId& tenant, std::string_view section, std::string_view id) const;
  /// The same in the packages that `package` falls back to, nearest first, itself before them.
  std::optional<FoundInPackage> find_with_fallbacks(const TenantId& tenant, std::string_view section,
                                                    const std::string& package, std::string_view path) const;
  /// Packages that this one falls back to; none for an unknown one.
  std::vector<std::string> fallbacks(const TenantId& tenant, const std::string& package) const;
  std::shared_ptr<const schema::SchemaSet> schemas(const TenantId& tenant, const std::string& package) const;

  /// {"revision":N,"collectors":[…]} for the agent of this host. Every host has a `host` collector
  /// (at 1 s unless a package says otherwise). N grows with every change of any collector; equal
  /// configurations of a host may have different N.
  std::string agent_configuration(const TenantId& tenant, std::string_view host) const;
  std::uint64_t configuration_revision() const;

  // Looking at files and items, broken ones too. not_found where there is none.
  Result<PackageView> view(const TenantId& tenant, const std::string& package) const;
  Result<TreeView> tree(const TenantId& tenant, const std::string& package) const;
  Result<ItemView> item(const TenantId& tenant, const std::string& package, const std::string& section,
                        const std::vector<std::string>& path) const;
  Result<FileView> file(const TenantId& tenant, const std::string& package, const std::string& name) const;
  /// How an item would be read, and how its text becomes after these changes: the form and the text of an
  /// editor follow each other by it. Nothing is changed.
  Result<DraftView> draft(const TenantId& tenant, const DraftRequest& request) const;

  // Changing.
  Result<ChangeResult> change(const TenantId& tenant, const ChangeRequest& request);
  Result<std::vector<Commit>> history(const TenantId& tenant, const std::string& package, std::uint64_t before,
                                      std::size_t limit) const;
  Result<Commit> commit(const TenantId& tenant, std::uint64_t id) const;
  Result<ChangeResult> revert(const TenantId& tenant, std::uint64_t id, const std::string& author,
                              const std::string& reason, bool preview, bool privileged = true);
  /// The package's files as an archive takes them.
  Result<Archive> pack(const TenantId& tenant, const std::string& package) const;
  /// already_exists for a package that is there, unless `upgrade`, which wants a newer version
  /// (or `any_version`: to see how one differs). conflict where something else is there than what a preview
  /// said to be replaced (`replaces`; "" : whatever it is).
  Result<ChangeResult> install(const TenantId& tenant, const Archive& archive, const std::string& author, bool upgrade,
                               bool preview, const std::string& reason = {}, bool any_version = false,
                               const std::string& replaces = {});
  /// Differences from what ships with the program; not_found for a package that does not.
  Result<std::vector<FileChange>> diff_from_shipped(const TenantId& tenant, const std::string& package) const;

  /// Writes ondemand/check-<id>.yaml and runs it. already_exists for a taken name; invalid_argument
  /// with the words a person needs for wrong input.
  Result<CollectorItem> add_check(const TenantId& tenant, const NewCheck& check, const std::string& author);
  /// `id` as in CollectorItem. Only what was made on demand: permission_denied for an item of another
  /// package (its file is the truth), with the file named.
  Status remove_item(const TenantId& tenant, std::string_view id, const std::string& author);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Of a file's text, for conflicts: 16 hex digits.
std::string text_hash(std::string_view text);

}  // namespace atalaya::packages
