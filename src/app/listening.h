// Where the server listens, what it allows there, and how it is addressed. Pure.
#pragma once

#include <string>

#include "app/server.h"
#include "base/result.h"
#include "net/server.h"

namespace atalaya::app {

/// invalid_argument for half a certificate, permission_denied for access without sign-in from elsewhere.
Status check_safety(const ServerOptions& options);
net::ServerOptions listening_options(const ServerOptions& options);
bool is_on_loopback_only(const ServerOptions& options);
/// Of the certificate, as agents know the server by it; "-" without one.
std::string fingerprint_of(const ServerOptions& options);
/// Of the address that is listened on, as somebody can open it: a wildcard is no place to go to.
std::string url_of(const ServerOptions& options, const std::string& address, const std::string& instead_of_wildcard);

}  // namespace atalaya::app
