// Which of many selectors match a series, without trying each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/labels.h"
#include "model/matcher.h"

namespace atalaya::rules {

/// Every selector is filed under the one of its equalities that the fewest share, so that a series meets those alone
/// that name one of its labels; a selector without any is tried for each. Thread-compatible; immutable once built.
class SelectorIndex {
 public:
  /// `number` is what `find` answers with; it may have several selectors.
  void add(std::uint32_t number, Matchers selector);
  /// After the last add.
  void build();
  /// Numbers of which a selector matches, each once, ascending.
  std::vector<std::uint32_t> find(const Labels& labels) const;

 private:
  struct Entry {
    std::uint32_t number = 0;
    Matchers selector;
  };
  static void append_key(std::string& key, std::string_view name, std::string_view value);

  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_pair_;  ///< places in entries_
  std::vector<std::size_t> others_;
};

}  // namespace atalaya::rules
