// OCCI over HTTP (GFD.223): discovery, collections, entities, below /occi/.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/doors.h"
#include "api/occi_entities.h"
#include "auth/sealer.h"
#include "base/time.h"
#include "net/worker_pool.h"
#include "occi/monitoring.h"
#include "registry/audit.h"
#include "registry/hosts.h"
#include "storage/series.h"

namespace atalaya::api {

/// How a sensor or a collector is.
struct SensorSight {
  std::string state;
  std::string message;
};

struct OcciServices {
  packages::Service& packages;
  const registry::Hosts& hosts;
  const storage::SeriesQuerier& series;
  registry::Audit& audit;
  const Clock& clock;
  const auth::Sealer& sealer;
  /// Under which people reach this server, where a request does not say it plainly.
  std::string link_base;
  /// Nothing for entities that are neither; may be empty.
  std::function<std::optional<SensorSight>(const TenantId&, const occi::Entity&)> sensors = {};
  occi::Quota quota = {};
};

/// One of a server; what its routes share. Thread-safe.
class Occi {
 public:
  explicit Occi(OcciServices services);

  /// /occi/-/, /.well-known/org/ogf/occi/-/ and /-/ (discovery, mixins that users define), /occi/… (everything else).
  /// What changes something waits for its turn by `changers`, so that who reads need not wait behind it.
  void add_routes(Doors& doors, net::WorkerPool& changers);
  /// An agent has enrolled under this host name with this token: the compute that waits for it is bound to it.
  void enrolled(const TenantId& tenant, std::string_view token, const std::string& host);
  OcciWorld world(const TenantId& tenant) { return entities_.world(tenant); }
  /// The text of a program, `<package>/scripts/<file>`. not_found where there is none.
  occi::ReadProgram programs(const TenantId& tenant) const;
  /// The host whose agent watches a compute: the one of its host name, else one that is called as the compute's id,
  /// unless that is another compute's or the compute waits for an enrolment token. "" : none yet.
  std::function<std::string(const occi::Entity& compute)> host_of(const TenantId& tenant, const OcciWorld& world) const;

 private:
  friend class OcciExchange;
  /// What of an entity is seen, not asked for.
  occi::Sight sight(const TenantId& tenant, const OcciWorld& world) const;
  occi::Rules rules(const TenantId& tenant, const OcciWorld& world) const;
  Result<std::string> program_named(const TenantId& tenant, const std::string& term) const;

  const OcciServices with_;
  OcciEntities entities_;
};

}  // namespace atalaya::api
