// The accounts of a data folder, for commands beside a running server or without one.
#pragma once

#include <memory>
#include <string>

#include "auth/service.h"
#include "base/result.h"
#include "base/time.h"
#include "db/database.h"
#include "io/file_system.h"

namespace atalaya::app {

struct Accounts {
  SystemClock clock;
  std::unique_ptr<io::FileSystem> files = io::real_file_system();
  std::unique_ptr<db::Database> database;
  std::unique_ptr<auth::Service> service;
  TenantId tenant;
};

/// not_found where `data` is not the folder of a server.
Result<std::unique_ptr<Accounts>> open_accounts(const std::string& data, const std::string& tenant);

}  // namespace atalaya::app
