#include "collect/ping/packet.h"

#include <algorithm>

namespace atalaya::collect::ping {
namespace {

constexpr std::size_t kHeader = 8;
constexpr std::size_t kCookie = 8;
constexpr std::size_t kIpHeader = 20;

struct Types {
  std::uint8_t request;
  std::uint8_t reply;
};
constexpr Types types(Family family) { return family == Family::kV4 ? Types{8, 0} : Types{128, 129}; }

std::uint8_t byte(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

template <typename Number>
void put(std::string& out, std::size_t at, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out[at + i] = static_cast<char>(value >> (8 * (sizeof value - 1 - i)));
}

template <typename Number>
Number get(std::string_view text, std::size_t at) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value = static_cast<Number>((value << 8) | byte(text, at + i));
  return value;
}

}  // namespace

std::uint16_t checksum(std::string_view bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2)
    sum += static_cast<std::uint64_t>(byte(bytes, i)) << 8 | (i + 1 < bytes.size() ? byte(bytes, i + 1) : 0);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::string encode_request(Family family, const Echo& echo) {
  std::string out(kPacketBytes, '\0');
  out[0] = static_cast<char>(types(family).request);
  put(out, 4, static_cast<std::uint16_t>(echo.cookie));
  put(out, 6, echo.sequence);
  put(out, kHeader, echo.cookie);
  for (std::size_t i = kHeader + kCookie; i < out.size(); ++i) out[i] = static_cast<char>(i);
  if (family == Family::kV4) put(out, 2, checksum(out));
  return out;
}

std::optional<Echo> decode_reply(Family family, std::string_view packet, bool with_ip_header) {
  if (with_ip_header) {
    if (packet.size() < kIpHeader || byte(packet, 0) >> 4 != 4) return std::nullopt;
    const std::size_t header = (byte(packet, 0) & 15u) * 4u;
    if (header < kIpHeader || header > packet.size()) return std::nullopt;
    packet.remove_prefix(header);
  }
  if (packet.size() < kHeader + kCookie || byte(packet, 0) != types(family).reply || byte(packet, 1) != 0)
    return std::nullopt;
  if (family == Family::kV4 && checksum(packet) != 0) return std::nullopt;
  return Echo{get<std::uint16_t>(packet, 6), get<std::uint64_t>(packet, kHeader)};
}

}  // namespace atalaya::collect::ping
