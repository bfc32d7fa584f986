// Reading mappings into plain types, with every mistake told at once.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/yaml.h"

namespace atalaya::config {

using Errors = std::vector<Error>;

/// Does its place come before: by file, line and column? Errors without a place come first.
bool stands_before(const Error& a, const Error& b);
void sort_by_place(Errors& errors);

// `decode` puts the node's value into `out`, or adds errors and leaves `out` alone. Overloads of
// other namespaces are found by their type, so that lists and maps of structures decode too.
void decode(const Node& node, std::string& out, Errors& errors);
void decode(const Node& node, std::int64_t& out, Errors& errors);
void decode(const Node& node, int& out, Errors& errors);
void decode(const Node& node, std::uint64_t& out, Errors& errors);
void decode(const Node& node, double& out, Errors& errors);
void decode(const Node& node, bool& out, Errors& errors);
void decode(const Node& node, Duration& out, Errors& errors);
void decode(const Node& node, const Node*& out, Errors& errors);

bool expect_sequence(const Node& node, Errors& errors);
bool expect_mapping(const Node& node, Errors& errors);

template <typename T>
void decode(const Node& node, std::vector<T>& out, Errors& errors) {
  if (!expect_sequence(node, errors)) return;
  const auto before = errors.size();
  std::vector<T> read(node.items().size());
  for (std::size_t i = 0; i < read.size(); ++i) decode(*node.items()[i], read[i], errors);
  if (errors.size() == before) out = std::move(read);
}

template <typename T>
void decode(const Node& node, std::map<std::string, T>& out, Errors& errors) {
  if (!expect_mapping(node, errors)) return;
  const auto before = errors.size();
  std::map<std::string, T> read;
  for (const auto& entry : node.entries()) decode(*entry.value, read[entry.key->text()], errors);
  if (errors.size() == before) out = std::move(read);
}

/// Reads the keys of one mapping. Each question names a key once; `finish` then complains about the
/// keys nobody asked for. A wrong node gives its fallback and an error, and reading goes on.
/// Thread-compatible.
///
///   Reader read(node, "a gauge", errors);
///   rule.expr = read.required<std::string>("expr");
///   rule.hold = read.value_or<Duration>("for", Duration{0});
///   rule.team = read.optional<std::string>("team");
///   read.finish();
class Reader {
 public:
  /// `what` names the thing in messages, with its article. Something else than a mapping is an error
  /// at once, and every question then gives its fallback without another.
  Reader(const Node& node, std::string what, Errors& errors);

  template <typename T>
  T required(std::string_view key, T fallback = T{}) {
    if (const auto* node = require(key)) decode(*node, fallback, errors_);
    return fallback;
  }
  template <typename T>
  T value_or(std::string_view key, T fallback) {
    if (const auto* node = find(key)) decode(*node, fallback, errors_);
    return fallback;
  }
  /// Nothing when absent, null or wrong.
  template <typename T>
  std::optional<T> optional(std::string_view key) {
    const auto* node = find(key);
    if (!node || node->is_null()) return std::nullopt;
    T value{};
    const auto before = errors_.size();
    decode(*node, value, errors_);
    if (errors_.size() != before) return std::nullopt;
    return value;
  }
  /// A list, or one item without its brackets.
  template <typename T>
  std::vector<T> one_or_many(std::string_view key) {
    std::vector<T> values;
    const auto* node = find(key);
    if (!node) return values;
    if (node->is_sequence()) {
      decode(*node, values, errors_);
      return values;
    }
    const auto before = errors_.size();
    T value{};
    decode(*node, value, errors_);
    if (errors_.size() == before) values.push_back(std::move(value));
    return values;
  }
  /// One of the given words; the first is the fallback. Only asked of keys that may be absent.
  std::string choice(std::string_view key, const std::vector<std::string_view>& words);

  /// The node itself; null if absent.
  const Node* find(std::string_view key);
  /// As find, but absence is an error.
  const Node* require(std::string_view key);
  /// Knows these keys without reading them.
  void allow(std::initializer_list<std::string_view> keys);
  /// Says that exactly one of these keys must be there, and which it is; null after an error.
  const Node::Entry* one_of(std::initializer_list<std::string_view> keys);
  /// Adds an error at the value of `key`, or at the mapping where the key is absent.
  void complain(std::string_view key, std::string message, std::string remedy = {});
  /// Unknown keys become errors, with the likeliest meant key.
  void finish();

  const Node& node() const { return node_; }
  /// Whether nothing was complained about since construction.
  bool ok() const { return errors_.size() == errors_before_; }

 private:
  const Node& node_;
  const std::string what_;
  Errors& errors_;
  const std::size_t errors_before_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace atalaya::config
