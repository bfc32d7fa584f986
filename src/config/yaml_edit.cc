#include "config/yaml_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace atalaya::config {
namespace {

/// Where a path leads.
struct Target {
  const Node* node = nullptr;
  const Node* parent = nullptr;         ///< null for the root
  const Node::Entry* entry = nullptr;   ///< of a mapping
  const Node::Entry* holder = nullptr;  ///< the entry whose value the parent is
  std::size_t index = 0;                ///< of a list
  bool in_flow = false;                 ///< the parent or one above it stands between brackets
};

std::string path_text(const YamlPath& path) {
  std::string text;
  for (const auto& part : path) text += (text.empty() ? "" : ".") + part;
  return text.empty() ? "the root" : text;
}

std::unexpected<Error> cannot(const Node& node, const YamlPath& path, std::string_view why) {
  return fail(ErrorCode::kUnprocessable, node.place(),
              fmt::format("{} cannot be changed in place: {}", path_text(path), why), "change the file by hand");
}

std::unexpected<Error> missing(const Node& node, const YamlPath& path) {
  return fail(ErrorCode::kNotFound, node.place(), fmt::format("there is no {}", path_text(path)));
}

Result<Target> find(const Document& document, const YamlPath& path) {
  Target target{.node = &document.root()};
  for (const auto& part : path) {
    const auto& parent = *target.node;
    if (parent.is_alias()) return cannot(parent, path, "it is an alias");
    target.holder = target.entry;
    target.parent = &parent;
    target.entry = nullptr;
    target.node = nullptr;
    target.in_flow = target.in_flow || parent.style() == Node::Style::kFlow;
    for (const auto& entry : parent.entries()) {
      if (entry.key->text() != part) continue;
      if (entry.merged) return cannot(parent, path, "it comes from <<");
      target.entry = &entry;
      target.node = entry.value;
    }
    const auto end = part.data() + part.size();
    if (parent.is_sequence() && std::from_chars(part.data(), end, target.index).ptr == end &&
        target.index < parent.items().size()) {
      target.node = parent.items()[target.index];
    }
    if (!target.node) return missing(parent, path);
  }
  return target;
}

/// Where the path leads within a value; it is there, because `find` went the same way.
YamlValue& at(YamlValue& value, const YamlPath& path) {
  auto* current = &value;
  for (const auto& part : path) {
    if (current->kind == YamlValue::Kind::kList) {
      current = &current->items[std::stoul(part)];
    } else {
      for (auto& entry : current->entries) {
        if (entry.first != part) continue;
        current = &entry.second;
        break;
      }
    }
  }
  return *current;
}

/// The lines of a text. Immutable.
class Lines {
 public:
  explicit Lines(const std::string& text) : text_(text) {}

  std::size_t begin(std::size_t at) const {
    const auto before = at == 0 ? std::string::npos : text_.rfind('\n', at - 1);
    return before == std::string::npos ? 0 : before + 1;
  }
  /// Past its line end.
  std::size_t end(std::size_t at) const {
    const auto next = text_.find('\n', at);
    return next == std::string::npos ? text_.size() : next + 1;
  }
  bool blank(std::size_t from, std::size_t to) const { return text_.find_first_not_of(" \t\r\n", from) >= to; }
  bool comment_at(std::size_t line, std::size_t column) const {
    return line + column < text_.size() && text_[line + column] == '#' && blank(line, line + column);
  }
  bool carriage_returns() const {
    const auto first = text_.find('\n');
    return first != std::string::npos && first > 0 && text_[first - 1] == '\r';
  }

 private:
  const std::string& text_;
};

std::size_t end_of(const Node::Entry& entry) { return std::max(entry.key->end(), entry.value->end()); }

/// Where the last character that belongs to a node stands (past it). A block scalar's node ends at
/// the next line with content; the empty lines before that are its only where it keeps them.
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
  if (last->style() != Node::Style::kLiteral && last->style() != Node::Style::kFolded) return end;
  const auto header = text.substr(last->begin(), text.find_first_of(" \r\n", last->begin()) - last->begin());
  if (header.find('+') != std::string::npos) return end > 0 && text[end - 1] == '\n' ? end - 1 : end;
  while (end > last->begin() && (text[end - 1] == '\n' || text[end - 1] == '\r' || text[end - 1] == ' ')) --end;
  return end;
}

/// The dash of an item of a block list.
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

std::string indented(std::string_view block, std::size_t indent) {
  std::string out;
  while (!block.empty()) {
    const auto end = std::min(block.find('\n'), block.size() - 1) + 1;
    if (block[0] != '\n') out += std::string(indent, ' ');
    out += block.substr(0, end);
    block.remove_prefix(end);
  }
  return out;
}

bool is_block_scalar(const Node& node) {
  return node.style() == Node::Style::kLiteral || node.style() == Node::Style::kFolded;
}

/// A scalar on one line, in the style of the one before where that can say it.
std::string encode(const YamlValue& scalar, Node::Style style, bool in_flow) {
  if (scalar.kind == YamlValue::Kind::kToken) return scalar.scalar.empty() ? "null" : scalar.scalar;
  const auto& text = scalar.scalar;
  if (style == Node::Style::kDoubleQuoted) return double_quoted(text);
  const auto escaped = double_quoted(text);
  // Where escapes are needed for more than quotes, single quotes cannot say it.
  const bool simple = escaped.find("\\n") == std::string::npos && escaped.find("\\t") == std::string::npos &&
                      escaped.find("\\x") == std::string::npos && escaped.find("\\u") == std::string::npos;
  if (style != Node::Style::kSingleQuoted || !simple) return write_text(text, in_flow);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + '\'';
}

}  // namespace

Result<YamlEditor> YamlEditor::open(std::string text, std::string file, const YamlLimits& limits) {
  AT_TRY(auto document, Document::parse(std::move(text), std::move(file), limits));
  return YamlEditor(std::move(document), limits);
}

Status YamlEditor::apply(std::vector<Change> changes, const YamlPath& path, const YamlValue& expected) {
  auto text = document_.text();
  const bool carriage_returns = Lines(text).carriage_returns();
  std::sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) { return a.begin > b.begin; });
  for (auto& change : changes) {
    if (carriage_returns) {
      for (std::size_t i = 0; (i = change.text.find('\n', i)) != std::string::npos; i += 2) change.text.insert(i, "\r");
    }
    text.replace(change.begin, change.end - change.begin, change.text);
  }
  auto changed = Document::parse(std::move(text), document_.file(), limits_);
  if (!changed && changed.error().code == ErrorCode::kTooLarge) return std::unexpected(std::move(changed).error());
  if (!changed || value_of(changed->root()) != expected) {
    return cannot(document_.root(), path, "the new text would mean something else");
  }
  document_ = std::move(*changed);
  return {};
}

Status YamlEditor::set(const YamlPath& path, const YamlValue& scalar) {
  AT_TRY(const auto target, find(document_, path));
  const auto& node = *target.node;
  if (!node.is_scalar() && !node.is_alias()) return cannot(node, path, "it is " + describe(node));
  auto expected = value_of(document_.root());
  at(expected, path) = scalar;

  const auto& text = document_.text();
  const Lines lines(text);
  if (!is_block_scalar(node) || node.is_alias()) {
    auto encoded = encode(scalar, node.style(), target.in_flow);
    if (node.begin() == node.end() && !path.empty()) encoded.insert(0, 1, ' ');
    return apply({{node.begin(), node.end(), encoded}}, path, expected);
  }
  // The comment behind the `|` stays; so do the empty lines after the block.
  const auto header_end = std::min(lines.end(node.begin()), text.size());
  auto header = text.substr(node.begin(), header_end - node.begin());
  const auto comment_at = header.find(" #");
  auto comment = comment_at == std::string::npos ? std::string() : header.substr(comment_at);
  while (comment.ends_with('\n') || comment.ends_with('\r')) comment.pop_back();
  const auto first_line = text.find_first_not_of(" \r\n", header_end);
  const auto indent = first_line == std::string::npos ? 2 : first_line - lines.begin(first_line);
  auto block = scalar.kind == YamlValue::Kind::kText ? write_literal(scalar.scalar, indent) : std::nullopt;
  auto encoded = block ? *block : encode(scalar, Node::Style::kPlain, target.in_flow) + '\n';
  encoded.insert(encoded.find('\n'), comment);
  return apply({{node.begin(), lines.end(content_end(text, node)), encoded}}, path, expected);
}

Status YamlEditor::insert(const YamlPath& mapping, const std::string& key, const YamlValue& value) {
  return add(mapping, &key, value);
}

Status YamlEditor::append(const YamlPath& list, const YamlValue& value) { return add(list, nullptr, value); }

Status YamlEditor::add(const YamlPath& path, const std::string* key, const YamlValue& value) {
  AT_TRY(const auto target, find(document_, path));
  const auto& node = *target.node;
  if (node.is_alias()) return cannot(node, path, "it is an alias");
  const bool empty = node.is_null() || (node.items().empty() && node.entries().empty() && !node.is_scalar());
  if (!empty && (key ? !node.is_mapping() : !node.is_sequence())) {
    return cannot(node, path, fmt::format("expected {}, found {}", key ? "a mapping" : "a list", describe(node)));
  }
  if (key && node.get(*key)) {
    return fail(ErrorCode::kAlreadyExists, node.place(), fmt::format("{} has a key \"{}\"", path_text(path), *key));
  }
  const auto addition = key ? YamlValue::map({{*key, value}}) : YamlValue::list({value});
  auto expected = value_of(document_.root());
  auto& place = at(expected, path);
  if (empty) {
    const auto tag = place.tag;
    place = addition;
    place.tag = tag;
  } else if (key) {
    place.entries.emplace_back(*key, value);
  } else {
    place.items.push_back(value);
  }

  const auto& text = document_.text();
  const Lines lines(text);
  const auto block_at = [&](std::size_t at, std::size_t indent) {
    const bool open_line = at > 0 && text[at - 1] != '\n';
    return Change{at, at, (open_line ? "\n" : "") + indented(write_block(addition), indent)};
  };
  auto flow = write_flow(addition);
  if (!empty && node.style() == Node::Style::kBlock) {
    return apply({block_at(lines.end(content_end(text, node)), node.begin() - lines.begin(node.begin()))}, path,
                 expected);
  }
  if (!empty) {
    std::size_t end = 0;
    for (const auto& entry : node.entries()) {
      if (!entry.merged) end = std::max(end, end_of(entry));
    }
    for (const auto* item : node.items()) end = std::max(end, item->end());
    return apply({{end, end, ", " + flow.substr(1, flow.size() - 2)}}, path, expected);
  }
  // Nothing yet: below its key, in block style, unless brackets are around it.
  const bool below_key =
      target.parent && target.entry && !target.in_flow && target.parent->style() == Node::Style::kBlock;
  if (!target.parent && node.begin() == node.end()) return apply({block_at(text.size(), 0)}, path, expected);
  if (!target.parent) return apply({{node.begin(), node.end(), write_block(addition)}}, path, expected);
  if (below_key && node.full_begin() == node.begin()) {
    const auto space = node.begin() < node.end() && text[node.begin() - 1] == ' ' ? 1 : 0;
    const auto indent = target.entry->key->begin() - lines.begin(target.entry->key->begin()) + 2;
    return apply(
        {{node.begin() - static_cast<std::size_t>(space), node.end(), ""}, block_at(lines.end(node.end()), indent)},
        path, expected);
  }
  if (node.begin() == node.end()) flow.insert(0, 1, ' ');
  return apply({{node.begin(), node.end(), flow}}, path, expected);
}

Status YamlEditor::remove(const YamlPath& path) {
  AT_TRY(const auto target, find(document_, path));
  if (!target.parent) return cannot(*target.node, path, "a file has a root");
  const auto& parent = *target.parent;
  auto expected = value_of(document_.root());
  {
    auto& place = at(expected, YamlPath(path.begin(), path.end() - 1));
    if (target.entry) {
      std::erase_if(place.entries, [&](const auto& entry) { return entry.first == path.back(); });
    } else {
      place.items.erase(place.items.begin() + static_cast<std::ptrdiff_t>(target.index));
    }
  }

  const auto& text = document_.text();
  const Lines lines(text);
  const auto count = target.entry ? parent.entries().size() : parent.items().size();
  const auto index = target.entry ? static_cast<std::size_t>(target.entry - parent.entries().data()) : target.index;
  const auto begin_of = [&](std::size_t i) {
    if (target.entry) return parent.entries()[i].key->full_begin();
    return parent.style() == Node::Style::kFlow ? parent.items()[i]->full_begin() : dash_of(text, parent, i);
  };
  const auto end_at = [&](std::size_t i) {
    return target.entry ? end_of(parent.entries()[i]) : parent.items()[i]->end();
  };
  const auto begin = begin_of(index);
  if (parent.style() == Node::Style::kFlow) {
    if (index + 1 < count) return apply({{begin, begin_of(index + 1), ""}}, path, expected);
    return apply({{index > 0 ? end_at(index - 1) : begin, end_at(index), ""}}, path, expected);
  }

  const auto line = lines.begin(begin);
  const bool own_lines = lines.blank(line, begin);
  const auto end = lines.end(content_end(text, *target.node));
  const std::string nothing = target.entry ? "{}" : "[]";
  if (!own_lines) {  // `- a: 1`: the dash stays
    if (count == 1) return apply({{begin, content_end(text, *target.node), nothing}}, path, expected);
    if (index + 1 == count) return cannot(parent, path, "it shares its line");
    return apply({{begin, begin_of(index + 1), ""}}, path, expected);
  }
  auto from = line;
  const bool first_of_file = path.size() == 1 && index == 0;
  while (!first_of_file && from > 0) {
    const auto above = lines.begin(from - 1);
    if (!lines.comment_at(above, begin - line)) break;
    from = above;
  }
  if (count > 1 || parent.begin() < begin) return apply({{from, end, ""}}, path, expected);
  if (path.size() == 1) return apply({{from, end, nothing + "\n"}}, path, expected);
  if (!target.holder) return cannot(parent, path, "it is the only one of its list");
  const auto colon = text.find(':', target.holder->key->end());
  return apply({{colon + 1, colon + 1, ' ' + nothing}, {from, end, ""}}, path, expected);
}

Status YamlEditor::rename(const YamlPath& path, const std::string& name) {
  AT_TRY(const auto target, find(document_, path));
  if (!target.entry) return cannot(*target.node, path, "only keys have names");
  if (target.entry->key->is_alias()) return cannot(*target.node, path, "its key is an alias");
  if (name == path.back()) return {};
  if (target.parent->get(name)) {
    return fail(ErrorCode::kAlreadyExists, target.parent->get(name)->place(),
                fmt::format("there is a key \"{}\" beside {}", name, path_text(path)));
  }
  auto expected = value_of(document_.root());
  for (auto& entry : at(expected, YamlPath(path.begin(), path.end() - 1)).entries) {
    if (entry.first == path.back()) entry.first = name;
  }
  const auto& key = *target.entry->key;
  return apply({{key.begin(), key.end(), encode(YamlValue(name), key.style(), target.in_flow)}}, path, expected);
}

}  // namespace atalaya::config
