// `atalaya dashboard`: shows the datagrams that sensors publish by `SendUDP`.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "app/commands.h"
#include "app/dashboard.h"
#include "app/tables.h"
#include "io/descriptor.h"
#include "io/errno.h"
#include "net/url.h"

namespace atalaya::app {
namespace {

using config::OptionType;

/// A picture is drawn anew this often at most.
constexpr int kFrameMs = 100;

/// `:8888` is every address of IPv4 and IPv6.
Result<io::Descriptor> listen_udp(const std::string& text) {
  AT_TRY(const auto where, net::parse_host_port(text));
  sockaddr_storage storage{};
  socklen_t size = 0;
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET, where.host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(where.port);
    size = sizeof *four;
  } else if (where.host.empty() || inet_pton(AF_INET6, where.host.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(where.port);
    size = sizeof *six;
  } else {
    return fail(ErrorCode::kInvalidArgument, fmt::format("--udp: {} is no address", where.host),
                "such as 127.0.0.1:8888, or :8888 for all addresses");
  }
  io::Descriptor socket(::socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return io::fail_errno(errno, "listen on", text);
  const int both = 0;
  if (where.host.empty()) setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof both);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0)
    return io::fail_errno(errno, "listen on", text);
  return socket;
}

std::string sender_of(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
    return net::to_string(net::HostPort{text.data(), ntohs(four.sin_port)});
  }
  const auto& six = reinterpret_cast<const sockaddr_in6&>(storage);
  if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
    inet_ntop(AF_INET, six.sin6_addr.s6_addr + 12, text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
  }
  return net::to_string(net::HostPort{text.data(), ntohs(six.sin6_port)});
}

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// Draws over what it drew before.
class Screen {
 public:
  void draw(const std::vector<std::string>& lines) {
    std::string out;
    if (drawn_ > 0) out += fmt::format("\x1b[{}A", drawn_);
    for (const auto& line : lines) out += "\r\x1b[2K" + line + "\n";
    out += "\x1b[J";
    drawn_ = lines.size();
    std::fputs(out.c_str(), stdout);
    std::fflush(stdout);
  }

 private:
  std::size_t drawn_ = 0;
};

Status show(int socket, std::int64_t count, bool terminal) {
  const SystemClock clock;
  Dashboard dashboard;
  Screen screen;
  bool changed = terminal;
  while (count == 0 || dashboard.datagrams() < static_cast<std::uint64_t>(count)) {
    pollfd waiting{socket, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, changed ? kFrameMs : -1);
    if (ready < 0 && errno != EINTR) return io::fail_errno(errno, "wait for", "datagrams");
    if (ready <= 0) {
      if (changed) screen.draw(dashboard.draw(terminal_width()));
      changed = false;
      continue;
    }
    std::array<char, 65536> bytes;
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const auto got = ::recvfrom(socket, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) continue;  // an error of a datagram is none of the next
    const std::string_view text(bytes.data(), static_cast<std::size_t>(got));
    dashboard.put(sender_of(from), text, clock.now());
    if (!terminal) {
      if (std::puts(datagram_line(sender_of(from), text, clock.now()).c_str()) < 0 || std::fflush(stdout) != 0)
        return {};  // nobody reads on
    } else if (dashboard.datagrams() % 64 == 0) {
      screen.draw(dashboard.draw(terminal_width()));  // also when they never pause
    }
    changed = terminal;
  }
  if (terminal) screen.draw(dashboard.draw(terminal_width()));
  return {};
}

}  // namespace

config::Command dashboard_command() {
  return {.name = "dashboard",
          .help =
              "Show the datagrams that sensors publish by SendUDP, as they come: in a terminal the last values of "
              "each sender as bars, elsewhere a line a datagram.",
          .options = {{.name = "udp",
                       .fallback = "127.0.0.1:8888",
                       .help = "Where to listen; :8888 is every address of this machine.",
                       .value_name = "ADDRESS"},
                      {.name = "count",
                       .type = OptionType::kInteger,
                       .fallback = "0",
                       .help = "Leave after so many datagrams; 0 stays until it is interrupted.",
                       .at_least = 0}},
          .examples = {{"atalaya dashboard --udp :8888", "draws what sensors send to port 8888"},
                       {"atalaya dashboard --count 10 > values.txt", "keeps ten datagrams, a line each"}}};
}

int dashboard(const config::Options& options) {
  const auto socket = listen_udp(options.text("udp"));
  if (!socket) return complain(socket.error());
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  // Told on standard error, so that whoever starts it knows where and that it listens.
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  getsockname(socket->get(), reinterpret_cast<sockaddr*>(&own), &size);
  fmt::print(stderr, "listening for datagrams on {}\n", sender_of(own));
  std::fflush(stderr);
  const auto shown = show(socket->get(), options.integer("count"), terminal);
  return shown ? 0 : complain(shown.error());
}

}  // namespace atalaya::app
