#include "bus/amqp_connection.h"

#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace atalaya::bus {
namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr int kFrameBytes = 128 << 10;

amqp_bytes_t bytes_of(const std::string& text) {
  // The library reads alone, and wants no const.
  return {text.size(), const_cast<char*>(text.data())};
}
std::string_view text_of(amqp_bytes_t bytes) { return {static_cast<const char*>(bytes.bytes), bytes.len}; }

timeval time_of(Duration duration) {
  return {duration.count() / 1000, static_cast<suseconds_t>(duration.count() % 1000 * 1000)};
}

socklen_t size_of(const sockaddr_storage& address) {
  return address.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

/// AMQP's reply codes (0-9-1, section 1.2) as ours.
ErrorCode code_of(int reply) {
  switch (reply) {
    case 403: return ErrorCode::kPermissionDenied;
    case 404:
    case 530: return ErrorCode::kNotFound;  // 530: how RabbitMQ refuses a vhost
    case 406: return ErrorCode::kInvalidArgument;
    default: return ErrorCode::kUnavailable;
  }
}

}  // namespace

AmqpConnection::AmqpConnection(const AmqpOptions& options, Watch watch) : options_(options), watch_(std::move(watch)) {}

AmqpConnection::~AmqpConnection() {
  watch_(-1);
  if (state_ != nullptr) amqp_destroy_connection(state_);  // closes the socket, without a goodbye that could block
}

std::unexpected<Error> AmqpConnection::library_error(const char* what, int status) const {
  const auto code = status == AMQP_STATUS_TIMEOUT ? ErrorCode::kDeadlineExceeded : ErrorCode::kUnavailable;
  return fail(code, fmt::format("{}: {}: {}", options_.name, what, amqp_error_string2(status)));
}

std::unexpected<Error> AmqpConnection::closed(const char* what, int code, amqp_bytes_t text) const {
  return fail(code_of(code), fmt::format("{}: {}: {} {}", options_.name, what, code, text_of(text)));
}

std::unexpected<Error> AmqpConnection::refused(const char* what, const amqp_rpc_reply_t& reply) const {
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) return library_error(what, reply.library_error);
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
    const auto& close = *static_cast<const amqp_connection_close_t*>(reply.reply.decoded);
    return closed(what, close.reply_code, close.reply_text);
  }
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto& close = *static_cast<const amqp_channel_close_t*>(reply.reply.decoded);
    return closed(what, close.reply_code, close.reply_text);
  }
  return fail(ErrorCode::kUnavailable, fmt::format("{}: {}: an answer that was not asked for", options_.name, what));
}

/// The library's own way resolves names; ours are addresses that somebody has looked at.
Result<int> AmqpConnection::connect() const {
  std::string last = "it has no address";
  for (const auto& address : options_.addresses) {
    const int fd = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fail(ErrorCode::kResourceExhausted, fmt::format("socket: {}", std::strerror(errno)));
    watch_(fd);
    int error = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), size_of(address)) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      pollfd waiting{fd, POLLOUT, 0};
      const int ready = ::poll(&waiting, 1, static_cast<int>(options_.timeout.count()));
      socklen_t size = sizeof error;
      error = ready == 0 ? ETIMEDOUT : ready < 0 ? errno : 0;
      if (ready > 0) ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (ready > 0 && error == 0 && (waiting.revents & POLLHUP) != 0) error = ECONNABORTED;
    }
    if (error == 0) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return fd;
    }
    last = std::strerror(error);
    watch_(-1);
    ::close(fd);
  }
  return fail(ErrorCode::kUnavailable, fmt::format("connect to {}: {}", options_.name, last));
}

Status AmqpConnection::open() {
  AT_TRY(const auto fd, connect());
  state_ = amqp_new_connection();
  auto* socket = state_ != nullptr ? amqp_tcp_socket_new(state_) : nullptr;
  if (socket == nullptr) {
    watch_(-1);
    ::close(fd);
    return fail(ErrorCode::kResourceExhausted, fmt::format("{}: no memory for a connection", options_.name));
  }
  amqp_tcp_socket_set_sockfd(socket, fd);
  return log_in();
}

Status AmqpConnection::log_in() {
  const auto timeout = time_of(options_.timeout);
  amqp_set_handshake_timeout(state_, &timeout);
  amqp_set_rpc_timeout(state_, &timeout);
  const auto reply = amqp_login(state_, options_.vhost.c_str(), 1, kFrameBytes, 0, AMQP_SASL_METHOD_PLAIN,
                                options_.user.c_str(), options_.password.c_str());
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
    auto error = refused("log in", reply).error();
    // RabbitMQ says no to a password by closing with 403.
    if (error.code == ErrorCode::kPermissionDenied) error.code = ErrorCode::kUnauthenticated;
    return std::unexpected(std::move(error));
  }
  amqp_channel_open(state_, kChannel);
  const auto opened = amqp_get_rpc_reply(state_);
  if (opened.reply_type != AMQP_RESPONSE_NORMAL) return refused("open a channel", opened);
  amqp_confirm_select(state_, kChannel);
  const auto selected = amqp_get_rpc_reply(state_);
  if (selected.reply_type != AMQP_RESPONSE_NORMAL) return refused("ask for confirms", selected);
  return {};
}

Status AmqpConnection::publish(const std::vector<AmqpMessage>& messages) {
  for (const auto& message : messages) {
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties.content_type = bytes_of(message.content_type);
    properties.delivery_mode = 2;
    const int status = amqp_basic_publish(state_, kChannel, bytes_of(message.exchange), bytes_of(message.routing_key),
                                          /*mandatory=*/1, /*immediate=*/0, &properties, bytes_of(message.body));
    if (status != AMQP_STATUS_OK) return library_error("publish", status);
    unconfirmed_.insert(++published_);
  }
  return wait_for_confirms();
}

Status AmqpConnection::wait_for_confirms() {
  while (!unconfirmed_.empty()) {
    amqp_maybe_release_buffers(state_);
    amqp_frame_t frame;
    const auto timeout = time_of(options_.timeout);
    const int status = amqp_simple_wait_frame_noblock(state_, &frame, &timeout);
    if (status != AMQP_STATUS_OK) return library_error("wait for a confirm", status);
    AT_TRY(take_frame(frame));
  }
  return {};
}

Status AmqpConnection::take_frame(const amqp_frame_t& frame) {
  if (frame.frame_type != AMQP_FRAME_METHOD) return {};
  const auto& method = frame.payload.method;
  switch (method.id) {
    case AMQP_BASIC_ACK_METHOD: {
      // In any order, one by one or all up to a tag.
      const auto& ack = *static_cast<const amqp_basic_ack_t*>(method.decoded);
      const auto from = ack.multiple != 0 ? unconfirmed_.begin() : unconfirmed_.lower_bound(ack.delivery_tag);
      unconfirmed_.erase(from, unconfirmed_.upper_bound(ack.delivery_tag));
      return {};
    }
    case AMQP_BASIC_NACK_METHOD:
      return fail(ErrorCode::kUnavailable, fmt::format("{}: the broker could not keep a message", options_.name));
    case AMQP_BASIC_RETURN_METHOD:
      return fail(
          ErrorCode::kUnavailable,
          fmt::format("{}: no queue takes a message: nothing is bound for its exchange and routing key", options_.name),
          "declare the queue and bind it");
    case AMQP_CHANNEL_CLOSE_METHOD: {
      const auto& close = *static_cast<const amqp_channel_close_t*>(method.decoded);
      return closed("publish", close.reply_code, close.reply_text);
    }
    case AMQP_CONNECTION_CLOSE_METHOD: {
      const auto& close = *static_cast<const amqp_connection_close_t*>(method.decoded);
      return closed("publish", close.reply_code, close.reply_text);
    }
    default: return {};
  }
}

}  // namespace atalaya::bus
