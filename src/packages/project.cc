#include "packages/project.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "alerts/annotations.h"
#include "net/url.h"

namespace atalaya::packages {
namespace {

namespace json = boost::json;

constexpr Duration kLeastPeriod{std::chrono::seconds{1}};
constexpr Duration kMostPeriod{std::chrono::hours{24}};

std::string text_of(const json::object& fields, std::string_view key, std::string fallback = {}) {
  const auto* value = fields.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : fallback;
}

std::int64_t integer_of(const json::object& fields, std::string_view key, std::int64_t fallback) {
  const auto* value = fields.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : fallback;
}

std::optional<double> number_of(const json::object& fields, std::string_view key) {
  const auto* value = fields.if_contains(key);
  if (value == nullptr || !value->is_double()) return std::nullopt;
  return value->get_double();
}

std::map<std::string, std::string> map_of(const json::object& fields, std::string_view key) {
  std::map<std::string, std::string> out;
  const auto* value = fields.if_contains(key);
  if (value == nullptr || !value->is_object()) return out;
  for (const auto& [name, text] : value->get_object()) out[std::string(name)] = std::string(text.get_string());
  return out;
}

/// One or many texts.
std::vector<std::string> list_of(const json::object& fields, std::string_view key) {
  std::vector<std::string> out;
  const auto* value = fields.if_contains(key);
  if (value == nullptr) return out;
  if (value->is_string()) out.emplace_back(value->get_string());
  if (value->is_array()) {
    for (const auto& one : value->get_array()) {
      if (one.is_string()) out.emplace_back(one.get_string());
    }
  }
  return out;
}

rules::Level severity_of(const json::object& fields) {
  return text_of(fields, "severity") == "warning" ? rules::Level::kWarning : rules::Level::kCritical;
}

rules::GaugeSpec make_gauge(const json::object& fields) {
  rules::GaugeSpec gauge;
  gauge.expr = text_of(fields, "expr");
  gauge.above = fields.contains("above");
  if (const auto* levels = fields.if_contains(gauge.above ? "above" : "below")) {
    gauge.warning = number_of(levels->get_object(), "warning");
    gauge.critical = number_of(levels->get_object(), "critical");
  }
  gauge.hysteresis = number_of(fields, "hysteresis").value_or(0);
  return gauge;
}

/// The node that a rule's problem speaks of; the nearest one above where it is not written.
const config::Node& node_at(const config::Node& item, std::string_view path) {
  const auto* at = &item;
  while (!path.empty()) {
    // A label's name may hold dots: it is the rest of the path.
    const auto dot =
        at == &item || !item.get("labels") || at != item.get("labels") ? path.find('.') : std::string_view::npos;
    const auto* next = at->get(path.substr(0, dot));
    if (next == nullptr) break;
    at = next;
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return *at;
}

/// A template that does not parse would reach people as an error in place of words.
bool check_annotations(const ItemContext& item, const std::map<std::string, std::string>& annotations) {
  bool good = true;
  const auto* node = item.node.get("annotations");
  for (const auto& [name, text] : annotations) {
    const auto parsed = alerts::parse_annotation(text);
    if (parsed) continue;
    good = false;
    auto error = parsed.error();
    error.place = schema::place_within(item.text_of(node->get(name)->place().file), *node->get(name),
                                       error.place.value_or(Place{}));
    error.message = fmt::format("annotations.{}: {}", name, error.message);
    item.errors.push_back(std::move(error));
  }
  return good;
}

/// The first of these keys that the item has: what it is.
std::string kind_of(const ItemContext& item, std::initializer_list<std::string_view> kinds) {
  for (const auto kind : kinds) {
    if (item.node.get(kind) != nullptr) return std::string(kind);
  }
  return {};
}

/// The values below the item's kind; empty where it is written without any.
const json::object& fields_of(const ItemContext& item, const std::string& kind) {
  static const json::object kNone;
  const auto* value = item.fields.if_contains(kind);
  return value != nullptr && value->is_object() ? value->get_object() : kNone;
}

}  // namespace

std::optional<rules::RuleSpec> make_rule(const ItemContext& item) {
  const auto kind = kind_of(item, {"gauge", "binary", "tailable"});
  rules::RuleSpec rule;
  rule.tenant = item.tenant;
  rule.id = item.id;
  rule.name = item.name;
  rule.title = text_of(item.fields, "title");
  rule.origin = item.node.place();
  const auto& fields = fields_of(item, kind);
  if (kind == "gauge") {
    rule.threshold = make_gauge(fields);
  } else if (kind == "binary") {
    rule.threshold = rules::BinarySpec{.expr = text_of(fields, "expr"),
                                       .failures = static_cast<std::uint32_t>(integer_of(fields, "failures", 1)),
                                       .severity = severity_of(fields)};
  } else {
    const auto* absent = fields.if_contains("absent");
    rule.threshold = rules::TailableSpec{.match = text_of(fields, "match"),
                                         .pattern = text_of(fields, "pattern"),
                                         .absent = absent != nullptr && absent->get_bool(),
                                         .count = static_cast<std::uint32_t>(integer_of(fields, "count", 1)),
                                         .within = Duration{integer_of(fields, "within", 300'000)},
                                         .severity = severity_of(fields)};
  }
  rule.for_duration = Duration{integer_of(item.fields, "for", 0)};
  if (const auto* no_data = item.fields.if_contains("no_data"); no_data != nullptr && item.node.get("no_data")) {
    rule.no_data_stated = true;
    rule.no_data = no_data->is_null() ? std::nullopt : std::optional(Duration{no_data->get_int64()});
  }
  rule.labels = map_of(item.fields, "labels");
  rule.annotations = map_of(item.fields, "annotations");
  rule.identity = list_of(item.fields, "identity");
  if (const auto* correlate = item.fields.if_contains("correlate"); correlate != nullptr && correlate->is_object()) {
    rule.correlate_labels = list_of(correlate->get_object(), "labels");
    rule.correlate_alerts = list_of(correlate->get_object(), "alerts");
  }
  if (!check_annotations(item, rule.annotations)) return std::nullopt;
  const auto problems = rules::check(rule);
  for (const auto& problem : problems) {
    const auto& node = node_at(item.node, problem.field);
    auto error = problem.error;
    error.place = schema::place_within(item.text_of(node.place().file), node, error.place.value_or(Place{}));
    error.message = fmt::format("{}: {}", problem.field, error.message);
    item.errors.push_back(std::move(error));
  }
  if (!problems.empty()) return std::nullopt;
  return rule;
}

void check_rule_beside(const ItemContext& item) { check_annotations(item, map_of(item.fields, "annotations")); }

namespace {

/// What one kind needs beyond its schema.
void check_target(const ItemContext& item, const std::string& kind, const json::object& fields) {
  const auto& kind_node = *item.node.get(kind);
  const auto complain = [&](std::string_view key, std::string message, std::string remedy) {
    const auto* node = kind_node.get(key);
    item.errors.push_back({ErrorCode::kInvalidArgument, std::move(message),
                           (node != nullptr ? *node : kind_node).place(), std::move(remedy)});
  };
  if (kind == "http") {
    const auto parsed = net::parse_url(text_of(fields, "url"));
    if (parsed && !parsed->scheme.starts_with("http")) {
      complain("url", "this is no HTTP address", "e.g. http://127.0.0.1:8080/health");
    } else if (parsed && (!parsed->user.empty() || !parsed->password.empty())) {
      complain("url", "a check's address must not hold a user or password: everybody who sees checks would read them",
               "leave them out; in a package's file, headers: {Authorization: …} signs the check in");
    }
  } else if (kind == "tcp") {
    const auto address = text_of(fields, "address");
    const auto colon = address.rfind(':');
    const auto port = colon == std::string::npos ? std::string() : address.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || colon == 0 || std::stoi(port) < 1 || std::stoi(port) > 65535) {
      complain("address", fmt::format("\"{}\" is no host:port", address), "e.g. 127.0.0.1:5432 or [::1]:22");
    }
  } else if (kind == "process") {
    if (text_of(fields, "name").empty() == text_of(fields, "regex").empty()) {
      complain("regex", "a process is told by either its name or a regex on its command line", "write one of the two");
    }
  }
}

/// How often it measures, and how long a check may take.
void read_times(const ItemContext& item, CollectorItem& collector) {
  const bool is_fast = collector.type == "host" || collector.type == "log";
  collector.period = Duration{integer_of(item.fields, "period", is_fast ? 1'000 : 10'000)};
  if (collector.period < kLeastPeriod || collector.period > kMostPeriod) {
    item.errors.push_back({ErrorCode::kInvalidArgument,
                           fmt::format("a period of {} is out of bounds", format_duration(collector.period)),
                           item.node.get("period")->place(), "1s to 1d"});
  }
  const auto* timeout = item.node.get("timeout");
  if (!collector.is_check() && collector.type != "script") {
    if (timeout == nullptr) return;
    item.errors.push_back({ErrorCode::kInvalidArgument, fmt::format("a {} collector has no timeout", collector.type),
                           timeout->place(), "remove it"});
    return;
  }
  const Duration patience{integer_of(item.fields, "timeout", std::min<std::int64_t>(5'000, collector.period.count()))};
  if (timeout != nullptr && (patience <= Duration{0} || patience > collector.period)) {
    item.errors.push_back({ErrorCode::kInvalidArgument,
                           fmt::format("a timeout of {} with a period of {}", format_duration(patience),
                                       format_duration(collector.period)),
                           timeout->place(), "more than 0s, at most the period"});
  }
  collector.fields["timeout"] = format_duration(patience);
}

}  // namespace

std::optional<std::string> program_of(const ItemContext& item, const json::value& script, const config::Node& node) {
  if (script.is_string()) return std::string(script.get_string());
  const auto* file = script.is_object() ? script.get_object().if_contains("file") : nullptr;
  if (file == nullptr || !file->is_string()) {
    item.errors.push_back({ErrorCode::kInvalidArgument, "this is no program", node.place(),
                           "write its text, or {file: scripts/name.sh}"});
    return std::nullopt;
  }
  auto text = item.read_file(std::string(file->get_string()));
  if (text) return std::move(*text);
  auto error = std::move(text).error();
  error.place = node.place();
  item.errors.push_back(std::move(error));
  return std::nullopt;
}

void check_sensor_collector(const ItemContext& item) {
  const auto complain = [&](const config::Node& node, std::string message, std::string remedy) {
    item.errors.push_back({ErrorCode::kInvalidArgument, std::move(message), node.place(), std::move(remedy)});
  };
  if (item.node.get("target") == nullptr) {
    complain(item.node, "a collector for a sensor has two ends, and target is missing",
             "source and target: the sensor and what is measured");
  }
  for (const auto key : {"on", "timeout"}) {
    const auto* node = item.node.get(key);
    if (node != nullptr) complain(*node, fmt::format("a collector for a sensor has no {}", key), "remove it");
  }
}

std::optional<CollectorItem> make_collector(const ItemContext& item) {
  for (const auto key : {"target", "mixins", "attributes", "state"}) {
    const auto* node = item.node.get(key);
    if (node == nullptr) continue;
    item.errors.push_back({ErrorCode::kInvalidArgument,
                           fmt::format("{} belongs to a collector for a sensor, which has a source", key),
                           node->place(), "remove it, or write source instead of what is measured"});
  }
  const auto before = item.errors.size();
  CollectorItem collector;
  collector.id = item.id;
  collector.tenant = item.tenant;
  collector.type = kind_of(item, {"host", "log", "http", "tcp", "process", "ping", "script"});
  collector.title = text_of(item.fields, "title");
  collector.origin = item.node.place();
  collector.fields = fields_of(item, collector.type);
  check_target(item, collector.type, collector.fields);
  read_times(item, collector);
  if (const auto* run = collector.fields.if_contains("run"); run != nullptr && collector.type == "script") {
    auto program = program_of(item, *run, *item.node.get({"script", "run"}));
    collector.fields.erase("run");
    if (program) collector.fields["program"] = std::move(*program);
  }
  if (const auto* on = item.fields.if_contains("on"); on != nullptr && on->is_array()) {
    for (const auto& pattern : on->get_array()) collector.on.patterns.emplace_back(pattern.get_string());
  } else {
    collector.on.patterns = {"*"};
  }
  if (item.errors.size() != before) return std::nullopt;
  return collector;
}

std::optional<ChannelItem> make_channel(const ItemContext& item) {
  ChannelItem channel;
  channel.id = item.id;
  channel.tenant = item.tenant;
  for (const auto& entry : item.node.entries()) {
    const auto* value = item.fields.if_contains(entry.key->text());
    if (value == nullptr || !value->is_object()) continue;  // title and the like
    channel.type = entry.key->text();
    channel.fields = value->get_object();
  }
  channel.title = text_of(item.fields, "title");
  channel.origin = item.node.place();
  return channel;
}

}  // namespace atalaya::packages
