// From the checked values of an item to what the product does with it: a rule, a collector, a channel.
// Inside this library only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/reader.h"
#include "config/yaml.h"
#include "packages/package.h"

namespace atalaya::packages {

/// Where an item stands.
struct ItemContext {
  TenantId tenant;
  std::string id;
  std::string name;  ///< the last part of the id
  const config::Node& node;
  const boost::json::object& fields;
  /// Text of a file by its path for messages, for places within a text.
  const std::function<std::string_view(const std::string& path)>& text_of;
  /// A file of the package by its name within it: scripts.
  const std::function<Result<std::string>(const std::string& name)>& read_file;
  config::Errors& errors;
};

/// What beside its schema is wrong with a rule that does not hold: its annotations.
void check_rule_beside(const ItemContext& item);
/// Each adds errors and gives nothing when the item does not hold.
std::optional<rules::RuleSpec> make_rule(const ItemContext& item);
std::optional<CollectorItem> make_collector(const ItemContext& item);
/// A collector between a sensor and a resource has both, and no hosts of its own.
void check_sensor_collector(const ItemContext& item);
/// Adds what only the rules themselves can judge of an item of `groups`.
void check_group(const ItemContext& item);
std::optional<ChannelItem> make_channel(const ItemContext& item);
/// What the scraper could not do is an error of the item. A collector where agents scrape, else nothing.
std::optional<CollectorItem> make_scrape(const ItemContext& item);
/// Adds what only routing itself can judge of an Alertmanager configuration: names, matchers, integrations.
void check_alertmanager(const ItemContext& item);
/// Matchers that cannot be read or that every alert meets, an end before the begin.
void check_silence(const ItemContext& item);
/// The same of an item of `incidents`: its matchers.
void check_incident_policy(const ItemContext& item);

/// The program of a field of type script: its text, or that of its file; nothing after errors.
std::optional<std::string> program_of(const ItemContext& item, const boost::json::value& script,
                                      const config::Node& node);

}  // namespace atalaya::packages
