// Changes to a YAML text that a person wrote: only the bytes that must change do.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/yaml.h"
#include "config/yaml_value.h"

namespace atalaya::config {

/// Keys from the root downwards; an item of a list by its index, as digits.
using YamlPath = std::vector<std::string>;

namespace edit {
struct Difference;
}

/// A YAML text under change. Comments, order, quoting and every untouched byte stay. Each change is
/// proved by reading the new text: it must mean the old value with that one change, else the text
/// stays as it was and the answer is unprocessable (as where an alias would carry the change to
/// another place). not_found where the path leads nowhere. Thread-compatible.
///
/// *Bare text* is how a node is shown to people and taken from them: YAML at indent 0 with the comments that
/// stand directly above its key or dash, without the key itself; the comment on the key's line stays there.
/// An *entry's text* has the key (or dash) as well. A mistake in a given text has a place without a file.
class YamlEditor {
 public:
  static Result<YamlEditor> open(std::string text, std::string file, const YamlLimits& limits = {});

  const std::string& text() const { return document_.text(); }
  const Document& document() const { return document_; }
  /// By how many spaces this text nests mappings.
  std::size_t step() const;

  /// Replaces a scalar (or nothing) by a scalar, in the style that was there where the new value allows.
  Status set(const YamlPath& path, const YamlValue& scalar);
  /// As one `set` after the other with a text, but the new text is read once for all. Either all or none: unprocessable
  /// too where one is an alias, a block or tagged.
  Status set_all(const std::vector<std::pair<YamlPath, std::string>>& texts);
  /// Makes whatever stands there mean `value`: of mappings and lists the parts that differ are changed, so that
  /// the comments of the others stay.
  Status replace(const YamlPath& path, const YamlValue& value);
  /// Adds a key at the end of a mapping (or of nothing, which becomes one). already_exists.
  Status insert(const YamlPath& mapping, const std::string& key, const YamlValue& value);
  /// Adds an item at the end of a list (or of nothing, which becomes one).
  Status append(const YamlPath& list, const YamlValue& value);
  /// Takes an entry or item away, with the comment on its line, the comment lines that stand
  /// directly above it (the first of its file keeps those: they may speak of the file), and those after it
  /// that stand further right.
  Status remove(const YamlPath& path);
  /// Gives a key another name, in its quoting. already_exists.
  Status rename(const YamlPath& path, const std::string& name);

  Result<std::string> bare_text(const YamlPath& path) const;
  /// One entry (item) as a mapping (list) of its own.
  Result<std::string> entry_text(const YamlPath& path) const;
  /// The node and its comments become what the bare text says; lines that stay keep their bytes.
  Status replace_text(const YamlPath& path, std::string_view bare);
  /// Adds the entries (items) of a text at the end of a mapping or list (or of nothing), with their comments;
  /// between brackets without them. A blank line comes before where all that is there is parted so, or `parted`.
  Status insert_text(const YamlPath& collection, std::string_view entries, bool parted = false);

 private:
  YamlEditor(Document document, const YamlLimits& limits) : document_(std::move(document)), limits_(limits) {}

  struct Change {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string text;
  };
  struct Addition;
  Result<Document> changed_by(std::vector<Change> changes) const;
  Status apply(std::vector<Change> changes, const edit::Difference& expected);
  Change change_of(const Node& scalar, const YamlValue& to, bool in_flow, bool is_root) const;
  Status add(const YamlPath& path, const Addition& addition);
  std::vector<Change> block_changes(std::size_t at, std::string block) const;
  Result<YamlEditor> with_line_end() const;
  Status replace_whole(const YamlPath& path, const YamlValue& value);
  Status replace_parts(const YamlPath& path, const YamlValue& value, int& budget);

  Document document_;
  YamlLimits limits_;
};

/// The text of an entry of a mapping: `key` and below it what the bare text says, its first comments above the key.
Result<std::string> entry_of_bare(const std::string& key, std::string_view bare, std::size_t step);
/// The same as an item of a list.
Result<std::string> item_of_bare(std::string_view bare);
/// `key` with a block of entries or items below it, their comments included.
std::string entry_of_block(const std::string& key, std::string_view block, std::size_t step);

}  // namespace atalaya::config
