// `Syslog` over TCP (RFC 6587, octet counting) and TLS (RFC 5425).
#include <fmt/format.h>

#include <utility>

#include "net/stream_client.h"
#include "sense/publish/families.h"
#include "sense/publish/queued.h"
#include "sense/publish/render.h"

namespace atalaya::sense::publish {
namespace {

/// Nobody answers: what the system has taken counts as delivered, and what was on its way when a connection ended is
/// sent again.
class SyslogStream final : public QueuedPublisher {
 public:
  SyslogStream(const PublisherContext& context, Address address, SyslogOptions options)
      : QueuedPublisher(context, {}), address_(std::move(address)), options_(std::move(options)) {}

 private:
  void send(const std::vector<Item>& items, Sent sent) override {
    text_.clear();
    for (const auto& item : items) {
      const auto message = syslog_message(options_, item.stream, item.record);
      text_ += fmt::format("{} {}", message.size(), message);
    }
    sent_ = std::move(sent);
    if (open_) {
      write();
    } else {
      connect();
    }
  }

  void connect() {
    net::StreamClientOptions options;
    options.host = address_.host;
    options.port = address_.port;
    options.tls = address_.scheme == "tls";
    options.connect = connect_options(context());
    options.max_queue_bytes = std::size_t{64} << 20;  // one batch at a time, whatever its texts are
    net::StreamClientEvents events;
    events.opened = [this] {
      open_ = true;
      if (sent_) write();
    };
    events.drained = [this] {
      deadline_.cancel();
      answer({});
    };
    events.closed = [this](const Error& error) { closed(error); };
    client_ = std::make_unique<net::StreamClient>(context().loop, std::move(options), std::move(events));
    client_->open();
  }

  void write() {
    deadline_ = context().loop.after(context().limits.timeout, [this] {
      client_.reset();
      open_ = false;
      answer({.status = fail(ErrorCode::kDeadlineExceeded,
                             fmt::format("{}:{} takes nothing", address_.host, address_.port))});
    });
    client_->send(std::exchange(text_, {}));  // where it has just ended, its event follows
  }

  void closed(const Error& error) {
    open_ = false;
    deadline_.cancel();
    answer({.status = std::unexpected(error)});
  }

  void answer(const Outcome& outcome) {
    if (!sent_) return;
    auto sent = std::exchange(sent_, nullptr);
    // Not inside the client's event: the answer may begin with another connection.
    context().loop.post([sent, outcome] { sent(outcome); });
  }

  const Address address_;
  const SyslogOptions options_;
  std::unique_ptr<net::StreamClient> client_;
  net::Timer deadline_;
  bool open_ = false;
  std::string text_;  ///< to be written once there is a connection
  Sent sent_;
};

}  // namespace

MadePublisher make_syslog_stream(const PartSettings& settings, const PublisherContext& context) {
  if (settings.name() != "Syslog") return nullptr;
  AT_TRY(auto address, read_address(settings, "address"));
  SyslogOptions options{static_cast<int>(settings.integer("facility")), static_cast<int>(settings.integer("severity")),
                        context.host, settings.text("app")};
  return std::make_unique<SyslogStream>(context, std::move(address), std::move(options));
}

}  // namespace atalaya::sense::publish
