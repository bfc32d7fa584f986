// Passwords of people: argon2id, kept as a PHC string with its parameters inside.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::auth {

constexpr std::size_t kMinPasswordBytes = 8;
constexpr std::size_t kMaxPasswordBytes = 1024;

/// invalid_argument for one that is too short or too long.
Status check_password(std::string_view password);
/// `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. Takes about 50 ms and 19 MiB by intention.
Result<std::string> hash_password(std::string_view password);
/// False for a wrong password, a malformed hash and an empty one. An empty hash (a user who does not
/// exist, or has no password) takes as long as a wrong password, so time tells no names.
bool verify_password(std::string_view phc, std::string_view password);
/// The hash was made with other parameters than `hash_password` uses today.
bool needs_rehash(std::string_view phc);

}  // namespace atalaya::auth
