#include "rules/groups/read_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <tuple>

#include "model/names.h"

namespace atalaya::rules {
namespace {

using config::Errors;
using config::Node;
using config::Reader;
using Texts = std::map<std::string, std::string>;

/// Texts by name, of which one may be nothing: "".
Texts texts_at(Reader& read, std::string_view key, Errors& errors) {
  Texts out;
  const auto* node = read.find(key);
  if (node == nullptr || node->is_null() || !config::expect_mapping(*node, errors)) return out;
  for (const auto& entry : node->entries()) {
    auto& text = out[entry.key->text()];
    if (!entry.value->is_null()) config::decode(*entry.value, text, errors);
  }
  return out;
}

/// One that is nothing is none.
Duration duration_at(Reader& read, std::string_view key, Errors& errors) {
  Duration out{0};
  const auto* node = read.find(key);
  if (node != nullptr && !node->is_null()) config::decode(*node, out, errors);
  return out;
}

/// A whole number in the ways of YAML 1.1 that Prometheus' loader knows beside decimal digits: `1_000`, `0x10`, `010`
/// and `0o10` (eight), `0b101`.
std::optional<double> other_integer(const Node& node) {
  if (!node.is_scalar() || node.style() != Node::Style::kPlain || !node.tag().empty()) return std::nullopt;
  auto digits = node.text();
  std::erase(digits, '_');
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const char mark = digits[1];
    base = mark == 'x' || mark == 'X' ? 16 : mark == 'b' || mark == 'B' ? 2 : 8;
    digits.erase(0, mark >= '0' && mark <= '9' ? 1 : 2);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return static_cast<double>(value);
}

/// Decimals are cut off; nothing, and what is below, is no limit.
std::size_t limit_of(Reader& read, Errors& errors) {
  const auto* node = read.find("limit");
  if (node == nullptr || node->is_null()) return 0;
  double limit = 0;
  if (const auto number = other_integer(*node)) {
    limit = *number;
  } else {
    config::decode(*node, limit, errors);
  }
  constexpr double kMost = 9e15;
  return limit > 0 ? static_cast<std::size_t>(std::min(limit, kMost)) : 0;
}

/// One item of `rules:`.
class RuleReader {
 public:
  RuleReader(const Node& node, const ReadGroups& options, const Texts& group_labels, Errors& errors)
      : node_(node), options_(options), group_labels_(group_labels), errors_(errors) {}

  std::optional<PromRule> read() {
    const auto before = errors_.size();
    Reader read(node_, "a rule", errors_);
    const auto record = read.optional<std::string>("record");
    const auto alert = read.optional<std::string>("alert");
    const auto* expr = read.find("expr");
    rule_.expr = read.value_or<std::string>("expr", "");
    rule_.hold = duration_at(read, "for", errors_);
    rule_.keep_firing_for = duration_at(read, "keep_firing_for", errors_);
    const auto labels = texts_at(read, "labels", errors_);
    const auto annotations = texts_at(read, "annotations", errors_);
    if (!options_.ignore_unknown) read.finish();
    if (!node_.is_mapping()) return std::nullopt;

    rule_.origin = node_.place();
    name_it(record, alert, read);
    read_expression(expr);
    if (!rule_.alerting) check_recording(annotations, read);
    read_labels(labels);
    if (annotations.contains("")) complain(node_.get("annotations")->place(), "invalid annotation name: \"\"");
    rule_.annotations = texts_of(annotations, "annotation", node_.get("annotations"));
    if (errors_.size() != before) return std::nullopt;
    return std::move(rule_);
  }

 private:
  void complain(const Place& place, std::string message, std::string remedy = {}) {
    errors_.push_back({ErrorCode::kInvalidArgument, std::move(message), place, std::move(remedy)});
  }
  void complain_within(const Node& scalar, Error error, const std::string& what) {
    const auto in_text = error.place.value_or(Place{});
    error.place = options_.place_within ? options_.place_within(scalar, in_text) : scalar.place();
    error.message = what + error.message;
    errors_.push_back(std::move(error));
  }

  void name_it(const std::optional<std::string>& record, const std::optional<std::string>& alert, Reader& read) {
    const bool records = record && !record->empty();
    const bool alerts = alert && !alert->empty();
    rule_.alerting = alerts;
    rule_.name = alerts ? *alert : record.value_or("");
    if (records && alerts)
      return complain(node_.place(), "only one of 'record' and 'alert' must be set", "keep one of them");
    if (!records && !alerts)
      return complain(node_.place(), "one of 'record' or 'alert' must be set",
                      "record: names the series that it makes, alert: the alert");
    if (records && record->find_first_of("{}") != std::string::npos) {
      read.complain("record", fmt::format("braces present in the recording rule name \"{}\"", *record),
                    "selectors belong into expr");
    }
  }

  void read_expression(const Node* expr) {
    if (expr == nullptr || rule_.expr.empty()) {
      return complain((expr != nullptr ? *expr : node_).place(), "field 'expr' must be set in rule",
                      "add expr: with PromQL");
    }
    auto parsed = promql::parse(rule_.expr);
    if (!parsed) return complain_within(*expr, parsed.error(), "could not parse expression: ");
    rule_.expression = std::move(*parsed);
  }

  void check_recording(const Texts& annotations, Reader& read) {
    // Prometheus' words; what to do is ours.
    const auto refuse = [&](std::string_view field) {
      read.complain(field, fmt::format("invalid field '{}' in recording rule", field),
                    fmt::format("leave {} out, or make it an alert: write alert: in place of record:", field));
    };
    if (!annotations.empty()) refuse("annotations");
    if (rule_.hold != Duration{0}) refuse("for");
    if (rule_.keep_firing_for != Duration{0}) refuse("keep_firing_for");
  }

  void read_labels(const Texts& own) {
    for (const auto& [name, value] : own) {
      if (!name.empty() && name != kMetricName) continue;
      complain(node_.get("labels")->place(), fmt::format("invalid label name: \"{}\"", name));
    }
    rule_.labels = texts_of(own, "label", node_.get("labels"));
    for (const auto& [name, value] : group_labels_) {
      if (!own.contains(name)) rule_.labels.push_back({name, value, std::nullopt});
    }
    std::ranges::sort(rule_.labels, {}, &PromText::name);
  }

  std::vector<PromText> texts_of(const Texts& texts, std::string_view what, const Node* parent) {
    std::vector<PromText> out;
    for (const auto& [name, text] : texts) {
      PromText one{name, text, std::nullopt};
      if (rule_.alerting && text.find("{{") != std::string::npos) {
        auto parsed = parse_rule_template(text);
        if (parsed) {
          one.parsed = std::move(*parsed);
        } else {
          complain_within(*parent->get(name), parsed.error(), fmt::format("{} \"{}\": ", what, name));
        }
      }
      out.push_back(std::move(one));
    }
    return out;
  }

  const Node& node_;
  const ReadGroups& options_;
  const Texts& group_labels_;
  Errors& errors_;
  PromRule rule_;
};

/// Ids of rules are three parts: what would make a fourth becomes a colon.
std::string one_part(std::string text) {
  std::ranges::replace(text, '/', ':');
  return text;
}

void name_rules(GroupSpec& group) {
  std::map<std::string, int> seen;
  for (auto& rule : group.rules) {
    rule.id = group.id + "/" + one_part(rule.name);
    if (const int times = ++seen[rule.id]; times > 1) rule.id += fmt::format("#{}", times);
  }
}

}  // namespace

Result<templates::Template> parse_rule_template(std::string_view text) {
  return templates::Template::parse(text, {.file = {},
                                           .variables = {"labels", "value", "externalLabels", "externalURL"},
                                           .functions = {{"query", 1, 1}},
                                           .as_go = true});
}

std::optional<GroupSpec> read_group(const Node& node, const ReadGroups& options, Errors& errors) {
  const auto before = errors.size();
  Reader read(node, "a group", errors);
  GroupSpec group;
  group.tenant = options.tenant;
  group.file = options.file;
  group.name = read.value_or<std::string>("name", "");
  group.interval = read.optional<Duration>("interval");
  if (group.interval == Duration{0}) group.interval.reset();
  group.limit = limit_of(read, errors);
  group.query_offset = read.optional<Duration>("query_offset");
  group.on_arrival = read.value_or<bool>("on_arrival", true);
  const auto labels = texts_at(read, "labels", errors);
  const auto* rules = read.find("rules");
  if (!options.ignore_unknown) read.finish();
  if (!node.is_mapping()) return std::nullopt;
  group.origin = node.place();
  if (group.name.empty()) read.complain("name", "Groupname must not be empty", "add name: …");
  for (const auto& [name, value] : labels) {
    if (name.empty() || name == kMetricName) read.complain("labels", fmt::format("invalid label name: \"{}\"", name));
  }
  group.id = options.id_prefix + "/" + one_part(group.name);
  if (rules != nullptr && !rules->is_null() && config::expect_sequence(*rules, errors)) {
    for (const auto* item : rules->items()) {
      if (auto rule = RuleReader(*item, options, labels, errors).read()) group.rules.push_back(std::move(*rule));
    }
  }
  if (errors.size() != before) return std::nullopt;
  name_rules(group);
  return group;
}

std::vector<GroupSpec> read_rule_file(const Node& root, const ReadGroups& options, Errors& errors) {
  std::vector<GroupSpec> out;
  if (root.is_null()) return out;
  Reader read(root, "a rule file", errors);
  const auto* groups = read.find("groups");
  if (!options.ignore_unknown) read.finish();
  if (groups == nullptr || groups->is_null() || !config::expect_sequence(*groups, errors)) return out;
  std::set<std::string> names;
  for (const auto* item : groups->items()) {
    if (const auto* name = item->get("name"); name != nullptr && !names.insert(name->text()).second) {
      errors.push_back({ErrorCode::kInvalidArgument,
                        fmt::format("groupname: \"{}\" is repeated in the same file", name->text()), name->place(),
                        "give one of them another name"});
    }
    if (auto group = read_group(*item, options, errors)) out.push_back(std::move(*group));
  }
  return out;
}

std::vector<DuplicateRule> duplicate_rules(const std::vector<GroupSpec>& groups) {
  std::vector<DuplicateRule> out;
  std::set<std::pair<std::string, Labels>> seen;
  for (const auto& group : groups) {
    for (const auto& rule : group.rules) {
      if (!seen.emplace(rule.name, rule.label_set()).second) out.push_back({rule.name, rule.label_set(), rule.origin});
    }
  }
  return out;
}

}  // namespace atalaya::rules
