// The one connection of an agent to its server, made again whenever it breaks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "agent/identity.h"
#include "agent/stream.h"
#include "base/time.h"
#include "net/client.h"
#include "net/event_loop.h"

namespace atalaya::agent {

struct UplinkOptions {
  Identity identity;
  net::ConnectOptions connect;
  Duration first_retry{200};
  Duration longest_retry{15'000};
  /// After the server said that this agent was removed or replaced: nothing will change soon.
  Duration refused_retry{60'000};
  /// After the server said that its stores take no more now.
  Duration busy_retry{2'000};
  Duration renew_retry{30'000};
};

/// Fetches a short-lived token with the identity's secret, renews it before it ends, opens the WebSocket,
/// runs the Stream over it, and comes again after every end with back-off and jitter. Strand-bound.
/// Every failure is logged once per change of its words, not once per attempt.
class Uplink {
 public:
  Uplink(net::EventLoop& loop, const Clock& clock, UplinkOptions options, Stream& stream);
  ~Uplink();

  void start();
  void stop();  ///< idempotent
  /// A frame of the stream, if there is a connection.
  bool send(std::string frame);

  bool connected() const { return connected_; }
  std::uint64_t reconnects() const { return reconnects_; }

 private:
  void attempt();
  void fetch_token(bool then_connect);
  void on_token(Result<net::ClientResponse> answer, bool then_connect);
  void open_socket();
  void on_message(const std::string& message, bool binary);
  void on_closed(const net::WebSocketEnd& end);
  void retry(Duration least, const std::string& why);
  bool token_is_fresh() const;

  net::EventLoop& loop_;
  const Clock& clock_;
  const UplinkOptions options_;
  Stream& stream_;
  net::HttpClient http_;
  std::unique_ptr<net::WebSocketClient> socket_;
  net::Timer retry_timer_;
  net::Timer renew_timer_;
  std::mt19937_64 random_;
  bool running_ = false;
  bool connected_ = false;
  std::string token_;
  Steady token_until_{};
  Duration back_off_;
  std::string last_problem_;
  std::uint64_t reconnects_ = 0;
};

}  // namespace atalaya::agent
