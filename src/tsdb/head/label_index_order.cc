// The order of the series of a head: that of their labels.
#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>

#include "tsdb/head/label_index.h"

namespace atalaya::tsdb {

/// Label sets compare as the ranks of their pairs do, pair by pair: texts are compared once for each pair that is
/// in the selection, not once for each comparison of two series.
void LabelIndex::sort_by_labels(std::vector<std::uint32_t>& ids) const {
  if (ids.size() < 2) return;
  boost::unordered_flat_map<std::uint32_t, std::uint32_t> ranks;
  const auto first = pairs_of(ids.front());
  auto common = first.size();  // the pairs that all begin with
  std::size_t total = 0;
  for (const auto id : ids) {
    const auto pairs = pairs_of(id);
    for (const auto pair : pairs) ranks.try_emplace(pair, 0);
    common = static_cast<std::size_t>(std::ranges::mismatch(pairs, first.first(common)).in2 - first.begin());
    total += pairs.size();
  }
  std::vector<std::uint32_t> order;
  order.reserve(ranks.size());
  for (const auto& [pair, rank] : ranks) order.push_back(pair);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) {
    if (pairs_.name_of(a) != pairs_.name_of(b)) return pairs_.name(a) < pairs_.name(b);
    return pairs_.value(a) < pairs_.value(b);
  });
  for (std::uint32_t i = 0; i < order.size(); ++i) ranks[order[i]] = i + 1;  // 0: there is no pair

  struct Key {
    std::uint64_t prefix;  ///< of the first two pairs that are not common
    std::uint32_t begin;   ///< of all that are not, in `rest`
    std::uint32_t end;
    std::uint32_t id;
  };
  std::vector<std::uint32_t> rest;
  rest.reserve(total - common * ids.size());
  std::vector<Key> keys;
  keys.reserve(ids.size());
  for (const auto id : ids) {
    const auto begin = static_cast<std::uint32_t>(rest.size());
    for (const auto pair : pairs_of(id).subspan(common)) rest.push_back(ranks.find(pair)->second);
    const auto count = rest.size() - begin;
    const std::uint64_t prefix = (count > 0 ? std::uint64_t{rest[begin]} << 32 : 0) | (count > 1 ? rest[begin + 1] : 0);
    keys.push_back({prefix, begin, static_cast<std::uint32_t>(rest.size()), id});
  }
  std::sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const std::span all(rest);
    return std::ranges::lexicographical_compare(all.subspan(a.begin, a.end - a.begin),
                                                all.subspan(b.begin, b.end - b.begin));
  });
  std::ranges::transform(keys, ids.begin(), &Key::id);
}

/// Pairs by their numbers, where these are the same: texts are compared once at the most.
bool LabelIndex::sorts_before(PairSpan a, PairSpan b) const {
  const auto [left, right] = std::ranges::mismatch(a, b);
  if (left == a.end() || right == b.end()) return left == a.end() && right != b.end();
  if (pairs_.name_of(*left) != pairs_.name_of(*right)) return pairs_.name(*left) < pairs_.name(*right);
  return pairs_.value(*left) < pairs_.value(*right);
}

/// `bound` with the numbers of its pairs, kNone where there is no such pair.
struct LabelIndex::Bound {
  Bound(const PairTable& pairs, const Labels& bound) {
    for (const auto& [name, value] : bound) {
      texts.emplace_back(name, value);
      numbers.push_back(pairs.find(name, value));
    }
  }
  std::vector<Labels::Pair> texts;
  std::vector<std::uint32_t> numbers;
};

bool LabelIndex::sorts_before(PairSpan pairs, const Bound& bound) const {
  const auto [left, right] = std::ranges::mismatch(pairs, bound.numbers);
  if (left == pairs.end() || right == bound.numbers.end()) return left == pairs.end() && right != bound.numbers.end();
  const auto& text = bound.texts[static_cast<std::size_t>(right - bound.numbers.begin())];
  return Labels::Pair{pairs_.name(*left), pairs_.value(*left)} < text;
}

void LabelIndex::keep(std::vector<std::uint32_t>& ids, Stretch& stretch) const {
  const Bound from(pairs_, stretch.from);
  std::erase_if(ids, [&](auto id) { return sorts_before(pairs_of(id), from); });
  if (stretch.until) {
    const Bound until(pairs_, *stretch.until);
    std::erase_if(ids, [&](auto id) { return !sorts_before(pairs_of(id), until); });
  }
  if (ids.size() <= stretch.at_most) return;
  const auto next = ids.begin() + static_cast<std::ptrdiff_t>(stretch.at_most);
  std::partial_sort(ids.begin(), next + 1, ids.end(),
                    [&](auto a, auto b) { return sorts_before(pairs_of(a), pairs_of(b)); });
  stretch.until = labels(pairs_of(*next));
  ids.erase(next, ids.end());
}

}  // namespace atalaya::tsdb
