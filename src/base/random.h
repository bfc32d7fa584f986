// Unpredictable bytes from the operating system, and identifiers made of them.
#pragma once

#include <cstddef>
#include <string>

namespace atalaya {

/// `count` bytes from a cryptographic source. Aborts if the system has none: nothing secret may
/// then be made.
std::string random_bytes(std::size_t count);
/// Version 4 UUID (RFC 9562), lower case with dashes.
std::string random_uuid();
/// Text of `bytes` random bytes in base64url without padding.
std::string random_token(std::size_t bytes = 32);

}  // namespace atalaya
