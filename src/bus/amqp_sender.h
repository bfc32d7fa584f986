// Messages to a broker that speaks AMQP 0-9-1 (RabbitMQ), each confirmed.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::bus {

struct AmqpOptions {
  std::string name;                         ///< of the broker, in messages: `mq.example.org:5672`
  std::vector<sockaddr_storage> addresses;  ///< of the broker, with its port; tried in turn
  std::string vhost = "/";
  std::string user = "guest";
  std::string password;
  Duration timeout{15'000};  ///< of connecting, and of each answer
};

struct AmqpMessage {
  std::string exchange;  ///< "": the default one, which takes the routing key for a queue's name
  std::string routing_key;
  std::string content_type;
  std::string body;
};

/// A thread with one connection, which is made when there is something to send and kept. Messages are persistent.
/// Thread-safe.
class AmqpSender {
 public:
  using Done = std::function<void(Status)>;

  explicit AmqpSender(AmqpOptions options);
  /// Ends the connection at once; what is under way ends with cancelled.
  ~AmqpSender();
  AmqpSender(const AmqpSender&) = delete;
  AmqpSender& operator=(const AmqpSender&) = delete;

  /// One batch at a time: the next after `done`, which is called on the sender's thread when the broker has confirmed
  /// all (then they are stored in every queue they go to), or with why not: then some may be stored and all may be sent
  /// again. unavailable (also: no queue takes one of them), unauthenticated, not_found (exchange, vhost),
  /// deadline_exceeded, cancelled.
  void send(std::vector<AmqpMessage> messages, Done done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::bus
