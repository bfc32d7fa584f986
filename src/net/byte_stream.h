// A TCP connection, with or without TLS, behind one type: for net's own sources. HTTP and WebSocket
// are then compiled once, and only `byte_stream.cc` knows Asio's TLS.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "net/tls.h"

namespace atalaya::net {

using ErrorCodeAsio = boost::system::error_code;

/// Strand-bound: every call and every completion on the socket's executor. A completion never runs
/// inside the call that started it. Moving it while an operation is under way is allowed; the
/// operation keeps what it needs alive and ends with operation_aborted after `close`.
class ByteStream {
 public:
  using executor_type = boost::asio::any_io_executor;
  using Transferred = std::move_only_function<void(ErrorCodeAsio, std::size_t)>;
  using Finished = std::move_only_function<void(ErrorCodeAsio)>;
  using Socket = boost::asio::ip::tcp::socket;
  static constexpr std::size_t kMaxBuffers = 16;

  explicit ByteStream(Socket socket);
  ByteStream(ByteStream&&) noexcept;
  ~ByteStream();

  executor_type get_executor() const;
  bool is_tls() const;
  /// Bytes that were read too far: the next read gives them first.
  void unread(std::string bytes);

  void handshake_as_server(std::shared_ptr<boost::asio::ssl::context> context, Finished done);
  /// Verifies chain and name, or the pin, as `trust` says. What exactly was wrong: `tls_failure()`.
  void handshake_as_client(std::shared_ptr<boost::asio::ssl::context> context, const TlsTrust& trust,
                           const std::string& host, Finished done);
  /// Why the peer's certificate was refused; "" when that was not the reason.
  const std::string& tls_failure() const;

  void read_some(boost::asio::mutable_buffer into, Transferred done);
  /// At most kMaxBuffers are taken; their bytes live until `done`.
  void write_some(std::span<const boost::asio::const_buffer> buffers, Transferred done);
  /// TLS goodbye and end of our direction, then reads and drops until the peer ends too (so that no
  /// reset overtakes what we wrote), at most 4 MB. How long is for the caller to bound, by `close`.
  void shutdown(Finished done);
  void close();

  // Beast's AsyncStream, on top of the above.
  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCodeAsio, std::size_t)>(
        [this](auto handler, const Buffers& into) {
          boost::asio::mutable_buffer first;
          for (const auto buffer : boost::beast::buffers_range_ref(into))
            if (first.size() == 0) first = buffer;
          read_some(first, bind(std::move(handler)));
        },
        token, buffers);
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCodeAsio, std::size_t)>(
        [this](auto handler, const Buffers& from) {
          std::array<boost::asio::const_buffer, kMaxBuffers> gathered;
          std::size_t count = 0;
          for (const auto buffer : boost::beast::buffers_range_ref(from))
            if (buffer.size() > 0 && count < kMaxBuffers) gathered[count++] = buffer;
          write_some({gathered.data(), count}, bind(std::move(handler)));
        },
        token, buffers);
  }

 private:
  struct State;

  static void drain(std::shared_ptr<State> state, Finished done, std::size_t drained);

  template <typename Done>
  Transferred bind(Done handler) {
    auto executor = boost::asio::get_associated_executor(handler, get_executor());
    return [handler = std::move(handler), executor](ErrorCodeAsio error, std::size_t size) mutable {
      boost::asio::dispatch(executor, [handler = std::move(handler), error, size]() mutable { handler(error, size); });
    };
  }

  std::shared_ptr<State> state_;
};

// How Beast's WebSocket ends a stream that is none of its own.
void beast_close_socket(ByteStream& stream);
void teardown(boost::beast::role_type role, ByteStream& stream, ErrorCodeAsio& error);
template <typename Handler>
void async_teardown(boost::beast::role_type, ByteStream& stream, Handler&& handler) {
  auto executor = boost::asio::get_associated_executor(handler, stream.get_executor());
  stream.shutdown(
      [handler = std::decay_t<Handler>(std::forward<Handler>(handler)), executor](ErrorCodeAsio error) mutable {
        boost::asio::dispatch(executor, [handler = std::move(handler), error]() mutable { handler(error); });
      });
}

/// A context for a server from PEM files; the error names the file.
Result<std::shared_ptr<boost::asio::ssl::context>> make_server_context(const std::string& cert_file,
                                                                       const std::string& key_file);
Result<std::shared_ptr<boost::asio::ssl::context>> make_client_context(const TlsTrust& trust);

}  // namespace atalaya::net
