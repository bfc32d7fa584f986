// One connection of librabbitmq. For bus' own sources.
#pragma once

#include <amqp.h>

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "bus/amqp_sender.h"

namespace atalaya::bus {

/// Blocks, each call for the options' time at most. Thread-compatible.
class AmqpConnection {
 public:
  /// Told of the socket before it is used, so that another thread may shut it down; and of −1 before it is closed.
  using Watch = std::function<void(int descriptor)>;

  AmqpConnection(const AmqpOptions& options, Watch watch);
  ~AmqpConnection();
  AmqpConnection(const AmqpConnection&) = delete;
  AmqpConnection& operator=(const AmqpConnection&) = delete;

  Status open();
  /// Returns when all are confirmed. After an error the connection is of no more use.
  Status publish(const std::vector<AmqpMessage>& messages);

 private:
  Result<int> connect() const;
  Status log_in();
  Status wait_for_confirms();
  Status take_frame(const amqp_frame_t& frame);
  /// What a reply that is no answer says.
  std::unexpected<Error> refused(const char* what, const amqp_rpc_reply_t& reply) const;
  std::unexpected<Error> library_error(const char* what, int status) const;
  std::unexpected<Error> closed(const char* what, int code, amqp_bytes_t text) const;

  const AmqpOptions& options_;
  const Watch watch_;
  amqp_connection_state_t state_ = nullptr;
  std::uint64_t published_ = 0;          ///< the tag of the last message
  std::set<std::uint64_t> unconfirmed_;  ///< tags
};

}  // namespace atalaya::bus
