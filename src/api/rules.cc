#include "api/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "api/json.h"
#include "api/parameters.h"
#include "promql/engine.h"

namespace atalaya::api {
namespace {

using rules::ActiveAlert;
using rules::GroupState;
using rules::PromRule;
using rules::PromRuleState;

/// As Go's strconv.FormatFloat(value, 'e', -1, 64).
std::string exponent_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  return std::string(buffer, end);
}

/// What Prometheus says where nothing happened yet.
json::string time_or_never(const std::optional<Time>& time) {
  return time ? rfc3339(*time) : json::string("0001-01-01T00:00:00Z");
}

json::object texts_json(const std::vector<rules::PromText>& texts) {
  json::object out;
  for (const auto& one : texts) out[one.name] = one.text;
  return out;
}

json::object alert_json(const ActiveAlert& alert) {
  json::object out{{"labels", to_json(alert.labels)},
                   {"annotations", json::value_from(alert.annotations)},
                   {"state", rules::name(alert.state)},
                   {"activeAt", rfc3339(alert.active_at)}};
  if (alert.keep_firing_since) out["keepFiringSince"] = rfc3339(*alert.keep_firing_since);
  out["value"] = exponent_number(alert.value);
  return out;
}

json::array alerts_json(const PromRuleState& state) {
  json::array out;
  for (const auto& alert : state.alerts) out.push_back(alert_json(alert));
  return out;
}

json::object rule_json(const PromRule& rule, const PromRuleState& state, bool with_alerts) {
  json::object out;
  if (rule.alerting) out["state"] = state.last_evaluation ? rules::name(state.state) : "unknown";
  out["name"] = rule.name;
  out["query"] = promql::to_string(*rule.expression);
  if (rule.alerting) {
    out["duration"] = to_seconds(rule.hold);
    out["keepFiringFor"] = to_seconds(rule.keep_firing_for);
  }
  if (rule.alerting || !rule.labels.empty()) out["labels"] = texts_json(rule.labels);
  if (rule.alerting) {
    out["annotations"] = texts_json(rule.annotations);
    out["alerts"] = with_alerts ? alerts_json(state) : json::array{};
  }
  out["health"] = rules::name(state.health);
  if (!state.last_error.empty()) out["lastError"] = state.last_error;
  out["evaluationTime"] = state.evaluation_seconds;
  out["lastEvaluation"] = time_or_never(state.last_evaluation);
  out["samples"] = state.samples;  // ours: of the last result
  out["type"] = rule.alerting ? "alerting" : "recording";
  return out;
}

/// Which rules are asked for; an empty list is any.
struct Wanted {
  std::vector<std::string> rule_names;
  std::vector<std::string> groups;
  std::vector<std::string> files;
  std::vector<Matchers> matchers;
  bool alerting = true;
  bool recording = true;
  bool with_alerts = true;

  static bool among(const std::vector<std::string>& list, const std::string& one) {
    return list.empty() || std::ranges::find(list, one) != list.end();
  }
  bool wants(const PromRule& rule) const {
    if (!(rule.alerting ? alerting : recording) || !among(rule_names, rule.name)) return false;
    if (matchers.empty()) return true;
    LabelsBuilder labels;
    // What a template makes of a label is not known before there is an alert.
    for (const auto& label : rule.labels) {
      if (!label.parsed) labels.set(label.name, label.text);
    }
    const auto set = labels.build();
    return std::ranges::any_of(matchers, [&](const auto& one) { return matches(one, set); });
  }
};

Result<Wanted> wanted_of(const net::Parameters& parameters) {
  Wanted out;
  out.rule_names = parameters.all("rule_name[]");
  out.groups = parameters.all("rule_group[]");
  out.files = parameters.all("file[]");
  for (const auto& text : parameters.all("match[]")) {
    AT_TRY(auto selector, selector_parameter("match[]", text));
    out.matchers.push_back(std::move(selector));
  }
  const auto type = parameters.get("type");
  if (!type.empty() && type != "alert" && type != "record") {
    return fail(ErrorCode::kInvalidArgument, fmt::format("not supported value \"{}\"", type));
  }
  out.alerting = type != "record";
  out.recording = type != "alert";
  const auto exclude = parameters.get("exclude_alerts");
  if (exclude == "true" || exclude == "1" || exclude == "t") {
    out.with_alerts = false;
  } else if (!exclude.empty() && exclude != "false" && exclude != "0" && exclude != "f") {
    return fail(ErrorCode::kInvalidArgument, fmt::format("error converting exclude_alerts: \"{}\"", exclude));
  }
  return out;
}

/// Names a group in the list, so that a page can begin behind it.
std::string token_of(const rules::GroupSpec& group) {
  return fmt::format("{:016x}", Labels{{"file", group.file}, {"name", group.name}}.hash());
}

struct Page {
  std::size_t limit = 0;  ///< 0: all
  std::string after;
};

Result<Page> page_of(const net::Parameters& parameters) {
  Page out;
  out.after = parameters.get("group_next_token");
  const auto text = parameters.get("group_limit");
  if (!text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.limit);
    if (error != std::errc{} || end != text.data() + text.size() || out.limit == 0) {
      return fail(ErrorCode::kInvalidArgument, "group_limit needs to be a valid number and greater than 0");
    }
  }
  if (!out.after.empty() && out.limit == 0) {
    return fail(ErrorCode::kInvalidArgument, "group_limit needs to be present in order to paginate over the groups");
  }
  return out;
}

net::Response success(json::value data) { return ok(json::object{{"status", "success"}, {"data", std::move(data)}}); }

json::object group_json(const GroupState& group, json::array listed) {
  return json::object{{"name", group.spec->name},
                      {"file", group.spec->file},
                      {"rules", std::move(listed)},
                      {"interval", to_seconds(group.interval)},
                      {"limit", group.spec->limit},
                      {"evaluationTime", group.evaluation_seconds},
                      {"lastEvaluation", time_or_never(group.last_evaluation)}};
}

}  // namespace

Result<net::Response> answer_rules(const std::vector<GroupState>& groups, const net::Parameters& parameters) {
  AT_TRY(const auto wanted, wanted_of(parameters));
  AT_TRY(const auto page, page_of(parameters));
  const bool known = page.after.empty() || std::ranges::any_of(groups, [&](const auto& group) {
                       return token_of(*group.spec) == page.after;
                     });
  if (!known) {
    return fail(ErrorCode::kInvalidArgument, "invalid group_next_token. were rule groups changed?",
                "begin again without it");
  }
  json::array out;
  std::string last;
  json::object data;
  bool begun = page.after.empty();
  for (const auto& group : groups) {
    const bool behind = begun;
    if (!begun && token_of(*group.spec) == page.after) begun = true;
    if (!behind || !Wanted::among(wanted.groups, group.spec->name) || !Wanted::among(wanted.files, group.spec->file)) {
      continue;
    }
    json::array listed;
    for (std::size_t i = 0; i < group.rules.size(); ++i) {
      const auto& rule = group.spec->rules[i];
      if (wanted.wants(rule)) listed.push_back(rule_json(rule, group.rules[i], wanted.with_alerts));
    }
    if (listed.empty()) continue;
    if (page.limit > 0 && out.size() == page.limit) {
      data["groupNextToken"] = last;
      break;
    }
    last = token_of(*group.spec);
    out.push_back(group_json(group, std::move(listed)));
  }
  data["groups"] = std::move(out);
  return success(std::move(data));
}

net::Response answer_alerts(const std::vector<GroupState>& groups) {
  json::array out;
  for (const auto& group : groups) {
    for (const auto& rule : group.rules) {
      for (const auto& alert : rule.alerts) out.push_back(alert_json(alert));
    }
  }
  return success(json::object{{"alerts", std::move(out)}});
}

void add_rule_routes(Doors& doors, GroupStates groups) {
  doors.add("GET", "/api/v1/rules", Need::kViewer, [groups](const auth::Principal& who, net::Request& request) {
    return answer_rules(groups(who.tenant), request.query);
  });
  doors.add("GET", "/api/v1/alerts", Need::kViewer,
            [groups](const auth::Principal& who, net::Request&) -> Result<net::Response> {
              return answer_alerts(groups(who.tenant));
            });
}

}  // namespace atalaya::api
