// Hashes of secrets that are random enough to need no slow hash, and comparing without a clock.
#pragma once

#include <string>
#include <string_view>

namespace atalaya::auth {

/// 32 bytes.
std::string sha256(std::string_view bytes);
/// What the database keeps of a random secret: SHA-256 in base64url.
std::string hash_secret(std::string_view secret);
/// Takes the same time wherever the texts differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace atalaya::auth
