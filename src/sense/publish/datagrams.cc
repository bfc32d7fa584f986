// `SendUDP`, and `Syslog` over UDP: one datagram a record, to whom nobody answers.
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <functional>
#include <utility>

#include "io/descriptor.h"
#include "io/errno.h"
#include "net/lookup.h"
#include "sense/publish/families.h"
#include "sense/publish/render.h"

namespace atalaya::sense::publish {
namespace {

using Render = std::function<std::string(std::string_view stream, const Record& record)>;

/// How long the addresses of a name are good for.
constexpr Duration kLookAgainAfter{std::chrono::minutes{1}};

/// Connected sockets: so that "connection refused" by the receiver's host is heard of, at the next datagram.
class Datagrams final : public Publisher {
 public:
  Datagrams(const PublisherContext& context, Address address, Render render)
      : context_(context), address_(std::move(address)), render_(std::move(render)) {}

  void publish(std::string_view stream, const Record& record) override {
    auto text = render_(stream, record);
    if (!socket_ || (refresh_ && !lookup_)) look_up();
    if (socket_) {
      send(text);
      return;
    }
    if (queue_.size() >= context_.limits.max_records || queued_bytes_ + text.size() > context_.limits.max_bytes) {
      queued_bytes_ -= queue_.empty() ? 0 : queue_.front().size();
      if (!queue_.empty()) queue_.pop_front();
      ++status_.dropped;
    }
    queued_bytes_ += text.size();
    queue_.push_back(std::move(text));
  }

  PublisherStatus status() const override {
    auto out = status_;
    out.queued = queue_.size();
    return out;
  }

 private:
  void look_up() {
    if (lookup_ || wait_.pending()) return;
    lookup_ = std::make_unique<net::AddressLookup>(
        context_.loop, address_.host,
        [this](Result<std::vector<net::SocketAddress>> found) { looked_up(std::move(found)); });
  }

  void looked_up(Result<std::vector<net::SocketAddress>> found) {
    lookup_.reset();
    const auto opened = found ? open(*found) : Status(std::unexpected(found.error()));
    if (!opened) {
      failed(opened.error());
      socket_ = io::Descriptor();
      next_wait_ = std::clamp(2 * next_wait_, context_.limits.first_wait, context_.limits.longest_wait);
      wait_ = context_.loop.after(next_wait_, [this] {
        if (!queue_.empty()) look_up();
      });
      return;
    }
    next_wait_ = Duration{0};
    refresh_ = false;
    again_ = context_.loop.after(kLookAgainAfter, [this] { refresh_ = true; });
    for (const auto& text : std::exchange(queue_, {})) send(text);
    queued_bytes_ = 0;
  }

  /// The first address that is allowed.
  Status open(const std::vector<net::SocketAddress>& addresses) {
    Status refused = fail(ErrorCode::kUnavailable, address_.host + " has no address");
    for (auto address : addresses) {
      refused = context_.destinations.check(address);
      if (refused) return connect(address);
    }
    return refused;
  }

  Status connect(net::SocketAddress address) {
    const auto port = htons(address_.port);
    if (address.family() == AF_INET) {
      reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = port;
    } else {
      reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = port;
    }
    io::Descriptor made(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!made || ::connect(made.get(), address.get(), address.size) != 0)
      return io::fail_errno(errno, "send to", name());
    socket_ = std::move(made);
    return {};
  }

  void send(const std::string& text) {
    // A refusal that is told now was earned by a datagram before: the second attempt sends this one.
    for (int attempt = 0; attempt < 2; ++attempt) {
      if (::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0) {
        if (attempt == 0) status_.failing = false;
        ++status_.delivered;
        return;
      }
      const int error = errno;
      failed(io::fail_errno(error, "send to", name()).error());
      if (error != ECONNREFUSED) break;
    }
    ++status_.dropped;
  }

  void failed(const Error& error) {
    ++status_.failures;
    status_.failing = true;
    status_.last_error = to_string(error);
    status_.failed_at = context_.clock.now();
  }
  std::string name() const { return fmt::format("{}:{}", address_.host, address_.port); }

  const PublisherContext context_;
  const Address address_;
  const Render render_;
  io::Descriptor socket_;
  bool refresh_ = false;
  std::unique_ptr<net::AddressLookup> lookup_;
  net::Timer wait_;
  net::Timer again_;
  Duration next_wait_{0};
  std::deque<std::string> queue_;
  std::size_t queued_bytes_ = 0;
  PublisherStatus status_;
};

}  // namespace

MadePublisher make_datagrams(const PartSettings& settings, const PublisherContext& context) {
  if (settings.name() == "SendUDP") {
    AT_TRY(auto address, read_address(settings, "udpAddr"));
    return std::make_unique<Datagrams>(context, std::move(address),
                                       [](std::string_view, const Record& record) { return udp_text(record); });
  }
  if (settings.name() != "Syslog") return nullptr;
  AT_TRY(auto address, read_address(settings, "address"));
  if (address.scheme != "udp") return nullptr;
  const SyslogOptions options{static_cast<int>(settings.integer("facility")),
                              static_cast<int>(settings.integer("severity")), context.host, settings.text("app")};
  return std::make_unique<Datagrams>(
      context, std::move(address),
      [options](std::string_view stream, const Record& record) { return syslog_message(options, stream, record); });
}

}  // namespace atalaya::sense::publish
