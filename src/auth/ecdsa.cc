#include "auth/ecdsa.h"

#include "base/openssl.h"

namespace atalaya::auth {

std::string ecdsa_raw_from_der(std::string_view der, std::size_t half) {
  const unsigned char* at = ssl::bytes(der);
  const ssl::Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!signature) return {};
  std::string raw(2 * half, '\0');
  const int size = static_cast<int>(half);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), ssl::bytes(raw), size) != size) return {};
  if (BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), ssl::bytes(raw) + half, size) != size) return {};
  return raw;
}

std::string ecdsa_der_from_raw(std::string_view raw, std::size_t half) {
  if (raw.size() != 2 * half) return {};
  const ssl::Signature signature(ECDSA_SIG_new());
  const int size = static_cast<int>(half);
  BIGNUM* r = BN_bin2bn(ssl::bytes(raw), size, nullptr);
  BIGNUM* s = BN_bin2bn(ssl::bytes(raw) + half, size, nullptr);
  ECDSA_SIG_set0(signature.get(), r, s);
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &der);
  if (length <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return out;
}

}  // namespace atalaya::auth
