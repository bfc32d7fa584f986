// What errno says, as an Error.
#pragma once

#include <string>

#include "base/result.h"

namespace atalaya::io {

/// `what path: reason`, with a code that says who can help: not_found, already_exists,
/// permission_denied, resource_exhausted (no space, no descriptors), invalid_argument, else unavailable.
std::unexpected<Error> fail_errno(int error, const std::string& what, const std::string& path);

}  // namespace atalaya::io
