// Reading all of an index: what one page cannot tell of itself.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "tsdb/block/index_impl.h"

namespace atalaya::tsdb {
namespace {

using index::Directory;
using index::PageKind;
using index::Pages;

std::unexpected<Error> corrupt(std::string reason) {
  return fail(ErrorCode::kCorruption, "index: " + std::move(reason));
}

/// Of the ordinals of a pair: their number, and the sum of what they hash to, whatever their order.
struct Sum {
  std::uint64_t count = 0;
  std::uint64_t hash = 0;

  void add(std::uint32_t ordinal) {
    auto x = (ordinal + 1) * std::uint64_t{0x9e3779b97f4a7c15u};
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    hash += x ^ x >> 31;
    ++count;
  }
  bool operator==(const Sum&) const = default;
};

/// Walks each part once.
class Verifier {
 public:
  explicit Verifier(const Pages& pages) : pages_(pages), directory_(pages.directory()) {}

  Status run() {
    for (const auto& name : directory_.names) {
      if (!is_utf8(name.text)) return corrupt(fmt::format("a name of pair {} is not UTF-8", name.first_pair));
    }
    sums_.resize(directory_.items(PageKind::kPairs));
    AT_TRY(verify_pairs());
    AT_TRY(verify_labels());
    for (std::size_t pair = 0; pair < sums_.size(); ++pair) {
      if (sums_[pair] != Sum{}) return corrupt(fmt::format("the list of pair {} does not fit the labels", pair));
    }
    for (std::uint32_t i = 0; i < directory_.of(PageKind::kSpans).size(); ++i) AT_TRY(pages_.spans(i));
    return verify_chunks();
  }

 private:
  Status verify_pairs();
  Status verify_page_of_pairs(std::uint32_t number, const index::PairPage& page);
  Status verify_value(std::uint32_t pair, std::string_view value);
  Status verify_list(std::uint32_t pair, const index::ListRef& list);
  Status verify_labels();
  Status verify_series(std::uint32_t ordinal, std::span<const std::uint32_t> pairs);
  Status verify_chunks();

  const Pages& pages_;
  const Directory& directory_;
  std::vector<Sum> sums_;  ///< a pair: its list's less those of its series
  std::size_t name_ = 0;
  std::uint64_t series_of_name_ = 0;
  std::string value_before_;
  std::vector<std::uint32_t> pairs_before_;
};

Status Verifier::verify_pairs() {
  const auto& pages = directory_.of(PageKind::kPairs);
  const auto& lists = directory_.of(PageKind::kLists);
  std::uint32_t list_page = 0;
  std::uint32_t list_offset = 0;
  for (std::uint32_t number = 0; number < pages.size(); ++number) {
    const auto& head = directory_.pair_heads[number];
    if (head.list_page != list_page || head.list_offset != list_offset) {
      return corrupt(fmt::format("the lists of page {} of pairs do not follow those of the one before", number));
    }
    AT_TRY(const auto page, pages_.pairs(number));
    AT_TRY(verify_page_of_pairs(number, *page));
    list_page = page->list_page;
    list_offset = page->list_offset;
  }
  const bool none = lists.empty() && list_page == 0 && list_offset == 0;
  if (!none && (list_page + 1 != lists.size() || list_offset != lists.back().unpacked)) {
    return corrupt("lists are left over");
  }
  return {};
}

Status Verifier::verify_page_of_pairs(std::uint32_t number, const index::PairPage& page) {
  const auto& head = directory_.of(PageKind::kPairs)[number];
  for (std::uint32_t i = 0; i < head.items; ++i) {
    const auto pair = head.first_item + i;
    const auto& name = directory_.names[name_];
    if (pair == name.first_pair) {
      value_before_.clear();
      series_of_name_ = 0;
    }
    const auto value = page.value(i);
    const auto separator = directory_.pair_heads[number].separator;
    if (i == 0 && (pair == name.first_pair ? !separator.empty() : separator <= value_before_ || separator > value)) {
      return corrupt(fmt::format("the separator of page {} of pairs is wrong", number));
    }
    AT_TRY(verify_value(pair, value));
    AT_TRY(verify_list(pair, page.lists[i]));
    if (pair + 1 != name.first_pair + name.pairs) continue;
    if (series_of_name_ != name.series) return corrupt(fmt::format("the number of series of name {} is wrong", name_));
    ++name_;
  }
  return {};
}

Status Verifier::verify_value(std::uint32_t pair, std::string_view value) {
  if (value <= value_before_) return corrupt(fmt::format("pair {} does not ascend", pair));
  if (!is_utf8(value)) return corrupt(fmt::format("the value of pair {} is not UTF-8", pair));
  value_before_ = value;
  return {};
}

Status Verifier::verify_list(std::uint32_t pair, const index::ListRef& list) {
  Sum sum;
  AT_TRY(index::each_run(pages_, list, [&](index::Run run) {
    for (auto i = run.begin; i < run.end; ++i) sum.add(i);
    return true;
  }));
  sums_[pair] = sum;
  series_of_name_ += sum.count;
  return {};
}

Status Verifier::verify_labels() {
  const auto& pages = directory_.of(PageKind::kLabels);
  for (std::uint32_t number = 0; number < pages.size(); ++number) {
    AT_TRY(const auto page, pages_.labels(number));
    for (std::uint32_t i = 0; i < pages[number].items; ++i) {
      AT_TRY(verify_series(pages[number].first_item + i, page->of(i)));
    }
  }
  return {};
}

Status Verifier::verify_series(std::uint32_t ordinal, std::span<const std::uint32_t> pairs) {
  // Numbers of pairs order as the pairs do, so series compare by them.
  if (ordinal > 0 &&
      !std::lexicographical_compare(pairs_before_.begin(), pairs_before_.end(), pairs.begin(), pairs.end())) {
    return corrupt(fmt::format("series {} does not ascend", ordinal));
  }
  std::uint32_t least = 0;
  for (const auto pair : pairs) {
    if (pair < least) return corrupt(fmt::format("series {} has a name twice", ordinal));
    const auto& name = directory_.names[directory_.name_of(pair)];
    least = name.first_pair + name.pairs;
    Sum own;
    own.add(ordinal);
    sums_[pair].count -= own.count;
    sums_[pair].hash -= own.hash;
  }
  pairs_before_.assign(pairs.begin(), pairs.end());
  return {};
}

Status Verifier::verify_chunks() {
  const auto& pages = directory_.of(PageKind::kChunks);
  for (std::uint32_t number = 0; number < pages.size(); ++number) {
    AT_TRY(const auto page, pages_.chunks(number));
    for (std::uint32_t i = 0; i < pages[number].items; ++i) {
      const auto chunks = page->of(i);
      for (std::size_t k = 0; k < chunks.size(); ++k) {
        const auto& chunk = chunks[k];
        if (chunk.count == 0 || chunk.first > chunk.last || (k > 0 && chunk.first <= chunks[k - 1].last)) {
          return corrupt(fmt::format("chunk {} of series {} is wrong", k, pages[number].first_item + i));
        }
      }
    }
  }
  return {};
}

}  // namespace

Status Index::verify() const { return Verifier(impl_->pages).run(); }

}  // namespace atalaya::tsdb
