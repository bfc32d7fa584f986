// What a package declares, checked and ready to be used.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"
#include "config/yaml_value.h"
#include "rules/rule.h"
#include "schema/validate.h"

namespace atalaya::packages {

/// Which hosts a collector runs on: names and globs (`web*`, `*`).
struct HostSelector {
  std::vector<std::string> patterns;

  bool matches(std::string_view host) const;
  bool operator==(const HostSelector&) const = default;
};

/// `*` any run, `?` any one character.
bool glob_matches(std::string_view pattern, std::string_view text);

/// A scrape job that agents run: `fields` hold its `config`, which is the item of `scrape_configs` without `on`.
constexpr std::string_view kScrapeType = "scrape";
constexpr std::string_view kScrapesOn = "on";

struct CollectorItem {
  std::string id;  ///< "package/group/name"; "package/job" of a scrape
  TenantId tenant;
  std::string type;  ///< host, log, http, tcp, process, ping, script, scrape
  std::string title;
  Duration period{std::chrono::seconds{10}};
  boost::json::object fields;  ///< the type's own, with defaults filled in: what the agent gets
  HostSelector on;
  Place origin;

  /// Is it one that says up or down?
  bool is_check() const { return type == "http" || type == "tcp" || type == "process" || type == "ping"; }
  /// What it looks at, for people: the URL, the address, the process' name, the files' paths.
  std::string target() const;
  bool operator==(const CollectorItem&) const = default;
};

struct ChannelItem {
  std::string id;  ///< "package/group/name"
  TenantId tenant;
  std::string type;  ///< email, or the name of an HTTP channel type
  std::string title;
  boost::json::object fields;  ///< with defaults filled in; secrets only as `…_file` paths
  Place origin;

  std::string target() const;
  bool operator==(const ChannelItem&) const = default;
};

/// A file of `channels/` in a package: the definition of an HTTP channel type, as text for `notify`.
struct ChannelTypeFile {
  std::string name;  ///< the file's name without .yaml
  std::string path;
  std::string text;

  bool operator==(const ChannelTypeFile&) const = default;
};

/// One checked item of any section.
struct Item {
  std::string section;
  std::string id;  ///< "package/group/name"
  std::string title;
  Place origin;
  std::uint64_t content = 0;       ///< differs where what the item means does
  boost::json::object fields;      ///< plain values (schema/validate.h); empty for rules, collectors, channels
  std::vector<std::string> links;  ///< ids of items that it refers to
};

/// An item of `instances:`: a specification with values.
struct InstanceItem {
  std::string specification;  ///< the package that is one
  std::string name;
  std::string title;
  std::map<std::string, config::YamlValue> values;
  std::vector<std::pair<std::string, Place>> places;  ///< of the values
  Place origin;
};

/// A reference that leads out of the package, to be looked up when all are known.
struct ForeignReference {
  std::string item;  ///< that holds it
  schema::Reference reference;
};

/// The contents of one package folder, or of one instance of a specification. Immutable once loaded.
struct Package {
  TenantId tenant;
  std::string name;
  std::string version;
  std::string title;
  bool specification = false;      ///< it has parameters: its items exist in its instances only
  boost::json::object parameters;  ///< of an instance, without secrets: what its pages may show
  std::vector<Item> items;         ///< by section and id
  std::vector<rules::RuleSpec> rules;
  std::vector<CollectorItem> collectors;
  std::vector<ChannelItem> channels;
  std::vector<ChannelTypeFile> channel_types;
  std::vector<InstanceItem> instances;
  std::vector<ForeignReference> foreign;

  std::size_t size() const { return items.size() + channel_types.size(); }
  /// Null if there is none.
  const Item* find(std::string_view section, std::string_view id) const;
};
using PackagePtr = std::shared_ptr<const Package>;

}  // namespace atalaya::packages
