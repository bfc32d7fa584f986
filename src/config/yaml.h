// YAML as a person wrote it: a tree whose every node knows its place and bytes in the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::config {

/// What a text may cost its reader. Texts come from people and from the API, so each has a bound.
struct YamlLimits {
  std::size_t bytes = 8 << 20;
  std::size_t depth = 64;
  /// Nodes after every alias is replaced by what it stands for: the bound on alias bombs.
  std::size_t nodes = 500'000;
};

class YamlBuilder;
class YamlComposer;

/// A scalar, sequence or mapping. Immutable; lives as long as its Document.
///
/// Plain scalars mean what YAML 1.2's core schema says: `true`/`false` alone are booleans (`yes` and
/// `on` are text), `~`, `null` and nothing are null. An alias is a node of its own place that has the
/// content of its anchor; `<<` merges are resolved, their entries come last and are marked.
class Node {
 public:
  enum class Kind { kScalar, kSequence, kMapping };
  enum class Style { kPlain, kSingleQuoted, kDoubleQuoted, kLiteral, kFolded, kBlock, kFlow };
  struct Entry {
    const Node* key = nullptr;  ///< always a scalar, unique within its mapping
    const Node* value = nullptr;
    bool merged = false;  ///< came through `<<`
  };

  Kind kind() const { return kind_; }
  bool is_scalar() const { return kind_ == Kind::kScalar; }
  bool is_sequence() const { return kind_ == Kind::kSequence; }
  bool is_mapping() const { return kind_ == Kind::kMapping; }
  /// A plain `~`, `null` or nothing at all.
  bool is_null() const;
  Style style() const { return style_; }
  /// As written (`!secret`, `tag:yaml.org,2002:str`), "" if none.
  const std::string& tag() const { return tag_; }
  bool is_alias() const { return alias_; }

  const std::string& text() const { return text_; }              ///< of a scalar, unquoted; else ""
  std::span<const Node* const> items() const { return items_; }  ///< of a sequence; else empty
  std::span<const Entry> entries() const { return entries_; }    ///< of a mapping, as written; else empty
  const Node* get(std::string_view key) const;                   ///< null if absent or no mapping
  const Node* get(std::initializer_list<std::string_view> path) const;

  /// Where it begins, for messages.
  Place place() const { return {*file_, line_, column_}; }
  /// Its bytes in Document::text(), without tag and anchor. A block collection ends where its last
  /// child ends; a block scalar at the start of the line after it.
  std::size_t begin() const { return begin_; }
  std::size_t end() const { return end_; }
  /// The same with tag and anchor.
  std::size_t full_begin() const { return full_begin_; }

 private:
  friend class YamlBuilder;
  friend class YamlComposer;
  Kind kind_ = Kind::kScalar;
  Style style_ = Style::kPlain;
  bool alias_ = false;
  std::uint32_t line_ = 0;
  std::uint32_t column_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t full_begin_ = 0;
  std::size_t weight_ = 1;  ///< nodes below and including this one, aliases counted as their content
  const std::string* file_ = nullptr;
  std::string tag_;
  std::string text_;
  std::vector<const Node*> items_;
  std::vector<Entry> entries_;
};

/// A parsed text with its tree. Immutable; moving it keeps its nodes where they are.
class Document {
 public:
  /// One YAML document; an empty text is a null scalar. `file` is for messages only. Errors carry the
  /// place: invalid_argument for what is not YAML (also a key twice, a second document, an unknown or
  /// recursive alias, a key that is no scalar), too_large beyond a limit.
  static Result<Document> parse(std::string text, std::string file, const YamlLimits& limits = {});
  /// The same, but keys that stand twice (the first stays) or are no text become errors of the list, so that whatever
  /// else is wrong can be told along with them.
  static Result<Document> parse(std::string text, std::string file, std::vector<Error>& told,
                                const YamlLimits& limits = {});

  const Node& root() const { return *root_; }
  /// Entries of one of its mappings that became errors instead; their keys may be no scalars.
  std::span<const Node::Entry> left_out(const Node& mapping) const;
  /// Does the key of such an entry stand there?
  bool is_left_out(const Place& key) const;
  const std::string& text() const;
  const std::string& file() const;

 private:
  struct Storage;
  Document(std::shared_ptr<const Storage> storage, const Node* root) : storage_(std::move(storage)), root_(root) {}
  friend class YamlBuilder;
  friend class YamlComposer;
  std::shared_ptr<const Storage> storage_;
  const Node* root_;
};

/// "a mapping", "a list", "the text \"abc\"": what stands there, for messages.
std::string describe(const Node& node);
/// A scalar that is neither null nor a boolean nor a number.
bool is_text(const Node& node);
/// Whether these characters, as a plain scalar, are a text.
bool is_plain_text(std::string_view text);
/// Same content, whatever the writing: style, comments, places and order of keys do not count.
bool same_value(const Node& a, const Node& b);

// Accessors: invalid_argument with the node's place where it is something else.

/// Any scalar but null; numbers and booleans as they are written.
Result<std::string> as_text(const Node& node);
Result<std::int64_t> as_integer(const Node& node);  ///< decimal, or 0x…, 0o…
Result<double> as_number(const Node& node);         ///< also .inf, -.inf, .nan
Result<bool> as_boolean(const Node& node);
Result<Duration> as_duration(const Node& node);  ///< `1h30m`, `15s`
/// `512`, `64kB`, `8MB`, `1GB` (powers of 1000) and `64KiB`, `8MiB`, `1GiB` (of 1024).
Result<std::uint64_t> as_bytes(const Node& node);

}  // namespace atalaya::config
