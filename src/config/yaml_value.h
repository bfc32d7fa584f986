// Values to be written as YAML, where no person's text has to be kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "config/yaml.h"

namespace atalaya::config {

/// A scalar, list or mapping by value, in writing order. Thread-compatible.
struct YamlValue {
  enum class Kind { kText, kToken, kList, kMap };

  Kind kind = Kind::kToken;
  std::string scalar;  ///< of kText any text; of kToken a number, true, false, or "" for null
  std::string tag;
  std::vector<YamlValue> items;
  std::vector<std::pair<std::string, YamlValue>> entries;

  YamlValue() = default;  ///< null
  YamlValue(std::string text) : kind(Kind::kText), scalar(std::move(text)) {}
  YamlValue(std::string_view text) : YamlValue(std::string(text)) {}
  YamlValue(const char* text) : YamlValue(std::string(text)) {}
  YamlValue(bool value) : scalar(value ? "true" : "false") {}
  YamlValue(int value) : scalar(std::to_string(value)) {}
  YamlValue(std::int64_t value) : scalar(std::to_string(value)) {}
  YamlValue(double value);
  YamlValue(Duration value) : kind(Kind::kText), scalar(format_duration(value)) {}
  static YamlValue list(std::vector<YamlValue> items = {});
  static YamlValue map(std::vector<std::pair<std::string, YamlValue>> entries = {});

  /// Puts at the end, or replaces; makes a mapping of a null.
  YamlValue& set(std::string key, YamlValue value);
  const YamlValue* get(std::string_view key) const;
};

/// What a node means; null is null however written, merges are entries.
YamlValue value_of(const Node& node);
/// Order of keys does not count.
bool operator==(const YamlValue& a, const YamlValue& b);

/// In block style with its line end, nested by `step` spaces; texts of several lines as `|` blocks.
std::string write_block(const YamlValue& value, std::size_t step = 2);
/// On one line: `{a: 1, b: [x, "y z"]}`.
std::string write_flow(const YamlValue& value);
/// A text so that YAML reads the same text back, on one line: plain where that is safe (`in_flow`:
/// also between brackets), else in double quotes.
std::string write_text(std::string_view text, bool in_flow);
std::string double_quoted(std::string_view text);
/// A text of several lines as a block with its header and last line end (`|` + "\n  a\n  b\n"), its
/// lines indented; nothing where a block could not say the same.
std::optional<std::string> write_literal(std::string_view text, std::size_t indent);
/// Whether `text`, unquoted, is read back as this scalar (of whatever meaning).
bool is_plain_safe(std::string_view text, bool in_flow);

}  // namespace atalaya::config
