// What an administrator does to the store of series: delete, write out, copy, check, count.
#pragma once

#include "api/doors.h"
#include "base/time.h"
#include "net/worker_pool.h"
#include "registry/audit.h"
#include "tsdb/store.h"

namespace atalaya::api {

/// Deleting is each tenant's own; what touches the store as a whole is for administrators of the tenant
/// `default`. `workers` carry out what takes long. Deletions stand in the log and, where the disk has room for it, in
/// the audit log.
void add_series_care_routes(Doors& doors, tsdb::Store& store, net::WorkerPool& workers, registry::Audit& audit,
                            const Clock& clock);

}  // namespace atalaya::api
