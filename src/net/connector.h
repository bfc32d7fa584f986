// From a URL to an open, trusted stream: for net's own sources.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <vector>

#include "net/byte_stream.h"
#include "net/client.h"
#include "net/url.h"

namespace atalaya::net {

/// Name, TCP (each address in turn), CONNECT through the proxy, TLS: one after the other within
/// `connect_timeout`. Strand-bound to the loop; pending operations keep it alive until `cancel`.
class Connector : public std::enable_shared_from_this<Connector> {
 public:
  using Done = std::function<void(Result<ByteStream>)>;

  Connector(boost::asio::io_context& context, ConnectOptions options, Url url);
  ~Connector();

  /// Calls `done` once, not inside the call, unless cancelled.
  void start(Done done);
  void cancel();

 private:
  struct Impl;

  void resolve();
  /// Those that `ConnectOptions::allow` takes; its error when there is none.
  Result<std::vector<boost::asio::ip::tcp::endpoint>> allowed(
      const boost::asio::ip::tcp::resolver::results_type& found) const;
  void connect();
  void connect_proxy();
  void read_proxy_answer();
  void begin_tls();
  void finish(Result<ByteStream> result);
  std::string peer() const;  ///< for messages

  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::net
