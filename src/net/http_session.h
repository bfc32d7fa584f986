// One connection of an HttpServer: for net's own sources.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include <array>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "net/byte_stream.h"
#include "net/http_reader.h"
#include "net/response_writer.h"
#include "net/router_match.h"
#include "net/server_core.h"
#include "net/websocket_connection.h"

namespace atalaya::net {

/// Reads a request, has it handled, writes the answer, and again; never two requests at once, so
/// answers to pipelined requests keep their order. While a request is handled one read waits: it is how a
/// client that leaves is noticed, and what it gives belongs to the next request. Strand-bound to the socket's strand,
/// except `begin_stop`, `abort` and `deliver`. Owned by the server's set until it ends.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(HttpServer::Impl& server, boost::asio::ip::tcp::socket socket, std::string remote_address);

  void start();
  const std::string& peer() const { return remote_address_; }
  /// Ends at once when idle, else after the answer under way. Any thread.
  void begin_stop();
  /// Ends now. Any thread.
  void abort();
  /// The answer to the request under way. Any thread; the second one is ignored.
  void deliver(Response response);

 private:
  enum class Phase { kIdle, kHead, kBody, kHandling, kWriting, kEnding, kWebSocket, kEnded };

  void next_request();
  void read();
  void read_body();
  void on_read(const ErrorCodeAsio& error, std::size_t size);
  void consume();
  void on_head();
  void on_body_progress();
  bool prepare_request();
  bool is_preflight() const;
  bool is_refused_plainly() const;
  std::vector<std::string> allowed_words(std::vector<std::string> methods) const;
  void answer_unmatched(const std::vector<std::string>& allowed);
  void dispatch();
  void dispatch_upgrade();
  void upgrade(WebSocketOpened opened);
  void websocket_accepted(const WebSocketOpened& opened, const Status& status);

  /// The request was wrong before its end was read: the connection cannot go on after the answer.
  void refuse(Response response);
  void answer(Response response);
  void write();
  void answered();
  void end_politely();
  void end();
  /// The connection ends when nothing sets another one until then.
  void set_deadline(Duration after);
  void clear_deadline() { deadline_at_ = Deadline::max(); }
  void wait_for_deadline();

  HttpServer::Impl& server_;
  const std::string remote_address_;
  std::optional<ByteStream> stream_;  ///< empty once it became a WebSocket
  const ByteStream::executor_type strand_;
  using Deadline = boost::asio::steady_timer::time_point;
  boost::asio::steady_timer deadline_;
  Deadline deadline_at_ = Deadline::max();
  Deadline wakes_at_ = Deadline::max();  ///< of the wait under way: a later deadline needs no other
  std::uint64_t waits_ = 0;
  Phase phase_ = Phase::kIdle;
  bool stopping_ = false;

  std::array<char, 16 << 10> chunk_;
  bool reading_ = false;    ///< into chunk_
  std::stop_source asker_;  ///< stopped when who asked leaves before the answer
  std::string incoming_;    ///< read, not yet taken
  HttpReader reader_;
  Request request_;
  std::string encoded_path_;
  const Router::Match* match_ = nullptr;
  AnswerContext context_;
  Steady started_{};
  std::string method_;

  Response response_;
  std::string answer_head_;
  std::size_t written_ = 0;

  std::shared_ptr<WebSocketConnection> websocket_;
};

}  // namespace atalaya::net
