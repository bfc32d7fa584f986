#include "net/url.h"

#include <boost/url.hpp>

#include <charconv>

namespace atalaya::net {
namespace {

std::uint16_t default_port(std::string_view scheme) { return scheme == "https" || scheme == "wss" ? 443 : 80; }

/// Goes into request lines and headers: nothing that could end a line.
bool is_clean(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return false;
  return true;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > 65535)
    return fail(ErrorCode::kInvalidArgument, "the port is not a number from 0 to 65535");
  return static_cast<std::uint16_t>(value);
}

}  // namespace

std::string to_string(const HostPort& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::string Url::authority() const {
  const auto full = to_string(HostPort{host, port});
  return port == default_port(scheme) ? full.substr(0, full.rfind(':')) : full;
}

std::string Url::redacted() const { return scheme + "://" + authority() + target.substr(0, target.find('?')); }

Result<Url> parse_url(std::string_view text) {
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (!parsed) return fail(ErrorCode::kInvalidArgument, "not a URL", "write it as https://host:port/path");
  const auto& view = *parsed;
  Url url;
  for (const char c : view.scheme()) url.scheme += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (url.scheme != "http" && url.scheme != "https" && url.scheme != "ws" && url.scheme != "wss")
    return fail(ErrorCode::kInvalidArgument, "the URL's scheme is none of http, https, ws, wss");
  url.user = view.user();
  url.password = view.password();
  url.host = view.host_address();
  if (url.host.empty() || !is_clean(url.host)) return fail(ErrorCode::kInvalidArgument, "the URL names no host");
  url.port = default_port(url.scheme);
  if (view.has_port() && !view.port().empty()) {
    const auto port = view.port();
    AT_TRY(url.port, parse_port({port.data(), port.size()}));
  }
  if (url.port == 0) return fail(ErrorCode::kInvalidArgument, "the URL's port is 0");
  const auto target = view.encoded_resource();
  url.target = std::string_view(target.data(), target.size()).substr(0, target.find('#'));
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

Result<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  HostPort address;
  const auto bad = [&] {
    return fail(ErrorCode::kInvalidArgument, "'" + std::string(text) + "' is not an address",
                "write it as host:port, for example 127.0.0.1:2001 or [::1]:2001");
  };
  if (colon == std::string_view::npos || !is_clean(text)) return bad();
  auto host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return bad();
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad();
  }
  address.host = host;
  auto port = parse_port(text.substr(colon + 1));
  if (!port) return bad();
  address.port = *port;
  return address;
}

}  // namespace atalaya::net
