#include "auth/password.h"

#include <argon2.h>
#include <fmt/format.h>

#include <string>

#include "base/random.h"

namespace atalaya::auth {
namespace {

constexpr std::uint32_t kPasses = 2;
constexpr std::uint32_t kMemoryKib = 19 * 1024;  // with two passes: what OWASP recommends
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;

std::string parameters() { return fmt::format("$argon2id$v=19$m={},t={},p={}$", kMemoryKib, kPasses, kLanes); }

// What an unknown user's password is compared with: no password has this hash, as far as anybody knows.
std::string nobody() { return parameters() + "AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"; }

}  // namespace

Status check_password(std::string_view password) {
  if (password.size() < kMinPasswordBytes) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("the password has fewer than {} bytes", kMinPasswordBytes),
                "choose a longer one");
  }
  if (password.size() > kMaxPasswordBytes) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("the password has more than {} bytes", kMaxPasswordBytes),
                "choose a shorter one");
  }
  return {};
}

Result<std::string> hash_password(std::string_view password) {
  AT_TRY(check_password(password));
  const auto salt = random_bytes(kSaltBytes);
  std::string phc(argon2_encodedlen(kPasses, kMemoryKib, kLanes, kSaltBytes, kHashBytes, Argon2_id), '\0');
  const int code = argon2id_hash_encoded(kPasses, kMemoryKib, kLanes, password.data(), password.size(), salt.data(),
                                         salt.size(), kHashBytes, phc.data(), phc.size());
  if (code != ARGON2_OK) {
    return fail(ErrorCode::kInternal, fmt::format("hashing a password: {}", argon2_error_message(code)));
  }
  phc.resize(phc.find('\0'));  // encodedlen counts the final zero
  return phc;
}

bool verify_password(std::string_view phc, std::string_view password) {
  if (password.size() > kMaxPasswordBytes) return false;
  const std::string text = phc.empty() ? nobody() : std::string(phc);
  const bool matches = argon2id_verify(text.c_str(), password.data(), password.size()) == ARGON2_OK;
  return matches && !phc.empty();
}

bool needs_rehash(std::string_view phc) { return !phc.starts_with(parameters()); }

}  // namespace atalaya::auth
