// New trees from the nodes of others: files linked in, fields overridden, parameters filled in.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/yaml.h"
#include "config/yaml_value.h"

namespace atalaya::config {

/// What a scalar stands for instead of itself; nothing: itself.
using Substitute = std::function<std::optional<YamlValue>(const Node& scalar)>;

// Nodes of a result keep the places, bytes and files of those they were made from, so that a mistake is told
// where a person wrote it; the result keeps those documents alive. too_large beyond the limits.

/// Where both are mappings, the keys of `over` win and its new keys come last; anything else of `over`
/// replaces.
Result<Document> overlay(const Document& base, const Node& base_node, const Document& over, const Node& over_node,
                         const YamlLimits& limits = {});
/// The mapping without one of its keys.
Result<Document> without(const Document& document, const Node& mapping, std::string_view key,
                         const YamlLimits& limits = {});
/// The mapping with another value at one of its keys, whole.
Result<Document> replace_entry(const Document& document, const Node& mapping, std::string_view key,
                               const Document& from, const Node& value, const YamlLimits& limits = {});
/// The same tree as a document of its own.
Document part_of(const Document& document, const Node& node);
/// A copy in which scalars are replaced (keys only by texts).
Result<Document> substitute(const Document& document, const Node& node, const Substitute& value_of,
                            const YamlLimits& limits = {});

}  // namespace atalaya::config
