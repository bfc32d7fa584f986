// Routes and matchers of the configuration.

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "config/suggest.h"
#include "model/names.h"
#include "routing/matchers.h"
#include "routing/read_parts.h"

namespace atalaya::routing {
namespace {

using config::Errors;
using config::Node;

/// Distances over all names for each of thousands of mistakes would hold up the reading.
constexpr std::size_t kMostHelped = 20;

/// A label's value in `match`: null is the empty text.
std::string value_text(const Node& node, Errors& errors) {
  std::string text;
  if (!node.is_null()) decode(node, text, errors);
  return text;
}

void read_pairs(const Node& node, Matcher::Op op, Matchers& out, Errors& errors) {
  if (node.is_null() || !config::expect_mapping(node, errors)) return;
  for (const auto& entry : node.entries()) {
    const auto& name = entry.key->text();
    if (!is_label_name(name)) {
      complain(errors, entry.key->place(), fmt::format("invalid label name \"{}\"", name),
               "letters, digits and _ make a name here; matchers: takes others in quotes");
      continue;
    }
    if (op == Matcher::Op::kRegex && entry.value->is_null()) {
      complain(errors, entry.value->place(), fmt::format("there is no regular expression for \"{}\"", name),
               "write one, or leave the label out");
      continue;
    }
    auto value = value_text(*entry.value, errors);
    if (op == Matcher::Op::kRegex) value = "^(?:" + value + ")$";
    auto matcher = Matcher::make(name, op, std::move(value));
    if (matcher) {
      out.push_back(std::move(*matcher));
    } else {
      complain(errors, entry.value->place(), matcher.error().message, "write an expression of RE2");
    }
  }
}

void read_lines(const Node& node, Matchers& out, Errors& errors) {
  if (node.is_null()) return;
  const Node* single = &node;
  for (const auto* line : node.is_sequence() ? node.items() : std::span(&single, 1)) {
    std::string text;
    const auto before = errors.size();
    decode(*line, text, errors);
    if (errors.size() != before) continue;
    auto matchers = parse_matchers(text);
    if (matchers) {
      std::move(matchers->begin(), matchers->end(), std::back_inserter(out));
      continue;
    }
    auto remedy = std::move(matchers.error().remedy);
    if (remedy.empty()) remedy = "write them as severity=\"critical\"";
    complain(errors, line->place(), fmt::format("bad matcher: {}", matchers.error().message), std::move(remedy));
  }
}

class TreeReader {
 public:
  TreeReader(const Names& names, Errors& errors) : names_(names), errors_(errors) {}

  Route read_root(const Node& node) {
    Route root;
    root.id = root.key = "{}";
    read(node, root, true);
    return root;
  }

 private:
  /// `route` holds what it inherits, and its place in the tree.
  void read(const Node& node, Route& route, bool is_root) {
    config::Reader read(node, is_root ? "the root route" : "a route", errors_);
    route.place = node.place();
    auto& options = route.options;
    read_receiver(read, options, is_root);
    read_grouping(read, options);
    options.group_wait = read.optional<Duration>("group_wait").value_or(options.group_wait);
    read_interval(read, "group_interval", options.group_interval);
    read_interval(read, "repeat_interval", options.repeat_interval);
    options.mute_time_intervals = read_names(read, "mute_time_intervals");
    options.active_time_intervals = read_names(read, "active_time_intervals");
    route.continues = read.optional<YesNo>("continue").value_or(YesNo{}).value;
    route.matchers = read_matchers(read, "", errors_);
    const auto* below = read.find("routes");
    read.finish();
    if (is_root) check_root(node, route);
    if (!is_root) {
      const auto own = to_string(route.matchers);
      route.id = fmt::format("{}/{}/{}", parent_id_, own, position_);
      route.key = fmt::format("{}/{}", parent_key_, own);
    }
    if (below != nullptr) read_below(*below, route);
  }

  void read_below(const Node& list, Route& route) {
    if (list.is_null() || !config::expect_sequence(list, errors_)) return;
    const auto id = route.id;
    const auto key = route.key;
    for (std::size_t i = 0; i < list.items().size(); ++i) {
      Route child;
      child.options = route.options;
      parent_id_ = id;
      parent_key_ = key;
      position_ = i;
      read(*list.items()[i], child, false);
      route.routes.push_back(std::move(child));
    }
  }

  void read_receiver(config::Reader& read, RouteOptions& options, bool is_root) {
    const auto name = read.optional<std::string>("receiver");
    if (!name || name->empty()) {
      if (!is_root || !read.ok()) return;
      complain(errors_, read.node().place(), "the root route names no receiver",
               "add receiver: for what no other route takes");
      return;
    }
    options.receiver = *name;
    if (names_.receivers.contains(*name)) return;
    read.complain("receiver", fmt::format("there is no receiver \"{}\"", *name),
                  remedy(*name, names_.receivers, "receivers"));
  }

  void read_grouping(config::Reader& read, RouteOptions& options) {
    const auto* node = read.find("group_by");
    if (node == nullptr || node->is_null() || !config::expect_sequence(*node, errors_)) return;
    std::set<std::string> labels;
    bool all = false;
    for (const auto* item : node->items()) {
      std::string name;
      const auto before = errors_.size();
      decode(*item, name, errors_);
      if (errors_.size() != before) continue;
      if (name == "...") {
        all = true;
      } else if (!is_any_label_name(name)) {
        complain(errors_, item->place(), fmt::format("invalid label name \"{}\" in group_by", name));
      } else if (!labels.insert(name).second) {
        complain(errors_, item->place(), fmt::format("duplicated label \"{}\" in group_by", name), "remove it");
      }
    }
    if (all && !labels.empty()) {
      complain(errors_, node->place(), "group_by has \"...\" and labels beside it",
               "\"...\" alone groups by all labels");
    }
    // As with Alertmanager an empty list says nothing: the outer route's labels hold.
    if (all) options.group_by_all = true;
    if (all || labels.empty()) return;
    options.group_by_all = false;
    options.group_by = std::move(labels);
  }

  void read_interval(config::Reader& read, std::string_view key, Duration& out) {
    const auto given = read.optional<Duration>(key);
    if (!given) return;
    if (*given == Duration{0}) {
      read.complain(key, fmt::format("{} cannot be zero", key), "write a time such as 5m");
      return;
    }
    out = *given;
  }

  std::vector<std::string> read_names(config::Reader& read, std::string_view key) {
    std::vector<std::string> out;
    const auto* node = read.find(key);
    if (node == nullptr || node->is_null() || !config::expect_sequence(*node, errors_)) return out;
    for (const auto* item : node->items()) {
      std::string name;
      const auto before = errors_.size();
      decode(*item, name, errors_);
      if (errors_.size() != before) continue;
      if (!names_.intervals.contains(name)) {
        complain(errors_, item->place(), fmt::format("there is no time interval \"{}\"", name),
                 remedy(name, names_.intervals, "time_intervals"));
      }
      out.push_back(std::move(name));
    }
    return out;
  }

  void check_root(const Node& node, const Route& root) {
    const auto refuse = [&](std::string_view key, std::string_view what) {
      const auto* value = node.get(key);
      if (value == nullptr || value->is_null()) return;
      complain(errors_, value->place(), fmt::format("the root route has {}, but it takes whatever others do not", what),
               "move it to a route below");
    };
    if (!root.matchers.empty()) {
      for (const auto* key : {"matchers", "match", "match_re"}) refuse(key, "matchers");
    }
    if (!root.options.mute_time_intervals.empty()) refuse("mute_time_intervals", "intervals in which nobody is told");
    if (!root.options.active_time_intervals.empty()) refuse("active_time_intervals", "intervals of its own");
    if (root.continues) {
      complain(errors_, node.get("continue")->place(), "the root route has continue, but nothing follows it",
               "remove it");
    }
  }

  std::string remedy(const std::string& name, const std::map<std::string, Place>& known, std::string_view section) {
    if (known.empty() || ++helped_ > kMostHelped) return fmt::format("add it to {}:", section);
    std::vector<std::string> names;
    for (const auto& [one, place] : known) names.push_back(one);
    return config::suggestion(name, names);
  }

  const Names& names_;
  Errors& errors_;
  std::string parent_id_;
  std::string parent_key_;
  std::size_t position_ = 0;
  std::size_t helped_ = 0;
};

}  // namespace

Matchers read_matchers(config::Reader& read, std::string_view prefix, Errors& errors) {
  Matchers out;
  const auto key = [&](std::string_view name) { return std::string(prefix) + std::string(name); };
  if (const auto* node = read.find(key("match"))) read_pairs(*node, Matcher::Op::kEqual, out, errors);
  if (const auto* node = read.find(key("match_re"))) read_pairs(*node, Matcher::Op::kRegex, out, errors);
  if (const auto* node = read.find(key("matchers"))) read_lines(*node, out, errors);
  std::stable_sort(out.begin(), out.end(), [](const Matcher& a, const Matcher& b) {
    return std::tuple(a.name(), a.value(), a.op()) < std::tuple(b.name(), b.value(), b.op());
  });
  return out;
}

Route read_root(const Node& node, const Names& names, Errors& errors) {
  return TreeReader(names, errors).read_root(node);
}

}  // namespace atalaya::routing
