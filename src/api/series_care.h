// What an administrator does to the store of series: delete, write out, copy, check, count.
#pragma once

#include "api/doors.h"
#include "net/worker_pool.h"
#include "tsdb/store.h"

namespace atalaya::api {

/// Deleting is each tenant's own; what touches the store as a whole is for administrators of the tenant
/// `default`. `workers` carry out what takes long.
void add_series_care_routes(Doors& doors, tsdb::Store& store, net::WorkerPool& workers);

}  // namespace atalaya::api
