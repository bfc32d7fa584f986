// Where publishers may send: addresses, not names, so that no name leads elsewhere than it seems.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/lookup.h"

namespace atalaya::sense::publish {

/// A block of addresses: IPv4 as IPv6 has it (::ffff:0:0/96), so that both writings of one address are one.
struct Network {
  std::array<std::uint8_t, 16> bits{};
  int prefix = 128;  ///< 96 more than written, for IPv4

  /// `10.0.0.0/8`, `2001:db8::/32`, or one address. invalid_argument when bits behind the prefix are set.
  static Result<Network> parse(std::string_view text);
  bool contains(const Network& other) const;
  bool operator==(const Network&) const = default;
};

/// invalid_argument for what is neither IPv4 nor IPv6.
Result<Network> network_of(const net::SocketAddress& address);
/// `192.168.5.1`, `2001:db8::1`.
std::string to_string(const net::SocketAddress& address);

struct DestinationOptions {
  bool loopback_only = true;            ///< the server listens on loopback alone
  std::vector<std::string> allow;       ///< networks (`--publish-allow`)
  std::vector<std::string> own = {};    ///< networks of the server's interfaces
  std::string program = "this server";  ///< whose option `allow` is, in messages
};

/// Immutable, thread-safe.
///
/// A server that listens on loopback alone reaches loopback; any server reaches what a listed network holds. Its own
/// networks, loopback, link-local and multicast addresses are reached only by a listed network that is not wider than
/// they are: `0.0.0.0/0` opens the world and not the neighbours. The unspecified address is never reached.
class Destinations {
 public:
  static Result<Destinations> make(const DestinationOptions& options);

  /// permission_denied that names the address and the remedy.
  Status check(const net::SocketAddress& address) const;

 private:
  bool loopback_only_ = true;
  std::string program_;
  std::vector<Network> allow_;
  std::vector<Network> guarded_;
};

/// The networks of this machine's interfaces, as the system lists them now.
std::vector<std::string> own_networks();

}  // namespace atalaya::sense::publish
