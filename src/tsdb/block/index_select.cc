// Selecting: pairs by matchers, series by lists of pairs.
#include <algorithm>
#include <bit>
#include <numeric>

#include "tsdb/block/index_impl.h"

namespace atalaya::tsdb {
namespace {

using index::ListRef;
using index::PageKind;
using index::Pages;
using index::PairSet;
using index::Run;
using Ordinals = std::vector<std::uint32_t>;

/// A bit a series.
class Bits {
 public:
  explicit Bits(std::uint32_t size) : words_((std::size_t{size} + 63) / 64) {}

  void set(Run run) {
    for (std::uint64_t at = run.begin; at < run.end;) {
      const auto stop = std::min<std::uint64_t>(run.end, (at | 63) + 1);
      const auto length = stop - at;
      words_[at / 64] |= (length == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << length) - 1) << at % 64;
      at = stop;
    }
  }
  bool has(std::uint32_t at) const { return (words_[at / 64] >> at % 64 & 1) != 0; }
  void append_to(Ordinals& out) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (auto left = words_[i]; left != 0; left &= left - 1) {
        out.push_back(static_cast<std::uint32_t>(i * 64 + static_cast<std::size_t>(std::countr_zero(left))));
      }
    }
  }

 private:
  std::vector<std::uint64_t> words_;
};

Status set_all(const Pages& pages, const std::vector<ListRef>& lists, Bits& bits) {
  for (const auto& list : lists) {
    AT_TRY(index::each_run(pages, list, [&](Run run) {
      bits.set(run);
      return true;
    }));
  }
  return {};
}

/// The series of a set that keeps, as the first of a selection.
Status take(const Pages& pages, const PairSet& set, Ordinals& out) {
  out.clear();
  if (set.lists.size() == 1) {
    out.reserve(set.series);
    return index::each_run(pages, set.lists.front(), [&](Run run) {
      for (auto i = run.begin; i < run.end; ++i) out.push_back(i);
      return true;
    });
  }
  if (set.lists.empty()) return {};
  Bits bits(pages.series());
  AT_TRY(set_all(pages, set.lists, bits));
  bits.append_to(out);
  return {};
}

/// Leaves in `series` what is in the list (keep), or what is not.
Status filter_by_list(const Pages& pages, const ListRef& list, bool keep, Ordinals& series) {
  auto from = series.begin();
  auto to = series.begin();
  const auto pass_below = [&](std::uint32_t bound, bool stays) {
    const auto begin = from;
    while (from != series.end() && *from < bound) ++from;
    if (stays) to = to == begin ? from : std::copy(begin, from, to);
  };
  AT_TRY(index::each_run(pages, list, [&](Run run) {
    pass_below(run.begin, !keep);
    pass_below(run.end, keep);
    return from != series.end();
  }));
  if (!keep) to = to == from ? series.end() : std::copy(from, series.end(), to);
  series.erase(to, series.end());
  return {};
}

Status filter(const Pages& pages, const PairSet& set, Ordinals& series) {
  const bool keep = !set.drops;
  if (set.lists.empty()) {
    if (keep) series.clear();
    return {};
  }
  if (set.lists.size() == 1) return filter_by_list(pages, set.lists.front(), keep, series);
  Bits bits(pages.series());
  AT_TRY(set_all(pages, set.lists, bits));
  std::erase_if(series, [&](std::uint32_t ordinal) { return bits.has(ordinal) != keep; });
  return {};
}

Status check(const Matchers& matchers) {
  const bool some = std::any_of(matchers.begin(), matchers.end(), [](const Matcher& m) { return !m.matches(""); });
  if (some) return {};
  return fail(ErrorCode::kInvalidArgument,
              "at least one matcher must not match the empty value: " + to_string(matchers));
}

Ordinals all_of(std::uint32_t count) {
  Ordinals out(count);
  std::iota(out.begin(), out.end(), 0u);
  return out;
}

}  // namespace

Result<bool> Index::Impl::select(const Matchers& matchers, Ordinals& out) const {
  std::vector<PairSet> sets;
  for (const auto& matcher : matchers) {
    AT_TRY(auto set, index::pairs_of(pages, matcher));
    const bool of_all = set.all && set.series == pages.series();
    if (of_all && !set.drops) continue;  // each series has the name
    if (set.lists.empty() && set.drops) continue;
    if (set.lists.empty() || of_all) return false;  // nothing is left
    sets.push_back(std::move(set));
  }
  // What keeps the fewest first; then what drops.
  std::sort(sets.begin(), sets.end(),
            [](const PairSet& a, const PairSet& b) { return a.drops != b.drops ? b.drops : a.series < b.series; });
  if (sets.empty()) return true;
  std::size_t first = 0;
  if (sets.front().drops) {
    out = all_of(pages.series());
  } else {
    AT_TRY(take(pages, sets[first++], out));
  }
  for (; first < sets.size() && !out.empty(); ++first) AT_TRY(filter(pages, sets[first], out));
  return false;
}

Result<std::vector<std::uint32_t>> Index::select(const Matchers& matchers) const {
  AT_TRY(check(matchers));
  Ordinals out;
  AT_TRY(const bool all, impl_->select(matchers, out));
  if (all) out = all_of(size());
  return out;
}

Result<std::vector<std::uint32_t>> Index::Impl::pairs_of(const Ordinals& series, std::uint32_t begin,
                                                         std::uint32_t end) const {
  const auto& directory = pages.directory();
  std::vector<bool> seen(end - begin);
  std::shared_ptr<const index::LabelPage> page;
  const index::Page* head = nullptr;
  for (const auto ordinal : series) {
    if (head == nullptr || ordinal - head->first_item >= head->items) {
      const auto number = directory.page_of(PageKind::kLabels, ordinal);
      AT_TRY(page, pages.labels(number));
      head = &directory.of(PageKind::kLabels)[number];
    }
    for (const auto pair : page->of(ordinal - head->first_item)) {
      if (pair >= begin && pair < end) seen[pair - begin] = true;
    }
  }
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < seen.size(); ++i) {
    if (seen[i]) out.push_back(begin + i);
  }
  return out;
}

Result<std::vector<std::string>> Index::label_names(const Matchers& matchers) const {
  const auto& directory = impl_->pages.directory();
  std::vector<std::string> out;
  Ordinals series;
  bool all = true;
  if (!matchers.empty()) {
    AT_TRY(check(matchers));
    AT_TRY(all, impl_->select(matchers, series));
  }
  if (all) {
    for (const auto& name : directory.names) out.emplace_back(name.text);
    return out;
  }
  AT_TRY(const auto pairs, impl_->pairs_of(series, 0, directory.items(PageKind::kPairs)));
  auto pair = pairs.begin();
  for (const auto& name : directory.names) {
    pair = std::lower_bound(pair, pairs.end(), name.first_pair);
    if (pair != pairs.end() && *pair - name.first_pair < name.pairs) out.emplace_back(name.text);
  }
  return out;
}

Result<std::vector<std::string>> Index::label_values(std::string_view name, const Matchers& matchers) const {
  std::vector<std::string> out;
  Ordinals series;
  bool all = true;
  if (!matchers.empty()) {
    AT_TRY(check(matchers));
    AT_TRY(all, impl_->select(matchers, series));
  }
  const auto* found = impl_->pages.directory().find_name(name);
  if (found == nullptr) return out;
  if (all) {
    AT_TRY(index::each_pair_from(impl_->pages, *found, {}, [&](std::uint32_t, std::string_view value, const ListRef&) {
      out.emplace_back(value);
      return true;
    }));
    return out;
  }
  AT_TRY(const auto pairs, impl_->pairs_of(series, found->first_pair, found->first_pair + found->pairs));
  index::PairReader reader(impl_->pages);
  for (const auto pair : pairs) {
    AT_TRY(const auto value, reader.value(pair));
    out.emplace_back(value);
  }
  return out;
}

}  // namespace atalaya::tsdb
