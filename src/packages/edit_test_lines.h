// Which lines of a file a change may touch, found without the help of the editor.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "config/yaml.h"
#include "config/yaml_edit.h"

namespace atalaya::packages {

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    out.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return out;
}

inline std::size_t line_at(const std::string& text, std::size_t offset) {
  return static_cast<std::size_t>(
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size())), '\n'));
}

/// Lines of a file that a change may touch: the text before the first and after the last of them is to stay, and so
/// is every line between that is not `free`.
struct Touched {
  std::size_t begin = std::string::npos;
  std::size_t end = 0;
  std::vector<std::size_t> free;

  void lines(std::size_t from, std::size_t to) {
    gap(from, to);
    for (auto i = from; i < to; ++i) free.push_back(i);
  }
  void gap(std::size_t from, std::size_t to) {
    begin = std::min(begin, from);
    end = std::max(end, to);
  }
};

/// A file as it was before a change, seen without the help of the editor.
class Before {
 public:
  Before(const std::string& text, const config::YamlPath& path)
      : text_(text), lines_(lines_of(text)), document_(config::Document::parse(text, "before").value()) {
    nodes_.push_back(&document_.root());
    keys_.push_back(nullptr);
    for (const auto& part : path) {
      const auto& parent = *nodes_.back();
      const config::Node* next = nullptr;
      const config::Node* key = nullptr;
      for (const auto& entry : parent.entries()) {
        if (entry.key->text() == part) {
          next = entry.value;
          key = entry.key;
        }
      }
      if (parent.is_sequence() && std::stoul(part) < parent.items().size()) next = parent.items()[std::stoul(part)];
      if (!next) break;
      nodes_.push_back(next);
      keys_.push_back(key);
    }
  }

  std::size_t depth() const { return nodes_.size() - 1; }
  const config::Node& node() const { return *nodes_.back(); }

  /// The node's own lines: a scalar's.
  void value(Touched& touched) const { touched.lines(first(node().full_begin()), last_line(node())); }

  /// The whole of it: comments above, key, content, comments below that stand further right; a blank line after it.
  void whole(Touched& touched) const {
    const auto begin = start();
    auto from = first(begin);
    const auto column = column_of(begin);
    auto to = past_comments(last_line(node()), column);
    while (from > 0 && comment_column(from - 1) == column) --from;
    if (to < lines_.size() && blank(to)) ++to;
    // The next one moves up behind the dash.
    const auto sign = lines_[first(begin)].find_first_not_of(' ');
    const bool shared =
        sign < column && std::string_view("-:").find(lines_[first(begin)][sign]) != std::string_view::npos;
    touched.lines(from, shared ? std::min(to + 1, lines_.size()) : to);
    // The last one of a collection leaves braces behind its key; the lines between stay.
    if (nodes_.size() > 2) {
      const auto& parent = *nodes_[nodes_.size() - 2];
      if (parent.entries().size() + parent.items().size() == 1)
        touched.lines(first(start(nodes_.size() - 2)), first(start(nodes_.size() - 2)) + 1);
    }
  }

  /// Its last lines, the comments after it that stand further right among them.
  void tail(Touched& touched) const {
    touched.gap(last_line(node()), past_comments(last_line(node()), column_of(start())));
  }

  void key_line(Touched& touched) const { touched.lines(first(start()), first(start()) + 1); }

  /// Something new at the end of the collection.
  void end_of(Touched& touched) const {
    const bool empty = node().entries().empty() && node().items().empty();
    const bool braces = node().style() == config::Node::Style::kFlow || empty;
    const auto end = last_line(node());
    if (braces && nodes_.size() > 1)
      touched.lines(first(start(nodes_.size() - 1)), std::max(end, first(start(nodes_.size() - 1)) + 1));
    const auto column = empty ? 0 : column_of(node().begin());
    touched.gap(end, past_comments(end, column));
    if (!text_.ends_with('\n') && end >= lines_.size()) {
      // It gets a line end, and a block of text there says that it has none.
      touched.lines(lines_.size() - 1, lines_.size());
      const auto* last = &node();
      while (!last->entries().empty() || !last->items().empty()) {
        last = last->is_mapping() ? last->entries().back().value : last->items().back();
      }
      touched.lines(first(last->begin()), first(last->begin()) + 1);
    }
    if (empty && nodes_.size() == 1) touched.gap(0, lines_.size());
  }

 private:
  /// Of the key or dash.
  std::size_t start(std::size_t index) const {
    if (keys_[index]) return keys_[index]->full_begin();
    const auto at = nodes_[index]->full_begin();
    return index > 0 && nodes_[index - 1]->style() == config::Node::Style::kBlock ? text_.rfind('-', at - 1) : at;
  }
  std::size_t start() const { return start(nodes_.size() - 1); }
  std::size_t first(std::size_t offset) const { return line_at(text_, offset); }
  std::size_t column_of(std::size_t offset) const {
    const auto before = offset == 0 ? std::string::npos : text_.rfind('\n', offset - 1);
    return before == std::string::npos ? offset : offset - before - 1;
  }
  /// Past the last line of its content. Empty lines after a block of text are its own only where it keeps them.
  std::size_t last_line(const config::Node& node) const {
    const config::Node* last = &node;
    while (last->style() == config::Node::Style::kBlock && !last->is_alias() &&
           (!last->entries().empty() || !last->items().empty())) {
      const config::Node* child = nullptr;
      for (const auto& entry : last->entries()) {
        if (!entry.merged) child = entry.value->end() > entry.key->end() ? entry.value : entry.key;
      }
      if (last->is_sequence()) child = last->items().back();
      if (!child) return first(last->end()) + 1;
      last = child;
    }
    if ((last->style() == config::Node::Style::kLiteral || last->style() == config::Node::Style::kFolded) &&
        !last->is_alias()) {
      auto to = last->end() >= text_.size() ? lines_.size() : first(last->end());
      const bool keeps = lines_[first(last->begin())].find("|+") != std::string::npos;
      while (!keeps && to > 0 && blank(to - 1)) --to;
      return to;
    }
    return std::max(first(last->end()), first(last->begin())) + 1;
  }
  bool blank(std::size_t line) const { return lines_[line].find_first_not_of(" \t\r\n") == std::string::npos; }
  std::size_t comment_column(std::size_t line) const {
    const auto at = lines_[line].find_first_not_of(" \t");
    return at != std::string::npos && lines_[line][at] == '#' ? at : std::string::npos;
  }
  std::size_t past_comments(std::size_t line, std::size_t column) const {
    auto end = std::min(line, lines_.size());
    for (; line < lines_.size(); ++line) {
      if (blank(line)) continue;
      const auto at = comment_column(line);
      if (at == std::string::npos || at <= column) break;
      end = line + 1;
    }
    return end;
  }

  const std::string& text_;
  const std::vector<std::string> lines_;
  const config::Document document_;
  std::vector<const config::Node*> nodes_;
  std::vector<const config::Node*> keys_;
};

/// "" where only touched lines changed; else what did.
inline std::string strayed(const std::string& before, const std::string& after, const Touched& touched) {
  const auto a = lines_of(before);
  const auto b = lines_of(after);
  const auto begin = std::min(touched.begin, a.size());
  const auto tail = a.size() - std::min(std::max(touched.end, begin), a.size());
  if (b.size() < begin + tail) return "lines are missing";
  for (std::size_t i = 0; i < begin; ++i) {
    if (a[i] != b[i]) return fmt::format("line {} changed: {}", i + 1, a[i]);
  }
  for (std::size_t i = 1; i <= tail; ++i) {
    if (a[a.size() - i] != b[b.size() - i])
      return fmt::format("line {} changed: {}", a.size() - i + 1, a[a.size() - i]);
  }
  auto next = begin;
  for (auto i = begin; i < a.size() - tail; ++i) {
    if (std::find(touched.free.begin(), touched.free.end(), i) != touched.free.end()) continue;
    while (next < b.size() - tail && b[next] != a[i]) ++next;
    if (next == b.size() - tail) return fmt::format("line {} is gone: {}", i + 1, a[i]);
    ++next;
  }
  return {};
}

}  // namespace atalaya::packages
