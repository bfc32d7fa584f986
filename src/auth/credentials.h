// The token of a request, whichever of the usual carriers holds it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "auth/principal.h"
#include "base/result.h"

namespace atalaya::auth {

/// What is looked at in a request. Both answer "" for what is absent; header names compare
/// case-insensitively; query values are decoded.
struct RequestView {
  std::function<std::string_view(std::string_view name)> header;
  std::function<std::string_view(std::string_view name)> query;
};

/// The one table of carriers, first match wins:
///   Authorization: Bearer T · Basic with any user name and T as password · Key T · Token T
///   X-API-Key: T
///   ?api-key=T
/// unauthenticated if there is none or its form is wrong.
Result<std::string> extract_token(const RequestView& request);

/// permission_denied if the request names (X-Scope-OrgID) another tenant than its credential.
Status check_tenant_header(const RequestView& request, const Principal& principal);

}  // namespace atalaya::auth
