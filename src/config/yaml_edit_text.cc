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
  const auto key_line_end = lines.end(hung.block.explicit_key ? text.find(':', key_end) : key_end);
  const auto column_of = [&](std::size_t at) { return at - lines.begin(at); };
  hung.column = hung.block.column;
  if (nothing) {
    hung.below = true;
    hung.value = std::min(key_line_end, hung.block.end);
    return hung;
  }
  hung.below = node.full_begin() >= key_line_end;
  hung.value = hung.below ? key_line_end : node.full_begin();
  // Below a key the collection has a column of its own; so it has behind a dash, or below its anchor.
  const bool collection = !node.is_alias() && !node.is_scalar() && node.style() == Node::Style::kBlock;
  if (hung.below) {
    hung.column = column_of(node.full_begin());
  } else if (collection && (!target.entry || hung.block.explicit_key || node.begin() >= key_line_end)) {
    hung.column = column_of(node.begin());
  }
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

/// What a value hangs on.
struct Hook {
  std::string head;       ///< a key with its colon, or a dash
  std::string rest;       ///< what else stands on its line: a comment
  std::string gap = " ";  ///< before a value on the same line
  std::size_t step = 2;   ///< by which the lines below are moved right
  bool of_list = false;
  bool below = false;  ///< the value begins on a line of its own, whatever it is
};

/// The first `above` of the leading lines stand before the hook, the others below it.
std::string hang(const Hook& hook, const Bare& bare, std::size_t above) {
  std::string out;
  for (std::size_t i = 0; i < above; ++i) out += bare.leading[i];
  std::string inside;
  for (auto i = above; i < bare.leading.size(); ++i) inside += bare.leading[i];
  out += hook.head + hook.rest;
  const bool below = hook.below || !hook.rest.empty() || !inside.empty() || (bare.block && !hook.of_list);
  if (bare.body.empty() || below) return out + '\n' + edit::indented(inside + bare.body, hook.step);
  const auto first_line = bare.body.find('\n') + 1;
  const auto rest = std::string_view(bare.body).substr(first_line);
  // Further lines of flow collections and texts must stand right of the key.
  const auto lines = edit::split_lines(rest);
  const bool right =
      std::all_of(lines.begin(), lines.end(), [](auto line) { return line.find_first_not_of(" \r\n") != 0; });
  return out + hook.gap + bare.body.substr(0, first_line) + edit::indented(rest, right && !bare.block ? 0 : hook.step);
}

/// How many of the leading lines stand above the key, where `above` of them did before: those that are the same as
/// before stay on their side.
std::size_t split_leading(const std::vector<std::string>& now, const Result<Bare>& was, std::size_t above) {
  if (!was || was->leading.size() == above) return now.size();
  const auto& before = was->leading;
  std::size_t same = 0;
  while (same < above && same < now.size() && before[same] == now[same]) ++same;
  if (same == above) return same;
  std::size_t tail = 0;
  while (tail < before.size() - above && tail < now.size() &&
         before[before.size() - 1 - tail] == now[now.size() - 1 - tail]) {
    ++tail;
  }
  return now.size() - tail;
}

Hook hook_of(const std::string& text, const Target& target, const Hung& hung, std::size_t step) {
  const auto& node = *target.node;
  const bool nothing = node.full_begin() == node.end();
  Hook hook{.step = step, .of_list = !target.entry || hung.block.explicit_key};
  const auto key_end = target.entry ? text.find(':', target.entry->key->end()) + 1 : hung.block.begin + 1;
  hook.head = edit::dedented(text.substr(hung.block.begin, key_end - hung.block.begin), hung.block.column);
  if (hung.below) {
    hook.rest = edit::dedented(text.substr(key_end, hung.value - key_end), 0);
    hook.rest.erase(hook.rest.find_last_not_of(" \r\n") + 1);
    const bool collection = !node.is_scalar() && node.style() == Node::Style::kBlock;
    hook.below = !nothing && (!collection || hook.of_list);
  } else {
    hook.gap = text.substr(key_end, hung.value - key_end);
  }
  if (!nothing && (hung.column > hung.block.column || hung.below)) {
    hook.step = hung.column - std::min(hung.block.column, hung.column);
  } else if (hook.of_list) {
    hook.step = 2;
  }
  return hook;
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
  return hang({.head = write_text(key, false) + ':', .step = step}, bare, bare.leading.size());
}

Result<std::string> item_of_bare(std::string_view text) {
  AT_TRY(const auto bare, read_bare(text));
  return hang({.head = "-", .of_list = true}, bare, bare.leading.size());
}

std::string entry_of_block(const std::string& key, std::string_view block, std::size_t step) {
  return write_text(key, false) + ":\n" + edit::indented(block, step);
}

/// The same with a last line end, where the text has none, so that a block of text at its end can be taken along.
Result<YamlEditor> YamlEditor::with_line_end() const {
  auto text = document_.text();
  auto changes = block_changes(text.size(), "");
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    text.replace(change->begin, change->end - change->begin, change->text);
  }
  return open(std::move(text), document_.file(), limits_);
}

Result<std::string> YamlEditor::bare_text(const YamlPath& path) const {
  if (!path.empty() && !text().empty() && !text().ends_with('\n')) {
    AT_TRY(const auto whole, with_line_end());
    return whole.bare_text(path);
  }
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
  if (!text().empty() && !text().ends_with('\n')) {
    AT_TRY(const auto whole, with_line_end());
    return whole.entry_text(path);
  }
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
  const auto hook = hook_of(text, target, hung, step());
  AT_TRY(const auto was_text, bare_text(path));
  const auto was = read_bare(was_text);
  const auto above =
      std::min(edit::split_lines(std::string_view(text).substr(block.above, block.line - block.above)).size(),
               was ? was->leading.size() : 0);
  const bool owns_above = block.own_line && (path.size() > 1 || target.index > 0 || !target.entry);
  const auto now = hang(hook, bare, owns_above ? split_leading(bare.leading, was, above) : 0);

  // Lines that stay keep their bytes, also where they stand further left than the item.
  const auto from = block.own_line ? block.above : block.begin;
  const auto strip = block.own_line ? 0 : block.column;  // the first line has its indentation already
  const auto moved = [&](std::string_view lines) { return edit::indented(lines, block.column); };
  if (was) {
    const auto before = hang(hook, *was, above);
    const auto before_lines = edit::split_lines(before);
    const auto now_lines = edit::split_lines(now);
    const auto raw = std::string(strip, ' ') + text.substr(from, block.end - from);
    const auto raw_lines = edit::split_lines(raw);
    std::string kept;
    const auto pairs = edit::common_lines(before_lines, now_lines);
    auto next = pairs.begin();
    for (std::size_t i = 0; i < now_lines.size(); ++i) {
      if (next == pairs.end() || next->second != i) {
        kept += moved(now_lines[i]);
        continue;
      }
      kept += raw_lines[std::min(next++->first, raw_lines.size() - 1)];
      if (!kept.ends_with('\n') && i + 1 < now_lines.size()) kept += '\n';
    }
    if (before_lines.size() == raw_lines.size() && apply({{from, block.end, kept.substr(strip)}}, expected)) return {};
  }
  return apply({{from, block.end, moved(now).substr(strip)}}, expected);
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
