// Notifications to whoever has the UI open.
#include <fmt/format.h>

#include "notify/channel.h"

namespace atalaya::notify {
namespace json = boost::json;
namespace {

const json::value* at(const json::value* value, std::initializer_list<std::string_view> path) {
  for (const auto key : path) {
    const auto* object = value == nullptr ? nullptr : value->if_object();
    value = object == nullptr ? nullptr : object->if_contains(key);
  }
  return value;
}

std::string text_at(const json::value* value, std::initializer_list<std::string_view> path) {
  const auto* found = at(value, path);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

json::object notification_of(const Message& message) {
  const auto* alerts = message.data.if_contains("alerts");
  const auto* list = alerts == nullptr ? nullptr : alerts->if_array();
  const json::value* alert = list == nullptr || list->empty() ? nullptr : &list->front();
  auto text = text_at(alert, {"annotations", "summary"});
  if (text.empty()) text = text_at(alert, {"atalaya", "text"});
  auto title = text_at(alert, {"annotations", "title"});
  if (title.empty()) title = text_at(alert, {"atalaya", "name"});
  return {{"id", message.key},
          {"title", title},
          {"text", text},
          {"severity", text_at(alert, {"atalaya", "severity"})},
          {"state", text_at(alert, {"atalaya", "state"})},
          {"alert_id", text_at(alert, {"atalaya", "id"})},
          {"at", format_rfc3339(message.created)}};
}

class BrowserChannel final : public Channel {
 public:
  explicit BrowserChannel(PushToBrowsers push) : push_(std::move(push)) {}
  const ChannelInfo& info() const override { return info_; }

  AttemptResult send(const Message& message, Time) const override {
    const auto receivers = push_(message.tenant, notification_of(message));
    return {.ok = true, .answer = fmt::format("{} open browser{}", receivers, receivers == 1 ? "" : "s")};
  }

 private:
  ChannelInfo info_{"browser", "browser", "every open browser"};
  PushToBrowsers push_;
};

}  // namespace

ChannelPtr browser_channel(PushToBrowsers push) { return std::make_shared<BrowserChannel>(std::move(push)); }

}  // namespace atalaya::notify
