#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "base/bytes.h"
#include "base/check.h"
#include "tsdb/block/index.h"
#include "tsdb/block/index_pair_table.h"
#include "tsdb/block/index_writer.h"

namespace atalaya::tsdb {
namespace {

using index::Run;
using index::Span;

struct SpreadSpan {
  std::size_t operator()(const Span& span) const {
    auto hash = (std::uint64_t{span.times} << 32 | span.count) * 0x9e3779b97f4a7c15u;
    hash = (hash ^ hash >> 32 ^ static_cast<std::uint64_t>(span.first)) * 0x9e3779b97f4a7c15u;
    return (hash ^ hash >> 32 ^ static_cast<std::uint64_t>(span.last)) * 0x9e3779b97f4a7c15u;
  }
};

/// Where a pair of the series before lies in its packed labels.
struct Place {
  std::uint32_t begin = 0;
  std::uint32_t length = 0;
  std::uint32_t pair = 0;

  std::uint32_t end() const { return begin + length; }
};

std::size_t shared_length(std::string_view a, std::string_view b) {
  const auto bound = std::min(a.size(), b.size());
  std::size_t at = 0;
  for (; at + 8 <= bound; at += 8) {
    if (std::memcmp(a.data() + at, b.data() + at, 8) != 0) break;
  }
  while (at < bound && a[at] == b[at]) ++at;
  return at;
}

std::uint32_t packed_pair_length(std::string_view rest) {
  ByteReader reader(rest);
  reader.text();
  reader.text();
  return static_cast<std::uint32_t>(rest.size() - reader.remaining());
}

}  // namespace

/// Labels are kept as the numbers of their pairs by first appearance, each series as what it has other than
/// the one before; they get their true numbers when all pairs are known. Chunks are written at once.
struct IndexBuilder::Impl {
  void add(const Labels& labels, std::span<const ChunkRef> chunks);
  std::string finish();

  std::uint32_t series = 0;

 private:
  void read_places(std::string_view packed, std::size_t shared, std::uint32_t begin);
  void check_order(std::string_view packed, std::size_t shared) const;
  std::uint32_t span_of(const ChunkRef& chunk);
  template <typename Series, typename Stretch>
  void replay(Series each_series, Stretch each_stretch) const;
  std::vector<std::uint32_t> write_labels(const std::vector<std::uint32_t>& final_numbers);
  void write_pairs(const std::vector<index::PairTable::Key>& keys, std::vector<std::uint32_t> run_counts);

  index::PairTable pairs_;
  /// Varints: number of pairs, how many are not those at their place in the series before, and for each of
  /// these place and pair.
  std::string rows_;
  std::string before_;  ///< packed labels of the series before
  std::vector<Place> places_;
  std::vector<std::uint32_t> changes_;

  std::vector<Span> spans_;
  std::unordered_map<Span, std::uint32_t, SpreadSpan> span_numbers_;
  std::uint32_t last_span_ = 0;
  std::vector<std::uint32_t> chunk_spans_;

  index::PageWriter pages_;
  index::ChunkPageWriter chunk_pages_;
};

void IndexBuilder::Impl::add(const Labels& labels, std::span<const ChunkRef> chunks) {
  AT_CHECK(series < std::numeric_limits<std::uint32_t>::max() && !chunks.empty());
  const std::string_view packed = labels.packed();
  // The packed form of a pair tells its own length, so what begins with it has it.
  const auto same = shared_length(packed, before_);
  std::size_t shared = 0;
  while (shared < places_.size() && places_[shared].end() <= same) ++shared;
  const std::uint32_t begin = shared == 0 ? 0 : places_[shared - 1].end();
  AT_CHECK(series == 0 || packed.size() > begin);
  if (series > 0 && shared < places_.size()) check_order(packed, shared);
  read_places(packed, shared, begin);

  chunk_spans_.clear();
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    AT_CHECK(i == 0 || chunks[i - 1].last < chunks[i].first);
    chunk_spans_.push_back(span_of(chunks[i]));
  }
  chunk_pages_.add(pages_, chunks, chunk_spans_);
  ++series;
}

/// The pairs behind the shared ones. What stands at the same place in the series before is neither looked up
/// nor noted: behind a label that changes at each series most often come others that do not.
void IndexBuilder::Impl::read_places(std::string_view packed, std::size_t shared, std::uint32_t begin) {
  const auto had = places_.size();
  changes_.clear();
  auto i = shared;
  for (; begin < packed.size(); ++i) {
    if (i == places_.size()) places_.emplace_back();
    auto& place = places_[i];
    const auto rest = packed.substr(begin);
    if (i < had && rest.starts_with(std::string_view(before_).substr(place.begin, place.length))) {
      place.begin = begin;
    } else {
      const auto length = packed_pair_length(rest);
      place = {begin, length, pairs_.intern(rest.substr(0, length))};
      changes_.push_back(static_cast<std::uint32_t>(i));
    }
    begin = place.end();
  }
  places_.resize(i);
  before_ = packed;
  index::append_varint(rows_, i);
  index::append_varint(rows_, changes_.size());
  for (const auto change : changes_) {
    index::append_varint(rows_, change);
    index::append_varint(rows_, places_[change].pair);
  }
}

void IndexBuilder::Impl::check_order(std::string_view packed, std::size_t shared) const {
  ByteReader was(std::string_view(before_).substr(places_[shared].begin));
  ByteReader is(packed.substr(places_[shared].begin));
  const auto was_name = was.text();
  const auto is_name = is.text();
  AT_CHECK(was_name < is_name || (was_name == is_name && was.text() < is.text()));
}

std::uint32_t IndexBuilder::Impl::span_of(const ChunkRef& chunk) {
  AT_CHECK(chunk.count > 0 && chunk.first <= chunk.last);
  const Span span{chunk.first, chunk.last, chunk.times, chunk.count};
  // In the order of labels the next series has most often the next vector of instants, or the same.
  const auto next = last_span_ + 1 < spans_.size() ? last_span_ + 1 : 0;
  if (!spans_.empty() && spans_[next] == span) return last_span_ = next;
  const auto [it, added] = span_numbers_.try_emplace(span, static_cast<std::uint32_t>(spans_.size()));
  if (added) spans_.push_back(span);
  return last_span_ = it->second;
}

/// Calls each_series(pairs, first place that changed) and each_stretch(pair, Run): series one after another
/// with the pair at the same place. A pair that moves to another place has two stretches that touch.
template <typename Series, typename Stretch>
void IndexBuilder::Impl::replay(Series each_series, Stretch each_stretch) const {
  std::vector<std::uint32_t> now;
  std::vector<std::uint32_t> since;
  index::ListReader rows(rows_);
  const auto next = [&] {
    std::uint64_t value = 0;
    AT_CHECK(rows.varint(value));
    return static_cast<std::size_t>(value);
  };
  for (std::uint32_t ordinal = 0; ordinal < series; ++ordinal) {
    const auto size = next();
    for (auto i = size; i < now.size(); ++i) each_stretch(now[i], Run{since[i], ordinal});
    const auto had = std::min(now.size(), size);
    now.resize(size);
    since.resize(size, ordinal);
    auto first = had;
    for (auto left = next(); left > 0; --left) {
      const auto i = next();
      first = std::min(first, i);
      if (i < had) each_stretch(now[i], Run{since[i], ordinal});
      now[i] = static_cast<std::uint32_t>(next());
      since[i] = ordinal;
    }
    each_series(now, first);
  }
  for (std::size_t i = 0; i < now.size(); ++i) each_stretch(now[i], Run{since[i], series});
}

/// Returns how many stretches each pair has, by its number of first appearance.
std::vector<std::uint32_t> IndexBuilder::Impl::write_labels(const std::vector<std::uint32_t>& final_numbers) {
  std::vector<std::uint32_t> counts(pairs_.size());
  std::vector<std::uint32_t> numbers;
  index::LabelPageWriter writer;
  replay(
      [&](const std::vector<std::uint32_t>& pairs, std::size_t first) {
        numbers.resize(pairs.size());
        for (auto i = first; i < pairs.size(); ++i) numbers[i] = final_numbers[pairs[i]];
        writer.add(pages_, numbers);
      },
      [&](std::uint32_t pair, Run) { ++counts[pair]; });
  writer.close(pages_);
  return counts;
}

void IndexBuilder::Impl::write_pairs(const std::vector<index::PairTable::Key>& keys,
                                     std::vector<std::uint32_t> run_counts) {
  // Sorted by pair: `ends` first says where the runs of each begin, then, all put in their place, where they end.
  std::vector<std::uint64_t> ends(run_counts.size());
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    ends[i] = total;
    total += run_counts[i];
  }
  std::vector<Run> runs(total);
  replay([](const std::vector<std::uint32_t>&, std::size_t) {},
         [&](std::uint32_t pair, Run run) { runs[ends[pair]++] = run; });

  index::ListPageWriter lists;
  index::PairPageWriter pair_pages;
  auto& names = pages_.directory().names;
  for (std::uint32_t number = 0; number < keys.size(); ++number) {
    const auto& key = keys[number];
    const bool first = names.empty() || names.back().text != key.name;
    if (first) names.push_back({std::string(key.name), number, 0, 0});
    auto own = std::span(runs).subspan(ends[key.number] - run_counts[key.number], run_counts[key.number]);
    std::size_t kept = 0;
    for (const auto& run : own) {
      if (kept > 0 && own[kept - 1].end == run.begin) {
        own[kept - 1].end = run.end;
      } else {
        own[kept++] = run;
      }
    }
    own = own.first(kept);
    pair_pages.add(key.value, first, own, lists, pages_);
    ++names.back().pairs;
    for (const auto& run : own) names.back().series += run.end - run.begin;
  }
  lists.close(pages_);
  pair_pages.finish(pages_);
}

std::string IndexBuilder::Impl::finish() {
  chunk_pages_.close(pages_);
  index::write_spans(pages_, spans_);
  const auto keys = pairs_.sorted();
  std::vector<std::uint32_t> final_numbers(keys.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) final_numbers[keys[i].number] = i;
  write_pairs(keys, write_labels(final_numbers));
  pages_.directory().write(pages_.section());
  return std::move(pages_.section());
}

IndexBuilder::IndexBuilder() : impl_(std::make_unique<Impl>()) {}
IndexBuilder::~IndexBuilder() = default;
IndexBuilder::IndexBuilder(IndexBuilder&&) noexcept = default;
IndexBuilder& IndexBuilder::operator=(IndexBuilder&&) noexcept = default;

void IndexBuilder::add(const Labels& labels, std::span<const ChunkRef> chunks) { impl_->add(labels, chunks); }
std::size_t IndexBuilder::size() const { return impl_->series; }

std::string IndexBuilder::finish() {
  auto section = impl_->finish();
  impl_ = std::make_unique<Impl>();
  return section;
}

}  // namespace atalaya::tsdb
