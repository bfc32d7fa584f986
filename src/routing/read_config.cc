// The document as a whole, inhibitions and time intervals.

#include <fmt/format.h>

#include <algorithm>

#include "routing/matchers.h"
#include "routing/read_parts.h"

namespace atalaya::routing {
namespace {

using config::Errors;
using config::Node;
using config::Reader;

/// The items of a list that may be absent or null.
std::span<const Node* const> items_of(const Node* list, Errors& errors) {
  if (list == nullptr || list->is_null() || !config::expect_sequence(*list, errors)) return {};
  return list->items();
}

/// Notes a name; a second one of its kind is a mistake.
void declare(std::map<std::string, Place>& names, const std::string& name, std::string_view what, const Place& place,
             Errors& errors) {
  if (name.empty()) return;
  const auto [first, is_new] = names.try_emplace(name, place);
  if (is_new) return;
  complain(errors, place, fmt::format("there is another {} \"{}\", at {}", what, name, to_string(first->second)),
           "give one of them another name");
}

std::string read_name(Reader& read, std::string_view what, Errors& errors) {
  const auto* node = read.find("name");
  std::string name;
  if (node != nullptr && !node->is_null()) decode(*node, name, errors);
  if (name.empty() && read.ok()) read.complain("name", fmt::format("{} has no name", what), "add name:");
  return name;
}

template <typename Parse>
void read_ranges(Reader& read, std::string_view key, std::vector<calendar::WholeRange>& out, const Parse& parse,
                 Errors& errors) {
  const auto* list = read.find(key);
  const auto items = items_of(list, errors);
  if (list != nullptr && list->is_sequence() && items.empty()) {
    // Alertmanager takes it for "never", a reader for "always".
    read.complain(key, fmt::format("{} lists nothing", key), "leave it out, or name something");
  }
  for (const auto* item : items) {
    std::string text;
    const auto before = errors.size();
    decode(*item, text, errors);
    if (errors.size() != before) continue;
    if (auto range = parse(text)) {
      out.push_back(*range);
    } else {
      complain(errors, item->place(), range.error().message, range.error().remedy);
    }
  }
}

int read_clock_time(Reader& read, std::string_view key, Errors& errors) {
  const auto text = read.required<std::string>(key);
  const auto* node = read.find(key);
  if (node == nullptr || text.empty()) return -1;
  if (const auto minutes = calendar::parse_clock_time(text)) return *minutes;
  complain(errors, node->place(), fmt::format("couldn't parse timestamp {}, invalid format", text),
           "write hours and minutes in quotes, as '08:30'");
  return -1;
}

void read_times(Reader& read, std::vector<calendar::MinuteRange>& out, Errors& errors) {
  const auto* list = read.find("times");
  const auto items = items_of(list, errors);
  if (list != nullptr && list->is_sequence() && items.empty()) {
    read.complain("times", "times lists nothing", "leave it out, or name a time");
  }
  for (const auto* item : items) {
    Reader time(*item, "a time of the day", errors);
    const int begin = read_clock_time(time, "start_time", errors);
    const int end = read_clock_time(time, "end_time", errors);
    time.finish();
    if (begin >= 0 && end >= 0 && begin >= end) {
      complain(errors, item->place(), "start time cannot be equal or greater than end time",
               "write two ranges where midnight lies between");
    } else {
      out.push_back({begin, end});
    }
  }
}

calendar::TimeInterval read_one_interval(const Node& node, Errors& errors) {
  calendar::TimeInterval out;
  Reader read(node, "a time interval", errors);
  read_times(read, out.times, errors);
  read_ranges(read, "weekdays", out.weekdays, calendar::parse_weekdays, errors);
  read_ranges(read, "days_of_month", out.days_of_month, calendar::parse_days_of_month, errors);
  read_ranges(read, "months", out.months, calendar::parse_months, errors);
  read_ranges(read, "years", out.years, calendar::parse_years, errors);
  if (const auto name = read.optional<std::string>("location"); name && !name->empty()) {
    if (auto zone = calendar::Zone::find(*name)) {
      out.zone = *zone;
    } else {
      read.complain("location", zone.error().message, zone.error().remedy);
    }
  }
  read.finish();
  return out;
}

void read_named_intervals(const Node* list, Config& config, Names& names, Errors& errors) {
  for (const auto* item : items_of(list, errors)) {
    Reader read(*item, "a named time interval", errors);
    const auto name = read_name(read, "a time interval", errors);
    const auto* intervals = read.find("time_intervals");
    read.finish();
    const auto* name_node = item->get("name");
    declare(names.intervals, name, "time interval", name_node != nullptr ? name_node->place() : item->place(), errors);
    config.time_intervals[name] =
        intervals != nullptr ? read_intervals(*intervals, errors) : std::vector<calendar::TimeInterval>{};
  }
}

void read_inhibitions(const Node* list, Config& config, Errors& errors) {
  for (const auto* item : items_of(list, errors)) {
    Reader read(*item, "an inhibition", errors);
    InhibitRule rule;
    rule.place = item->place();
    rule.name = read.optional<std::string>("name").value_or("");
    rule.source = read_matchers(read, "source_", errors);
    rule.target = read_matchers(read, "target_", errors);
    for (const auto* label : items_of(read.find("equal"), errors)) {
      std::string name;
      const auto before = errors.size();
      decode(*label, name, errors);
      if (errors.size() != before) continue;
      if (!is_any_label_name(name)) complain(errors, label->place(), "a label's name in equal is empty", "remove it");
      rule.equal.push_back(std::move(name));
    }
    read.finish();
    config.inhibit_rules.push_back(std::move(rule));
  }
}

void read_receivers(const Node* list, const Global& global, Config& config, Names& names, Errors& errors,
                    Errors& warnings) {
  for (const auto* item : items_of(list, errors)) {
    auto receiver = read_receiver(*item, global, errors, warnings);
    const auto* name = item->get("name");
    declare(names.receivers, receiver.name, "receiver", name != nullptr ? name->place() : item->place(), errors);
    auto key = receiver.name;
    config.receivers.try_emplace(std::move(key), std::move(receiver));
  }
}

}  // namespace

void complain(Errors& errors, const Place& place, std::string message, std::string remedy) {
  errors.push_back({ErrorCode::kInvalidArgument, std::move(message), place, std::move(remedy)});
}

void decode(const Node& node, YesNo& out, Errors& errors) {
  std::string text = node.is_scalar() ? node.text() : "";
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  const bool plain = node.is_scalar() && node.style() == Node::Style::kPlain;
  if (plain && (text == "true" || text == "yes" || text == "on" || text == "y")) {
    out.value = true;
  } else if (plain && (text == "false" || text == "no" || text == "off" || text == "n")) {
    out.value = false;
  } else {
    complain(errors, node.place(), fmt::format("{} stands where true or false is meant", config::describe(node)),
             "write true or false");
  }
}

std::vector<calendar::TimeInterval> read_intervals(const Node& list, Errors& errors) {
  std::vector<calendar::TimeInterval> out;
  for (const auto* item : items_of(&list, errors)) out.push_back(read_one_interval(*item, errors));
  return out;
}

ConfigPtr read_config(const Node& node, Errors& errors, Errors& warnings) {
  const auto before = errors.size();
  if (node.is_null()) {
    complain(errors, node.place(), "the configuration is empty", "add route: and receivers:");
    return nullptr;
  }
  auto config = std::make_shared<Config>();
  Reader read(node, "the configuration of routing", errors);
  const auto* global_node = read.find("global");
  const auto global = global_node != nullptr && !global_node->is_null() ? read_global(*global_node, errors) : Global{};
  config->resolve_timeout = global.resolve_timeout;
  Names names;
  read_receivers(read.find("receivers"), global, *config, names, errors, warnings);
  read_named_intervals(read.find("time_intervals"), *config, names, errors);
  read_named_intervals(read.find("mute_time_intervals"), *config, names, errors);
  read_inhibitions(read.find("inhibit_rules"), *config, errors);
  for (const auto* item : items_of(read.find("templates"), errors)) {
    decode(*item, config->templates.emplace_back(), errors);
  }
  const auto* route = read.find("route");
  if (route == nullptr || route->is_null()) {
    if (node.is_mapping()) read.complain("route", "there is no route", "add route: with a receiver");
  } else {
    config->root = read_root(*route, names, errors);
  }
  if (const auto* tracing = read.find("tracing")) {
    complain(warnings, tracing->place(), "tracing does not act here", "remove it");
  }
  read.finish();
  if (errors.size() != before) return nullptr;
  return config;
}

ConfigPtr read_config_text(std::string text, std::string file, Errors& errors, Errors& warnings) {
  const auto before = errors.size();
  const auto document = config::Document::parse(std::move(text), std::move(file), errors);
  if (!document) {
    errors.push_back(document.error());
    return nullptr;
  }
  auto config = read_config(document->root(), errors, warnings);
  config::sort_by_place(errors);
  return errors.size() == before ? config : nullptr;
}

}  // namespace atalaya::routing
