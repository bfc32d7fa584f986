#include "auth/folder_token.h"

#include <fmt/format.h>

#include "auth/jwt.h"
#include "auth/principal.h"
#include "auth/signing_key.h"
#include "base/random.h"

namespace atalaya::auth {

Result<std::string> folder_token(io::FileSystem& files, Time now, const std::string& data, const TenantId& tenant,
                                 const std::string& name) {
  if (!is_valid(tenant)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no tenant name", tenant.value()),
                "use 1 to 64 characters of a-z, 0-9 and -");
  }
  const auto path = data + "/keys/jwt.pem";
  if (!files.exists(path)) {
    return fail(ErrorCode::kNotFound, fmt::format("{} is not the data folder of a server", data),
                "give --data the folder that `atalaya server` or `atalaya up` uses");
  }
  AT_TRY(auto key, SigningKey::load_or_create(files, path));
  Principal principal;
  principal.tenant = tenant;
  principal.jti = random_uuid();
  principal.subject = principal.jti;
  principal.name = name;
  principal.role = Role::kAdmin;
  principal.kind = Kind::kToken;
  principal.issued = now;
  principal.expires = now + std::chrono::minutes{1};
  return Jwt(std::move(key)).mint(principal);
}

}  // namespace atalaya::auth
