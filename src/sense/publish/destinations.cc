#include "sense/publish/destinations.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <memory>

namespace atalaya::sense::publish {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// The first `prefix` bits.
std::array<std::uint8_t, 16> masked(std::array<std::uint8_t, 16> bits, int prefix) {
  for (int i = 0; i < 16; ++i)
    bits[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xff00 >> std::clamp(prefix - 8 * i, 0, 8));
  return bits;
}

std::array<std::uint8_t, 16> mapped(const in_addr& address) {
  std::array<std::uint8_t, 16> out{};
  std::copy(kMapped.begin(), kMapped.end(), out.begin());
  std::memcpy(out.data() + 12, &address, 4);
  return out;
}

Network literal(const char* text) { return *Network::parse(text); }

}  // namespace

Result<Network> Network::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no network: {}", text, why),
                "such as 192.168.5.0/24 or 2001:db8::/32");
  };
  const auto slash = text.find('/');
  const std::string address(text.substr(0, slash));
  Network out;
  in_addr four{};
  const bool is4 = inet_pton(AF_INET, address.c_str(), &four) == 1;
  if (is4) {
    out.bits = mapped(four);
  } else if (inet_pton(AF_INET6, address.c_str(), out.bits.data()) != 1) {
    return wrong("no address stands before the slash");
  }
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    int prefix = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc{} || end != digits.data() + digits.size() || prefix < 0 || prefix > (is4 ? 32 : 128))
      return wrong("the length of its prefix is none");
    out.prefix = is4 ? prefix + 96 : prefix;
  }
  if (masked(out.bits, out.prefix) != out.bits) return wrong("bits behind the prefix are set");
  return out;
}

bool Network::contains(const Network& other) const {
  return prefix <= other.prefix && masked(other.bits, prefix) == bits;
}

Result<Network> network_of(const net::SocketAddress& address) {
  Network out;
  if (address.family() == AF_INET) {
    out.bits = mapped(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr);
    return out;
  }
  if (address.family() == AF_INET6) {
    std::memcpy(out.bits.data(), &reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr, 16);
    return out;
  }
  return fail(ErrorCode::kInvalidArgument, "an address that is neither of IPv4 nor of IPv6");
}

std::string to_string(const net::SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> out{};
  const void* bytes = address.family() == AF_INET
                          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr)
                          : &reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr;
  return inet_ntop(address.family(), bytes, out.data(), out.size()) != nullptr ? out.data() : "an unknown address";
}

Result<Destinations> Destinations::make(const DestinationOptions& options) {
  Destinations out;
  out.loopback_only_ = options.loopback_only;
  out.program_ = options.program;
  for (const auto& text : options.allow) {
    AT_TRY(auto network, Network::parse(text));
    out.allow_.push_back(network);
  }
  for (const auto& text : options.own) {
    AT_TRY(auto network, Network::parse(text));
    out.guarded_.push_back(network);
  }
  for (const auto* text :
       {"127.0.0.0/8", "::1", "169.254.0.0/16", "fe80::/10", "224.0.0.0/4", "ff00::/8", "255.255.255.255"}) {
    out.guarded_.push_back(literal(text));
  }
  return out;
}

Status Destinations::check(const net::SocketAddress& address) const {
  AT_TRY(const auto target, network_of(address));
  const auto refused = [&](std::string why, std::string remedy) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("publishing to {} is not allowed: {}", to_string(address), why), std::move(remedy));
  };
  if (target == literal("0.0.0.0") || target == literal("::")) return refused("it is no address of anyone", "");
  if (loopback_only_ && (literal("127.0.0.0/8").contains(target) || literal("::1").contains(target))) return {};
  // As far as it is guarded: by the narrowest network that holds it.
  const Network* guard = nullptr;
  for (const auto& network : guarded_)
    if (network.contains(target) && (guard == nullptr || network.prefix > guard->prefix)) guard = &network;
  const auto opens = [&](const Network& network) {
    return network.contains(target) && (guard == nullptr || network.prefix >= guard->prefix);
  };
  if (std::any_of(allow_.begin(), allow_.end(), opens)) return {};
  if (guard != nullptr)
    return refused(fmt::format("it is on a network of {}'s own", program_),
                   "name that network: --publish-allow with its CIDR");
  return refused(
      loopback_only_ ? fmt::format("{} reaches loopback alone", program_) : std::string("no listed network holds it"),
      fmt::format("start {} with --publish-allow CIDR", program_));
}

std::vector<std::string> own_networks() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  std::vector<std::string> out;
  for (const auto* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_netmask == nullptr) continue;
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    net::SocketAddress address;
    net::SocketAddress mask;
    address.size = mask.size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::memcpy(&address.storage, one->ifa_addr, address.size);
    std::memcpy(&mask.storage, one->ifa_netmask, mask.size);
    mask.storage.ss_family = static_cast<sa_family_t>(family);
    auto network = *network_of(address);
    int prefix = 0;
    const auto mask_bits = network_of(mask)->bits;
    for (const auto byte : mask_bits) prefix += std::popcount(byte);
    // The mapped form of an IPv4 mask counts 16 bits of its head; its network has 96.
    const int length = family == AF_INET ? prefix - 16 : prefix;
    network.bits = masked(network.bits, family == AF_INET ? length + 96 : length);
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(family, network.bits.data() + (family == AF_INET ? 12 : 0), text.data(), text.size());
    out.push_back(fmt::format("{}/{}", text.data(), length));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace atalaya::sense::publish
