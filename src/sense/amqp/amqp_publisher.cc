#include "sense/amqp/amqp_publisher.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <utility>

#include "bus/amqp_sender.h"
#include "net/lookup.h"
#include "net/percent.h"
#include "net/url.h"
#include "sense/part_types.h"
#include "sense/publish/queued.h"
#include "sense/publish/render.h"

namespace atalaya::sense::publish {
namespace {

struct Broker {
  std::string host;
  std::uint16_t port = 5672;
  std::string vhost = "/";
};

/// `amqp://host:port/vhost`; the vhost is percent-encoded, and `/` where there is none.
Result<Broker> read_broker(const PartSettings& settings) {
  constexpr std::string_view kScheme = "amqp://";
  const auto url = settings.text("url");
  auto rest = std::string_view(url).substr(kScheme.size());
  Broker out;
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    const auto vhost = net::percent_decode(rest.substr(slash + 1));
    if (!vhost) return settings.wrong("url", "its vhost is not percent-encoded well");
    if (!vhost->empty()) out.vhost = *vhost;
    rest = rest.substr(0, slash);
  }
  if (rest.find('@') != std::string_view::npos)
    return settings.wrong("url", "it holds a user or password", "use the attributes user and password");
  const bool has_port = rest.rfind(':') != std::string_view::npos && !rest.ends_with(']');
  const auto where = net::parse_host_port(has_port ? std::string(rest) : fmt::format("{}:{}", rest, out.port));
  if (!where || where->host.empty() || where->port == 0)
    return settings.wrong("url", "it names no host and port", "such as amqp://mq.example.org:5672/vhost");
  out.host = where->host;
  out.port = where->port;
  return out;
}

class AmqpPublisher final : public QueuedPublisher {
 public:
  AmqpPublisher(const PublisherContext& context, const PartSettings& settings, Broker broker)
      : QueuedPublisher(context, {}),
        broker_(std::move(broker)),
        user_(settings.text("user")),
        password_(settings.text("password")),
        exchange_(settings.text("exchange")),
        routing_key_(settings.text("routingkey")) {}

 private:
  void send(const std::vector<Item>& items, Sent sent) override {
    messages_.clear();
    for (const auto& item : items) {
      auto body = json_line(context().who.sensor, item);
      body.pop_back();
      messages_.push_back({exchange_, routing_key_.empty() ? item.stream : routing_key_, "application/json", body});
    }
    sent_ = std::move(sent);
    if (sender_ != nullptr) {
      hand_over();
      return;
    }
    lookup_ = std::make_unique<net::AddressLookup>(
        context().loop, broker_.host, [this](Result<std::vector<net::SocketAddress>> found) { looked_up(found); });
  }

  /// Names are looked up, and addresses looked at, for every connection: a failed attempt begins here again.
  void looked_up(const Result<std::vector<net::SocketAddress>>& found) {
    lookup_.reset();
    if (!found) {
      std::exchange(sent_, nullptr)({.status = std::unexpected(found.error())});
      return;
    }
    bus::AmqpOptions options;
    options.name = fmt::format("{}:{}", broker_.host, broker_.port);
    options.vhost = broker_.vhost;
    options.user = user_;
    options.password = password_;
    options.timeout = context().limits.timeout;
    Status refused;
    for (auto address : *found) {
      const auto allowed = context().destinations.check(address);
      if (!allowed) {
        refused = allowed;
        continue;
      }
      const auto port = htons(broker_.port);
      if (address.family() == AF_INET) {
        reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = port;
      } else {
        reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = port;
      }
      options.addresses.push_back(address.storage);
    }
    if (options.addresses.empty()) {
      std::exchange(sent_, nullptr)({.status = refused});
      return;
    }
    sender_ = std::make_unique<bus::AmqpSender>(std::move(options));
    hand_over();
  }

  void hand_over() {
    // The answer comes on the sender's thread; `finished` runs on the loop, if this is there then.
    auto finish = guarded([this](const Outcome& outcome) { finished(outcome); });
    auto& loop = context().loop;
    sender_->send(std::exchange(messages_, {}), [&loop, finish = std::move(finish)](Status status) {
      loop.post([finish, status = std::move(status)] { finish({.status = status}); });
    });
  }

  void finished(const Outcome& outcome) {
    if (!outcome.status) sender_.reset();
    std::exchange(sent_, nullptr)(outcome);
  }

  const Broker broker_;
  const std::string user_;
  const std::string password_;
  const std::string exchange_;
  const std::string routing_key_;
  std::vector<bus::AmqpMessage> messages_;
  Sent sent_;
  std::unique_ptr<net::AddressLookup> lookup_;
  std::unique_ptr<bus::AmqpSender> sender_;
};

}  // namespace

Result<std::unique_ptr<Publisher>> make_amqp(const Part& part, const PublisherContext& context) {
  AT_TRY(const auto settings, PartSettings::read(Family::kPublisher, part));
  AT_TRY(auto broker, read_broker(settings));
  return std::make_unique<AmqpPublisher>(context, settings, std::move(broker));
}

}  // namespace atalaya::sense::publish
