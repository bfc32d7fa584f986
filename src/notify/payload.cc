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

json::object own_part(const alerts::Transition& transition) {
  const auto& alert = transition.alert;
  json::object own{{"id", alert.id.value()},
                   {"name", alert.name},
                   {"episode", alert.episode},
                   {"transition", alert.transitions},
                   {"rule", alert.rule},
                   {"kind", alerts::name(alert.kind)},
                   {"state", alerts::name(alert.state)},
                   {"from", transition.from ? alerts::name(*transition.from) : std::string_view("")},
                   {"severity", alerts::name(alert.severity)},
                   {"severity_before", alerts::name(transition.severity_before)},
                   {"text", alert.text},
                   {"late", alert.late},
                   {"at", format_rfc3339(transition.at)}};
  own["value"] = std::isfinite(alert.value) ? json::value(alert.value) : json::value(nullptr);
  if (alert.fired) own["fired"] = format_rfc3339(*alert.fired);
  if (alert.ack) own["acknowledged_by"] = alert.ack->by;
  return own;
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
  auto labels = labels_of(alert.labels);
  if (!labels.contains("severity") && alert.severity != alerts::Severity::kNone) {
    labels["severity"] = alerts::name(alert.severity);
  }
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
