// A standard Alertmanager configuration, checked: who is told of which alerts, when, and when not.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "calendar/time_interval.h"
#include "config/reader.h"
#include "config/yaml.h"
#include "config/yaml_value.h"
#include "model/labels.h"
#include "model/matcher.h"

namespace atalaya::routing {

/// What holds at a route after everything that it inherits. Intervals of time are never inherited.
struct RouteOptions {
  std::string receiver;
  std::set<std::string> group_by;
  bool group_by_all = false;                         ///< `...`: each label set is a group of its own
  Duration group_wait{std::chrono::seconds{30}};     ///< from a group's first alert to its first flush
  Duration group_interval{std::chrono::minutes{5}};  ///< between flushes; 0: each change flushes
  Duration repeat_interval{std::chrono::hours{4}};
  std::vector<std::string> mute_time_intervals;
  std::vector<std::string> active_time_intervals;
};

/// A node of the tree. `key` is Alertmanager's (`{}/{team="a"}`), the same for siblings with the same
/// matchers; `id` is unique and adds the place among its siblings.
struct Route {
  std::string id;
  std::string key;
  Matchers matchers;  ///< `match`, `match_re` and `matchers` together, sorted by name and value
  bool continues = false;
  RouteOptions options;
  std::vector<Route> routes;
  Place place;
};

/// The routes that take an alert with these labels: depth first, a child before its parent, a
/// sibling after one that does not continue is not asked. Never empty when the root has no matchers.
std::vector<const Route*> match(const Route& root, const Labels& labels);
/// A route that was asked whether it takes an alert.
struct Visit {
  const Route* route = nullptr;
  bool takes = false;                ///< it does, or something below it
  bool ends = false;                 ///< it does itself: nothing below it takes the alert
  const Matcher* refuses = nullptr;  ///< the first of its matchers that does not match; null where it takes
};
/// How `match` comes to its answer: every route that it asks, a parent before its children, siblings in their order.
std::vector<Visit> trace(const Route& root, const Labels& labels);
/// Labels by which the route puts the alert into a group.
Labels group_labels(const RouteOptions& options, const Labels& labels);

struct Config;
/// Why the route tells nobody at that time: its intervals that mute it, or those that alone would make it active.
std::vector<std::string> muting_intervals(const Config& config, const RouteOptions& options, Time at);

/// One way in which a receiver is told. Its notifications are logged under (receiver, type, index),
/// so that a changed configuration knows what was told already.
struct Integration {
  std::string type;       ///< the key without `_configs`: webhook, email, slack …
  std::size_t index = 0;  ///< among those of its type in this receiver
  bool send_resolved = true;
  bool carried_out = true;  ///< nobody is told by one that is not
  /// As written, with `global`'s values where it has none of its own. Holds secrets.
  config::YamlValue settings;
  Place place;
};

struct Receiver {
  std::string name;
  std::vector<Integration> integrations;  ///< may be empty: nobody is told
  Place place;
};

/// While an alert that `source` matches fires, alerts that `target` matches are not told, if both
/// have the same values of the labels `equal` (an absent label is an empty one).
struct InhibitRule {
  std::string name;
  Matchers source;
  Matchers target;
  std::vector<std::string> equal;
  Place place;
};

/// Immutable once read.
struct Config {
  Duration resolve_timeout{std::chrono::minutes{5}};  ///< for alerts that do not say when they end
  Route root;
  std::map<std::string, Receiver> receivers;
  std::vector<InhibitRule> inhibit_rules;
  std::map<std::string, std::vector<calendar::TimeInterval>> time_intervals;
  std::vector<std::string> templates;  ///< as written; `*` stands for any file
};
using ConfigPtr = std::shared_ptr<const Config>;

/// Reads the document of a file or of the section `alertmanager:`. Null if something was added to
/// `errors`: unknown keys, receivers, intervals, bad matchers, a root with matchers and so on, each
/// with its place and the remedy. `warnings` get what is taken but does not act here, by name.
ConfigPtr read_config(const config::Node& node, config::Errors& errors, config::Errors& warnings);
/// The same of a text; `file` is for messages.
ConfigPtr read_config_text(std::string text, std::string file, config::Errors& errors, config::Errors& warnings);

/// What holds where nothing is configured: every alert is a group of its own and goes to `receiver`
/// at once, as do its changes; nothing is repeated.
ConfigPtr built_in_config(Receiver receiver);

}  // namespace atalaya::routing
