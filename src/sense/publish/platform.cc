// `Store`, `Alert` and `EmailOnAlarm`: what the server itself does with records.
#include <fmt/format.h>

#include <map>
#include <utility>

#include "model/sample.h"
#include "sense/publish/families.h"
#include "sense/publish/queued.h"
#include "sense/publish/render.h"

namespace atalaya::sense::publish {
namespace {

constexpr std::size_t kMaxAlarms = 10'000;  ///< label sets whose state a mail publisher remembers

/// An answer that may come on any thread, brought to the loop.
Platform::Done answer_on(net::EventLoop& loop, std::function<void(Outcome)> sent) {
  return [&loop, sent = std::move(sent)](Status status) {
    const bool permanent = !status && (status.error().code == ErrorCode::kInvalidArgument ||
                                       status.error().code == ErrorCode::kPermissionDenied);
    loop.post([sent, outcome = Outcome{std::move(status), permanent, std::nullopt}] { sent(outcome); });
  };
}

class Store final : public QueuedPublisher {
 public:
  Store(const PublisherContext& context, std::string metric)
      : QueuedPublisher(context, {}), metric_(std::move(metric)) {}

 private:
  void send(const std::vector<Item>& items, Sent sent) override {
    context().platform->store(context().who, metric_, items, answer_on(context().loop, std::move(sent)));
  }
  const std::string metric_;
};

class Alert final : public QueuedPublisher {
 public:
  Alert(const PublisherContext& context, std::string name, std::string severity)
      : QueuedPublisher(context, {}), name_(std::move(name)), severity_(std::move(severity)) {}

 private:
  void send(const std::vector<Item>& items, Sent sent) override {
    context().platform->alert(context().who, name_, severity_, items, answer_on(context().loop, std::move(sent)));
  }
  const std::string name_;
  const std::string severity_;
};

/// Tells changes alone, and gathers those that come soon after one another into one mail.
class EmailOnAlarm final : public QueuedPublisher {
 public:
  EmailOnAlarm(const PublisherContext& context, std::string channel, std::vector<std::string> to)
      : QueuedPublisher(context, {.records = 200, .pause = context.limits.mail_pause}),
        channel_(std::move(channel)),
        to_(std::move(to)) {}

  void publish(std::string_view stream, const Record& record) override {
    if (record.is_line()) return;
    const bool raised = !is_stale(record.value) && record.value != 0;
    const std::pair key(std::string(stream), record.labels);
    const bool was = raised_.contains(key);
    if (raised == was) return;
    if (raised) {
      if (raised_.size() >= kMaxAlarms) {
        count_dropped(1);
        return;
      }
      raised_.emplace(key, record.time);
    } else {
      raised_.erase(key);
    }
    QueuedPublisher::publish(stream, record);
  }

 private:
  static bool raised(const Item& item) { return !is_stale(item.record.value) && item.record.value != 0; }

  void send(const std::vector<Item>& items, Sent sent) override {
    std::size_t alarms = 0;
    std::string text;
    for (const auto& item : items) {
      alarms += raised(item) ? 1 : 0;
      text += fmt::format("{}  {}  {} {}\n", format_rfc3339(item.record.time), raised(item) ? "ALARM" : "over ",
                          item.stream, item.record.labels.empty() ? "" : to_string(item.record.labels));
    }
    const auto& sensor = context().who.sensor;
    const auto subject = alarms > 0 ? fmt::format("[alarm] {} of sensor {}", items.front().stream, sensor)
                                    : fmt::format("[over] {} of sensor {}", items.front().stream, sensor);
    context().platform->mail(context().who, channel_, to_, subject, fmt::format("Sensor {}\n\n{}", sensor, text),
                             answer_on(context().loop, std::move(sent)));
  }

  const std::string channel_;
  const std::vector<std::string> to_;
  std::map<std::pair<std::string, Labels>, Time> raised_;
};

}  // namespace

bool needs_platform(std::string_view mixin) {
  const auto term = term_of(mixin);
  return term == "Store" || term == "Alert" || term == "EmailOnAlarm";
}

MadePublisher make_platform(const PartSettings& settings, const PublisherContext& context) {
  const auto& name = settings.name();
  if (!needs_platform(name)) return nullptr;
  if (context.platform == nullptr)
    return fail(ErrorCode::kUnprocessable, name + " publishes from the server alone", "placement: server");
  if (name == "Store") return std::make_unique<Store>(context, settings.text("metric"));
  if (name == "Alert") return std::make_unique<Alert>(context, settings.text("alertname"), settings.text("severity"));
  return std::make_unique<EmailOnAlarm>(context, settings.text("channel"), settings.list("to"));
}

}  // namespace atalaya::sense::publish
