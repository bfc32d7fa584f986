#include "config/yaml.h"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "config/yaml_storage.h"

namespace atalaya::config {

namespace {

/// libyaml counts characters; trees and edits need bytes. Immutable.
class ByteOffsets {
 public:
  explicit ByteOffsets(std::string_view text) : text_(text) {
    if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; })) return;
    std::size_t characters = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (is_continuation(text[i])) continue;
      if (characters++ % kStep == 0) steps_.push_back(i);
    }
  }

  std::size_t of(std::size_t character) const {
    if (steps_.empty()) return std::min(character, text_.size());
    const auto step = character / kStep;
    if (step >= steps_.size()) return text_.size();
    auto at = steps_[step];
    for (auto left = character % kStep; left > 0 && at < text_.size(); --left) {
      ++at;
      while (at < text_.size() && is_continuation(text_[at])) ++at;
    }
    return at;
  }

 private:
  static constexpr std::size_t kStep = 64;
  static bool is_continuation(char c) { return (c & 0xc0) == 0x80; }
  const std::string_view text_;
  std::vector<std::size_t> steps_;  ///< byte of every 64th character; empty when all are ASCII
};

std::string from(const yaml_char_t* text) { return text ? reinterpret_cast<const char*>(text) : ""; }

std::string remedy_for(std::string_view problem, char found) {
  if (problem.find("cannot start any token") != std::string_view::npos) {
    if (found == '\t') return "indent with spaces, not tabs";
    return "put the text in quotes";
  }
  if (problem.find("tab character") != std::string_view::npos) return "indent with spaces, not tabs";
  if (problem.find("mapping values are not allowed") != std::string_view::npos) {
    return "put text that holds \": \" in quotes, or check the indentation";
  }
  if (problem.find("did not find expected") != std::string_view::npos ||
      problem.find("could not find expected") != std::string_view::npos) {
    return "check the indentation and the quotes of this line and the one before";
  }
  return {};
}

/// One event, deleted with this object.
struct Event : yaml_event_t {
  Event() : yaml_event_t{} {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(this); }
};

}  // namespace

/// Builds the tree from libyaml's events. Used once. Thread-compatible.
class YamlBuilder {
 public:
  YamlBuilder(std::shared_ptr<Document::Storage> storage, const YamlLimits& limits, std::vector<Error>* told)
      : storage_(std::move(storage)),
        limits_(limits),
        told_(told),
        skipped_(storage_->text.starts_with("\xef\xbb\xbf") ? 3 : 0),
        offsets_(std::string_view(storage_->text).substr(skipped_)) {
    // Without memory for its first buffers libyaml leaves the parser unusable, and so would we be.
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(storage_->text.data()) + skipped_,
                                 storage_->text.size() - skipped_);
  }
  YamlBuilder(const YamlBuilder&) = delete;
  YamlBuilder& operator=(const YamlBuilder&) = delete;
  ~YamlBuilder() { yaml_parser_delete(&parser_); }

  Result<Document> build() {
    Event event;
    AT_TRY(next(event));  // stream start
    Event first;
    AT_TRY(next(first));
    if (first.type == YAML_STREAM_END_EVENT) {
      AT_TRY(auto* nothing, add(first));
      return finish(nothing);
    }
    Event content;
    AT_TRY(next(content));
    AT_TRY(auto* root, node(content, 1));
    Event end;
    AT_TRY(next(end));  // document end
    Event last;
    AT_TRY(next(last));
    if (last.type != YAML_STREAM_END_EVENT) {
      return fail(ErrorCode::kInvalidArgument, place(last.start_mark), "a second document begins here",
                  "put it into a file of its own");
    }
    return finish(root);
  }

 private:
  Document finish(const Node* root) { return Document(storage_, root); }

  Place place(const yaml_mark_t& mark) const {
    return {storage_->file, static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
  }
  std::size_t byte(const yaml_mark_t& mark) const { return skipped_ + offsets_.of(mark.index); }

  Status next(Event& event) {
    if (yaml_parser_parse(&parser_, &event) != 0) return {};
    const std::string problem = parser_.problem ? parser_.problem : "not YAML";
    if (parser_.error == YAML_READER_ERROR) {
      const auto at = std::min(skipped_ + parser_.problem_offset, storage_->text.size());
      const auto before = std::string_view(storage_->text).substr(0, at);
      const auto line = 1 + std::count(before.begin(), before.end(), '\n');
      return fail(ErrorCode::kInvalidArgument, Place{storage_->file, static_cast<std::uint32_t>(line), 0}, problem,
                  "save the file as UTF-8 text");
    }
    const auto at = byte(parser_.problem_mark);
    const char found = at < storage_->text.size() ? storage_->text[at] : '\0';
    std::string message = problem;
    if (parser_.context) {
      message += fmt::format(", {}", parser_.context);
      if (parser_.context_mark.line != parser_.problem_mark.line) {
        message += fmt::format(" that begins in line {}", parser_.context_mark.line + 1);
      }
    }
    return fail(ErrorCode::kInvalidArgument, place(parser_.problem_mark), message, remedy_for(problem, found));
  }

  Status charge(std::size_t weight, const yaml_mark_t& mark) {
    spent_ += weight;
    if (spent_ <= limits_.nodes) return {};
    return fail(ErrorCode::kTooLarge, place(mark), fmt::format("more than {} values", limits_.nodes),
                "split the file, or use fewer aliases");
  }

  Result<Node*> add(const Event& event) {
    AT_TRY(charge(1, event.start_mark));
    auto& made = storage_->nodes.emplace_back();
    made.file_ = &storage_->file;
    made.line_ = static_cast<std::uint32_t>(event.start_mark.line + 1);
    made.column_ = static_cast<std::uint32_t>(event.start_mark.column + 1);
    made.full_begin_ = made.begin_ = byte(event.start_mark);
    made.end_ = byte(event.end_mark);
    return &made;
  }

  /// Steps over anchor and tag, which libyaml counts to the node.
  void skip_properties(Node& made) const {
    const auto& text = storage_->text;
    auto at = made.full_begin_;
    while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
      at = std::min(text.find_first_of(" \t\r\n", at), text.size());
      while (at < text.size()) {
        if (text[at] == '#') {
          at = std::min(text.find('\n', at), text.size());
        } else if (std::string_view(" \t\r\n").find(text[at]) != std::string_view::npos) {
          ++at;
        } else {
          break;
        }
      }
    }
    made.begin_ = std::min(at, std::max(made.end_, made.full_begin_));
  }

  Result<Node*> node(const Event& event, std::size_t depth) {
    if (depth > limits_.depth) {
      return fail(ErrorCode::kTooLarge, place(event.start_mark), fmt::format("nested deeper than {}", limits_.depth),
                  "close brackets, or nest less");
    }
    switch (event.type) {
      case YAML_ALIAS_EVENT: return alias(event);
      case YAML_SCALAR_EVENT: return scalar(event);
      case YAML_SEQUENCE_START_EVENT: return sequence(event, depth);
      case YAML_MAPPING_START_EVENT: return mapping(event, depth);
      default: return fail(ErrorCode::kInternal, place(event.start_mark), "unexpected event of the YAML parser");
    }
  }

  Result<Node*> alias(const Event& event) {
    const auto name = from(event.data.alias.anchor);
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      return fail(ErrorCode::kInvalidArgument, place(event.start_mark), fmt::format("no anchor &{} before this", name));
    }
    if (!found->second) {
      return fail(ErrorCode::kInvalidArgument, place(event.start_mark), fmt::format("*{} stands inside itself", name));
    }
    const auto& target = *found->second;
    AT_TRY(charge(target.weight_, event.start_mark));
    AT_TRY(auto* made, add(event));
    const Node where = *made;
    *made = target;
    made->alias_ = true;
    made->line_ = where.line_;
    made->column_ = where.column_;
    made->begin_ = made->full_begin_ = where.begin_;
    made->end_ = where.end_;
    return made;
  }

  Result<Node*> scalar(const Event& event) {
    const auto& data = event.data.scalar;
    AT_TRY(auto* made, add(event));
    made->kind_ = Node::Kind::kScalar;
    made->text_.assign(reinterpret_cast<const char*>(data.value), data.length);
    made->weight_ = 1 + made->text_.size() / 32;
    AT_TRY(charge(made->weight_ - 1, event.start_mark));
    switch (data.style) {
      case YAML_SINGLE_QUOTED_SCALAR_STYLE: made->style_ = Node::Style::kSingleQuoted; break;
      case YAML_DOUBLE_QUOTED_SCALAR_STYLE: made->style_ = Node::Style::kDoubleQuoted; break;
      case YAML_LITERAL_SCALAR_STYLE: made->style_ = Node::Style::kLiteral; break;
      case YAML_FOLDED_SCALAR_STYLE: made->style_ = Node::Style::kFolded; break;
      default: made->style_ = Node::Style::kPlain;
    }
    decorate(*made, data.anchor, data.tag);
    anchor(data.anchor, made);
    return made;
  }

  Result<Node*> sequence(const Event& event, std::size_t depth) {
    const auto& data = event.data.sequence_start;
    AT_TRY(auto* made, add(event));
    made->kind_ = Node::Kind::kSequence;
    made->style_ = data.style == YAML_FLOW_SEQUENCE_STYLE ? Node::Style::kFlow : Node::Style::kBlock;
    anchor(data.anchor, nullptr);
    while (true) {
      Event event_of_item;
      AT_TRY(next(event_of_item));
      if (event_of_item.type == YAML_SEQUENCE_END_EVENT) {
        close(*made, event_of_item);
        break;
      }
      AT_TRY(auto* item, node(event_of_item, depth + 1));
      made->items_.push_back(item);
      made->weight_ += item->weight_;
      made->end_ = item->end_;
    }
    decorate(*made, data.anchor, data.tag);
    anchor(data.anchor, made);
    return made;
  }

  Result<Node*> mapping(const Event& event, std::size_t depth) {
    const auto& data = event.data.mapping_start;
    AT_TRY(auto* made, add(event));
    made->kind_ = Node::Kind::kMapping;
    made->style_ = data.style == YAML_FLOW_MAPPING_STYLE ? Node::Style::kFlow : Node::Style::kBlock;
    anchor(data.anchor, nullptr);
    std::unordered_map<std::string_view, const Node*> seen;
    std::vector<const Node*> merges;
    while (true) {
      Event event_of_key;
      AT_TRY(next(event_of_key));
      if (event_of_key.type == YAML_MAPPING_END_EVENT) {
        close(*made, event_of_key);
        break;
      }
      AT_TRY(auto* key, node(event_of_key, depth + 1));
      Event event_of_value;
      AT_TRY(next(event_of_value));
      AT_TRY(auto* value, node(event_of_value, depth + 1));
      AT_TRY(put(*made, key, value, seen, merges));
      made->weight_ += key->weight_ + value->weight_;
      made->end_ = std::max(key->end_, value->end_);
    }
    AT_TRY(merge(*made, merges, seen));
    decorate(*made, data.anchor, data.tag);
    anchor(data.anchor, made);
    return made;
  }

  Status put(Node& made, const Node* key, const Node* value, std::unordered_map<std::string_view, const Node*>& seen,
             std::vector<const Node*>& merges) {
    if (!key->is_scalar()) {
      return left_out(made, {key, value},
                      {ErrorCode::kInvalidArgument, "a key must be a text, not " + describe(*key), key->place(),
                       "write a name before the colon; a text in quotes may hold any character"});
    }
    if (key->text() == "<<" && key->style() == Node::Style::kPlain && key->tag().empty()) {
      merges.push_back(value);
      return {};
    }
    const auto [first, fresh] = seen.emplace(key->text(), key);
    if (!fresh) {
      return left_out(made, {key, value},
                      {ErrorCode::kInvalidArgument,
                       fmt::format("key \"{}\" is already in line {}", key->text(), first->second->line_), key->place(),
                       "remove or rename one of the two"});
    }
    made.entries_.push_back({key, value, false});
    return {};
  }

  /// The entry is left out, and the reading goes on, where somebody takes the error.
  Status left_out(const Node& mapping, Node::Entry entry, Error error) {
    if (told_ == nullptr) return std::unexpected(std::move(error));
    told_->push_back(std::move(error));
    storage_->left_out[&mapping].push_back(entry);
    return {};
  }

  /// https://yaml.org/type/merge.html: own keys win, earlier mappings win over later ones.
  Status merge(Node& made, const std::vector<const Node*>& merges,
               std::unordered_map<std::string_view, const Node*>& seen) {
    std::vector<const Node*> sources;
    for (const auto* source : merges) {
      if (source->is_sequence()) {
        sources.insert(sources.end(), source->items().begin(), source->items().end());
      } else {
        sources.push_back(source);
      }
    }
    for (const auto* source : sources) {
      if (!source->is_mapping()) {
        return fail(ErrorCode::kInvalidArgument, source->place(), "<< takes mappings, not " + describe(*source));
      }
      for (const auto& entry : source->entries()) {
        if (seen.emplace(entry.key->text(), entry.key).second) made.entries_.push_back({entry.key, entry.value, true});
      }
    }
    return {};
  }

  void close(Node& made, const Event& event) const {
    if (made.style_ == Node::Style::kFlow) made.end_ = byte(event.end_mark);
  }

  void decorate(Node& made, const yaml_char_t* anchor_name, const yaml_char_t* tag) const {
    made.tag_ = from(tag);
    if (anchor_name || tag) skip_properties(made);
  }

  /// A null node marks an anchor whose content is still being read.
  void anchor(const yaml_char_t* name, const Node* made) {
    if (name) anchors_[from(name)] = made;
  }

  const std::shared_ptr<Document::Storage> storage_;
  const YamlLimits limits_;
  std::vector<Error>* const told_;  ///< null: a key that cannot be one ends the reading
  const std::size_t skipped_;       ///< bytes of a byte order mark
  const ByteOffsets offsets_;
  yaml_parser_t parser_;
  std::size_t spent_ = 0;
  std::unordered_map<std::string, const Node*> anchors_;
};

namespace {

Status check_size(const std::string& text, const std::string& file, const YamlLimits& limits) {
  if (text.size() <= limits.bytes) return {};
  return fail(ErrorCode::kTooLarge, Place{file, 0, 0},
              fmt::format("{} bytes of YAML, more than {}", text.size(), limits.bytes), "split the file");
}

}  // namespace

std::span<const Node::Entry> Document::left_out(const Node& mapping) const {
  const auto found = storage_->left_out.find(&mapping);
  return found == storage_->left_out.end() ? std::span<const Node::Entry>{} : found->second;
}

bool Document::is_left_out(const Place& key) const {
  const auto stands_there = [&](const Node::Entry& entry) { return entry.key->place() == key; };
  return std::any_of(storage_->left_out.begin(), storage_->left_out.end(),
                     [&](const auto& of) { return std::any_of(of.second.begin(), of.second.end(), stands_there); });
}

Result<Document> Document::parse(std::string text, std::string file, const YamlLimits& limits) {
  AT_TRY(check_size(text, file, limits));
  auto storage = std::make_shared<Storage>();
  storage->text = std::move(text);
  storage->file = std::move(file);
  return YamlBuilder(std::move(storage), limits, nullptr).build();
}

Result<Document> Document::parse(std::string text, std::string file, std::vector<Error>& told,
                                 const YamlLimits& limits) {
  AT_TRY(check_size(text, file, limits));
  auto storage = std::make_shared<Storage>();
  storage->text = std::move(text);
  storage->file = std::move(file);
  return YamlBuilder(std::move(storage), limits, &told).build();
}

const std::string& Document::text() const { return storage_->text; }
const std::string& Document::file() const { return storage_->file; }

const Node* Node::get(std::string_view key) const {
  for (const auto& entry : entries_) {
    if (entry.key->text_ == key) return entry.value;
  }
  return nullptr;
}

const Node* Node::get(std::initializer_list<std::string_view> path) const {
  const auto* node = this;
  for (const auto key : path) {
    node = node->get(key);
    if (!node) return nullptr;
  }
  return node;
}

}  // namespace atalaya::config
