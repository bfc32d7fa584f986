// Routes that read log lines.
#pragma once

#include "api/doors.h"
#include "storage/logs.h"

namespace atalaya::api {

void add_log_routes(Doors& doors, const storage::LogQuerier& logs);

}  // namespace atalaya::api
