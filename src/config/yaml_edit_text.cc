// Nodes as text: shown bare, taken along as entries, and put in place of others.
#include <fmt/format.h>

#include <algorithm>

#include "config/yaml_edit.h"
#include "config/yaml_edit_lines.h"
#include "config/yaml_edit_parts.h"
#include "config/yaml_edit_proof.h"

namespace atalaya::config {

using edit::Block;
using edit::cannot;
using edit::Difference;
using edit::find;
using edit::Lines;
using edit::Target;
using What = edit::Difference::What;

namespace {

/// The value of an entry or item of a block collection, as it stands.
struct Hung {
  Block block;
  std::size_t value = 0;   ///< where its text begins: behind key or dash, or on a line below
  std::size_t column = 0;  ///< by which its further lines are moved left when it is shown bare
  bool below = false;      ///< it has lines of its own
};

Hung hung_of(const std::string& text, const Target& target, bool in_root) {
  const Lines lines(text);
  Hung hung;
  hung.block = edit::block_of(text, target, in_root);
  const auto& node = *target.node;
  const bool nothing = node.full_begin() == node.end();
  const auto key_end = target.entry ? target.entry->key->end() : hung.block.begin + 1;
  const auto key_line_end = lines.end(key_end);
  hung.column = hung.block.column;
  if (nothing) {
    hung.below = true;
    hung.value = std::min(key_line_end, hung.block.end);
    return hung;
  }
  hung.below = node.full_begin() >= key_line_end;
  hung.value = hung.below ? key_line_end : node.full_begin();
  // Below a key the collection has a column of its own; so it has behind a dash.
  const auto column = node.full_begin() - lines.begin(node.full_begin());
  const bool collection = !node.is_alias() && !node.is_scalar() && node.style() == Node::Style::kBlock;
  if (hung.below || (collection && !target.entry && node.begin() == node.full_begin())) hung.column = column;
  return hung;
}

bool is_comment_or_blank(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos || line[first] == '#';
}

/// A given bare text, read.
struct Bare {
  std::vector<std::string> leading;  ///< comment and blank lines before its content
  std::string body;                  ///< the content and what follows it, its own column at 0
  YamlValue value;
  bool block = false;  ///< a collection in block style: it stands below its key
};

Result<Bare> read_bare(std::string_view text) {
  AT_TRY(const auto document, Document::parse(std::string(text), ""));
  const auto& root = document.root();
  Bare bare;
  bare.value = value_of(root);
  std::string plain = edit::dedented(text, 0);
  if (!plain.empty() && !plain.ends_with('\n')) plain += '\n';
  const auto lines = edit::split_lines(plain);
  std::size_t first = 0;
  while (first < lines.size() && is_comment_or_blank(lines[first])) bare.leading.emplace_back(lines[first++]);
  if (root.full_begin() == root.end()) return bare;  // no content: comments are all there is
  std::string body;
  for (auto i = first; i < lines.size(); ++i) body += lines[i];
  bare.body = edit::dedented(body, std::min(body.find_first_not_of(' '), body.size()));
  bare.block = !root.is_scalar() && root.style() == Node::Style::kBlock && root.begin() == root.full_begin();
  return bare;
}

/// `head` is a key with its colon, or a dash; `above` of the leading lines stand before it, the others below.
std::string hang(const std::string& head, const std::string& head_rest, const Bare& bare, std::size_t above,
                 std::size_t step, bool of_list) {
  std::string out;
  for (std::size_t i = 0; i < above; ++i) out += bare.leading[i];
  std::string inside;
  for (auto i = above; i < bare.leading.size(); ++i) inside += bare.leading[i];
  if (bare.body.empty()) return out + head + head_rest + '\n' + edit::indented(inside, step);
  if (bare.block && (!of_list || !inside.empty() || !head_rest.empty())) {
    return out + head + head_rest + '\n' + edit::indented(inside + bare.body, step);
  }
  const auto first_line = bare.body.find('\n') + 1;
  const auto rest = std::string_view(bare.body).substr(first_line);
  // Further lines of flow collections and texts must stand right of the key.
  std::size_t indent = of_list ? 2 : step;
  if (!bare.block) {
    const auto lines = edit::split_lines(rest);
    const bool right =
        std::all_of(lines.begin(), lines.end(), [](auto line) { return line.find_first_not_of(" \r\n") != 0; });
    if (right) indent = 0;
  }
  out += inside.empty() ? head : edit::indented(inside, step) + head;
  return out + ' ' + bare.body.substr(0, first_line) + edit::indented(rest, indent);
}

/// How many of the leading lines stand above the key, where so many did before: those that are the same as
/// before stay on their side.
std::size_t split_leading(const std::vector<std::string>& now, const std::vector<std::string>& above,
                          const std::vector<std::string>& inside) {
  if (inside.empty()) return now.size();
  std::size_t same = 0;
  while (same < above.size() && same < now.size() && above[same] == now[same]) ++same;
  if (same == above.size()) return same;
  std::size_t tail = 0;
  while (tail < inside.size() && tail < now.size() && inside[inside.size() - 1 - tail] == now[now.size() - 1 - tail]) {
    ++tail;
  }
  return now.size() - tail;
}

std::vector<std::string> leading_lines(const std::string& text) {
  std::vector<std::string> out;
  for (const auto line : edit::split_lines(text)) {
    if (!is_comment_or_blank(line)) break;
    out.emplace_back(line);
  }
  return out;
}

}  // namespace

namespace edit {

bool are_parted(const std::string& text, const Node& collection) {
  const Lines lines(text);
  const bool mapping = collection.is_mapping();
  std::size_t count = 0;
  for (const auto& entry : collection.entries()) count += entry.merged ? 0 : 1;
  if (!mapping) count = collection.items().size();
  for (std::size_t i = 1; i < count; ++i) {
    Target target{.node = mapping ? collection.entries()[i].value : collection.items()[i], .parent = &collection};
    if (mapping) target.entry = &collection.entries()[i];
    target.index = i;
    const auto above = block_of(text, target, false).above;
    if (above == 0 || !lines.blank_line(lines.begin(above - 1))) return false;
  }
  return count > 1;
}

}  // namespace edit

Result<std::string> entry_of_bare(const std::string& key, std::string_view text, std::size_t step) {
  AT_TRY(const auto bare, read_bare(text));
  return hang(write_text(key, false) + ':', "", bare, bare.leading.size(), step, false);
}

Result<std::string> item_of_bare(std::string_view text) {
  AT_TRY(const auto bare, read_bare(text));
  return hang("-", "", bare, bare.leading.size(), 2, true);
}

std::string entry_of_block(const std::string& key, std::string_view block, std::size_t step) {
  return write_text(key, false) + ":\n" + edit::indented(block, step);
}

Result<std::string> YamlEditor::bare_text(const YamlPath& path) const {
  AT_TRY(const auto target, find(document_, path));
  const auto& text = document_.text();
  const auto& node = *target.node;
  if (!target.parent) return text;
  if (target.parent->style() == Node::Style::kFlow) {
    const auto line = node.full_begin() - Lines(text).begin(node.full_begin());
    return edit::dedented(text.substr(node.full_begin(), node.end() - node.full_begin()), line) + '\n';
  }
  const auto hung = hung_of(text, target, path.size() == 1);
  auto out = edit::dedented(text.substr(hung.block.above, hung.block.line - hung.block.above), hung.block.column) +
             edit::dedented(text.substr(hung.value, hung.block.end - hung.value), hung.column);
  if (!out.empty() && !out.ends_with('\n')) out += '\n';
  return out;
}

Result<std::string> YamlEditor::entry_text(const YamlPath& path) const {
  AT_TRY(const auto target, find(document_, path));
  const auto& text = document_.text();
  const auto& node = *target.node;
  if (!target.parent) return cannot(node, path, "it is a whole file");
  if (target.parent->style() == Node::Style::kFlow) {
    if (!target.entry) {
      AT_TRY(const auto bare, bare_text(path));
      return item_of_bare(bare);
    }
    const auto begin = target.entry->key->full_begin();
    const auto column = begin - Lines(text).begin(begin);
    return edit::dedented(text.substr(begin, edit::end_of(*target.entry) - begin), column) + '\n';
  }
  const auto block = edit::block_of(text, target, path.size() == 1);
  const auto begin = block.own_line ? block.above : block.begin;
  auto out = edit::dedented(text.substr(begin, block.end - begin), block.column);
  if (!out.ends_with('\n')) out += '\n';
  return out;
}

Status YamlEditor::replace_text(const YamlPath& path, std::string_view given) {
  AT_TRY(const auto target, find(document_, path));
  if (target.node->is_alias()) return cannot(*target.node, path, "it is an alias");
  AT_TRY(const auto bare, read_bare(given));
  const auto& text = document_.text();
  const Difference expected{.what = What::kValue, .path = path, .value = bare.value};
  if (!target.parent) return apply({{0, text.size(), std::string(given)}}, expected);
  if (target.parent->style() == Node::Style::kFlow) return replace(path, bare.value);

  const auto hung = hung_of(text, target, path.size() == 1);
  const auto& block = hung.block;
  const Lines lines(text);
  const auto key_end = target.entry ? text.find(':', target.entry->key->end()) + 1 : block.begin + 1;
  auto head = text.substr(block.begin, key_end - block.begin);
  std::string rest;  // the comment on the key's line
  if (hung.below) rest = edit::dedented(text.substr(key_end, hung.value - key_end), 0);
  while (rest.ends_with('\n') || rest.ends_with(' ')) rest.pop_back();

  const auto above = leading_lines(edit::dedented(text.substr(block.above, block.line - block.above), block.column));
  const auto inside = hung.below
                          ? leading_lines(edit::dedented(text.substr(hung.value, block.end - hung.value), hung.column))
                          : std::vector<std::string>();
  const bool owns_above = block.own_line && (path.size() > 1 || target.index > 0 || !target.entry);
  const auto split = owns_above ? split_leading(bare.leading, above, inside) : 0;
  const auto step = hung.below && hung.column >= block.column && target.node->full_begin() != target.node->end()
                        ? hung.column - block.column
                        : this->step();
  auto now = hang(head, rest, bare, split, step, !target.entry);
  if (now == "") return cannot(*target.node, path, "nothing was given");

  // Lines that stay keep their bytes, also where they stand further left than the item.
  const auto from = block.own_line ? block.above : block.begin;
  const auto raw = text.substr(from, block.end - from);
  std::string first_indent = block.own_line ? "" : std::string(block.column, ' ');
  const auto padded = first_indent + raw;
  const auto before = edit::dedented(padded, block.column);
  if (!before.ends_with('\n') && now.ends_with('\n')) now.pop_back();
  const auto raw_lines = edit::split_lines(padded);
  const auto now_lines = edit::split_lines(now);
  std::string kept;
  auto pairs = edit::common_lines(edit::split_lines(before), now_lines);
  auto next = pairs.begin();
  for (std::size_t i = 0; i < now_lines.size(); ++i) {
    if (next != pairs.end() && next->second == i) {
      kept += raw_lines[next++->first];
    } else {
      kept += edit::indented(now_lines[i], block.column);
    }
  }
  const auto strip = first_indent.size();
  if (const auto done = apply({{from, block.end, kept.substr(std::min(strip, kept.size()))}}, expected)) return done;
  return apply({{from, block.end, edit::indented(now, block.column).substr(strip)}}, expected);
}

Status YamlEditor::replace(const YamlPath& path, const YamlValue& value) {
  // Beyond some dozens of parts it costs more to read the text again after each than their comments are worth.
  constexpr int kMostParts = 64;
  auto budget = kMostParts;
  auto before = document_;
  if (replace_parts(path, value, budget)) return {};
  document_ = std::move(before);
  return replace_whole(path, value);
}

Status YamlEditor::replace_parts(const YamlPath& path, const YamlValue& value, int& budget) {
  AT_TRY(const auto target, find(document_, path));
  const auto& node = *target.node;
  if (edit::means(node, value)) return {};
  if (budget-- <= 0) return cannot(node, path, "too much changes");
  const auto below = [&](const std::string& part) {
    auto deeper = path;
    deeper.push_back(part);
    return deeper;
  };
  if (node.is_scalar() && value.items.empty() && value.entries.empty() && value.kind != YamlValue::Kind::kMap &&
      value.kind != YamlValue::Kind::kList) {
    return set(path, value);
  }
  const auto same_kind = value.tag == node.tag() && !node.is_alias() &&
                         ((node.is_mapping() && value.kind == YamlValue::Kind::kMap && !value.entries.empty()) ||
                          (node.is_sequence() && value.kind == YamlValue::Kind::kList && !value.items.empty()));
  if (!same_kind) return replace_whole(path, value);

  const auto old = value_of(node);  // the tree goes away with each change
  for (std::size_t i = 0; i < value.entries.size(); ++i) {
    const auto& [key, part] = value.entries[i];
    const auto* there = old.get(key);
    if (there && *there == part) continue;
    if (there) {
      AT_TRY(replace_parts(below(key), part, budget));
    } else {
      if (budget-- <= 0) return cannot(*find(document_, path)->node, path, "too much changes");
      AT_TRY(insert(path, key, part));
    }
  }
  for (const auto& [key, part] : old.entries) {
    if (!value.get(key)) AT_TRY(remove(below(key)));
  }
  const auto common = std::min(old.items.size(), value.items.size());
  for (std::size_t i = 0; i < common; ++i) AT_TRY(replace_parts(below(std::to_string(i)), value.items[i], budget));
  for (auto i = common; i < value.items.size(); ++i) AT_TRY(append(path, value.items[i]));
  for (auto i = old.items.size(); i > common; --i) AT_TRY(remove(below(std::to_string(i - 1))));
  return {};
}

Status YamlEditor::replace_whole(const YamlPath& path, const YamlValue& value) {
  AT_TRY(const auto target, find(document_, path));
  const auto& node = *target.node;
  const auto& text = document_.text();
  const Lines lines(text);
  const Difference expected{.what = What::kValue, .path = path, .value = value};
  if (!target.parent) return apply({{node.full_begin(), text.size(), write_block(value, step())}}, expected);
  const auto flow = write_flow(value);
  if (target.in_flow || target.parent->style() == Node::Style::kFlow) {
    const std::string space = node.full_begin() == node.end() ? " " : "";
    return apply({{node.full_begin(), node.end(), space + flow}}, expected);
  }
  const auto hung = hung_of(text, target, path.size() == 1);
  const auto& block = hung.block;
  const bool as_block = (!value.entries.empty() || !value.items.empty()) && value.tag.empty();
  const auto key_end = target.entry ? text.find(':', target.entry->key->end()) + 1 : block.begin + 1;
  const auto content = std::max(edit::content_end(text, node), key_end);
  if (!target.entry && as_block) {
    const auto hanging = edit::indented(write_block(value, step()), block.column + 2).substr(block.column + 2);
    return apply({{key_end, content, ' ' + hanging.substr(0, hanging.size() - 1)}}, expected);
  }
  const auto step = hung.below && node.full_begin() != node.end() && hung.column > block.column
                        ? hung.column - block.column
                        : this->step();
  const auto written = edit::indented(write_block(value, this->step()), block.column + step);
  if (hung.below && node.full_begin() != node.end()) {  // the lines below the key
    const auto end = content > 0 && text[content - 1] == '\n' ? content : lines.end(content);
    if (as_block) return apply({{hung.value, end, written}}, expected);
    return apply({{key_end, key_end, ' ' + flow}, {hung.value, end, ""}}, expected);
  }
  if (!as_block) return apply({{key_end, content, ' ' + flow}}, expected);
  if (edit::is_block_scalar(node))
    return apply({{key_end, content, '\n' + written.substr(0, written.size() - 1)}}, expected);
  auto changes = block_changes(lines.end(content), written);
  changes.push_back({key_end, content, ""});
  return apply(std::move(changes), expected);
}

}  // namespace atalaya::config
