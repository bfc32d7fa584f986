#include "agent/uplink.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "telemetry/log.h"

namespace atalaya::agent {
namespace {

constexpr std::string_view kComponent = "agent";
constexpr std::string_view kApi = "/api/atalaya/v1/agents/";
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;

std::uint64_t seed() {
  std::uint64_t value = 0;
  for (const auto c : random_bytes(sizeof value)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

struct Token {
  std::string text;
  std::chrono::seconds lifetime;
};

Result<Token> parse_token(const std::string& body) {
  boost::system::error_code error;
  const auto value = boost::json::parse(body, error);
  const auto* object = value.if_object();
  const auto* text = object ? object->if_contains("access_token") : nullptr;
  const auto* lifetime = object ? object->if_contains("expires_in") : nullptr;
  if (error || !text || !text->is_string() || !lifetime || !lifetime->is_number())
    return fail(ErrorCode::kUnavailable, "the server's answer holds no token");
  return Token{std::string{text->get_string()}, std::chrono::seconds{lifetime->to_number<std::int64_t>(error)}};
}

}  // namespace

Uplink::Uplink(net::EventLoop& loop, const Clock& clock, UplinkOptions options, Stream& stream)
    : loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      stream_(stream),
      http_(loop, options_.connect),
      random_(seed()),
      back_off_(options_.first_retry) {}

Uplink::~Uplink() { stop(); }

void Uplink::start() {
  if (running_) return;
  running_ = true;
  attempt();
}

void Uplink::stop() {
  running_ = false;
  retry_timer_.cancel();
  renew_timer_.cancel();
  if (connected_) stream_.closed();
  connected_ = false;
  socket_.reset();
}

bool Uplink::send(std::string frame) { return connected_ && socket_ && socket_->send(std::move(frame), true); }

bool Uplink::token_is_fresh() const { return !token_.empty() && clock_.steady() < token_until_; }

void Uplink::attempt() {
  if (!running_) return;
  if (token_is_fresh()) {
    open_socket();
  } else {
    fetch_token(true);
  }
}

void Uplink::fetch_token(bool then_connect) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = options_.identity.server + std::string{kApi} + "token";
  request.headers.set("Content-Type", "application/json");
  request.body = boost::json::serialize(
      boost::json::object{{"agent_id", options_.identity.agent_id}, {"secret", options_.identity.secret}});
  request.timeout = Duration{15'000};
  request.max_response_bytes = 64 << 10;
  http_.send(std::move(request),
             [this, then_connect](Result<net::ClientResponse> answer) { on_token(std::move(answer), then_connect); });
}

void Uplink::on_token(Result<net::ClientResponse> answer, bool then_connect) {
  if (!running_) return;
  Result<Token> token = fail(ErrorCode::kUnavailable, "");
  bool refused = false;
  if (!answer) {
    token = std::unexpected(std::move(answer).error());
  } else if (answer->status != 200) {
    refused = answer->status == kUnauthorized || answer->status == kForbidden;
    token = fail(ErrorCode::kUnauthenticated,
                 fmt::format("the server refuses the agent's identity with {}", answer->status),
                 refused ? "enrol this host again" : "");
  } else {
    token = parse_token(answer->body);
  }
  if (token) {
    token_ = std::move(token->text);
    // Used until four fifths of its life; then another one is at hand before this one ends.
    const auto use = std::max<std::chrono::nanoseconds>(token->lifetime * 4 / 5, std::chrono::seconds{1});
    token_until_ = clock_.steady() + use;
    const auto renew = std::chrono::ceil<Duration>(use);
    renew_timer_ = loop_.after(renew, [this] { fetch_token(false); });
    if (then_connect) open_socket();
    return;
  }
  if (then_connect) return retry(refused ? options_.refused_retry : Duration{0}, to_string(token.error()));
  // The connection stands; a token is needed at its end only.
  renew_timer_ = loop_.after(options_.renew_retry, [this] { fetch_token(false); });
}

void Uplink::open_socket() {
  net::WebSocketClientOptions options;
  options.url = options_.identity.server + std::string{kApi} + "connect";
  options.headers.set("Authorization", "Bearer " + token_);
  options.connect = options_.connect;
  net::WebSocketClientEvents events;
  events.opened = [this] {
    connected_ = true;
    stream_.opened();
  };
  events.message = [this](const std::string& message, bool binary) { on_message(message, binary); };
  events.closed = [this](const net::WebSocketEnd& end) { on_closed(end); };
  socket_ = std::make_unique<net::WebSocketClient>(loop_, std::move(options), std::move(events));
  socket_->open();
}

void Uplink::on_message(const std::string& message, bool binary) {
  const bool before = stream_.established();
  auto status = binary ? stream_.on_frame(message) : fail(ErrorCode::kInvalidArgument, "text message");
  if (!status) {
    socket_->close(ingest::kCloseMalformed, status.error().message);
    return;
  }
  if (before || !stream_.established()) return;
  back_off_ = options_.first_retry;
  last_problem_.clear();
  telemetry::log_info(kComponent, "connected", {{"server", options_.identity.server}});
}

void Uplink::on_closed(const net::WebSocketEnd& end) {
  if (connected_) {
    stream_.closed();
    ++reconnects_;
  }
  connected_ = false;
  socket_.reset();
  if (!running_) return;
  const bool refused = end.close_code == ingest::kCloseRemoved || end.close_code == ingest::kCloseReplaced ||
                       end.http_status == kForbidden;
  if (end.http_status == kUnauthorized || end.http_status == kForbidden) token_.clear();
  const bool busy = end.close_code == ingest::kCloseTryLater;
  retry(refused ? options_.refused_retry : busy ? options_.busy_retry : Duration{0}, to_string(end.error));
}

void Uplink::retry(Duration least, const std::string& why) {
  if (why != last_problem_) {
    last_problem_ = why;
    telemetry::log_warn(kComponent, "no connection to the server; what is collected is kept",
                        {{"server", options_.identity.server}, {"reason", why}});
  }
  const auto wait = std::max(least, back_off_);
  back_off_ = std::min(back_off_ * 2, options_.longest_retry);
  // Between half and the whole: agents that lost the same server do not come back in one moment.
  std::uniform_int_distribution<std::int64_t> jitter(wait.count() / 2, wait.count());
  retry_timer_ = loop_.after(Duration{jitter(random_)}, [this] { attempt(); });
}

}  // namespace atalaya::agent
