#include "net/connector.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "net/http_reader.h"

namespace atalaya::net {
namespace asio = boost::asio;
using asio::ip::tcp;

struct Connector::Impl {
  Impl(asio::io_context& context, ConnectOptions o, Url u)
      : options(std::move(o)), url(std::move(u)), resolver(context), socket(context), deadline(context) {}

  const ConnectOptions options;
  const Url url;
  std::optional<Url> proxy;
  tcp::resolver resolver;
  tcp::socket socket;
  asio::steady_timer deadline;
  std::optional<ByteStream> stream;
  Done done;
  const char* step = "resolve";

  std::string out;
  std::size_t sent = 0;
  std::array<char, 4096> chunk;
  std::string incoming;
  HttpReader reader = HttpReader::response(16 << 10, true);
};

Connector::Connector(asio::io_context& context, ConnectOptions options, Url url)
    : impl_(std::make_unique<Impl>(context, std::move(options), std::move(url))) {}
Connector::~Connector() = default;

std::string Connector::peer() const {
  const auto address = to_string(HostPort{impl_->url.host, impl_->url.port});
  if (!impl_->proxy) return address;
  return address + " through proxy " + to_string(HostPort{impl_->proxy->host, impl_->proxy->port});
}

void Connector::start(Done done) {
  impl_->done = std::move(done);
  if (!impl_->options.proxy.empty()) {
    auto proxy = parse_url(impl_->options.proxy);
    if (!proxy || proxy->scheme != "http") {
      asio::post(impl_->socket.get_executor(), [self = shared_from_this()] {
        self->finish(
            fail(ErrorCode::kInvalidArgument, "the proxy is not of the form http://[user:password@]host:port"));
      });
      return;
    }
    impl_->proxy = std::move(*proxy);
  }
  impl_->deadline.expires_after(impl_->options.connect_timeout);
  impl_->deadline.async_wait([self = shared_from_this()](const ErrorCodeAsio& error) {
    if (error) return;
    self->finish(fail(ErrorCode::kDeadlineExceeded, "no connection to " + self->peer() + " within " +
                                                        format_duration(self->impl_->options.connect_timeout) + " (" +
                                                        self->impl_->step + ")"));
  });
  resolve();
}

void Connector::cancel() {
  impl_->done = nullptr;
  impl_->deadline.cancel();
  impl_->resolver.cancel();
  ErrorCodeAsio ignored;
  impl_->socket.close(ignored);
  if (impl_->stream) impl_->stream->close();
}

void Connector::finish(Result<ByteStream> result) {
  auto done = std::exchange(impl_->done, nullptr);
  if (!done) return;
  cancel();
  done(std::move(result));
}

void Connector::resolve() {
  const auto& target = impl_->proxy ? *impl_->proxy : impl_->url;
  impl_->resolver.async_resolve(
      target.host, std::to_string(target.port), tcp::resolver::numeric_service,
      [self = shared_from_this()](const ErrorCodeAsio& error, const tcp::resolver::results_type& found) {
        if (!self->impl_->done) return;
        if (error) {
          self->finish(fail(ErrorCode::kUnavailable, "resolve " + self->peer() + ": " + error.message()));
          return;
        }
        const auto allowed = self->allowed(found);
        if (!allowed) {
          self->finish(std::unexpected(allowed.error()));
          return;
        }
        self->impl_->step = "connect";
        asio::async_connect(self->impl_->socket, *allowed, [self](const ErrorCodeAsio& failed, const tcp::endpoint&) {
          if (!self->impl_->done) return;
          if (failed) {
            self->finish(fail(ErrorCode::kUnavailable, "connect to " + self->peer() + ": " + failed.message()));
            return;
          }
          self->connect();
        });
      });
}

Result<std::vector<tcp::endpoint>> Connector::allowed(const tcp::resolver::results_type& found) const {
  std::vector<tcp::endpoint> out;
  Status refused;
  for (const auto& entry : found) {
    const tcp::endpoint endpoint = entry.endpoint();
    SocketAddress address;
    address.size = static_cast<socklen_t>(endpoint.size());
    std::memcpy(&address.storage, endpoint.data(), endpoint.size());
    const auto status = impl_->options.allow ? impl_->options.allow(address) : Status{};
    if (status) {
      out.push_back(endpoint);
    } else {
      refused = status;
    }
  }
  if (out.empty() && !refused) return std::unexpected(refused.error());
  return out;
}

void Connector::connect() {
  impl_->stream.emplace(std::move(impl_->socket));
  if (impl_->proxy) {
    const auto authority = to_string(HostPort{impl_->url.host, impl_->url.port});
    impl_->out = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
    if (!impl_->proxy->user.empty())
      impl_->out +=
          "Proxy-Authorization: Basic " + base64_encode(impl_->proxy->user + ":" + impl_->proxy->password) + "\r\n";
    impl_->out += "\r\n";
    impl_->step = "proxy";
    connect_proxy();
  } else {
    begin_tls();
  }
}

void Connector::connect_proxy() {
  if (impl_->sent == impl_->out.size()) {
    read_proxy_answer();
    return;
  }
  const asio::const_buffer rest(impl_->out.data() + impl_->sent, impl_->out.size() - impl_->sent);
  impl_->stream->write_some({&rest, 1}, [self = shared_from_this()](const ErrorCodeAsio& error, std::size_t size) {
    if (!self->impl_->done) return;
    self->impl_->sent += size;
    if (error)
      self->finish(fail(ErrorCode::kUnavailable, "proxy of " + self->peer() + ": " + error.message()));
    else
      self->connect_proxy();
  });
}

void Connector::read_proxy_answer() {
  impl_->stream->read_some(asio::buffer(impl_->chunk), [self = shared_from_this()](const ErrorCodeAsio& error,
                                                                                   std::size_t size) {
    auto& impl = *self->impl_;
    if (!impl.done) return;
    impl.incoming.append(impl.chunk.data(), size);
    const auto taken = impl.reader.put(impl.incoming);
    if (error || !taken) {
      self->finish(fail(ErrorCode::kUnavailable, "connect to " + self->peer() + ": " +
                                                     (error ? error.message() : impl.reader.problem().message)));
      return;
    }
    impl.incoming.erase(0, *taken);
    if (!impl.reader.head_done()) {
      self->read_proxy_answer();
      return;
    }
    const int status = impl.reader.head().status;
    if (status / 100 != 2) {
      self->finish(status == 407 ? fail(ErrorCode::kUnauthenticated,
                                        "connect to " + self->peer() + ": the proxy wants another user or password")
                                 : fail(ErrorCode::kUnavailable, "connect to " + self->peer() +
                                                                     ": the proxy answered " + std::to_string(status)));
      return;
    }
    impl.stream->unread(std::exchange(impl.incoming, {}));
    self->begin_tls();
  });
}

void Connector::begin_tls() {
  const auto hand_over = [](Connector& self) {
    auto stream = std::move(*self.impl_->stream);
    self.impl_->stream.reset();
    self.finish(std::move(stream));
  };
  if (!impl_->url.tls()) {
    hand_over(*this);
    return;
  }
  auto context = make_client_context(impl_->options.tls);
  if (!context) {
    finish(std::unexpected(context.error()));
    return;
  }
  impl_->step = "TLS";
  impl_->stream->handshake_as_client(*context, impl_->options.tls, impl_->url.host,
                                     [self = shared_from_this(), hand_over](const ErrorCodeAsio& error) {
                                       if (!self->impl_->done) return;
                                       if (!error) {
                                         hand_over(*self);
                                         return;
                                       }
                                       const auto& refused = self->impl_->stream->tls_failure();
                                       const auto what = "TLS with " + self->peer() + ": ";
                                       self->finish(refused.empty()
                                                        ? fail(ErrorCode::kUnavailable, what + error.message())
                                                        : fail(ErrorCode::kPermissionDenied, what + refused));
                                     });
}

}  // namespace atalaya::net
