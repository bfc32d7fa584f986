// ICMP echo packets (RFC 792, RFC 4443) as bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace atalaya::collect::ping {

enum class Family : std::uint8_t { kV4, kV6 };

/// What one echo says, both ways. The cookie is ours, in the first bytes of the data: who listens on a
/// raw socket sees the answers to everybody's echoes.
struct Echo {
  std::uint16_t sequence = 0;
  std::uint64_t cookie = 0;
  bool operator==(const Echo&) const = default;
};

/// 8 bytes of header and 56 of data: what ping(8) sends.
constexpr std::size_t kPacketBytes = 64;

/// An echo request. The identifier is made from the cookie; the kernel puts another one in its place
/// on unprivileged sockets, and the checksum for IPv6, which covers addresses.
std::string encode_request(Family family, const Echo& echo);

/// nullopt for everything that is not a whole echo reply of ours. `with_ip_header`: raw IPv4 sockets
/// show it. The checksum of IPv4 is verified; the kernel has verified that of IPv6.
std::optional<Echo> decode_reply(Family family, std::string_view packet, bool with_ip_header);

/// RFC 1071, in the byte order of the packet.
std::uint16_t checksum(std::string_view bytes);

}  // namespace atalaya::collect::ping
