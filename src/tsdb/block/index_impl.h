// Inside of Index.
#pragma once

#include <array>
#include <memory>

#include "tsdb/block/index.h"
#include "tsdb/block/index_match.h"
#include "tsdb/block/index_pages.h"
#include "tsdb/block/recent_pages.h"

namespace atalaya::tsdb {

struct Index::Impl {
  Impl(std::string_view section, index::Directory directory, std::shared_ptr<PageCache> cache)
      : pages(section, std::move(directory), std::move(cache)), ids(pages.series()) {}

  index::Pages pages;
  OrdinalIds ids;
  const std::uint64_t unique = unique_number();

  using Ordinals = std::vector<std::uint32_t>;
  /// Set when each series matches; else `out` holds those that do.
  Result<bool> select(const Matchers& matchers, Ordinals& out) const;
  /// Numbers of the pairs that the series have, ascending; only those in [begin, end).
  Result<std::vector<std::uint32_t>> pairs_of(const Ordinals& series, std::uint32_t begin, std::uint32_t end) const;
};

namespace index {

/// Turns numbers of pairs into text; holds some pages while it lives. Thread-compatible.
class PairReader {
 public:
  explicit PairReader(const Pages& pages) : pages_(pages) {}
  /// The number is below that of the pairs. The view lives until the next call.
  Result<std::string_view> value(std::uint32_t pair);

 private:
  struct Held {
    std::uint32_t number = ~0u;
    std::shared_ptr<const PairPage> page;
  };
  const Pages& pages_;
  std::array<Held, 32> held_;
};

/// The list of a pair as runs; `take(Run)` answers false to stop. corruption when the list is wrong.
template <typename Take>
Status each_run(const Pages& pages, const ListRef& list, Take take);

std::unexpected<Error> wrong_list(const ListRef& list);

template <typename Take>
Status each_run(const Pages& pages, const ListRef& list, Take take) {
  if (list.count == 1) {
    take(Run{list.ordinal, list.ordinal + 1});
    return {};
  }
  AT_TRY(const auto page, pages.lists(list.page));
  const auto bytes = std::string_view(page->bytes).substr(list.offset, list.bytes);
  if (!read_list(list.kind, bytes, list.count, pages.series(), take)) return wrong_list(list);
  return {};
}

}  // namespace index
}  // namespace atalaya::tsdb
