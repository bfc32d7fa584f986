#include "app/listening.h"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "net/tls.h"
#include "net/url.h"

namespace atalaya::app {
namespace {

/// The page may talk to its own server only; styles are set by the charts.
constexpr std::string_view kContentPolicy =
    "default-src 'self'; connect-src 'self' ws: wss: http: https:; img-src 'self' data: blob:; style-src 'self' "
    "'unsafe-inline'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

bool is_loopback(const std::string& address) {
  const auto parsed = net::parse_host_port(address);
  if (!parsed) return false;
  boost::system::error_code error;
  const auto literal = boost::asio::ip::make_address(parsed->host, error);
  return error ? parsed->host == "localhost" : literal.is_loopback();
}

}  // namespace

Status check_safety(const ServerOptions& options) {
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return fail(ErrorCode::kInvalidArgument, "--tls-cert and --tls-key belong together");
  }
  if (!options.insecure_no_auth) return {};
  for (const auto& address : options.listen) {
    if (!is_loopback(address)) {
      return fail(ErrorCode::kPermissionDenied, fmt::format("--insecure-no-auth is refused on {}", address),
                  "listen on 127.0.0.1 or leave the option out");
    }
  }
  return {};
}

net::ServerOptions listening_options(const ServerOptions& options) {
  net::ServerOptions out;
  out.listen = options.listen;
  if (!options.tls_cert.empty()) out.tls = net::TlsFiles{options.tls_cert, options.tls_key};
  out.insecure_http = options.insecure_http;
  out.max_connections_per_address = options.connections_per_address;
  out.cors_origins = options.cors_origins;
  out.content_security_policy = kContentPolicy;
  out.plain_refusals = {"/api/v1/", "/federate"};
  return out;
}

bool is_on_loopback_only(const ServerOptions& options) {
  return std::all_of(options.listen.begin(), options.listen.end(), is_loopback);
}

std::string fingerprint_of(const ServerOptions& options) {
  if (options.tls_cert.empty()) return "-";
  const auto print = net::certificate_fingerprint(options.tls_cert);
  return print ? *print : "-";
}

std::string url_of(const ServerOptions& options, const std::string& address, const std::string& instead_of_wildcard) {
  const auto* scheme = options.tls_cert.empty() ? "http" : "https";
  auto parsed = net::parse_host_port(address);
  if (!parsed) return fmt::format("{}://{}", scheme, address);
  if (parsed->host.empty() || parsed->host == "0.0.0.0" || parsed->host == "::") parsed->host = instead_of_wildcard;
  return fmt::format("{}://{}", scheme, net::to_string(*parsed));
}

}  // namespace atalaya::app
