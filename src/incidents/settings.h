// Which alerts belong together, as packages say it: by labels, by name, by what depends on what.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/alert.h"
#include "base/result.h"
#include "model/matcher.h"

namespace atalaya::incidents {

/// Alerts that `matchers` match belong together where they have the same values of `labels` and come within `window`
/// of one another. One that has none of the labels is left to the policies behind.
struct Policy {
  std::string name;
  Matchers matchers;                          ///< none: every alert
  std::vector<std::string> labels;            ///< an absent label is an empty one
  Duration window{std::chrono::minutes{30}};  ///< after the alert that joined last
  Duration reopen{std::chrono::minutes{15}};  ///< after its end an incident opens again rather than another one
};

/// What a rule says of its alerts in `correlate`.
struct Correlate {
  std::vector<std::string> labels;  ///< in place of the policies'; may be empty
  std::set<std::string> alerts;     ///< names: they belong to the incident of an open alert named so
  bool operator==(const Correlate&) const = default;
};

/// Immutable once made.
struct Settings {
  std::vector<Policy> policies;            ///< the first that fits an alert; the built-in ones stand behind
  std::map<std::string, Correlate> rules;  ///< by id
  /// What an item (a rule, a collector) depends on: ids of items.
  std::map<std::string, std::vector<std::string>> depends;
  /// Ids of the collectors of a host, of those that stand in `depends`.
  std::map<std::string, std::set<std::string>> placed;
  /// How long an alert that depends on others waits for theirs before anybody is told.
  Duration settle{std::chrono::seconds{5}};
};
using SettingsPtr = std::shared_ptr<const Settings>;

/// With the built-in policies alone: by `service` (with cluster and namespace); without one by `instance`, by `host`,
/// by `job`; and by the alert's name where it has none of these.
SettingsPtr built_in_settings();
/// Of the text that `write_settings` made; corruption for anything else.
Result<SettingsPtr> read_settings(const std::string& text);
std::string write_settings(const Settings& settings);

/// What joins an alert to others: equal keys belong together.
struct Key {
  std::string text;
  Labels labels;
  Duration window{};
  Duration reopen{};
};
Key key_of(const Settings& settings, const alerts::Alert& alert);

}  // namespace atalaya::incidents
