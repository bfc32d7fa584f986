#include "config/yaml_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "config/yaml_edit_lines.h"
#include "config/yaml_edit_parts.h"
#include "config/yaml_edit_proof.h"
#include "config/yaml_path.h"
#include "config/yaml_words.h"

namespace atalaya::config {

using edit::Difference;
using edit::Lines;
using What = edit::Difference::What;

namespace edit {

std::string path_text(const YamlPath& path) {
  std::string text;
  for (const auto& part : path) text += (text.empty() ? "" : ".") + part;
  return text.empty() ? "the root" : text;
}

std::unexpected<Error> cannot(const Node& node, const YamlPath& path, std::string_view why) {
  return fail(ErrorCode::kUnprocessable, node.place(),
              fmt::format("{} cannot be changed in place: {}", path_text(path), why), "change the file by hand");
}

Result<Target> find(const Document& document, const YamlPath& path) {
  Target target{.node = &document.root()};
  for (const auto& part : path) {
    const auto& parent = *target.node;
    if (parent.is_alias()) return cannot(parent, path, "it is an alias");
    target.parent = &parent;
    target.entry = nullptr;
    target.node = nullptr;
    target.in_flow = target.in_flow || parent.style() == Node::Style::kFlow;
    for (const auto& entry : parent.entries()) {
      if (entry.key->text() != part) continue;
      if (entry.merged) return cannot(parent, path, "it comes from <<");
      target.entry = &entry;
      target.node = entry.value;
      target.index = static_cast<std::size_t>(&entry - parent.entries().data());
    }
    const auto end = part.data() + part.size();
    if (parent.is_sequence() && std::from_chars(part.data(), end, target.index).ptr == end &&
        target.index < parent.items().size()) {
      target.node = parent.items()[target.index];
    }
    if (!target.node) {
      return fail(ErrorCode::kNotFound, parent.place(), fmt::format("there is no {}", path_text(path)));
    }
  }
  return target;
}

YamlValue* value_at(YamlValue& root, const YamlPath& path) {
  auto* value = &root;
  for (const auto& part : path) {
    YamlValue* next = nullptr;
    for (auto& [key, below] : value->entries) {
      if (key == part) next = &below;
    }
    std::size_t index = 0;
    const auto end = part.data() + part.size();
    const bool is_index = std::from_chars(part.data(), end, index).ptr == end;
    if (value->kind == YamlValue::Kind::kList && is_index && index < value->items.size()) next = &value->items[index];
    if (next == nullptr) return nullptr;
    value = next;
  }
  return value;
}

std::string encode(const YamlValue& scalar, Node::Style style, bool in_flow) {
  if (scalar.kind == YamlValue::Kind::kToken) return scalar.scalar.empty() ? "null" : scalar.scalar;
  const auto& text = scalar.scalar;
  if (style == Node::Style::kDoubleQuoted) return double_quoted(text);
  const auto escaped = double_quoted(text);
  // Where escapes are needed for more than quotes, single quotes cannot say it.
  const bool simple = escaped.find("\\n") == std::string::npos && escaped.find("\\t") == std::string::npos &&
                      escaped.find("\\x") == std::string::npos && escaped.find("\\u") == std::string::npos;
  if (style != Node::Style::kSingleQuoted || !simple) return write_text_value(text, in_flow);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + '\'';
}

namespace {

/// The name of the anchor in front of a node; "" where it has none.
std::string anchor_of(const std::string& text, const Node& node) {
  if (node.is_alias()) return {};
  const auto at = text.find('&', node.full_begin());
  if (at >= node.begin()) return {};
  const auto end = text.find_first_of(" \t\r\n", at);
  return text.substr(at + 1, end - at - 1);
}

void collect_anchored(const std::string& text, const Node& node, std::vector<const Node*>& out) {
  if (!anchor_of(text, node).empty()) out.push_back(&node);
  if (node.is_alias()) return;
  for (const auto& entry : node.entries()) {
    if (!entry.merged) collect_anchored(text, *entry.value, out);
  }
  for (const auto* item : node.items()) collect_anchored(text, *item, out);
}

/// Where `*name` stands outside of the bytes and of comments; npos where it does not. Words of a text may look like it:
/// it is looked for only where an alias is known to be in the way.
std::size_t use_of(const std::string& text, const std::string& name, std::size_t begin, std::size_t end) {
  const auto alias = '*' + name;
  for (auto at = text.find(alias); at != std::string::npos; at = text.find(alias, at + 1)) {
    if (at >= begin && at < end) continue;
    const auto line = std::string_view(text).substr(0, at).substr(text.rfind('\n', at) + 1);
    if (line.starts_with('#') || line.find(" #") != std::string_view::npos) continue;
    const auto after = at + alias.size();
    const bool whole = after == text.size() || std::string_view(" \t\r\n,]}").find(text[after]) != std::string::npos;
    if (whole && at > 0 && std::string_view(" \t\n[{,").find(text[at - 1]) != std::string::npos) return at;
  }
  return std::string::npos;
}

}  // namespace

std::optional<Repeated> repeated(const Document& document, const YamlPath& path) {
  const auto& text = document.text();
  std::vector<const Node*> anchored;
  const auto* node = &document.root();
  for (const auto& part : path) {
    if (!anchor_of(text, *node).empty()) anchored.push_back(node);
    const auto& next = node_at(*node, {part});
    if (&next == node) break;
    node = &next;
  }
  collect_anchored(text, *node, anchored);
  for (const auto* one : anchored) {
    auto name = anchor_of(text, *one);
    const auto at = use_of(text, name, node->full_begin(), node->end());
    if (at == std::string::npos) continue;
    const auto before = std::string_view(text).substr(0, at);
    const auto line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return Repeated{one, std::move(name), static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1,
                    at - line_start + 1};
  }
  return std::nullopt;
}

bool is_block_scalar(const Node& node) {
  return !node.is_alias() && (node.style() == Node::Style::kLiteral || node.style() == Node::Style::kFolded);
}

}  // namespace edit

using edit::cannot;
using edit::find;

Result<YamlEditor> YamlEditor::open(std::string text, std::string file, const YamlLimits& limits) {
  AT_TRY(auto document, Document::parse(std::move(text), std::move(file), limits));
  return YamlEditor(std::move(document), limits);
}

std::size_t YamlEditor::step() const {
  const Lines lines(text());
  const auto column = [&](const Node& node) { return node.begin() - lines.begin(node.begin()); };
  for (const auto* node = &document_.root(); node && node->is_mapping();) {
    const Node* next = nullptr;
    for (const auto& entry : node->entries()) {
      const auto& value = *entry.value;
      if (entry.merged || value.is_alias() || value.style() != Node::Style::kBlock || !value.is_mapping()) continue;
      if (!next) next = &value;
      if (column(value) > column(*entry.key)) return std::min<std::size_t>(column(value) - column(*entry.key), 8);
    }
    node = next;
  }
  return 2;
}

Result<Document> YamlEditor::changed_by(std::vector<Change> changes) const {
  auto text = document_.text();
  const bool carriage_returns = Lines(text).carriage_returns();
  std::stable_sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) { return a.begin > b.begin; });
  for (auto& change : changes) {
    for (std::size_t i = 0; carriage_returns && (i = change.text.find('\n', i)) != std::string::npos; ++i) {
      if (i == 0 || change.text[i - 1] != '\r') change.text.insert(i++, "\r");
    }
    text.replace(change.begin, change.end - change.begin, change.text);
  }
  return Document::parse(std::move(text), document_.file(), limits_);
}

Status YamlEditor::apply(std::vector<Change> changes, const Difference& expected) {
  auto changed = changed_by(std::move(changes));
  if (!changed && changed.error().code == ErrorCode::kTooLarge) return std::unexpected(std::move(changed).error());
  if (!changed || !edit::differs_only(document_.root(), changed->root(), expected)) {
    auto path = expected.path;
    if (!expected.name.empty()) path.push_back(expected.name);
    if (const auto use = edit::repeated(document_, path)) {
      return cannot(*use->node, path, fmt::format("&{} is used at {}:{}", use->anchor, use->line, use->column));
    }
    return cannot(document_.root(), expected.path, "the new text would mean something else");
  }
  document_ = std::move(*changed);
  return {};
}

YamlEditor::Change YamlEditor::change_of(const Node& scalar, const YamlValue& to, bool in_flow, bool is_root) const {
  auto encoded = edit::encode(to, scalar.style(), in_flow);
  if (scalar.begin() == scalar.end() && !is_root) encoded.insert(0, 1, ' ');
  return {scalar.begin(), scalar.end(), std::move(encoded)};
}

Status YamlEditor::set_all(const std::vector<std::pair<YamlPath, std::string>>& texts) {
  std::vector<Change> changes;
  auto wanted = value_of(document_.root());
  for (const auto& [path, text] : texts) {
    AT_TRY(const auto target, find(document_, path));
    const auto& node = *target.node;
    auto* value = edit::value_at(wanted, path);
    if (!node.is_scalar() || node.is_alias() || edit::is_block_scalar(node) || !node.tag().empty() || !value) {
      return cannot(node, path, "it is no plain text of its own");
    }
    *value = text;
    changes.push_back(change_of(node, text, target.in_flow, path.empty()));
  }
  auto changed = changed_by(std::move(changes));
  if (!changed || !edit::means(changed->root(), wanted)) {
    return cannot(document_.root(), {}, "the new text would mean something else");
  }
  document_ = std::move(*changed);
  return {};
}

Status YamlEditor::set(const YamlPath& path, const YamlValue& scalar) {
  AT_TRY(const auto target, find(document_, path));
  const auto& node = *target.node;
  if (!node.is_scalar() && !node.is_alias()) return cannot(node, path, "it is " + describe(node));
  const Difference expected{.what = What::kValue, .path = path, .value = scalar};

  const auto& text = document_.text();
  const Lines lines(text);
  if (node.tag() != scalar.tag && !node.is_alias()) {
    return apply(
        {{node.full_begin(), lines.begin(node.end()) == node.end() ? node.end() - 1 : node.end(), write_flow(scalar)}},
        expected);
  }
  if (!edit::is_block_scalar(node)) return apply({change_of(node, scalar, target.in_flow, path.empty())}, expected);
  // The comment behind the `|` stays; so do the empty lines after the block.
  const auto header_end = std::min(lines.end(node.begin()), text.size());
  auto header = text.substr(node.begin(), header_end - node.begin());
  const auto comment_at = header.find(" #");
  auto comment = comment_at == std::string::npos ? std::string() : header.substr(comment_at);
  while (comment.ends_with('\n') || comment.ends_with('\r')) comment.pop_back();
  const auto first_line = text.find_first_not_of(" \r\n", header_end);
  const auto indent = first_line == std::string::npos ? 2 : first_line - lines.begin(first_line);
  auto block = scalar.kind == YamlValue::Kind::kText ? write_literal(scalar.scalar, indent) : std::nullopt;
  auto encoded = block ? *block : edit::encode(scalar, Node::Style::kPlain, target.in_flow) + '\n';
  encoded.insert(encoded.find('\n'), comment);
  return apply({{node.begin(), lines.end(edit::content_end(text, node)), encoded}}, expected);
}

struct YamlEditor::Addition {
  YamlValue value;    ///< a mapping of the new entries, or a list of the new items
  std::string block;  ///< the same as block text at indent 0
  bool parted = false;
  bool as_siblings = false;  ///< parted where those are
};

Status YamlEditor::insert(const YamlPath& mapping, const std::string& key, const YamlValue& value) {
  auto addition = YamlValue::map({{key, value}});
  auto block = write_block(addition, step());
  return add(mapping, {std::move(addition), std::move(block)});
}

Status YamlEditor::append(const YamlPath& list, const YamlValue& value) {
  auto addition = YamlValue::list({value});
  auto block = write_block(addition, step());
  return add(list, {std::move(addition), std::move(block)});
}

Status YamlEditor::insert_text(const YamlPath& collection, std::string_view entries, bool parted) {
  AT_TRY(const auto added, Document::parse(std::string(entries), "", limits_));
  if (added.root().is_scalar()) return fail(ErrorCode::kInvalidArgument, added.root().place(), "expected entries");
  std::string block(entries);
  if (!block.ends_with('\n')) block += '\n';
  return add(collection, {value_of(added.root()), std::move(block), parted, true});
}

/// Lines that come before the one at `at`. A file without a last line end gets one; so that a block of text at
/// its end does not get it too, its header then says that it has none.
std::vector<YamlEditor::Change> YamlEditor::block_changes(std::size_t at, std::string block) const {
  const auto& text = document_.text();
  std::vector<Change> changes;
  if (at > 0 && text[at - 1] != '\n') {
    block.insert(0, 1, '\n');
    const auto* last = &document_.root();
    while (!last->is_scalar() && !last->is_alias() && last->style() == Node::Style::kBlock) {
      if (last->entries().empty() && last->items().empty()) break;
      last = last->is_mapping() ? last->entries().back().value : last->items().back();
    }
    if (edit::is_block_scalar(*last) && last->end() == text.size()) {
      const auto header = text.find_first_of("+-\r\n #", last->begin());
      if (header != std::string::npos && text[header] != '-') {
        changes.push_back({header, header + (text[header] == '+' ? 1 : 0), "-"});
      }
    }
  }
  changes.push_back({at, at, std::move(block)});
  return changes;
}

Status YamlEditor::add(const YamlPath& path, const Addition& addition) {
  AT_TRY(const auto target, find(document_, path));
  const auto& node = *target.node;
  if (node.is_alias()) return cannot(node, path, "it is an alias");
  const bool keyed = addition.value.kind == YamlValue::Kind::kMap;
  const bool empty = node.is_null() || (node.items().empty() && node.entries().empty() && !node.is_scalar());
  if (!empty && (keyed ? !node.is_mapping() : !node.is_sequence())) {
    return cannot(node, path, fmt::format("expected {}, found {}", keyed ? "a mapping" : "a list", describe(node)));
  }
  for (const auto& [key, value] : addition.value.entries) {
    if (const auto* there = node.get(key)) {
      return fail(ErrorCode::kAlreadyExists, there->place(),
                  fmt::format("{} has a key \"{}\"", edit::path_text(path), key));
    }
  }
  const Difference expected{.what = What::kAdded, .path = path, .value = addition.value};
  const auto& text = document_.text();
  const Lines lines(text);
  auto flow = write_flow(addition.value);
  if (!empty && node.style() == Node::Style::kBlock) {
    const auto column = node.begin() - lines.begin(node.begin());
    const auto end = edit::content_end(text, node);
    const auto after = end > 0 && text[end - 1] == '\n' ? end : lines.end(end);
    auto block = edit::indented(addition.block, column);
    const bool parted = addition.parted || (addition.as_siblings && edit::are_parted(text, node));
    if (parted) block.insert(0, 1, '\n');
    return apply(block_changes(edit::past_comments(text, after, column), std::move(block)), expected);
  }
  if (!empty) {
    std::size_t end = 0;
    for (const auto& entry : node.entries()) {
      if (!entry.merged) end = std::max(end, edit::end_of(entry));
    }
    for (const auto* item : node.items()) end = std::max(end, item->end());
    return apply({{end, end, ", " + flow.substr(1, flow.size() - 2)}}, expected);
  }
  // Nothing yet: below its key, in block style, unless brackets are around it.
  const bool below_key =
      target.parent && target.entry && !target.in_flow && target.parent->style() == Node::Style::kBlock;
  if (!target.parent && node.begin() == node.end()) return apply(block_changes(text.size(), addition.block), expected);
  if (!target.parent) return apply({{node.begin(), node.end(), addition.block}}, expected);
  if (below_key && node.full_begin() == node.begin()) {
    const auto space = node.begin() < node.end() && text[node.begin() - 1] == ' ' ? 1 : 0;
    const auto indent = target.entry->key->begin() - lines.begin(target.entry->key->begin()) + step();
    auto changes = block_changes(lines.end(node.end()), edit::indented(addition.block, indent));
    changes.push_back({node.begin() - static_cast<std::size_t>(space), node.end(), ""});
    return apply(std::move(changes), expected);
  }
  if (node.begin() == node.end()) flow.insert(0, 1, ' ');
  return apply({{node.begin(), node.end(), flow}}, expected);
}

Status YamlEditor::remove(const YamlPath& path) {
  AT_TRY(const auto target, find(document_, path));
  if (!target.parent) return cannot(*target.node, path, "a file has a root");
  const auto& parent = *target.parent;
  const Difference expected{
      .what = What::kRemoved, .path = YamlPath(path.begin(), path.end() - 1), .value = {}, .name = path.back()};
  const auto& text = document_.text();
  const Lines lines(text);
  const auto count = target.entry ? parent.entries().size() : parent.items().size();
  const auto index = target.index;
  if (parent.style() == Node::Style::kFlow) {
    const auto begin_of = [&](std::size_t i) {
      return target.entry ? parent.entries()[i].key->full_begin() : parent.items()[i]->full_begin();
    };
    const auto end_at = [&](std::size_t i) {
      return target.entry ? edit::end_of(parent.entries()[i]) : parent.items()[i]->end();
    };
    const auto [from, to] = edit::flow_cut(text, begin_of(index), end_at(index),
                                           index > 0 ? end_at(index - 1) : begin_of(index), index + 1 < count);
    return apply({{from, to, ""}}, expected);
  }

  auto block = edit::block_of(text, target, path.size() == 1);
  const std::string nothing = target.entry ? "{}" : "[]";
  if (!block.own_line) {  // `- a: 1`: the dash stays
    const auto content = edit::content_end(text, *target.node);
    if (count == 1) return apply({{block.begin, content, nothing}}, expected);
    if (index + 1 == count) return cannot(parent, path, "it shares its line");
    const auto next =
        target.entry ? parent.entries()[index + 1].key->full_begin() : edit::dash_of(text, parent, index + 1);
    return apply({{block.begin, next, ""}}, expected);
  }
  // Of the blank lines around it one is enough.
  if (block.above > 0 && lines.blank_line(lines.begin(block.above - 1)) && block.end < text.size() &&
      lines.blank_line(block.end)) {
    block.end = lines.end(block.end);
  }
  if (count > 1 || parent.begin() < block.begin) return apply({{block.above, block.end, ""}}, expected);
  if (path.size() == 1) return apply({{block.above, block.end, nothing + "\n"}}, expected);
  // Braces stay behind the key or dash of the collection.
  AT_TRY(const auto holder, find(document_, expected.path));
  const auto after = holder.entry ? text.find(':', holder.entry->key->end()) + 1
                                  : edit::block_of(text, holder, path.size() == 2).begin + 1;
  return apply({{after, after, ' ' + nothing}, {block.above, block.end, ""}}, expected);
}

Status YamlEditor::rename(const YamlPath& path, const std::string& name) {
  AT_TRY(const auto target, find(document_, path));
  if (!target.entry) return cannot(*target.node, path, "only keys have names");
  if (target.entry->key->is_alias()) return cannot(*target.node, path, "its key is an alias");
  if (name == path.back()) return {};
  if (const auto* there = target.parent->get(name)) {
    return fail(ErrorCode::kAlreadyExists, there->place(),
                fmt::format("there is a key \"{}\" beside {}", name, edit::path_text(path)));
  }
  const auto& key = *target.entry->key;
  return apply({{key.begin(), key.end(), edit::encode(YamlValue(name), key.style(), target.in_flow)}},
               {What::kRenamed, YamlPath(path.begin(), path.end() - 1), name, path.back()});
}

}  // namespace atalaya::config
