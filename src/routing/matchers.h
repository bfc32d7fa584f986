// Matchers in Alertmanager's two notations: `severity="critical", team=~"a|b"`.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/matcher.h"

namespace atalaya::routing {

enum class MatcherSyntax {
  /// Alertmanager's default since 0.27: UTF-8 names and values, quotes as Go has them. What only the
  /// classic notation understands, or the two understand differently, is read as classic.
  kFallback,
  kUtf8,
  kClassic,
};

/// Zero or more matchers, with or without braces. invalid_argument without a place; the message begins
/// with the columns (from 0) of what is wrong where the UTF-8 notation says so.
Result<Matchers> parse_matchers(std::string_view text, MatcherSyntax syntax = MatcherSyntax::kFallback);
/// Exactly one, without braces: a filter of a URL, a label on a command line.
Result<Matcher> parse_matcher(std::string_view text, MatcherSyntax syntax = MatcherSyntax::kFallback);

/// Labels as people write them, in that notation with `=` alone: `service="web", severity=critical`.
Result<Labels> parse_labels(std::string_view text);
/// What these matchers name; invalid_argument for one that is not `=`.
Result<Labels> labels_of(const Matchers& matchers);

/// Any text that is UTF-8 and not empty.
bool is_any_label_name(std::string_view name);

bool same(const Matcher& a, const Matcher& b);

}  // namespace atalaya::routing
