// What a package declares, checked and ready to be used.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"
#include "registry/items.h"
#include "rules/rule.h"

namespace atalaya::packages {

/// Which hosts a collector runs on: names and globs (`web*`, `*`).
struct HostSelector {
  std::vector<std::string> patterns;

  bool matches(std::string_view host) const;
  bool operator==(const HostSelector&) const = default;
};

/// `*` any run, `?` any one character.
bool glob_matches(std::string_view pattern, std::string_view text);

struct CollectorItem {
  std::string id;  ///< "package/group/name"
  TenantId tenant;
  std::string type;  ///< host, log, http, tcp, process
  std::string title;
  Duration period{std::chrono::seconds{10}};
  boost::json::object fields;  ///< the type's own, with defaults filled in: what the agent gets
  HostSelector on;
  Place origin;

  /// Is it an HTTP, TCP or process check?
  bool is_check() const { return type == "http" || type == "tcp" || type == "process"; }
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

/// The contents of one package folder. Immutable once loaded.
struct Package {
  TenantId tenant;
  std::string name;
  std::string version;
  std::string title;
  std::vector<rules::RuleSpec> rules;
  std::vector<CollectorItem> collectors;
  std::vector<ChannelItem> channels;
  std::vector<ChannelTypeFile> channel_types;
  std::vector<registry::Item> index;  ///< rules, collectors and channels, for the registry

  std::size_t items() const { return rules.size() + collectors.size() + channels.size() + channel_types.size(); }
};

}  // namespace atalaya::packages
