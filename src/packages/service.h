// The packages of all tenants: loaded, checked, watched, edited.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "io/file_system.h"
#include "packages/package.h"
#include "registry/items.h"
#include "rules/rule.h"

namespace atalaya::packages {

/// A file that ships inside the binary, as `at_embed` generates it.
struct ShippedFile {
  std::string_view path;  ///< "host/package.yaml"
  std::string_view bytes;
};

/// A line of `GET /packages`.
struct PackageState {
  std::string name;
  std::string version;  ///< of the version that runs; "" when none does
  bool broken = false;  ///< the files do not hold; an earlier version runs, if there is one
  std::vector<Error> errors;
  std::size_t items = 0;  ///< that run
};

/// A check asked for through the API or a command.
struct NewCheck {
  std::string type;    ///< http, tcp, process
  std::string target;  ///< URL, host:port, process name
  std::vector<std::string> on;
  std::string name;  ///< "" for one made from the target
  std::optional<Duration> period;
  std::optional<int> expect_status;
  std::string expect_text;
};

/// What changed in a load; each is told only when something of its kind did.
struct Listeners {
  /// All rules of all tenants, for rules::Engine::set_rules.
  std::function<void(const std::vector<rules::RuleSpec>&)> rules;
  /// A new revision of the agents' configuration exists: ask `agent_configuration` for each host.
  std::function<void(std::uint64_t revision)> collectors;
  /// All channels and channel types of the tenant.
  std::function<void(const TenantId&, const std::vector<ChannelItem>&, const std::vector<ChannelTypeFile>&)> channels;
};

/// Truth are the files under `root`/<tenant>/<package>/. Each package is all or nothing: one with an
/// error keeps its version that ran before (also across a restart: the last good files are kept under
/// `last_good`) and never holds up the others.
/// Thread-safe: calls that change take turns and tell listeners on the calling thread before they
/// return; listeners must not call functions that change.
class Service {
 public:
  struct Options {
    std::string root;                                 ///< DATA/packages
    std::string last_good;                            ///< DATA/packages-last-good; "" to keep none
    std::vector<TenantId> tenants{default_tenant()};  ///< further ones are found as folders
    std::vector<ShippedFile> shipped;                 ///< written into a tenant's folder where the package is absent
    /// Further errors of a package's channels, with their places: what only their types can judge. The
    /// types are those of the tenant, the package's own (last) included.
    std::function<std::vector<Error>(const std::vector<ChannelItem>&, const std::vector<ChannelTypeFile>&)>
        check_channels = {};
  };

  /// Borrows `files` and `items`.
  Service(io::FileSystem& files, registry::Items& items, Options options);
  ~Service();

  /// Before load_all.
  void subscribe(Listeners listeners);
  /// Installs shipped packages that are absent, then loads everything. Fails only when the root can
  /// neither be made nor read; broken packages show in `list`.
  Status load_all();
  /// Reads every package again. The answer holds all errors found (none: everything runs as written).
  std::vector<Error> reload();
  /// Reloads the packages whose files changed by hand (name, size, hash). True when something did.
  /// Cheap enough for once a second.
  bool scan();

  /// Tenants that have none yet get the shipped packages, as a tenant's new folder does by `scan`.
  void welcome(const std::vector<TenantId>& tenants);

  std::vector<TenantId> tenants() const;
  std::vector<PackageState> list(const TenantId& tenant) const;
  std::vector<rules::RuleSpec> rules() const;  ///< of all tenants
  std::vector<CollectorItem> collectors(const TenantId& tenant) const;
  std::vector<ChannelItem> channels(const TenantId& tenant) const;
  std::vector<ChannelTypeFile> channel_types(const TenantId& tenant) const;

  /// {"revision":N,"collectors":[…]} for the agent of this host. Every host has a `host` collector
  /// (at 1 s unless a package says otherwise). N grows with every change of any collector; equal
  /// configurations of a host may have different N.
  std::string agent_configuration(const TenantId& tenant, std::string_view host) const;
  std::uint64_t configuration_revision() const;

  /// Writes ondemand/check-<id>.yaml and runs it. already_exists for a taken name; invalid_argument
  /// with the words a person needs for wrong input.
  Result<CollectorItem> add_check(const TenantId& tenant, const NewCheck& check);
  /// `id` as in CollectorItem. Only what was made on demand: permission_denied for an item of another
  /// package (its file is the truth), with the file named.
  Status remove_item(const TenantId& tenant, std::string_view id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::packages
