#include "collect/ping/echo_socket.h"

#include <fmt/format.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace atalaya::collect::ping {
namespace {

std::string words(int error) { return std::generic_category().message(error); }

/// A descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

struct Opened {
  Descriptor descriptor;
  bool raw = false;
};

Result<Opened> open_socket(Family family) {
  const int domain = family == Family::kV4 ? AF_INET : AF_INET6;
  const int protocol = family == Family::kV4 ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6);
  for (const bool raw : {false, true}) {
    Descriptor descriptor(::socket(domain, (raw ? SOCK_RAW : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
    if (descriptor.get() >= 0) return Opened{std::move(descriptor), raw};
    if (errno != EACCES && errno != EPERM && errno != EPROTONOSUPPORT)
      return fail(ErrorCode::kUnavailable, "a socket for pings: " + words(errno));
  }
  return fail(
      ErrorCode::kPermissionDenied, "this process may not send pings",
      "let the agent's group ping (sysctl net.ipv4.ping_group_range=\"0 2147483647\"), or give it the capability "
      "CAP_NET_RAW");
}

/// Errors of the way, as ICMP tells them, reach the socket; a raw one sees nothing but echo replies.
void set_options(const Opened& opened, Family family) {
  const int on = 1;
  const int fd = opened.descriptor.get();
  if (family == Family::kV4) {
    ::setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    if (!opened.raw) return;
    constexpr int kFilter = 1;  // ICMP_FILTER of linux/icmp.h, which does not go with netinet/ip_icmp.h
    const std::uint32_t all_but_replies = ~std::uint32_t{1};
    ::setsockopt(fd, SOL_RAW, kFilter, &all_but_replies, sizeof all_but_replies);
    return;
  }
  ::setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  if (!opened.raw) return;
  icmp6_filter filter{};
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
  ::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
}

class SystemEcho final : public EchoSocket {
 public:
  SystemEcho(Opened opened, Family family, net::EventLoop& loop, std::function<void()> readable)
      : opened_(std::move(opened)), family_(family), watch_(loop, opened_.descriptor.get(), std::move(readable)) {}

  Status send(const Echo& echo) override {
    const auto packet = encode_request(family_, echo);
    // A second try: the first may tell of an earlier packet's fate instead of sending this one.
    for (int tries = 0; tries < 2; ++tries)
      if (::send(opened_.descriptor.get(), packet.data(), packet.size(), MSG_NOSIGNAL) >= 0) return {};
    return fail(ErrorCode::kUnavailable, words(errno));
  }

  Result<std::optional<Echo>> receive() override {
    if (const int error = queued_error(); error != 0) return fail(ErrorCode::kUnavailable, words(error));
    std::array<char, 1500> bytes{};
    for (;;) {
      const auto got = ::recv(opened_.descriptor.get(), bytes.data(), bytes.size(), 0);
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(ErrorCode::kUnavailable, words(errno));
      const bool with_header = opened_.raw && family_ == Family::kV4;
      auto echo = decode_reply(family_, {bytes.data(), static_cast<std::size_t>(got)}, with_header);
      if (echo) return echo;
    }
  }

 private:
  /// Takes one error from the socket's queue; 0 when it is empty.
  int queued_error() {
    std::array<char, 512> data{};
    alignas(cmsghdr) std::array<char, 512> control{};
    iovec vector{data.data(), data.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(opened_.descriptor.get(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return 0;
    for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
      const bool v4 = part->cmsg_level == SOL_IP && part->cmsg_type == IP_RECVERR;
      const bool v6 = part->cmsg_level == SOL_IPV6 && part->cmsg_type == IPV6_RECVERR;
      if ((!v4 && !v6) || part->cmsg_len < CMSG_LEN(sizeof(sock_extended_err))) continue;
      sock_extended_err error{};
      std::memcpy(&error, CMSG_DATA(part), sizeof error);
      return error.ee_errno != 0 ? static_cast<int>(error.ee_errno) : EPROTO;
    }
    return EPROTO;
  }

  const Opened opened_;
  const Family family_;
  net::ReadWatch watch_;  ///< first to go, before its descriptor
};

}  // namespace

OpenEcho system_echo(net::EventLoop& loop) {
  return [&loop](const net::SocketAddress& address, const std::string& interface,
                 std::function<void()> readable) -> Result<std::unique_ptr<EchoSocket>> {
    const auto family = address.family() == AF_INET6 ? Family::kV6 : Family::kV4;
    AT_TRY(auto opened, open_socket(family));
    const int fd = opened.descriptor.get();
    if (!interface.empty() &&
        ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.data(), static_cast<socklen_t>(interface.size())) != 0)
      return fail(ErrorCode::kUnavailable, fmt::format("interface {}: {}", interface, words(errno)));
    set_options(opened, family);
    if (::connect(fd, address.get(), address.size) != 0) return fail(ErrorCode::kUnavailable, words(errno));
    return std::make_unique<SystemEcho>(std::move(opened), family, loop, std::move(readable));
  };
}

Status may_ping() {
  auto v4 = open_socket(Family::kV4);
  if (v4) return {};
  if (open_socket(Family::kV6)) return {};
  return std::unexpected(std::move(v4).error());
}

}  // namespace atalaya::collect::ping
