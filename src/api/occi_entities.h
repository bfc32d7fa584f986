// The entities of OCCI that tenants have: read from their packages, changed in them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "occi/engine.h"
#include "packages/service.h"

namespace atalaya::api {

using OcciWorld = std::shared_ptr<const occi::World>;

/// A tenant's world is made from packages when they have changed, and kept until they do again. What requests make is
/// written to packages: new entities as files of their own in the package `ondemand`, changed ones where they stand.
/// Thread-safe; borrows the packages, and listens to them: make it before they are loaded.
class OcciEntities {
 public:
  explicit OcciEntities(packages::Service& packages);

  OcciWorld world(const TenantId& tenant);

  /// Who asks; `privileged` as in packages::ChangeRequest.
  struct By {
    std::string author;
    bool privileged = false;
  };
  /// Decides by the newest world and stores what comes of it, one at a time. Returns the change as it was stored.
  Result<occi::Change> change(const TenantId& tenant, const By& by, const std::string& reason,
                              const std::function<Result<occi::Change>(const occi::World&)>& decide);

 private:
  OcciWorld made(const TenantId& tenant) const;
  Result<std::vector<packages::Operation>> operations(const TenantId& tenant, const occi::World& world,
                                                      const occi::Change& change) const;
  packages::Operation remove(const TenantId& tenant, const std::string& section, const std::string& item) const;

  packages::Service& packages_;
  const occi::Model shipped_;

  std::mutex change_mutex_;  ///< held from deciding to having stored; taken before mutex_

  // Guarded by mutex_.
  std::map<TenantId, OcciWorld> kept_;
  std::uint64_t changes_ = 0;  ///< of packages: a world that was begun before one is not kept
  std::mutex mutex_;
};

}  // namespace atalaya::api
