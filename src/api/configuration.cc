#include "api/configuration.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/json.h"

namespace atalaya::api {
namespace {

using auth::Principal;

json::object to_json(const JudgedRule& judged) {
  const auto& rule = judged.rule;
  const auto slash = rule.id.find('/');
  const auto last = rule.id.rfind('/');
  json::object out{{"id", rule.id},
                   {"package", rule.id.substr(0, slash)},
                   {"group", last > slash ? rule.id.substr(slash + 1, last - slash - 1) : ""},
                   {"name", rule.name},
                   {"title", rule.title},
                   {"kind", rules::name(rule.kind())},
                   {"expr", rule.expr()},
                   {"state", rules::name(judged.level)},
                   {"series", judged.series},
                   {"file", rule.origin.file},
                   {"line", rule.origin.line}};
  if (!judged.error.empty()) out["error"] = judged.error;
  return out;
}

/// What the newest sample and text of a check on one host say.
struct CheckResult {
  std::string state = "unknown";
  std::string text;
  std::optional<Time> since;
};

std::optional<double> newest_value(const storage::SeriesQuerier& series, const TenantId& tenant,
                                   const Matchers& matchers, Time now) {
  auto selected = series.select(tenant, matchers, {now - std::chrono::minutes{5}, now + std::chrono::minutes{1}});
  if (!selected || selected->empty()) return std::nullopt;
  Sample sample;
  std::optional<Sample> newest;
  while (selected->front().samples->next(sample)) newest = sample;
  if (!newest || is_stale(newest->value)) return std::nullopt;
  return newest->value;
}

CheckResult result_of(const ConfigurationServices& s, const TenantId& tenant, const packages::CollectorItem& check,
                      const std::string& host) {
  // Agents say of a check the last part of its id.
  const auto name = check.id.substr(check.id.rfind('/') + 1);
  const Matchers matchers{Matcher::equal(std::string(kMetricName), "check_up"), Matcher::equal("check", name),
                          Matcher::equal("type", check.type), Matcher::equal("instance", host)};
  CheckResult result;
  if (const auto value = newest_value(s.series, tenant, matchers, s.clock.now())) {
    result.state = *value > 0 ? "up" : "down";
  }
  storage::LogQuery query;
  query.matchers = {Matcher::equal("check", name), Matcher::equal("type", check.type),
                    Matcher::equal("instance", host)};
  query.range.to = s.clock.now() + std::chrono::minutes{1};  // a text of a clock that was ahead is not the newest
  query.limit = 1;
  if (const auto lines = s.logs.query(tenant, query); lines && !lines->empty()) {
    result.text = lines->front().record.line;
    result.since = lines->front().record.time;
  }
  return result;
}

json::array to_json(const ConfigurationServices& s, const TenantId& tenant, const packages::CollectorItem& check) {
  json::array out;
  const auto name = check.title.empty() ? check.id.substr(check.id.rfind('/') + 1) : check.title;
  const auto add = [&](const std::string& host, const CheckResult& result) {
    json::object one{
        {"id", check.id},           {"name", name},        {"type", check.type},
        {"target", check.target()}, {"on", host},          {"period", format_duration(check.period)},
        {"state", result.state},    {"text", result.text}, {"removable", check.id.starts_with("ondemand/")}};
    if (result.since) one["since"] = rfc3339(*result.since);
    out.push_back(std::move(one));
  };
  for (const auto& host : s.hosts.list(tenant)) {
    if (check.on.matches(host.name)) add(host.name, result_of(s, tenant, check, host.name));
  }
  if (out.empty()) add(fmt::format("{}", fmt::join(check.on.patterns, ", ")), {"unknown", "no host runs it", {}});
  return out;
}

Result<packages::NewCheck> new_check(net::Request& request) {
  AT_TRY(auto body, Fields::parse(request));
  packages::NewCheck check;
  check.type = body.text("type", 32);
  check.target = body.text("target", 2048);
  if (const auto on = body.text_or("on", "", 253); !on.empty()) check.on.push_back(on);
  check.name = body.text_or("name", "", 128);
  const auto period = body.duration_or("period", Duration{0});
  if (period != Duration{0}) check.period = period;
  if (const auto status = body.integer("expect_status", 100, 599)) check.expect_status = static_cast<int>(*status);
  check.expect_text = body.text_or("expect_text", "", 1024);
  AT_TRY(body.finish());
  return check;
}

void add_checks(Doors& doors, const ConfigurationServices& s) {
  doors.add("GET", "~/checks", Need::kViewer, [s](const Principal& who, net::Request&) -> Result<net::Response> {
    json::array list;
    for (const auto& item : s.packages.collectors(who.tenant)) {
      if (!item.is_check()) continue;
      for (auto& one : to_json(s, who.tenant, item)) list.push_back(std::move(one));
    }
    return ok(json::object{{"checks", std::move(list)}});
  });
  doors.add("POST", "~/checks", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto check, new_check(request));
              AT_TRY(auto item, s.packages.add_check(who.tenant, check, who.name));
              return ok(to_json(s, who.tenant, item).at(0), 201);
            });
  doors.add("DELETE", "~/checks/{id...}", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(s.packages.remove_item(who.tenant, request.captures.get("id"), who.name));
              return net::Response::empty();
            });
}

}  // namespace

void add_configuration_routes(Doors& doors, ConfigurationServices services) {
  add_checks(doors, services);
  doors.add("GET", "~/rules", Need::kViewer,
            [s = services](const Principal& who, net::Request&) -> Result<net::Response> {
              AT_TRY(auto rules, s.judged_rules(who.tenant));
              json::array list;
              for (const auto& rule : rules) list.push_back(to_json(rule));
              return ok(json::object{{"rules", std::move(list)}});
            });
}

}  // namespace atalaya::api
