// Changes to a YAML text that a person wrote: only the bytes that must change do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/yaml.h"
#include "config/yaml_value.h"

namespace atalaya::config {

/// Keys from the root downwards; an item of a list by its index, as digits.
using YamlPath = std::vector<std::string>;

/// A YAML text under change. Comments, order, quoting and every untouched byte stay. Each change is
/// proved by reading the new text: it must mean the old value with that one change, else the text
/// stays as it was and the answer is unprocessable (as where an alias would carry the change to
/// another place). not_found where the path leads nowhere. Thread-compatible.
class YamlEditor {
 public:
  static Result<YamlEditor> open(std::string text, std::string file, const YamlLimits& limits = {});

  const std::string& text() const { return document_.text(); }
  const Document& document() const { return document_; }

  /// Replaces a scalar (or nothing) by a scalar, in the style that was there where the new value allows.
  Status set(const YamlPath& path, const YamlValue& scalar);
  /// Adds a key at the end of a mapping (or of nothing, which becomes one). already_exists.
  Status insert(const YamlPath& mapping, const std::string& key, const YamlValue& value);
  /// Adds an item at the end of a list (or of nothing, which becomes one).
  Status append(const YamlPath& list, const YamlValue& value);
  /// Takes an entry or item away, with the comment on its line and the comment lines that stand
  /// directly above it (the first of its mapping keeps those: they may speak of the file).
  Status remove(const YamlPath& path);
  /// Gives a key another name, in its quoting. already_exists.
  Status rename(const YamlPath& path, const std::string& name);

 private:
  YamlEditor(Document document, const YamlLimits& limits) : document_(std::move(document)), limits_(limits) {}

  struct Change {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string text;
  };
  Status apply(std::vector<Change> changes, const YamlPath& path, const YamlValue& expected);
  Status add(const YamlPath& path, const std::string* key, const YamlValue& value);

  Document document_;
  YamlLimits limits_;
};

}  // namespace atalaya::config
