// Certificates: fingerprints, and self-signed ones for servers that nobody gave any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atalaya::net {

/// SHA-256 of the DER form of the first certificate in a PEM file, base64url without padding: what
/// an enrolment token carries and `TlsTrust::pinned_sha256` expects.
Result<std::string> certificate_fingerprint(const std::string& pem_file);
Result<std::string> certificate_fingerprint_of(std::string_view pem_text);

/// Writes a self-signed EC P-256 certificate, valid for ten years from now, and its key (mode 0600).
/// `names` are DNS names and IP addresses; the first is the subject. Existing files are replaced.
Status make_self_signed(const std::string& cert_path, const std::string& key_path,
                        const std::vector<std::string>& names);

/// Whom a client believes.
struct TlsTrust {
  /// PEM file of certificate authorities instead of the system's.
  std::string ca_file;
  /// Replaces verification of chain and name when not empty: the server's certificate must be
  /// exactly this one (see `certificate_fingerprint`).
  std::string pinned_sha256;
};

}  // namespace atalaya::net
