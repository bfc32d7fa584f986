#include "incidents/settings.h"

#include <boost/json.hpp>

#include <algorithm>

#include "routing/matchers.h"

namespace atalaya::incidents {
namespace {

namespace json = boost::json;

Policy by(std::string name, std::vector<std::string> labels) {
  Policy policy;
  policy.matchers.push_back(*Matcher::make(name, Matcher::Op::kNotEqual, ""));
  policy.name = std::move(name);
  policy.labels = std::move(labels);
  return policy;
}

const std::vector<Policy>& built_in() {
  static const std::vector<Policy> policies{by("service", {"cluster", "namespace", "service"}),
                                            by("instance", {"instance"}), by("host", {"host"}),
                                            by("job", {"cluster", "namespace", "job"}), by("alertname", {"alertname"})};
  return policies;
}

json::array texts(const auto& list) {
  json::array out;
  for (const auto& one : list) out.emplace_back(one);
  return out;
}

std::vector<std::string> texts_of(const json::value& list) {
  std::vector<std::string> out;
  for (const auto& one : list.as_array()) out.emplace_back(one.as_string());
  return out;
}

json::object json_of(const Policy& policy) {
  return {{"name", policy.name},
          {"matchers", to_string(policy.matchers)},
          {"labels", texts(policy.labels)},
          {"window", policy.window.count()},
          {"reopen", policy.reopen.count()}};
}

Result<Policy> policy_of(const json::object& object) {
  Policy policy;
  policy.name = std::string(object.at("name").as_string());
  AT_TRY(policy.matchers, routing::parse_matchers(std::string_view(object.at("matchers").as_string())));
  policy.labels = texts_of(object.at("labels"));
  policy.window = Duration{object.at("window").as_int64()};
  policy.reopen = Duration{object.at("reopen").as_int64()};
  return policy;
}

std::optional<Key> key_by(const Policy& policy, const Labels& labels) {
  if (!matches(policy.matchers, labels)) return std::nullopt;
  LabelsBuilder picked;
  for (const auto& name : policy.labels) picked.set(name, labels.get(name));
  Key key;
  key.labels = picked.build();
  if (key.labels.empty()) return std::nullopt;
  key.text = to_string(key.labels);
  key.window = policy.window;
  key.reopen = policy.reopen;
  return key;
}

Result<Settings> read(const json::object& object) {
  Settings out;
  for (const auto& one : object.at("policies").as_array()) {
    AT_TRY(auto policy, policy_of(one.as_object()));
    out.policies.push_back(std::move(policy));
  }
  for (const auto& [id, value] : object.at("rules").as_object()) {
    auto& rule = out.rules[std::string(id)];
    rule.labels = texts_of(value.at("labels"));
    for (auto& name : texts_of(value.at("alerts"))) rule.alerts.insert(std::move(name));
  }
  for (const auto& [id, list] : object.at("depends").as_object()) out.depends[std::string(id)] = texts_of(list);
  for (const auto& [host, list] : object.at("placed").as_object()) {
    for (auto& id : texts_of(list)) out.placed[std::string(host)].insert(std::move(id));
  }
  out.settle = Duration{object.at("settle").as_int64()};
  return out;
}

}  // namespace

SettingsPtr built_in_settings() { return std::make_shared<const Settings>(); }

Result<SettingsPtr> read_settings(const std::string& text) {
  try {
    AT_TRY(auto settings, read(json::parse(text).as_object()));
    return std::make_shared<const Settings>(std::move(settings));
  } catch (const std::exception& e) {
    return fail(ErrorCode::kCorruption, std::string("settings of incidents: ") + e.what());
  }
}

std::string write_settings(const Settings& settings) {
  json::array policies;
  for (const auto& policy : settings.policies) policies.push_back(json_of(policy));
  json::object rules, depends, placed;
  for (const auto& [id, rule] : settings.rules) {
    rules[id] = json::object{{"labels", texts(rule.labels)}, {"alerts", texts(rule.alerts)}};
  }
  for (const auto& [id, list] : settings.depends) depends[id] = texts(list);
  for (const auto& [host, list] : settings.placed) placed[host] = texts(list);
  return json::serialize(json::object{{"policies", std::move(policies)},
                                      {"rules", std::move(rules)},
                                      {"depends", std::move(depends)},
                                      {"placed", std::move(placed)},
                                      {"settle", settings.settle.count()}});
}

Key key_of(const Settings& settings, const alerts::Alert& alert) {
  const auto labels = alerts::seen_labels(alert);
  const auto rule = settings.rules.find(alert.rule);
  if (rule != settings.rules.end() && !rule->second.labels.empty()) {
    Policy own;
    own.labels = rule->second.labels;
    if (auto key = key_by(own, labels)) return std::move(*key);
  }
  for (const auto* policies : {&settings.policies, &built_in()}) {
    for (const auto& policy : *policies) {
      if (auto key = key_by(policy, labels)) return std::move(*key);
    }
  }
  // Without a name, too: it belongs to itself.
  Key key;
  key.text = "alert:" + alert.id.value();
  key.labels = alert.labels;
  key.window = Policy{}.window;
  key.reopen = Policy{}.reopen;
  return key;
}

}  // namespace atalaya::incidents
