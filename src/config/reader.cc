#include "config/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "config/suggest.h"

namespace atalaya::config {
namespace {

template <typename T>
void take(Result<T> result, T& out, Errors& errors) {
  if (result) {
    out = std::move(*result);
  } else {
    errors.push_back(std::move(result).error());
  }
}

bool expect(bool good, std::string_view wanted, const Node& node, Errors& errors, std::string_view example) {
  if (!good) {
    errors.push_back({ErrorCode::kInvalidArgument, fmt::format("expected {}, found {}", wanted, describe(node)),
                      node.place(), fmt::format("e.g. {}", example)});
  }
  return good;
}

template <typename T>
void narrow(const Node& node, T& out, Errors& errors) {
  std::int64_t wide = 0;
  const auto before = errors.size();
  take(as_integer(node), wide, errors);
  if (errors.size() != before) return;
  if (!std::in_range<T>(wide)) {
    errors.push_back({ErrorCode::kInvalidArgument, fmt::format("{} is out of range", wide), node.place(),
                      fmt::format("between {} and {}", std::numeric_limits<T>::min(), std::numeric_limits<T>::max())});
    return;
  }
  out = static_cast<T>(wide);
}

}  // namespace

bool stands_before(const Error& a, const Error& b) {
  const auto key = [](const Error& error) {
    const auto place = error.place.value_or(Place{});
    return std::tuple(place.file, place.line, place.column);
  };
  return key(a) < key(b);
}

void sort_by_place(Errors& errors) { std::stable_sort(errors.begin(), errors.end(), stands_before); }

void decode(const Node& node, std::string& out, Errors& errors) { take(as_text(node), out, errors); }
void decode(const Node& node, std::int64_t& out, Errors& errors) { take(as_integer(node), out, errors); }
void decode(const Node& node, int& out, Errors& errors) { narrow(node, out, errors); }
void decode(const Node& node, std::uint64_t& out, Errors& errors) { narrow(node, out, errors); }
void decode(const Node& node, double& out, Errors& errors) { take(as_number(node), out, errors); }
void decode(const Node& node, bool& out, Errors& errors) { take(as_boolean(node), out, errors); }
void decode(const Node& node, Duration& out, Errors& errors) { take(as_duration(node), out, errors); }
void decode(const Node& node, const Node*& out, Errors&) { out = &node; }

bool expect_sequence(const Node& node, Errors& errors) {
  return expect(node.is_sequence(), "a list", node, errors, "[first, second]");
}
bool expect_mapping(const Node& node, Errors& errors) {
  return expect(node.is_mapping(), "a mapping", node, errors, "{name: value}");
}

Reader::Reader(const Node& node, std::string what, Errors& errors)
    : node_(node), what_(std::move(what)), errors_(errors), errors_before_(errors.size()) {
  expect(node.is_mapping(), fmt::format("the keys of {}", what_), node, errors_, "{key: value}");
}

const Node* Reader::find(std::string_view key) {
  known_.emplace(key);
  return node_.get(key);
}

const Node* Reader::require(std::string_view key) {
  const auto* found = find(key);
  if (!found && node_.is_mapping()) {
    errors_.push_back({ErrorCode::kInvalidArgument, fmt::format("{} needs the key \"{}\"", what_, key), node_.place(),
                       fmt::format("add {}: …", key)});
  }
  return found;
}

void Reader::allow(std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) known_.emplace(key);
}

const Node::Entry* Reader::one_of(std::initializer_list<std::string_view> keys) {
  allow(keys);
  const Node::Entry* found = nullptr;
  std::string list;
  for (const auto key : keys) list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", key);
  for (const auto& entry : node_.entries()) {
    if (std::find(keys.begin(), keys.end(), entry.key->text()) == keys.end()) continue;
    if (found) {
      errors_.push_back({ErrorCode::kInvalidArgument,
                         fmt::format("{} has both \"{}\" and \"{}\"", what_, found->key->text(), entry.key->text()),
                         entry.key->place(), "keep one of them"});
      return nullptr;
    }
    found = &entry;
  }
  if (!found && node_.is_mapping()) {
    errors_.push_back({ErrorCode::kInvalidArgument, fmt::format("{} needs one of the keys {}", what_, list),
                       node_.place(), "add one of them"});
  }
  return found;
}

std::string Reader::choice(std::string_view key, const std::vector<std::string_view>& words) {
  const auto* node = find(key);
  std::string word(words.front());
  if (!node) return word;
  decode(*node, word, errors_);
  if (std::find(words.begin(), words.end(), word) != words.end()) return word;
  errors_.push_back({ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no value of \"{}\"", word, key), node->place(),
                     suggestion(word, {words.begin(), words.end()})});
  return std::string(words.front());
}

void Reader::complain(std::string_view key, std::string message, std::string remedy) {
  const auto* node = node_.get(key);
  errors_.push_back(
      {ErrorCode::kInvalidArgument, std::move(message), (node ? *node : node_).place(), std::move(remedy)});
}

void Reader::finish() {
  for (const auto& entry : node_.entries()) {
    if (known_.contains(entry.key->text())) continue;
    // A key that is there cannot be the one that was meant.
    std::vector<std::string> all;
    std::vector<std::string> free;
    for (const auto& known : known_) {
      all.push_back(known);
      if (!node_.get(known)) free.push_back(known);
    }
    const auto near = closest(entry.key->text(), free);
    errors_.push_back({ErrorCode::kInvalidArgument, fmt::format("{} has no key \"{}\"", what_, entry.key->text()),
                       entry.key->place(), near.empty() ? known_are(all) : "did you mean \"" + near + "\"?"});
  }
}

}  // namespace atalaya::config
