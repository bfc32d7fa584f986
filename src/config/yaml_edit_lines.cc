#include "config/yaml_edit_lines.h"

#include <algorithm>

namespace atalaya::config::edit {
namespace {

bool is_block_scalar(const Node& node) {
  return node.style() == Node::Style::kLiteral || node.style() == Node::Style::kFolded;
}

/// Where the comment lines of this column begin that end at `line`.
std::size_t comments_above(const std::string& text, std::size_t line, std::size_t column) {
  const Lines lines(text);
  while (line > 0) {
    const auto above = lines.begin(line - 1);
    if (above >= line || lines.comment_column(above) != column) break;
    line = above;
  }
  return line;
}

}  // namespace

std::size_t Lines::begin(std::size_t at) const {
  const auto before = at == 0 ? std::string::npos : text_.rfind('\n', at - 1);
  if (before != std::string::npos) return before + 1;
  return at >= 3 && text_.starts_with("\xef\xbb\xbf") ? 3 : 0;
}

std::size_t Lines::end(std::size_t at) const {
  const auto next = text_.find('\n', at);
  return next == std::string::npos ? text_.size() : next + 1;
}

std::size_t Lines::comment_column(std::size_t line) const {
  const auto first = text_.find_first_not_of(" \t", line);
  return first != std::string::npos && text_[first] == '#' ? first - line : std::string::npos;
}

bool Lines::carriage_returns() const {
  const auto first = text_.find('\n');
  return first != std::string::npos && first > 0 && text_[first - 1] == '\r';
}

std::size_t end_of(const Node::Entry& entry) { return std::max(entry.key->end(), entry.value->end()); }

std::size_t content_end(const std::string& text, const Node& node) {
  const auto* last = &node;
  while (last->style() == Node::Style::kBlock && !last->is_alias()) {
    const Node* child = nullptr;
    for (const auto& entry : last->entries()) {
      if (!entry.merged && (!child || end_of(entry) >= child->end())) child = entry.value;
    }
    for (const auto* item : last->items()) child = item;
    if (!child || child->end() < last->end()) break;
    last = child;
  }
  auto end = last->end();
  if (!is_block_scalar(*last) || last->is_alias()) return end;
  const auto header = text.substr(last->begin(), text.find_first_of(" \r\n", last->begin()) - last->begin());
  if (header.find('+') != std::string::npos) return end > 0 && text[end - 1] == '\n' ? end - 1 : end;
  while (end > last->begin() && (text[end - 1] == '\n' || text[end - 1] == '\r' || text[end - 1] == ' ')) --end;
  return end;
}

std::size_t dash_of(const std::string& text, const Node& list, std::size_t index) {
  if (index == 0) return list.begin();
  const Lines lines(text);
  auto line = lines.end(content_end(text, *list.items()[index - 1]));
  while (line < text.size()) {
    const auto first = text.find_first_not_of(" \t", line);
    if (first != std::string::npos && text[first] == '-') return first;
    line = lines.end(line);
  }
  return text.size();
}

std::size_t past_comments(const std::string& text, std::size_t line, std::size_t column) {
  const Lines lines(text);
  auto end = line;
  while (line < text.size()) {
    const auto next = lines.end(line);
    if (!lines.blank(line, next)) {
      const auto at = lines.comment_column(line);
      if (at == std::string::npos || at <= column) break;
      end = next;
    }
    line = next;
  }
  return end;
}

Block block_of(const std::string& text, const Target& target, bool in_root) {
  const Lines lines(text);
  Block block;
  block.begin = target.entry ? target.entry->key->full_begin() : dash_of(text, *target.parent, target.index);
  block.line = lines.begin(block.begin);
  if (const auto first = text.find_first_not_of(' ', block.line);
      target.entry && text[first] == '?' && first + 1 < block.begin && lines.blank(first + 1, block.begin)) {
    block.begin = first;
    block.explicit_key = true;
  }
  block.column = block.begin - block.line;
  block.own_line = lines.blank(block.line, block.begin);
  block.above = block.line;
  auto end = content_end(text, *target.node);
  if (target.entry) end = std::max(end, target.entry->key->end());
  // A block scalar that keeps its empty lines has its end at the beginning of a line.
  const auto after = end > block.begin && text[end - 1] == '\n' ? end : lines.end(end);
  block.end = past_comments(text, after, block.column);
  if (!block.own_line || (in_root && target.entry && target.index == 0)) return block;
  block.above = comments_above(text, block.line, block.column);
  return block;
}

std::pair<std::size_t, std::size_t> flow_cut(const std::string& text, std::size_t begin, std::size_t end,
                                             std::size_t previous_end, bool has_next) {
  const Lines lines(text);
  const auto line = lines.begin(begin);
  const auto comma = text.find_first_not_of(" \t\r\n", end);
  const bool has_comma = comma != std::string::npos && text[comma] == ',';
  const auto after = has_comma ? comma + 1 : end;
  const auto rest = std::min(text.find_first_not_of(" \t", after), text.size());
  const bool line_is_over = rest == text.size() || std::string_view("\r\n#").find(text[rest]) != std::string_view::npos;
  if (lines.blank(line, begin)) {
    if (!line_is_over) return {begin, rest};
    return {comments_above(text, line, begin - line), lines.end(after)};
  }
  if (!has_next) return {text.find('\n', previous_end) < begin ? begin : previous_end, end};
  if (!line_is_over) return {begin, rest};
  return {text.find_last_not_of(" \t", begin - 1) + 1, after};
}

std::string indented(std::string_view block, std::size_t indent) {
  std::string out;
  for (const auto line : split_lines(block)) {
    if (line != "\n" && line != "\r\n") out += std::string(indent, ' ');
    out += line;
  }
  return out;
}

std::string dedented(std::string_view block, std::size_t columns) {
  std::string out;
  for (auto line : split_lines(block)) {
    const bool whole = line.ends_with('\n');
    if (whole) line.remove_suffix(line.ends_with("\r\n") ? 2 : 1);
    const auto spaces = std::min(line.find_first_not_of(' '), line.size());
    out += line.substr(std::min(spaces, columns));
    if (whole) out += '\n';
  }
  return out;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

/// E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), on what lies between the common
/// beginning and end.
std::vector<std::pair<std::size_t, std::size_t>> common_lines(const std::vector<std::string_view>& a,
                                                              const std::vector<std::string_view>& b,
                                                              std::size_t bound) {
  std::size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  const auto n = static_cast<std::ptrdiff_t>(a.size() - head - tail);
  const auto m = static_cast<std::ptrdiff_t>(b.size() - head - tail);
  const auto most = std::min(n + m, static_cast<std::ptrdiff_t>(bound));

  std::vector<std::pair<std::size_t, std::size_t>> middle;
  std::vector<std::vector<std::ptrdiff_t>> rounds;  // furthest x of each diagonal, before each round
  std::vector<std::ptrdiff_t> furthest(static_cast<std::size_t>(2 * most + 3), 0);
  const auto at = [&](std::vector<std::ptrdiff_t>& v, std::ptrdiff_t k) -> std::ptrdiff_t& {
    return v[static_cast<std::size_t>(k + most + 1)];
  };
  const auto equal = [&](std::ptrdiff_t x, std::ptrdiff_t y) {
    return a[head + static_cast<std::size_t>(x)] == b[head + static_cast<std::size_t>(y)];
  };
  const auto down = [&](std::vector<std::ptrdiff_t>& v, std::ptrdiff_t k, std::ptrdiff_t d) {
    return k == -d || (k != d && at(v, k - 1) < at(v, k + 1));
  };
  bool done = n == 0 || m == 0;
  for (std::ptrdiff_t d = 0; d <= most && !done; ++d) {
    rounds.push_back(furthest);
    for (auto k = -d; k <= d && !done; k += 2) {
      auto x = down(furthest, k, d) ? at(furthest, k + 1) : at(furthest, k - 1) + 1;
      while (x < n && x - k < m && x - k >= 0 && equal(x, x - k)) ++x;
      at(furthest, k) = x;
      if (k != n - m || x < n) continue;
      done = true;
      auto y = x - k;
      for (auto back = d; back >= 0; --back) {  // the way back, round by round
        auto& before = rounds[static_cast<std::size_t>(back)];
        const auto diagonal = x - y;
        const bool came_down = down(before, diagonal, back);
        const auto from = came_down ? at(before, diagonal + 1) : at(before, diagonal - 1) + 1;
        while (x > from && (back > 0 || y > 0)) {
          --x;
          --y;
          middle.emplace_back(head + static_cast<std::size_t>(x), head + static_cast<std::size_t>(y));
        }
        if (back == 0) break;
        if (came_down) {
          --y;
        } else {
          --x;
        }
      }
    }
  }

  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (std::size_t i = 0; i < head; ++i) out.emplace_back(i, i);
  out.insert(out.end(), middle.rbegin(), middle.rend());
  for (auto i = tail; i > 0; --i) out.emplace_back(a.size() - i, b.size() - i);
  return out;
}

}  // namespace atalaya::config::edit
