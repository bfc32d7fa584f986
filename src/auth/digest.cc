#include "auth/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/bytes.h"

namespace atalaya::auth {

std::string sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string hash_secret(std::string_view secret) { return base64url_encode(sha256(secret)); }

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace atalaya::auth
