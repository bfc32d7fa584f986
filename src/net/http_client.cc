#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <strings.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <unordered_set>

#include "net/client.h"
#include "net/connector.h"
#include "net/event_loop_impl.h"
#include "net/http_reader.h"

namespace atalaya::net {
namespace asio = boost::asio;
namespace {

constexpr std::uint32_t kMaxHeaderBytes = 64 << 10;

bool is_token(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t\r\n:") == std::string_view::npos;
}

bool is_ours(const std::string& name) {
  for (const char* ours : {"Host", "Content-Length", "Connection", "Transfer-Encoding"})
    if (strcasecmp(name.c_str(), ours) == 0) return true;
  return false;
}

Result<std::string> request_bytes(const ClientRequest& request, const Url& url) {
  if (!is_token(request.method)) return fail(ErrorCode::kInvalidArgument, "malformed HTTP method");
  std::string out = request.method + " " + url.target + " HTTP/1.1\r\nHost: " + url.authority() + "\r\n";
  for (const auto& [name, value] : request.headers.fields()) {
    if (is_ours(name)) continue;
    if (!is_token(name) || value.find_first_of("\r\n") != std::string::npos)
      return fail(ErrorCode::kInvalidArgument, "malformed HTTP header");
    out += name + ": " + value + "\r\n";
  }
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH")
    out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  out += request.keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  return out;
}

/// Connections that nobody uses, by where they lead. Strand-bound to the loop.
class Idle {
 public:
  explicit Idle(asio::io_context& context) : context_(context) {}

  /// The one that was left last: it is the least likely to be closed.
  std::optional<ByteStream> take(const std::string& place) {
    std::erase_if(kept_, [](const auto& one) { return !one->stream; });
    const auto found = std::find_if(kept_.rbegin(), kept_.rend(), [&](const auto& one) { return one->place == place; });
    if (found == kept_.rend()) return std::nullopt;
    std::optional<ByteStream> out(std::move(*(*found)->stream));
    kept_.erase(std::next(found).base());
    return out;
  }

  void leave(std::string place, ByteStream stream) {
    constexpr std::size_t kMost = 64;
    constexpr std::chrono::minutes kPatience{5};
    if (kept_.size() == kMost) kept_.pop_front();
    auto one = std::make_shared<Kept>(std::move(place), std::move(stream), asio::steady_timer(context_));
    one->timer.expires_after(kPatience);
    one->timer.async_wait([weak = std::weak_ptr(one)](const ErrorCodeAsio& error) {
      if (const auto kept = weak.lock(); kept && !error) kept->stream.reset();
    });
    kept_.push_back(std::move(one));
  }

 private:
  struct Kept {
    Kept(std::string p, ByteStream s, asio::steady_timer t)
        : place(std::move(p)), stream(std::move(s)), timer(std::move(t)) {}
    const std::string place;
    std::optional<ByteStream> stream;
    asio::steady_timer timer;
  };

  asio::io_context& context_;
  std::deque<std::shared_ptr<Kept>> kept_;
};

/// One request and its answer. Strand-bound to the loop; pending operations keep it alive.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  /// The options live as long as this does, or until `cancel`.
  Exchange(asio::io_context& context, const ConnectOptions& options, std::weak_ptr<Idle> idle, ClientRequest request,
           HttpClient::Done done)
      : context_(context),
        options_(options),
        idle_(std::move(idle)),
        request_(std::move(request)),
        done_(std::move(done)),
        deadline_(context),
        reader_(HttpReader::response(kMaxHeaderBytes, request_.method == "HEAD")) {}

  /// `over` is called before `done`: the owner forgets this.
  void start(std::function<void()> over) {
    over_ = std::move(over);
    auto url = parse_url(request_.url);
    if (!url || (url->scheme != "http" && url->scheme != "https")) {
      finish(
          fail(ErrorCode::kInvalidArgument, url ? "the URL's scheme is neither http nor https" : url.error().message));
      return;
    }
    peer_ = url->redacted();
    auto bytes = request_bytes(request_, *url);
    if (!bytes) {
      finish(std::unexpected(bytes.error()));
      return;
    }
    head_ = std::move(*bytes);
    deadline_.expires_after(request_.timeout);
    deadline_.async_wait([self = shared_from_this()](const ErrorCodeAsio& error) {
      if (error) return;
      self->finish(fail(ErrorCode::kDeadlineExceeded,
                        "no answer from " + self->peer_ + " within " + format_duration(self->request_.timeout)));
    });
    url_ = std::move(*url);
    if (request_.keep_alive) {
      place_ = url_.scheme + "://" + to_string(HostPort{url_.host, url_.port});
      if (const auto idle = idle_.lock()) {
        if (auto left = idle->take(place_)) stream_.emplace(std::move(*left));
      }
    }
    if (stream_) {
      reused_ = true;
      write();
    } else {
      connect();
    }
  }

  void cancel() {
    done_ = nullptr;
    over_ = nullptr;
    deadline_.cancel();
    if (connector_) connector_->cancel();
    if (stream_) stream_->close();
  }

 private:
  void connect() {
    connector_ = std::make_shared<Connector>(context_, options_, url_);
    connector_->start([self = shared_from_this()](Result<ByteStream> stream) {
      if (!stream) {
        self->finish(std::unexpected(stream.error()));
        return;
      }
      self->stream_.emplace(std::move(*stream));
      self->write();
    });
  }

  void write() {
    if (written_ == head_.size() + request_.body.size()) {
      read();
      return;
    }
    std::array<asio::const_buffer, 2> buffers;
    std::size_t count = 0;
    if (written_ < head_.size()) buffers[count++] = {head_.data() + written_, head_.size() - written_};
    const auto at = written_ > head_.size() ? written_ - head_.size() : 0;
    if (at < request_.body.size()) buffers[count++] = {request_.body.data() + at, request_.body.size() - at};
    stream_->write_some({buffers.data(), count},
                        [self = shared_from_this()](const ErrorCodeAsio& error, std::size_t n) {
                          if (!self->done_) return;
                          self->written_ += n;
                          // A server may answer before it has read everything (413): look, rather than give up.
                          if (error)
                            self->read();
                          else
                            self->write();
                        });
  }

  void read() {
    stream_->read_some(asio::buffer(chunk_), [self = shared_from_this()](const ErrorCodeAsio& error, std::size_t n) {
      if (self->done_) self->on_read(error, n);
    });
  }

  void on_read(const ErrorCodeAsio& error, std::size_t size) {
    if (error && size == 0 && std::exchange(reused_, false)) {
      // Closed while nobody looked.
      stream_.reset();
      written_ = 0;
      return connect();
    }
    reused_ = false;
    incoming_.append(chunk_.data(), size);
    while (!incoming_.empty() && !reader_.done()) {
      const auto taken = reader_.put(incoming_);
      if (!taken) {
        finish(fail(ErrorCode::kUnavailable, peer_ + ": " + reader_.problem().message));
        return;
      }
      incoming_.erase(0, *taken);
      if (reader_.head_done() && reader_.head().status / 100 == 1) {
        reader_ = HttpReader::response(kMaxHeaderBytes, request_.method == "HEAD");  // 100 Continue and the like
      } else if (*taken == 0) {
        break;
      }
    }
    if (reader_.body().size() > request_.max_response_bytes) {
      finish(fail(ErrorCode::kTooLarge, "the answer of " + peer_ + " has more than " +
                                            std::to_string(request_.max_response_bytes) + " bytes"));
      return;
    }
    if (!reader_.done() && !error) {
      read();
      return;
    }
    if (!reader_.done() && !reader_.put_end()) {
      finish(fail(ErrorCode::kUnavailable,
                  peer_ + " ended the connection before its answer was complete: " + error.message()));
      return;
    }
    const bool goes_on = request_.keep_alive && !error && reader_.head().keep_alive && incoming_.empty();
    if (const auto idle = idle_.lock(); goes_on && idle) {
      idle->leave(std::move(place_), std::move(*stream_));
      stream_.reset();
    }
    finish(ClientResponse{reader_.head().status, reader_.head().headers, std::move(reader_.body())});
  }

  void finish(Result<ClientResponse> result) {
    auto done = std::exchange(done_, nullptr);
    if (!done) return;
    if (const auto over = std::exchange(over_, nullptr)) over();
    cancel();
    done(std::move(result));
  }

  asio::io_context& context_;
  const ConnectOptions& options_;
  const std::weak_ptr<Idle> idle_;
  Url url_;
  std::string place_;
  bool reused_ = false;  ///< the connection is an old one of which nothing has been heard yet
  ClientRequest request_;
  HttpClient::Done done_;
  std::function<void()> over_;
  std::string peer_;
  asio::steady_timer deadline_;
  std::shared_ptr<Connector> connector_;
  std::optional<ByteStream> stream_;
  std::string head_;
  std::size_t written_ = 0;
  std::array<char, 16 << 10> chunk_;
  std::string incoming_;
  HttpReader reader_;
};

}  // namespace

struct HttpClient::Impl : std::enable_shared_from_this<HttpClient::Impl> {
  Impl(EventLoop& l, ConnectOptions o)
      : loop(l), options(std::move(o)), idle(std::make_shared<Idle>(l.impl().context)) {}

  EventLoop& loop;
  const ConnectOptions options;
  std::shared_ptr<Idle> idle;                             // on the loop
  std::unordered_set<std::shared_ptr<Exchange>> running;  // on the loop

  void send(ClientRequest request, Done done) {
    auto& context = loop.impl().context;
    const auto exchange = std::make_shared<Exchange>(context, options, idle, std::move(request), std::move(done));
    running.insert(exchange);
    exchange->start([weak = weak_from_this(), key = std::weak_ptr(exchange)] {
      if (const auto self = weak.lock()) self->running.erase(key.lock());
    });
  }
};

HttpClient::HttpClient(EventLoop& loop, ConnectOptions options)
    : impl_(std::make_shared<Impl>(loop, std::move(options))) {}

HttpClient::~HttpClient() {
  for (const auto& exchange : impl_->running) exchange->cancel();
}

void HttpClient::send(ClientRequest request, Done done) {
  asio::post(impl_->loop.impl().context,
             [weak = std::weak_ptr(impl_), request = std::move(request), done = std::move(done)]() mutable {
               if (const auto impl = weak.lock()) impl->send(std::move(request), std::move(done));
             });
}

}  // namespace atalaya::net
