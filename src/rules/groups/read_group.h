// Prometheus' rule files: YAML to groups, with every mistake told at its place.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "config/reader.h"
#include "config/yaml.h"
#include "rules/groups/group.h"

namespace atalaya::rules {

struct ReadGroups {
  TenantId tenant;
  std::string file;       ///< for people
  std::string id_prefix;  ///< ids of groups are `<id_prefix>/<name>`; a slash in the name becomes a colon
  bool ignore_unknown = false;
  /// Place of a line and column within a scalar's text, in its file; without, the scalar's own place.
  std::function<Place(const config::Node& scalar, const Place& in_text)> place_within = {};
};

/// One item of `groups:`. Nothing after errors.
std::optional<GroupSpec> read_group(const config::Node& node, const ReadGroups& options, config::Errors& errors);

/// A whole rule file: `groups:` and nothing else. With errors what is returned is not all.
std::vector<GroupSpec> read_rule_file(const config::Node& root, const ReadGroups& options, config::Errors& errors);

/// A rule with the name and the labels of one before it in the same file.
struct DuplicateRule {
  std::string name;
  Labels labels;
  Place place;
};
std::vector<DuplicateRule> duplicate_rules(const std::vector<GroupSpec>& groups);

/// Parses a template of a rule: `$labels`, `$value`, `$externalLabels`, `$externalURL`, and `query`.
Result<templates::Template> parse_rule_template(std::string_view text);

}  // namespace atalaya::rules
