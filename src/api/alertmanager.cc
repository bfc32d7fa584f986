#include "api/alertmanager.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "api/alertmanager_json.h"
#include "api/commands.h"
#include "base/random.h"

namespace atalaya::api {
namespace {

using alertmanager::answered;
using auth::Principal;

constexpr std::uint64_t kMaxBody = 32 << 20;
/// Alerts an event: small, so that what else waits for the loop does not wait long.
constexpr std::size_t kAlertsAnEvent = 64;

net::Response list(const json::value& value) { return net::Response::json(json::serialize(value)); }

/// Returns once all are stored.
Status store(control::Runner& control, const TenantId& tenant, std::vector<alerts::PostedAlert> posted) {
  std::vector<Command> commands;
  for (std::size_t begin = 0; begin < posted.size(); begin += kAlertsAnEvent) {
    const auto end = std::min(begin + kAlertsAnEvent, posted.size());
    alerts::Posted event{"alertmanager", {}};
    Command command{.body = {}, .weight = end - begin};
    for (auto i = begin; i < end; ++i) {
      const auto severity = alerts::severity_of_label(posted[i].labels.get("severity"));
      command.urgent = command.urgent || severity == alerts::Severity::kCritical;
      event.alerts.push_back(std::move(posted[i]));
    }
    command.body = std::move(event);
    commands.push_back(std::move(command));
  }
  return run_all(control, tenant, std::move(commands));
}

Result<net::Response> post_alerts(const AlertmanagerServices& s, const Principal& who, net::Request& request) {
  AT_TRY(auto read, alertmanager::read_alerts(request.body, s.clock.now(), s.routing.resolve_timeout(who.tenant)));
  AT_TRY(store(s.control, who.tenant, std::move(read.alerts)));
  if (read.errors.empty()) return net::Response::empty(200);
  std::string message;
  for (const auto& error : read.errors) message += (message.empty() ? "" : "; ") + to_string(error);
  return fail(ErrorCode::kInvalidArgument, std::move(message));
}

/// What a list of alerts is asked for.
struct Asked {
  Matchers filters;
  Matchers receiver_filters;
  std::optional<Matcher> receiver;
  bool active = true;
  bool silenced = true;
  bool inhibited = true;
  bool unprocessed = true;
  bool muted = true;

  static Result<Asked> of(const net::Parameters& parameters) {
    Asked out;
    AT_TRY(out.filters, alertmanager::filters(parameters, "filter"));
    AT_TRY(out.receiver_filters, alertmanager::filters(parameters, "receiver_matchers"));
    if (parameters.has("receiver")) {
      auto pattern = Matcher::make("receiver", Matcher::Op::kRegex, std::string(parameters.get("receiver")));
      if (!pattern) return fail_within("failed to parse receiver param", std::move(pattern).error());
      out.receiver = std::move(*pattern);
    }
    out.active = alertmanager::flag(parameters, "active", true);
    out.silenced = alertmanager::flag(parameters, "silenced", true);
    out.inhibited = alertmanager::flag(parameters, "inhibited", true);
    out.unprocessed = alertmanager::flag(parameters, "unprocessed", true);
    out.muted = alertmanager::flag(parameters, "muted", true);
    return out;
  }
  /// Receivers have no labels here.
  bool wants_receiver(const std::string& name) const {
    return (!receiver || receiver->matches(name)) && matches(receiver_filters, Labels{});
  }
  bool wants(const alerts::Alert& alert, const AlertMutes& mutes) const {
    const bool quiet = !alert.silenced_by.empty() || !mutes.inhibited_by.empty() || alert.shelf.has_value();
    if (!active && !quiet) return false;
    if (!silenced && (!alert.silenced_by.empty() || alert.shelf)) return false;
    if (!inhibited && !mutes.inhibited_by.empty()) return false;
    std::map<std::string, std::string, std::less<>> pairs;
    for (const auto& [name, value] : alerts::seen_labels(alert)) pairs.emplace(name, value);
    return alertmanager::passes(filters, pairs);
  }
};

/// With the parent because of which the alert is unknown: Alertmanager would call that an inhibition.
AlertMutes mutes_of(const AlertmanagerServices& s, const TenantId& tenant, const alerts::Alert& alert,
                    const Labels& seen, const std::vector<alerts::Alert>& by_id) {
  auto mutes = s.routing.mutes(tenant, seen);
  if (!alert.because) return mutes;
  const auto parent = std::ranges::lower_bound(by_id, alert.because->alert, {}, &alerts::Alert::id);
  const bool there = parent != by_id.end() && parent->id == alert.because->alert;
  mutes.inhibited_by.push_back(there ? parent->labels : Labels{{"alertname", alert.because->name}});
  return mutes;
}

Result<net::Response> get_alerts(const AlertmanagerServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto asked, Asked::of(request.query));
  AT_TRY(const auto alerts, s.alerts.active(who.tenant));
  const auto now = s.clock.now();
  std::vector<std::pair<std::string, json::object>> found;
  for (const auto& alert : alerts) {
    const auto seen = alerts::seen_labels(alert);
    const auto receivers = s.routing.receivers_of(who.tenant, seen);
    if (std::ranges::none_of(receivers, [&](const auto& name) { return asked.wants_receiver(name); })) continue;
    const auto mutes = mutes_of(s, who.tenant, alert, seen, alerts);
    if (!asked.wants(alert, mutes)) continue;
    auto shown = alertmanager::alert_json(s, alert, mutes, receivers, now);
    found.emplace_back(std::string(shown.at("fingerprint").as_string()), std::move(shown));
  }
  std::ranges::stable_sort(found, {}, &decltype(found)::value_type::first);
  json::array out;
  for (auto& [fingerprint, shown] : found) out.push_back(std::move(shown));
  return list(out);
}

/// A group as it is asked for: alerts that pass with what mutes them.
struct AskedGroup {
  const AlertGroup* group;
  std::vector<std::pair<const alerts::Alert*, AlertMutes>> members;
};

Result<net::Response> get_groups(const AlertmanagerServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto asked, Asked::of(request.query));
  AT_TRY(const auto alerts, s.alerts.active(who.tenant));
  const auto groups = s.routing.groups(who.tenant, alerts);
  std::vector<AskedGroup> shown;
  // As Alertmanager has it, an alert names the receivers of these groups alone.
  std::map<const alerts::Alert*, std::vector<std::string>> receivers;
  for (const auto& group : groups) {
    if (!asked.wants_receiver(group.receiver)) continue;
    AskedGroup one{&group, {}};
    bool heard = false;
    for (const auto* alert : group.alerts) {
      auto mutes = mutes_of(s, who.tenant, *alert, alerts::seen_labels(*alert), alerts);
      heard = heard ||
              (alert->silenced_by.empty() && !alert->shelf && mutes.inhibited_by.empty() && mutes.intervals.empty());
      if (!asked.wants(*alert, mutes)) continue;
      auto& names = receivers[alert];
      if (std::ranges::find(names, group.receiver) == names.end()) names.push_back(group.receiver);
      one.members.emplace_back(alert, std::move(mutes));
    }
    if (!one.members.empty() && (heard || asked.muted)) shown.push_back(std::move(one));
  }
  const auto now = s.clock.now();
  json::array out;
  for (const auto& one : shown) {
    json::array members;
    for (const auto& [alert, mutes] : one.members) {
      auto member = alertmanager::alert_json(s, *alert, mutes, receivers[alert], now);
      if (!mutes.intervals.empty()) member["status"].as_object()["state"] = "suppressed";
      members.push_back(std::move(member));
    }
    const auto& group = *one.group;
    out.push_back(json::object{{"labels", to_json(group.labels)},
                               {"routeLabels", json::object{}},
                               {"receiver", json::object{{"name", group.receiver}}},
                               {"alerts", std::move(members)}});
  }
  return list(out);
}

Result<net::Response> get_status(const AlertmanagerServices& s, const Principal& who) {
  return list(json::object{{"cluster", json::object{{"status", "disabled"}, {"peers", json::array{}}}},
                           {"versionInfo", json::object{{"version", kSpokenAlertmanager},
                                                        {"revision", s.revision},
                                                        {"branch", "atalaya " + s.version},
                                                        {"buildUser", ""},
                                                        {"buildDate", ""},
                                                        {"goVersion", ""}}},
                           {"config", json::object{{"original", s.routing.configuration(who.tenant)}}},
                           {"uptime", rfc3339(s.started)}});
}

Result<net::Response> get_receivers(const AlertmanagerServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto asked, Asked::of(request.query));
  json::array out;
  for (const auto& name : s.routing.receivers(who.tenant)) {
    if (asked.wants_receiver(name)) out.push_back(json::object{{"name", name}});
  }
  return list(out);
}

// Silences.

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return true;
}

/// The id in the address, or the answer that says it is none.
Result<std::string> silence_id(const net::Request& request) {
  std::string id(request.captures.get("id"));
  if (is_uuid(id)) return id;
  return fail(ErrorCode::kNotFound, fmt::format("silence not found: \"{}\" is no UUID", id.substr(0, 100)));
}

Result<net::Response> get_silences(const AlertmanagerServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto filters, alertmanager::filters(request.query, "filter"));
  const auto now = s.clock.now();
  AT_TRY(const auto silences, s.silences.list(who.tenant, now));
  json::array out;
  for (const auto& silence : silences) {
    if (!alertmanager::flag(request.query, alerts::name(silence.state_at(now)), true)) continue;
    const auto has = [&](const Matcher& filter) {
      return std::ranges::any_of(silence.matchers, [&](const Matcher& m) {
        return m.name() == filter.name() && m.op() == filter.op() && m.value() == filter.value();
      });
    };
    const bool wanted = std::ranges::all_of(filters, has);
    if (wanted) out.push_back(alerts::to_json(silence, now));
  }
  return list(out);
}

Result<net::Response> post_silence(const AlertmanagerServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(auto silence, alertmanager::read_silence(request.body, s.clock.now()));
  const auto stored = std::make_shared<std::string>();
  auto set = s.control.run(who.tenant, alerts::SetSilence{std::move(silence), random_uuid(), stored});
  if (!set && set.error().code == ErrorCode::kConflict) set.error().code = ErrorCode::kInvalidArgument;
  AT_TRY(std::move(set));
  return list(json::object{{"silenceID", *stored}});
}

void add_silences(Doors& doors, const AlertmanagerServices& s) {
  doors.add("GET", "/api/v2/silences", Need::kViewer,
            answered([s](const Principal& who, net::Request& request) { return get_silences(s, who, request); }));
  doors.add("POST", "/api/v2/silences", Need::kOperator,
            answered([s](const Principal& who, net::Request& request) { return post_silence(s, who, request); }));
  doors.add("GET", "/api/v2/silence/{id}", Need::kViewer,
            answered([s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto id, silence_id(request));
              AT_TRY(const auto silence, s.silences.get(who.tenant, id));
              return list(alerts::to_json(silence, s.clock.now()));
            }));
  doors.add("DELETE", "/api/v2/silence/{id}", Need::kOperator,
            answered([s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto id, silence_id(request));
              AT_TRY(s.control.run(who.tenant, alerts::ExpireSilence{id}));
              return net::Response::empty(200);
            }));
}

}  // namespace

void add_alertmanager_routes(Doors& doors, AlertmanagerServices s) {
  doors.add("GET", "/api/v2/status", Need::kViewer,
            answered([s](const Principal& who, net::Request&) { return get_status(s, who); }));
  doors.add("GET", "/api/v2/receivers", Need::kViewer,
            answered([s](const Principal& who, net::Request& request) { return get_receivers(s, who, request); }));
  doors.add("GET", "/api/v2/alerts", Need::kViewer,
            answered([s](const Principal& who, net::Request& request) { return get_alerts(s, who, request); }));
  doors.add("GET", "/api/v2/alerts/groups", Need::kViewer,
            answered([s](const Principal& who, net::Request& request) { return get_groups(s, who, request); }));
  doors.add_slow("POST", "/api/v2/alerts", Need::kIngest, s.senders,
                 answered([s](const Principal& who, net::Request& request) { return post_alerts(s, who, request); }),
                 {.max_body_bytes = kMaxBody});
  add_silences(doors, s);
}

}  // namespace atalaya::api
