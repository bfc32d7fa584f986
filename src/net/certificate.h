// An OpenSSL certificate's fingerprint: for net's own sources.
#pragma once

#include <string>

#include "base/result.h"

struct x509_st;

namespace atalaya::net {

/// As `certificate_fingerprint`; `certificate` may be null (an error).
Result<std::string> fingerprint(x509_st* certificate);

}  // namespace atalaya::net
