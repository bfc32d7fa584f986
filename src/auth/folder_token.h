// A credential for who may read the key of a data folder, without the folder's database.
#pragma once

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "io/file_system.h"

namespace atalaya::auth {

/// An administrator's JWT of a minute, signed with DATA/keys/jwt.pem. Nothing is written, so that it also works on a
/// full disk; no list shows it, and it cannot be revoked. not_found where `data` is not the folder of a server.
Result<std::string> folder_token(io::FileSystem& files, Time now, const std::string& data, const TenantId& tenant,
                                 const std::string& name);

}  // namespace atalaya::auth
