// ECDSA signatures between OpenSSL's DER and the fixed-length r‖s of JWS.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::auth {

/// `half` is the length of r and of s: 32, 48 or 66 bytes. The halves must fit, else "".
std::string ecdsa_raw_from_der(std::string_view der, std::size_t half);
/// "" unless the signature has exactly twice `half` bytes.
std::string ecdsa_der_from_raw(std::string_view raw, std::size_t half);

}  // namespace atalaya::auth
