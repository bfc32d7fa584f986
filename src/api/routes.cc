#include "api/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "api/json.h"
#include "routing/matchers.h"

namespace atalaya::api {
namespace {

using auth::Principal;

constexpr std::size_t kMaxLabels = 64 << 10;  ///< bytes of what is asked about

struct Counts {
  std::size_t takes = 0;  ///< alerts that it or something below it takes
  std::size_t ends = 0;   ///< alerts that it takes itself
};
using CountsOf = std::unordered_map<const routing::Route*, Counts>;

template <typename Texts>
json::array list(const Texts& texts) {
  json::array out;
  for (const auto& text : texts) out.push_back(json::string(text));
  return out;
}

json::array list(const Matchers& matchers) {
  json::array out;
  for (const auto& matcher : matchers) {
    const auto text = to_string(Matchers{matcher});
    out.push_back(json::string(std::string_view(text).substr(1, text.size() - 2)));
  }
  return out;
}

/// Nothing where it is unknown: of a package the text that was read is not the one that people wrote.
void add_place(json::object& out, const RoutingOrigin& origin, const Place& place) {
  if (origin.package.empty() && place.line > 0) out["place"] = to_string(place);
}

void add_times(json::object& out, const routing::RouteOptions& options) {
  out["group_wait"] = format_duration(options.group_wait);
  out["group_interval"] = format_duration(options.group_interval);
  if (options.repeat_interval < Duration::max()) out["repeat_interval"] = format_duration(options.repeat_interval);
}

/// What is being shown, for every part of it.
struct Shown {
  const ActingRoutes& acting;
  const CountsOf& counts;
  Time now;

  json::object route(const routing::Route& route) const {
    const auto& options = route.options;
    const auto found = counts.find(&route);
    const auto count = found == counts.end() ? Counts{} : found->second;
    json::object out{{"id", route.id},
                     {"matchers", list(route.matchers)},
                     {"receiver", options.receiver},
                     {"continue", route.continues},
                     {"group_by", options.group_by_all ? json::array{"..."} : list(options.group_by)}};
    add_times(out, options);
    out["active_time_intervals"] = list(options.active_time_intervals);
    out["mute_time_intervals"] = list(options.mute_time_intervals);
    out["muted_by"] = list(routing::muting_intervals(*acting.config, options, now));
    out["alerts"] = count.takes;
    out["told"] = count.ends;
    add_place(out, acting.origin, route.place);
    json::array below;
    for (const auto& child : route.routes) below.push_back(this->route(child));
    out["routes"] = std::move(below);
    return out;
  }

  json::array receivers() const {
    json::array out;
    for (const auto& [name, receiver] : acting.config->receivers) {
      json::array integrations;
      for (const auto& one : acting.integrations) {
        if (one.receiver != name) continue;
        json::object shown{{"type", one.type},
                           {"target", one.target},
                           {"send_resolved", one.send_resolved},
                           {"carried_out", one.carried_out}};
        add_place(shown, acting.origin, one.place);
        integrations.push_back(std::move(shown));
      }
      json::object shown{{"name", name}, {"integrations", std::move(integrations)}};
      add_place(shown, acting.origin, receiver.place);
      out.push_back(std::move(shown));
    }
    return out;
  }

  json::array inhibitions() const {
    json::array out;
    for (const auto& rule : acting.config->inhibit_rules) {
      json::object shown{{"source", list(rule.source)}, {"target", list(rule.target)}, {"equal", list(rule.equal)}};
      if (!rule.name.empty()) shown["name"] = rule.name;
      add_place(shown, acting.origin, rule.place);
      out.push_back(std::move(shown));
    }
    return out;
  }

  json::array intervals() const {
    json::array out;
    for (const auto& [name, parts] : acting.config->time_intervals) {
      json::array words;
      for (const auto& part : parts) words.push_back(json::string(calendar::to_string(part)));
      const bool within = std::ranges::any_of(parts, [&](const auto& part) { return part.contains(now); });
      out.push_back(json::object{{"name", name}, {"within", within}, {"times", std::move(words)}});
    }
    return out;
  }
};

json::array warnings_json(const ActingRoutes& acting) {
  json::array out;
  for (const auto& warning : acting.warnings) {
    json::object one{{"message", warning.message}};
    if (!warning.remedy.empty()) one["remedy"] = warning.remedy;
    if (warning.place) add_place(one, acting.origin, *warning.place);
    out.push_back(std::move(one));
  }
  return out;
}

Result<net::Response> routes(const RoutingServices& s, const Principal& who) {
  AT_TRY(const auto alerts, s.alerts.active(who.tenant));
  const auto acting = s.routing.acting(who.tenant);
  CountsOf counts;
  for (const auto& alert : alerts) {
    for (const auto& visit : routing::trace(acting.config->root, alerts::seen_labels(alert))) {
      auto& count = counts[visit.route];
      count.takes += visit.takes;
      count.ends += visit.ends;
    }
  }
  const Shown shown{acting, counts, s.clock.now()};
  json::object out{{"built_in", acting.built_in}};
  if (!acting.origin.file.empty()) out["file"] = acting.origin.file;
  if (!acting.origin.package.empty()) out["package"] = acting.origin.package;
  out["idle_packages"] = list(acting.origin.idle);
  out["warnings"] = warnings_json(acting);
  out["resolve_timeout"] = format_duration(acting.config->resolve_timeout);
  out["open"] = alerts.size();
  out["route"] = shown.route(acting.config->root);
  out["receivers"] = shown.receivers();
  out["inhibit_rules"] = shown.inhibitions();
  out["time_intervals"] = shown.intervals();
  return ok(out);
}

/// What is asked about: labels, or an alert that has them.
struct Asked {
  Labels seen;
  std::optional<alerts::Alert> alert;
};

Result<Asked> asked_of(const RoutingServices& s, const TenantId& tenant, const net::Request& request) {
  AT_TRY(auto body, Fields::parse(request));
  const auto id = body.text_or("alert", "", 64);
  const auto text = body.text_or("text", "", kMaxLabels);
  const auto object = body.object_or_empty("labels");
  AT_TRY(body.finish());
  if (int{!id.empty()} + int{!text.empty()} + int{!object.empty()} > 1) {
    return fail(ErrorCode::kInvalidArgument, "\"labels\", \"text\" and \"alert\" say the same",
                "leave two of them out");
  }
  Asked out;
  if (!id.empty()) {
    AT_TRY(auto details, s.alerts.get(tenant, AlertId{id}));
    out.seen = alerts::seen_labels(details.alert);
    out.alert = std::move(details.alert);
    return out;
  }
  if (!text.empty()) {
    auto labels = routing::parse_labels(text);
    if (!labels) return fail_within("text", std::move(labels).error());
    out.seen = std::move(*labels);
    return out;
  }
  LabelsBuilder labels;
  for (const auto& [name, value] : object) {
    if (!value.is_string() || !routing::is_any_label_name(name)) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("labels: {} is no label with a text", std::string(name)));
    }
    labels.set(name, value.get_string());
  }
  out.seen = labels.build();
  return out;
}

/// The rule by which `source` inhibits the alert; null if none does.
const routing::InhibitRule* rule_of(const routing::Config& config, const Labels& source, const Labels& target) {
  const auto found = std::ranges::find_if(config.inhibit_rules, [&](const auto& rule) {
    return matches(rule.source, source) && matches(rule.target, target) &&
           std::ranges::all_of(rule.equal, [&](const auto& name) { return source.get(name) == target.get(name); });
  });
  return found == config.inhibit_rules.end() ? nullptr : &*found;
}

json::array inhibitors(const routing::Config& config, const std::vector<Labels>& sources,
                       const std::vector<alerts::Alert>& open, const Labels& seen) {
  json::array out;
  for (const auto& labels : sources) {
    json::object one{{"labels", to_json(labels)}};
    auto source = labels;
    const auto alert = std::ranges::find(open, labels, &alerts::Alert::labels);
    if (alert != open.end()) {
      one["alert"] = alert->id.value();
      source = alerts::seen_labels(*alert);
    }
    if (const auto* rule = rule_of(config, source, seen)) one["rule"] = rule - config.inhibit_rules.data();
    out.push_back(std::move(one));
  }
  return out;
}

json::array silencers(const std::vector<alerts::Silence>& silences, const Labels& seen, Time now) {
  json::array out;
  for (const auto& silence : silences) {
    if (silence.state_at(now) != alerts::SilenceState::kActive || !matches(silence.matchers, seen)) continue;
    auto one = alerts::to_json(silence, now);
    one["text"] = to_string(silence.matchers);
    out.push_back(std::move(one));
  }
  return out;
}

json::array path_of(const std::vector<routing::Visit>& visits) {
  json::array out;
  for (const auto& visit : visits) {
    json::object one{{"route", visit.route->id}, {"takes", visit.takes}, {"ends", visit.ends}};
    if (visit.refuses != nullptr) one["refuses"] = list(Matchers{*visit.refuses}).front();
    out.push_back(std::move(one));
  }
  return out;
}

Result<net::Response> test(const RoutingServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto asked, asked_of(s, who.tenant, request));
  AT_TRY(const auto silences, s.silences.list(who.tenant, s.clock.now()));
  AT_TRY(const auto open, s.alerts.active(who.tenant));
  const auto now = s.clock.now();
  const auto acting = s.routing.acting(who.tenant);
  const auto& config = *acting.config;
  const auto visits = routing::trace(config.root, asked.seen);
  std::vector<std::string> receivers;
  json::array told;
  bool every_route_muted = true;
  for (const auto& visit : visits) {
    if (!visit.ends) continue;
    const auto& options = visit.route->options;
    auto one = told_by(*visit.route, asked.seen);
    const auto muting = routing::muting_intervals(config, options, now);
    every_route_muted = every_route_muted && !muting.empty();
    one["muted_by"] = list(muting);
    told.push_back(std::move(one));
    if (std::ranges::find(receivers, options.receiver) == receivers.end()) receivers.push_back(options.receiver);
  }
  auto silenced = silencers(silences, asked.seen, now);
  auto inhibited = inhibitors(config, s.routing.mutes(who.tenant, asked.seen).inhibited_by, open, asked.seen);
  const bool shelved = asked.alert && asked.alert->shelf;
  json::object out{{"labels", to_json(asked.seen)}, {"path", path_of(visits)}, {"routes", std::move(told)}};
  out["receivers"] = list(receivers);
  out["muted"] = shelved || !silenced.empty() || !inhibited.empty() || every_route_muted;
  out["silences"] = std::move(silenced);
  out["inhibited_by"] = std::move(inhibited);
  if (asked.alert) out["alert"] = alerts::to_json(*asked.alert);
  return ok(out);
}

}  // namespace

boost::json::object told_by(const routing::Route& route, const Labels& labels) {
  const auto group = routing::group_labels(route.options, labels);
  json::object out{{"route", route.id},
                   {"receiver", route.options.receiver},
                   {"group_labels", to_json(group)},
                   {"group_key", route.key + ":" + to_string(group)}};
  add_times(out, route.options);
  return out;
}

void add_routing_routes(Doors& doors, RoutingServices services) {
  doors.add("GET", "~/routes", Need::kViewer,
            [s = services](const Principal& who, net::Request&) { return routes(s, who); });
  doors.add("POST", "~/routes/test", Need::kViewer,
            [s = services](const Principal& who, net::Request& request) { return test(s, who, request); });
}

}  // namespace atalaya::api
