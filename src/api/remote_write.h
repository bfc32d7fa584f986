// POST /api/v1/write: the door for Prometheus' remote write, 1.0 and 2.0.
#pragma once

#include "api/doors.h"
#include "ingest/remote_write.h"
#include "net/worker_pool.h"

namespace atalaya::api {

/// A request waits on a thread of `workers` until its samples are on disk, so the pool is for it alone: then writers
/// starve no reader. Both outlive the server.
void add_remote_write_routes(Doors& doors, ingest::RemoteWriter& writer, net::WorkerPool& workers);

}  // namespace atalaya::api
