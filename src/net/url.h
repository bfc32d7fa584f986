// Addresses: `http(s)://`, `ws(s)://` and `host:port`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::net {

struct Url {
  std::string scheme;  ///< lower case
  std::string user;    ///< percent-decoded
  std::string password;
  std::string host;  ///< IPv6 without brackets
  std::uint16_t port = 0;
  std::string target = "/";  ///< path and query, percent-encoded as given, no fragment

  bool tls() const { return scheme == "https" || scheme == "wss"; }
  /// `host`, or `host:port` when it is not the scheme's own: what the Host header says.
  std::string authority() const;
  /// Without user, password and query: fit for errors and logs.
  std::string redacted() const;
};

/// Schemes http, https, ws, wss. The error never repeats the text: it may hold a password.
Result<Url> parse_url(std::string_view text);

struct HostPort {
  std::string host;  ///< "" means every address
  std::uint16_t port = 0;
};

/// `127.0.0.1:2001`, `[::1]:2001`, `name:80`, `:2001`.
Result<HostPort> parse_host_port(std::string_view text);
/// With brackets around IPv6.
std::string to_string(const HostPort& address);

}  // namespace atalaya::net
