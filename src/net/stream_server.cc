#include "net/stream_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <utility>

#include "io/errno.h"
#include "net/byte_stream.h"
#include "net/event_loop_impl.h"
#include "net/lookup.h"
#include "net/url.h"

namespace atalaya::net {
namespace asio = boost::asio;

namespace {

constexpr std::string_view kUnix = "unix:";

Result<io::Descriptor> listen_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no path of a socket", path),
                fmt::format("1 to {} bytes", sizeof address.sun_path - 1));
  std::memcpy(address.sun_path, path.data(), path.size());
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  io::Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (probe && ::connect(probe.get(), generic, sizeof address) == 0)
    return fail(ErrorCode::kAlreadyExists, fmt::format("somebody listens on {} already", path));
  struct stat facts{};
  if (::lstat(path.c_str(), &facts) == 0) {
    if (!S_ISSOCK(facts.st_mode)) return fail(ErrorCode::kAlreadyExists, fmt::format("{} is no socket", path));
    ::unlink(path.c_str());
  }
  io::Descriptor out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // The mode is that of the descriptor when it is bound: nobody can connect in between.
  if (!out || ::fchmod(out.get(), 0600) != 0 || ::bind(out.get(), generic, sizeof address) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 || ::listen(out.get(), 64) != 0) {
    return io::fail_errno(errno, "listen on", path);
  }
  return out;
}

Result<io::Descriptor> listen_tcp(const std::string& text) {
  AT_TRY(const auto where, parse_host_port(text));
  sockaddr_storage storage{};
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  socklen_t size = sizeof *four;
  if (inet_pton(AF_INET, where.host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(where.port);
  } else if (inet_pton(AF_INET6, where.host.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(where.port);
    size = sizeof *six;
  } else {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no address to listen on", text),
                "unix:/path, or address:port such as 127.0.0.1:2020");
  }
  io::Descriptor out(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!out || ::setsockopt(out.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(out.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0 || ::listen(out.get(), 64) != 0) {
    return io::fail_errno(errno, "listen on", text);
  }
  return out;
}

}  // namespace

struct StreamServer::Impl : std::enable_shared_from_this<StreamServer::Impl> {
  Impl(EventLoop& l, StreamServerOptions o, StreamServerEvents e)
      : loop(l), options(std::move(o)), events(std::move(e)) {}

  struct Connection {
    explicit Connection(ByteStream s) : stream(std::move(s)) {}
    ByteStream stream;
    std::array<char, 65536> chunk;
    std::deque<std::string> queue;
    std::size_t first_sent = 0;
    std::size_t queued = 0;
    bool writing = false;
    bool reading = false;
    bool ready = false;    ///< after the handshake
    bool leaving = false;  ///< ends when its queue is empty
    Timer deadline;
  };
  using ConnectionPtr = std::shared_ptr<Connection>;

  EventLoop& loop;
  const StreamServerOptions options;
  StreamServerEvents events;
  std::shared_ptr<asio::ssl::context> tls;
  io::Descriptor listener;
  std::unique_ptr<ReadWatch> watch;
  std::map<StreamId, ConnectionPtr> connections;
  StreamId last = 0;
  bool resting = false;
  bool over = false;

  bool is_unix() const { return options.listen.starts_with(kUnix); }
  std::string path() const { return options.listen.substr(kUnix.size()); }

  Status start() {
    if (options.listen.empty()) return {};
    if (options.tls && !is_unix()) {
      AT_TRY(tls, make_server_context(options.tls->cert_file, options.tls->key_file));
    }
    if (is_unix()) {
      AT_TRY(listener, listen_unix(path()));
    } else {
      AT_TRY(listener, listen_tcp(options.listen));
    }
    watch = std::make_unique<ReadWatch>(loop, listener.get(), [this] { accept(); });
    return {};
  }

  void accept() {
    while (true) {
      io::Descriptor made(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!made) return;
      adopt(std::move(made), tls);
    }
  }

  void adopt(io::Descriptor made, const std::shared_ptr<asio::ssl::context>& context) {
    if (connections.size() >= options.max_connections) return;
    // Asio only asks the family of a TCP socket when it makes or names one: any stream socket reads and writes alike.
    const int own = ::fcntl(made.get(), F_DUPFD_CLOEXEC, 0);
    if (own < 0) return;
    ByteStream::Socket socket(loop.impl().context);
    ErrorCodeAsio error;
    socket.assign(asio::ip::tcp::v4(), own, error);
    if (error) {
      ::close(own);
      return;
    }
    const auto id = ++last;
    const auto connection = std::make_shared<Connection>(ByteStream(std::move(socket)));
    connections.emplace(id, connection);
    if (!context) {
      begin(id, connection);
      return;
    }
    connection->deadline = loop.after(options.handshake_timeout, [this, id] { drop(id, false); });
    connection->stream.handshake_as_server(context,
                                           [self = shared_from_this(), id, connection](const ErrorCodeAsio& e) {
                                             if (self->over || !self->connections.contains(id)) return;
                                             connection->deadline.cancel();
                                             if (e) {
                                               self->drop(id, false);
                                             } else {
                                               self->begin(id, connection);
                                             }
                                           });
  }

  void begin(StreamId id, const ConnectionPtr& connection) {
    connection->ready = true;
    if (events.opened) events.opened(id);
    read(id, connection);
  }

  void read(StreamId id, const ConnectionPtr& connection) {
    if (resting || connection->reading || connection->leaving || !connections.contains(id)) return;
    connection->reading = true;
    connection->stream.read_some(asio::buffer(connection->chunk),
                                 [self = shared_from_this(), id, connection](const ErrorCodeAsio& e, std::size_t size) {
                                   connection->reading = false;
                                   if (self->over || !self->connections.contains(id)) return;
                                   if (e) {
                                     self->drop(id, true);
                                     return;
                                   }
                                   if (self->events.received)
                                     self->events.received(id, {connection->chunk.data(), size});
                                   if (!self->over) self->read(id, connection);
                                 });
  }

  void write(StreamId id, const ConnectionPtr& connection) {
    if (connection->writing) return;
    connection->writing = true;
    const asio::const_buffer rest(connection->queue.front().data() + connection->first_sent,
                                  connection->queue.front().size() - connection->first_sent);
    connection->stream.write_some(
        {&rest, 1}, [self = shared_from_this(), id, connection](const ErrorCodeAsio& e, std::size_t size) {
          connection->writing = false;
          if (self->over || !self->connections.contains(id)) return;
          if (e) {
            self->drop(id, true);
            return;
          }
          connection->first_sent += size;
          connection->queued -= size;
          if (connection->first_sent == connection->queue.front().size()) {
            connection->queue.pop_front();
            connection->first_sent = 0;
          }
          if (!connection->queue.empty()) {
            self->write(id, connection);
          } else if (connection->leaving) {
            self->drop(id, false);
          }
        });
  }

  void drop(StreamId id, bool tell) {
    const auto at = connections.find(id);
    if (at == connections.end()) return;
    const auto connection = at->second;
    connections.erase(at);
    connection->deadline.cancel();
    connection->stream.close();
    if (tell && connection->ready && events.closed) events.closed(id);
  }

  void forget() {
    over = true;
    watch.reset();
    if (listener && is_unix()) ::unlink(path().c_str());
    listener.reset();
    for (const auto& [id, connection] : connections) {
      connection->deadline.cancel();
      connection->stream.close();
    }
    connections.clear();
  }
};

StreamServer::StreamServer(EventLoop& loop, StreamServerOptions options, StreamServerEvents events)
    : impl_(std::make_shared<Impl>(loop, std::move(options), std::move(events))) {}
StreamServer::~StreamServer() { impl_->forget(); }

Status StreamServer::start() { return impl_->start(); }

std::string StreamServer::address() const {
  if (impl_->is_unix() || !impl_->listener) return impl_->options.listen;
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  getsockname(impl_->listener.get(), reinterpret_cast<sockaddr*>(&storage), &size);
  const auto port = storage.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(storage).sin_port
                                                 : reinterpret_cast<const sockaddr_in6&>(storage).sin6_port;
  return to_string(HostPort{parse_host_port(impl_->options.listen)->host, ntohs(port)});
}

void StreamServer::adopt(io::Descriptor connection) { impl_->adopt(std::move(connection), nullptr); }

bool StreamServer::send(StreamId to, std::string bytes) {
  const auto at = impl_->connections.find(to);
  if (at == impl_->connections.end() || at->second->leaving || bytes.empty()) return false;
  const auto connection = at->second;
  if (connection->queued + bytes.size() > impl_->options.max_queue_bytes) {
    impl_->drop(to, false);
    return false;
  }
  connection->queued += bytes.size();
  connection->queue.push_back(std::move(bytes));
  impl_->write(to, connection);
  return true;
}

std::size_t StreamServer::queued_bytes(StreamId of) const {
  const auto at = impl_->connections.find(of);
  return at == impl_->connections.end() ? 0 : at->second->queued;
}

void StreamServer::close(StreamId id) {
  const auto at = impl_->connections.find(id);
  if (at == impl_->connections.end()) return;
  at->second->leaving = true;
  if (at->second->queue.empty()) impl_->drop(id, false);
}

void StreamServer::rest(bool resting) {
  impl_->resting = resting;
  if (resting) return;
  const auto all = impl_->connections;
  for (const auto& [id, connection] : all)
    if (connection->ready) impl_->read(id, connection);
}

}  // namespace atalaya::net
