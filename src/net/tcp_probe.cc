#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/client.h"
#include "net/event_loop_impl.h"
#include "net/url.h"

namespace atalaya::net {
namespace asio = boost::asio;
using asio::ip::tcp;

struct TcpProbe::Impl : std::enable_shared_from_this<TcpProbe::Impl> {
  Impl(asio::io_context& context, std::string address, Done d)
      : peer(std::move(address)), resolver(context), socket(context), deadline(context), done(std::move(d)) {}

  const std::string peer;
  tcp::resolver resolver;
  tcp::socket socket;
  asio::steady_timer deadline;
  Done done;

  void start(const std::string& host, std::uint16_t port, Duration timeout) {
    deadline.expires_after(timeout);
    deadline.async_wait([self = shared_from_this(), timeout](const boost::system::error_code& error) {
      if (!error)
        self->finish(fail(ErrorCode::kDeadlineExceeded,
                          "no connection to " + self->peer + " within " + format_duration(timeout)));
    });
    resolver.async_resolve(
        host, std::to_string(port), tcp::resolver::numeric_service,
        [self = shared_from_this()](const boost::system::error_code& error, const tcp::resolver::results_type& found) {
          if (!self->done) return;
          if (error) {
            self->finish(fail(ErrorCode::kUnavailable, "resolve " + self->peer + ": " + error.message()));
            return;
          }
          asio::async_connect(
              self->socket, found, [self](const boost::system::error_code& failed, const tcp::endpoint&) {
                if (failed)
                  self->finish(fail(ErrorCode::kUnavailable, "connect to " + self->peer + ": " + failed.message()));
                else
                  self->finish({});
              });
        });
  }

  void cancel() {
    done = nullptr;
    deadline.cancel();
    resolver.cancel();
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  void finish(const Status& status) {
    const auto callback = std::exchange(done, nullptr);
    if (!callback) return;
    cancel();
    callback(status);
  }
};

TcpProbe::TcpProbe(EventLoop& loop, std::string host, std::uint16_t port, Duration timeout, Done done)
    : impl_(std::make_shared<Impl>(loop.impl().context, to_string(HostPort{host, port}), std::move(done))) {
  impl_->start(host, port, timeout);
}
TcpProbe::~TcpProbe() { impl_->cancel(); }

}  // namespace atalaya::net
