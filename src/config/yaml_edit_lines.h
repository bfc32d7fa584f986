// Lines and blocks of a YAML text, for changes in place. Internal to yaml_edit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/yaml.h"

namespace atalaya::config::edit {

/// Where a path leads.
struct Target {
  const Node* node = nullptr;
  const Node* parent = nullptr;        ///< null for the root
  const Node::Entry* entry = nullptr;  ///< of a mapping
  std::size_t index = 0;               ///< within the parent
  bool in_flow = false;                ///< the parent or one above it stands between brackets
};

/// The lines of a text; a byte order mark belongs to no line. Immutable, borrows the text.
class Lines {
 public:
  explicit Lines(const std::string& text) : text_(text) {}

  std::size_t begin(std::size_t at) const;
  std::size_t end(std::size_t at) const;  ///< past its line end
  /// Nothing but spaces from `from` up to `to`.
  bool blank(std::size_t from, std::size_t to) const { return text_.find_first_not_of(" \t\r\n", from) >= to; }
  bool blank_line(std::size_t line) const { return blank(line, end(line)); }
  /// Column of the `#` of a line that holds a comment alone; npos for any other.
  std::size_t comment_column(std::size_t line) const;
  bool carriage_returns() const;

 private:
  const std::string& text_;
};

/// Lines [above, end) are an entry's or item's own: the comments directly above it in its column, it, and the
/// comments after it that stand further right.
struct Block {
  std::size_t above = 0;      ///< where its comments begin, else `line`
  std::size_t line = 0;       ///< of its key or dash
  std::size_t begin = 0;      ///< its key or dash
  std::size_t end = 0;        ///< past its last line
  std::size_t column = 0;     ///< of `begin`
  bool own_line = true;       ///< false for the `a` of `- a: 1`
  bool explicit_key = false;  ///< `? key`, and `: value` below it: `begin` is the question mark
};

std::size_t end_of(const Node::Entry& entry);
/// Where the last character that belongs to a node stands (past it). A block scalar's node ends at
/// the next line with content; the empty lines before that are its only where it keeps them.
std::size_t content_end(const std::string& text, const Node& node);
/// The dash of an item of a block list.
std::size_t dash_of(const std::string& text, const Node& list, std::size_t index);
/// Past the comment lines from `line` on that stand right of `column`; blank lines between them count in.
std::size_t past_comments(const std::string& text, std::size_t line, std::size_t column);
/// Of an entry or item of a block collection. The comments above the first key of a file are the file's.
Block block_of(const std::string& text, const Target& target, bool in_root);

/// What goes away with an entry or item between brackets at [begin, end): where it has lines of its own, these, with
/// the comments above it in its column and the one behind it; else it and one comma. `previous_end` is `begin`
/// for the first.
std::pair<std::size_t, std::size_t> flow_cut(const std::string& text, std::size_t begin, std::size_t end,
                                             std::size_t previous_end, bool has_next);

/// Every line but empty ones moved right.
std::string indented(std::string_view block, std::size_t indent);
/// Every line moved left, as far as it has spaces; line ends become plain.
std::string dedented(std::string_view block, std::size_t columns);
/// With their line ends.
std::vector<std::string_view> split_lines(std::string_view text);

/// Lines that two texts have in common, in order, as pairs of their numbers. Where they differ in more than
/// `bound` lines the middle is taken as different.
std::vector<std::pair<std::size_t, std::size_t>> common_lines(const std::vector<std::string_view>& a,
                                                              const std::vector<std::string_view>& b,
                                                              std::size_t bound = 1000);

}  // namespace atalaya::config::edit
