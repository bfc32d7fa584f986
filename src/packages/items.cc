#include "packages/items.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "alerts/annotations.h"
#include "config/suggest.h"
#include "net/url.h"
#include "packages/fields.h"

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
    error.place = place_within(item.document, *node->get(name), error.place.value_or(Place{}));
    error.message = fmt::format("annotations.{}: {}", name, error.message);
    item.errors.push_back(std::move(error));
  }
  return good;
}

}  // namespace

std::optional<ItemParts> read_parts(const ItemContext& item, const Section& section,
                                    const std::set<std::string>& more_types) {
  const auto before = item.errors.size();
  config::Reader read(item.node, fmt::format("{} \"{}\"", section.item, item.id), item.errors);
  ItemParts parts;
  parts.fields = read_fields(read, section.fields, item.errors);
  std::vector<std::string> known(more_types.begin(), more_types.end());
  for (const auto& type : section.types) known.emplace_back(type.name);
  std::sort(known.begin(), known.end());
  for (const auto& entry : item.node.entries()) {
    const auto& key = entry.key->text();
    if (std::find(known.begin(), known.end(), key) == known.end()) continue;
    read.find(key);
    if (parts.type_node != nullptr) {
      item.errors.push_back(
          {ErrorCode::kInvalidArgument,
           fmt::format("{} \"{}\" has both \"{}\" and \"{}\"", section.item, item.id, parts.type, key),
           entry.key->place(), "keep one of them"});
      continue;
    }
    parts.type = key;
    parts.type_node = entry.value;
  }
  for (const auto& type : known) read.find(type);  // for "did you mean"
  read.finish();
  if (parts.type_node == nullptr) {
    if (item.errors.size() == before) {
      item.errors.push_back({ErrorCode::kInvalidArgument,
                             fmt::format("{} \"{}\" does not say what it is", section.item, item.id), item.node.place(),
                             fmt::format("add one of the keys {}", fmt::join(known, ", "))});
    }
    return std::nullopt;
  }
  if (const auto* type = find_type(section, parts.type)) {
    if (type->fields.empty() && parts.type_node->is_null())
      return item.errors.size() == before ? std::optional(parts) : std::nullopt;
    config::Reader inner(*parts.type_node, fmt::format("\"{}\"", parts.type), item.errors);
    parts.type_fields = read_fields(inner, type->fields, item.errors);
    inner.finish();
  } else if (config::expect_mapping(*parts.type_node, item.errors)) {
    parts.type_fields = to_json(*parts.type_node).as_object();
  }
  if (item.errors.size() != before) return std::nullopt;
  return parts;
}

std::optional<rules::RuleSpec> make_rule(const ItemContext& item, const ItemParts& parts) {
  rules::RuleSpec rule;
  rule.tenant = item.tenant;
  rule.id = item.id;
  rule.name = item.name;
  rule.title = text_of(parts.fields, "title");
  rule.origin = item.node.place();
  const auto& fields = parts.type_fields;
  if (parts.type == "gauge") {
    if (fields.contains("above") == fields.contains("below")) {
      item.errors.push_back({ErrorCode::kInvalidArgument, "a gauge has either above or below", parts.type_node->place(),
                             "e.g. above: {warning: 0.8, critical: 0.9}"});
      return std::nullopt;
    }
    rule.threshold = make_gauge(fields);
  } else if (parts.type == "binary") {
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
  rule.for_duration = Duration{integer_of(parts.fields, "for", 0)};
  if (const auto* no_data = parts.fields.if_contains("no_data")) {
    rule.no_data_stated = true;
    rule.no_data = no_data->is_null() ? std::nullopt : std::optional(Duration{no_data->get_int64()});
  }
  rule.labels = map_of(parts.fields, "labels");
  rule.annotations = map_of(parts.fields, "annotations");
  if (!check_annotations(item, rule.annotations)) return std::nullopt;
  const auto problems = rules::check(rule);
  for (const auto& problem : problems) {
    const auto& node = node_at(item.node, problem.field);
    auto error = problem.error;
    error.place = place_within(item.document, node, error.place.value_or(Place{}));
    error.message = fmt::format("{}: {}", problem.field, error.message);
    item.errors.push_back(std::move(error));
  }
  if (!problems.empty()) return std::nullopt;
  return rule;
}

namespace {

/// What one type needs beyond the table.
void check_target(const ItemContext& item, const ItemParts& parts) {
  const auto complain = [&](std::string_view key, std::string message, std::string remedy) {
    const auto* node = parts.type_node->get(key);
    item.errors.push_back({ErrorCode::kInvalidArgument, std::move(message),
                           (node != nullptr ? node : parts.type_node)->place(), std::move(remedy)});
  };
  const auto& fields = parts.type_fields;
  if (parts.type == "http") {
    const auto url = text_of(fields, "url");
    const auto parsed = net::parse_url(url);
    if (!parsed || !parsed->scheme.starts_with("http")) {
      // An address with an @ may hold a password: it is not repeated.
      const auto shown = url.find('@') == std::string::npos ? fmt::format("\"{}\"", url) : "this";
      complain("url", fmt::format("{} is no HTTP address", shown), "e.g. http://127.0.0.1:8080/health");
    } else if (!parsed->user.empty() || !parsed->password.empty()) {
      complain("url", "a check's address must not hold a user or password: everybody who sees checks would read them",
               "leave them out; in a package's file, headers: {Authorization: …} signs the check in");
    }
  } else if (parts.type == "tcp") {
    const auto address = text_of(fields, "address");
    const auto colon = address.rfind(':');
    const auto port = colon == std::string::npos ? std::string() : address.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || colon == 0 || std::stoi(port) < 1 || std::stoi(port) > 65535) {
      complain("address", fmt::format("\"{}\" is no host:port", address), "e.g. 127.0.0.1:5432 or [::1]:22");
    }
  } else if (parts.type == "log") {
    for (const auto& value : fields.at("path").as_array()) {
      const std::string_view path = value.get_string();
      if (!path.starts_with('/')) {
        complain("path", fmt::format("\"{}\" is no absolute path", path), "begin it with /");
      }
    }
  } else if (parts.type == "process") {
    if (text_of(fields, "name").empty() == text_of(fields, "regex").empty()) {
      complain("regex", "a process is told by either its name or a regex on its command line", "write one of the two");
    }
  }
}

}  // namespace

std::optional<CollectorItem> make_collector(const ItemContext& item, const ItemParts& parts) {
  const auto before = item.errors.size();
  CollectorItem collector;
  collector.id = item.id;
  collector.tenant = item.tenant;
  collector.type = parts.type;
  collector.title = text_of(parts.fields, "title");
  collector.origin = item.node.place();
  collector.fields = parts.type_fields;
  check_target(item, parts);
  const bool is_fast = parts.type == "host" || parts.type == "log";
  collector.period = Duration{integer_of(parts.fields, "period", is_fast ? 1'000 : 10'000)};
  if (collector.period < kLeastPeriod || collector.period > kMostPeriod) {
    item.errors.push_back({ErrorCode::kInvalidArgument,
                           fmt::format("a period of {} is out of bounds", format_duration(collector.period)),
                           item.node.get("period")->place(), "1s to 1d"});
  }
  const auto* timeout = item.node.get("timeout");
  if (collector.is_check()) {
    const Duration patience{
        integer_of(parts.fields, "timeout", std::min<std::int64_t>(5'000, collector.period.count()))};
    if (timeout != nullptr && (patience <= Duration{0} || patience > collector.period)) {
      item.errors.push_back({ErrorCode::kInvalidArgument,
                             fmt::format("a timeout of {} with a period of {}", format_duration(patience),
                                         format_duration(collector.period)),
                             timeout->place(), "more than 0s, at most the period"});
    }
    collector.fields["timeout"] = format_duration(patience);
  } else if (timeout != nullptr) {
    item.errors.push_back({ErrorCode::kInvalidArgument, fmt::format("a {} collector has no timeout", parts.type),
                           timeout->place(), "remove it"});
  }
  if (const auto* on = parts.fields.if_contains("on")) {
    for (const auto& pattern : on->get_array()) collector.on.patterns.emplace_back(pattern.get_string());
  } else {
    collector.on.patterns = {"*"};
  }
  if (item.errors.size() != before) return std::nullopt;
  return collector;
}

std::optional<ChannelItem> make_channel(const ItemContext& item, const ItemParts& parts) {
  ChannelItem channel;
  channel.id = item.id;
  channel.tenant = item.tenant;
  channel.type = parts.type;
  channel.title = text_of(parts.fields, "title");
  channel.fields = parts.type_fields;
  channel.origin = item.node.place();
  return channel;
}

}  // namespace atalaya::packages
