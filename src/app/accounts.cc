#include "app/accounts.h"

#include <fmt/format.h>

namespace atalaya::app {

Result<std::unique_ptr<Accounts>> open_accounts(const std::string& data, const std::string& tenant) {
  auto accounts = std::make_unique<Accounts>();
  accounts->tenant = TenantId{tenant};
  if (!is_valid(accounts->tenant)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no tenant name", tenant),
                "use 1 to 64 characters of a-z, 0-9 and -");
  }
  if (!accounts->files->exists(data + "/atalaya.db")) {
    return fail(ErrorCode::kNotFound, fmt::format("{} is not the data folder of a server", data),
                "give --data the folder that `atalaya server` or `atalaya up` uses");
  }
  AT_TRY(accounts->database, db::open_sqlite(data + "/atalaya.db"));
  AT_TRY(accounts->service, auth::Service::open(*accounts->database, *accounts->files, accounts->clock, data));
  return accounts;
}

}  // namespace atalaya::app
