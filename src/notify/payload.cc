#include "notify/payload.h"

#include <fmt/format.h>

#include <cmath>

namespace atalaya::notify {
namespace json = boost::json;
namespace {

json::object labels_of(const Labels& labels) {
  json::object out;
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

std::string group_key(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", name, json::serialize(json::string(value)));
  }
  return "{}:{" + out + "}";
}

std::string_view reason(const alerts::Transition& transition) {
  if (transition.alert.state == alerts::State::kResolved) return "all alerts resolved";
  return transition.first_told ? "first notification" : "new alerts added";
}

json::object own_part(const alerts::Alert& alert) {
  json::object own{{"id", alert.id.value()},
                   {"name", alert.name},
                   {"episode", alert.episode},
                   {"transition", alert.transitions},
                   {"rule", alert.rule},
                   {"kind", alerts::name(alert.kind)},
                   {"state", alerts::name(alert.state)},
                   {"severity", alerts::name(alert.severity)},
                   {"text", alert.text},
                   {"late", alert.late}};
  own["value"] = std::isfinite(alert.value) ? json::value(alert.value) : json::value(nullptr);
  if (alert.fired) own["fired"] = format_rfc3339(*alert.fired);
  if (alert.ack) own["acknowledged_by"] = alert.ack->by;
  if (alert.incident != 0) own["incident"] = std::to_string(alert.incident);
  return own;
}

json::object own_part(const alerts::Transition& transition) {
  auto own = own_part(transition.alert);
  own["from"] = transition.from ? alerts::name(*transition.from) : std::string_view("");
  own["severity_before"] = alerts::name(transition.severity_before);
  own["at"] = format_rfc3339(transition.at);
  return own;
}

/// What all of them have with one value.
json::object common(const json::array& alerts, std::string_view member) {
  auto out = alerts.front().at(member).get_object();
  for (const auto& alert : alerts) {
    const auto& other = alert.at(member).get_object();
    for (auto it = out.begin(); it != out.end();) {
      const auto* value = other.if_contains(it->key());
      if (value != nullptr && *value == it->value()) {
        ++it;
      } else {
        it = out.erase(it);
      }
    }
  }
  return out;
}

json::object whole(std::string_view status, const std::string& channel, const std::string& external_url,
                   std::string key, json::object group_labels, json::object alert, std::string_view why) {
  return {{"version", "4"},
          {"groupKey", std::move(key)},
          {"truncatedAlerts", 0},
          {"status", status},
          {"receiver", channel},
          {"groupLabels", std::move(group_labels)},
          {"commonLabels", alert.at("labels")},
          {"commonAnnotations", alert.at("annotations")},
          {"externalURL", external_url},
          {"notification_reason", why},
          {"alerts", json::array{std::move(alert)}}};
}

constexpr std::string_view kNever = "0001-01-01T00:00:00Z";

}  // namespace

json::object make_payload(const alerts::Transition& transition, const std::string& channel,
                          const std::string& external_url, const Labels& external_labels) {
  const auto& alert = transition.alert;
  const bool resolved = alert.state == alerts::State::kResolved;
  const std::string_view status = resolved ? "resolved" : "firing";
  auto labels = labels_of(alerts::seen_labels(alert));
  for (const auto& [name, value] : external_labels) {
    if (!labels.contains(name)) labels[name] = value;
  }
  json::object annotations;
  for (const auto& [name, text] : alert.annotations) annotations[name] = text;
  json::object one{{"status", status},
                   {"labels", std::move(labels)},
                   {"annotations", std::move(annotations)},
                   {"startsAt", format_rfc3339(alert.started)},
                   {"endsAt", alert.resolved ? format_rfc3339(*alert.resolved) : std::string(kNever)},
                   {"generatorURL", fmt::format("{}/#/alerts/{}", external_url, alert.id.value())},
                   {"fingerprint", alert.id.value()},
                   {"atalaya", own_part(transition)}};
  return whole(status, channel, external_url, group_key(alert.labels), labels_of(alert.labels), std::move(one),
               reason(transition));
}

json::object make_group_payload(const GroupNews& news, const std::string& external_url, const Labels& external_labels) {
  json::array list;
  bool firing = false;
  for (const auto& one : news.alerts) {
    firing = firing || one.firing;
    auto labels = labels_of(one.labels);
    for (const auto& [name, value] : external_labels) {
      if (!labels.contains(name)) labels[name] = value;
    }
    json::object annotations;
    for (const auto& [name, text] : one.alert.annotations) annotations[name] = text;
    const auto id = one.alert.id.value();
    json::object alert{
        {"status", one.firing ? "firing" : "resolved"},
        {"labels", std::move(labels)},
        {"annotations", std::move(annotations)},
        {"startsAt", format_rfc3339(one.starts)},
        {"endsAt", one.firing ? std::string(kNever) : format_rfc3339(one.ends)},
        {"generatorURL",
         one.alert.generator_url.empty() ? fmt::format("{}/#/alerts/{}", external_url, id) : one.alert.generator_url},
        {"fingerprint", id}};
    if (!id.empty()) alert["atalaya"] = own_part(one.alert);
    list.push_back(std::move(alert));
  }
  return {{"version", "4"},
          {"groupKey", news.key},
          {"truncatedAlerts", news.left_out},
          {"status", firing ? "firing" : "resolved"},
          {"receiver", news.receiver},
          {"groupLabels", labels_of(news.labels)},
          {"commonLabels", common(list, "labels")},
          {"commonAnnotations", common(list, "annotations")},
          {"externalURL", external_url},
          {"notification_reason", news.reason},
          {"alerts", std::move(list)}};
}

json::object make_test_payload(const std::string& channel, const std::string& nonce, const std::string& user, Time now,
                               const std::string& external_url, const Labels& external_labels) {
  alerts::Transition transition;
  transition.at = now;
  auto& alert = transition.alert;
  alert.id = AlertId{"test-" + nonce};
  alert.name = "Test notification";
  alert.labels = Labels{{"alertname", "Test notification"}};
  alert.state = alerts::State::kFiring;
  alert.started = now;
  alert.annotations["summary"] = fmt::format("{} asked for a test of this channel", user.empty() ? "Somebody" : user);
  alert.text = "This is a test: there is nothing to do.";
  return make_payload(transition, channel, external_url, external_labels);
}

}  // namespace atalaya::notify
