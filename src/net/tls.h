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

/// PEM text, or a file of it, read at each connection.
struct Pem {
  std::string text;
  std::string file;
  bool given() const { return !text.empty() || !file.empty(); }
};

/// Whom a client believes, and as whom it shows itself.
struct TlsTrust {
  /// PEM file of certificate authorities instead of the system's.
  std::string ca_file;
  std::string ca_text;  ///< the same as text; beside a file both are believed
  /// What the server's certificate must be for, instead of the address' host; it is asked for by this name too.
  std::string server_name;
  bool insecure_skip_verify = false;  ///< neither chain nor name
  Pem certificate;                    ///< our own and its chain, for servers that ask for one
  Pem key;
  bool tls13_at_least = false;  ///< TLS 1.2 and newer without this
  bool tls12_at_most = false;
  /// Replaces verification of chain and name when not empty: the server's certificate must be
  /// exactly this one (see `certificate_fingerprint`).
  std::string pinned_sha256;
};

}  // namespace atalaya::net
