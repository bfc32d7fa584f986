#include "net/lookup.h"

#include <boost/asio/ip/icmp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstring>
#include <utility>

#include "net/event_loop_impl.h"

namespace atalaya::net {
namespace asio = boost::asio;

/// The protocol of the resolver only says which kind of sockets the addresses are for: all kinds have the same.
struct AddressLookup::Impl : std::enable_shared_from_this<AddressLookup::Impl> {
  using Resolver = asio::ip::icmp::resolver;

  Impl(asio::io_context& context, std::string h, Done d) : host(std::move(h)), resolver(context), done(std::move(d)) {}

  const std::string host;
  Resolver resolver;
  Done done;

  void start() {
    resolver.async_resolve(
        host, "",
        [self = shared_from_this()](const boost::system::error_code& error, const Resolver::results_type& found) {
          const auto callback = std::exchange(self->done, nullptr);
          if (!callback) return;
          if (error) return callback(fail(ErrorCode::kUnavailable, "resolve " + self->host + ": " + error.message()));
          std::vector<SocketAddress> addresses;
          for (const auto& entry : found) {
            const auto endpoint = entry.endpoint();
            SocketAddress address;
            address.size = static_cast<socklen_t>(endpoint.size());
            std::memcpy(&address.storage, endpoint.data(), endpoint.size());
            addresses.push_back(address);
          }
          if (addresses.empty())
            return callback(fail(ErrorCode::kUnavailable, "resolve " + self->host + ": no address"));
          callback(std::move(addresses));
        });
  }
};

AddressLookup::AddressLookup(EventLoop& loop, std::string host, Done done)
    : impl_(std::make_shared<Impl>(loop.impl().context, std::move(host), std::move(done))) {
  impl_->start();
}

AddressLookup::~AddressLookup() {
  impl_->done = nullptr;
  impl_->resolver.cancel();
}

struct ReadWatch::Impl : std::enable_shared_from_this<ReadWatch::Impl> {
  Impl(asio::io_context& context, int number, std::function<void()> r)
      : descriptor(context, number), ready(std::make_shared<std::function<void()>>(std::move(r))) {}

  asio::posix::stream_descriptor descriptor;
  std::shared_ptr<std::function<void()>> ready;  ///< null: over

  void wait() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& error) {
                            if (error || !self->ready) return;
                            // Held here: the call may destroy the watch.
                            const auto call = self->ready;
                            (*call)();
                            if (self->ready) self->wait();
                          });
  }
};

ReadWatch::ReadWatch(EventLoop& loop, int descriptor, std::function<void()> ready)
    : impl_(std::make_shared<Impl>(loop.impl().context, descriptor, std::move(ready))) {
  impl_->wait();
}

ReadWatch::~ReadWatch() {
  impl_->ready = nullptr;
  impl_->descriptor.release();  // cancels, and leaves it open
}

}  // namespace atalaya::net
