// POST /api/v1/write: the door for Prometheus' remote write, 1.0 and 2.0.
#pragma once

#include "api/doors.h"
#include "ingest/remote_write.h"
#include "net/worker_pool.h"

namespace atalaya::api {

/// Bodies are read on `workers`, a pool for them alone: then writers starve no reader. No thread waits for the disk.
/// Both outlive the server.
void add_remote_write_routes(Doors& doors, ingest::RemoteWriter& writer, net::WorkerPool& workers);

}  // namespace atalaya::api
