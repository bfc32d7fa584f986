// The entities of OCCI that tenants have: read from their packages, changed in them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/occi_maker.h"
#include "occi/engine.h"
#include "packages/service.h"

namespace atalaya::api {

/// A tenant's world is made from packages when it is first asked for, and made anew by each change of them before that
/// change is answered; meanwhile the one before is read, without waiting. What requests make is
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
  OcciWorld kept(const TenantId& tenant) const;
  void renew(const TenantId& tenant);
  OcciWorld make(const TenantId& tenant);
  Result<std::vector<packages::Operation>> operations(const TenantId& tenant, const occi::World& world,
                                                      const occi::Change& change) const;
  packages::Operation remove(const TenantId& tenant, const std::string& section, const std::string& item) const;

  packages::Service& packages_;
  const std::shared_ptr<const occi::Model> shipped_;

  std::mutex change_mutex_;  ///< held from deciding to having stored; taken before the others

  std::mutex making_mutex_;  ///< taken before mutex_; guards
  std::map<TenantId, OcciMaker> makers_;

  mutable std::mutex mutex_;  ///< held for no work; guards the rest
  std::map<TenantId, OcciWorld> kept_;
};

}  // namespace atalaya::api
