// The service's inside, shared by the files that implement it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "packages/disk.h"
#include "packages/service.h"

namespace atalaya::packages {

struct Service::Impl {
  Impl(io::FileSystem& file_system, registry::Items& item_index, Options service_options)
      : files(file_system), items(item_index), options(std::move(service_options)) {}

  /// One package folder of a tenant.
  struct Slot {
    std::optional<Package> running;
    std::uint64_t seen = 0;  ///< fingerprint of the files that were last looked at
    bool broken = false;
    std::vector<Error> errors;
  };
  using Slots = std::map<std::string, Slot>;

  // Under change_mutex.
  Result<std::vector<TenantId>> find_tenants();
  Status install_shipped(const TenantId& tenant);
  /// The same for a tenant that nobody knew; a failure goes to the log.
  void install_for_new(const TenantId& tenant);
  /// Looks at every package of the tenant; loads those whose files changed, or all.
  void load_tenant(const TenantId& tenant, bool all, bool& changed);
  void load(const TenantId& tenant, const std::string& name, const std::vector<SourceFile>& sources);
  void run_last_good(const TenantId& tenant, const std::string& name, Slot& slot);
  void keep_last_good(const TenantId& tenant, const std::string& name, const std::vector<SourceFile>& sources);
  void forget(const TenantId& tenant, const std::string& name);
  std::vector<ChannelTypeFile> channel_types_except(const TenantId& tenant, const std::string& name) const;
  /// Compares with what was told last, and tells what is new.
  void tell();
  void renew_revision(const std::vector<CollectorItem>& all);

  std::string folder(const TenantId& tenant, const std::string& name) const {
    return options.root + "/" + tenant.value() + "/" + name;
  }
  std::string good_folder(const TenantId& tenant, const std::string& name) const {
    return options.last_good + "/" + tenant.value() + "/" + name;
  }

  // Under mutex.
  std::vector<rules::RuleSpec> all_rules() const;
  std::vector<CollectorItem> collectors_of(const TenantId& tenant) const;
  std::vector<ChannelItem> channels_of(const TenantId& tenant) const;
  std::vector<ChannelTypeFile> channel_types_of(const TenantId& tenant) const;

  io::FileSystem& files;
  registry::Items& items;
  const Options options;
  std::vector<Listeners> listeners;
  std::set<std::string> odd_folders;  ///< in the root, named in the log; under change_mutex

  // What listeners heard last; under change_mutex.
  struct Told {
    bool once = false;
    std::vector<rules::RuleSpec> rules;
    std::vector<CollectorItem> collectors;
    std::map<TenantId, std::pair<std::vector<ChannelItem>, std::vector<ChannelTypeFile>>> channels;
  } told;

  mutable std::mutex mutex;  ///< guards the rest; changed only under change_mutex as well
  std::map<TenantId, Slots> tenants;
  std::uint64_t revision = 0;

  std::mutex change_mutex;  ///< held through a whole change; taken before mutex
};

}  // namespace atalaya::packages
