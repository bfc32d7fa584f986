// Which pairs a matcher speaks of (docs/formats/index.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/matcher.h"
#include "tsdb/block/index_pages.h"

namespace atalaya::tsdb::index {

/// What can be told of a regular expression without running it.
struct RegexShape {
  /// Set when it matches exactly these: sorted, unique.
  std::optional<std::vector<std::string>> literals;
  /// All that it matches begin with this.
  std::string prefix;
  bool anything = false;      ///< `.*`
  bool any_nonempty = false;  ///< `.+`
};
RegexShape shape_of(std::string_view regex);

/// The series that a matcher keeps, or the ones that it drops.
struct PairSet {
  bool drops = false;          ///< it accepts the empty value: series of these pairs go, all others stay
  bool all = false;            ///< each pair of the name
  std::vector<ListRef> lists;  ///< also when `all`
  std::uint64_t series = 0;    ///< sum of the lists
};
Result<PairSet> pairs_of(const Pages& pages, const Matcher& matcher);

/// Number of a pair; nothing when there is none.
Result<std::optional<std::uint32_t>> find_pair(const Pages& pages, const Name& name, std::string_view value);

/// The pages that hold pairs of the name with values from `from` on, up to the last of the name; `each`
/// is called as each(pair, value, const ListRef&) in ascending order and answers false to stop.
template <typename Each>
Status each_pair_from(const Pages& pages, const Name& name, std::string_view from, Each each);
/// Number of the page where a value of the name would be.
std::uint32_t page_of_value(const Directory& directory, const Name& name, std::string_view value);
/// Index of the first pair of the page, from `begin` and before `end`, whose value is not less.
std::uint32_t lower_bound(const PairPage& page, std::uint32_t begin, std::uint32_t end, std::string_view value);

template <typename Each>
Status each_pair_from(const Pages& pages, const Name& name, std::string_view from, Each each) {
  const auto& all = pages.directory().of(PageKind::kPairs);
  const auto end = name.first_pair + name.pairs;
  bool first = true;
  for (auto number = page_of_value(pages.directory(), name, from); number < all.size(); ++number) {
    const auto& head = all[number];
    if (head.first_item >= end) break;
    AT_TRY(const auto page, pages.pairs(number));
    auto i = name.first_pair > head.first_item ? name.first_pair - head.first_item : 0;
    const auto stop = std::min(head.items, end - head.first_item);
    if (first) i = lower_bound(*page, i, stop, from);
    first = false;
    for (; i < stop; ++i) {
      if (!each(head.first_item + i, page->value(i), page->lists[i])) return {};
    }
  }
  return {};
}

}  // namespace atalaya::tsdb::index
