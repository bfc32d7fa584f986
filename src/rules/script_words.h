// The small change of the language of rule tests (docs/formats/rule-test.md).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/labels.h"

namespace atalaya::rules {

/// Parts of a statement: split outside of quotes, backquotes and braces. Between words there may be
/// any number of spaces.
std::vector<std::string> split_words(std::string_view text, char separator);
/// Without the quotes or backquotes around it.
std::string unquoted(const std::string& text);

/// `name{a="b"}`: only equalities. invalid_argument for everything else.
Result<Labels> parse_series(const std::string& text);
/// A whole number of at least 0.
std::optional<std::size_t> parse_count(std::string_view text);
/// `3`, `1e9`, `stale`, `nan`, `inf`.
std::optional<double> parse_value(std::string_view text);

/// More samples than this in a script are a mistake.
constexpr std::size_t kMaxScriptSamples = 2'000'000;

/// Values of a series one after the other, nullopt for a gap: `5`, `1+2x3` (1 3 5 7), `9-3x2`, `4x2`
/// (4 4 4), `_`, `_x5`, `stale`.
Result<std::vector<std::optional<double>>> parse_values(const std::vector<std::string>& words, std::size_t first);

}  // namespace atalaya::rules
