// From one generation of a head to the next: set apart, read for blocks, given back.
#include <algorithm>
#include <atomic>

#include "base/check.h"
#include "tsdb/head/tenant_head.h"

namespace atalaya::tsdb {

void TenantHead::rotate() {
  const std::unique_lock lock(mutex_);
  AT_CHECK(!older_arena_);
  older_arena_ = std::exchange(arena_, std::make_shared<Arena>());
  older_late_ = std::exchange(late_, {});
  ++generation_;
}

void TenantHead::drop_older() {
  for (std::uint32_t from = 1; from != 0;) {
    const std::unique_lock lock(mutex_);
    from = states_.visit(from, 16, [&](std::uint32_t, SeriesState& state) {
      if (state.generation != generation_) state.chunk = 0;
      state.older = 0;
    });
  }
  const std::unique_lock lock(mutex_);
  older_arena_.reset();
  older_late_ = {};
}

void TenantHead::release_labels() {
  const std::lock_guard lock(labels_mutex_);
  boost::unordered::erase_if(shared_labels_, [](const auto& one) { return one.second.use_count() == 1; });
  shared_labels_.rehash(0);
}

Status TenantHead::forget_youngest(const Matchers* matchers, storage::TimeRange range) {
  const auto forget = [&](std::uint32_t id, SeriesState& state) {
    const auto last = from_ms(state.last_time);
    const bool is_there = state.chunk != 0 || state.older != 0 || late_.find(id) || older_late_.find(id);
    const bool is_unknown = state.last_time == INT64_MIN;  // since a start: all that it had is in blocks
    if (is_there || (!is_unknown && (last < range.from || last > range.to))) return;
    state.last_time = state.staged_time = INT64_MIN;
    state.last_value = 0;
    state.delta = 0;
    if (!matchers) return;
    forgotten_.insert(id);
    // A checkpoint leaves it out, so that a start does not bring it back; with its next sample the log learns it anew.
    std::atomic_ref(state.defined).store(false, std::memory_order_relaxed);
  };
  if (matchers) {
    const std::unique_lock lock(mutex_);
    AT_TRY(const auto ids, index_->select(*matchers));
    for (const auto id : ids) forget(id, *states_.find(id));
    std::erase_if(forgotten_, [&](std::uint32_t id) { return !is_bare(id); });
    keys_.filter([&](std::uint32_t id) { return !forgotten_.contains(id); });
    return {};
  }
  for (std::uint32_t from = 1; from != 0;) {
    const std::unique_lock lock(mutex_);
    from = states_.visit(from, 16, forget);
  }
  return {};
}

/// Whether a series is there that has no sample, nor had one that counts.
bool TenantHead::is_bare(std::uint32_t id) const {
  const auto* state = states_.find(id);
  return state && state->last_time == INT64_MIN && !late_.find(id) && !older_late_.find(id);
}

LabelIndex::Ids TenantHead::forgotten() const {
  LabelIndex::Ids out;
  for (const auto id : forgotten_) {
    if (is_bare(id)) out.insert(id);
  }
  return out;
}

void TenantHead::retire_idle(std::uint32_t before) {
  bool retired = false;
  for (std::uint32_t from = 1; from != 0;) {
    const std::unique_lock lock(mutex_);
    from = states_.visit(from, 16, [&](std::uint32_t id, SeriesState& state) {
      if (state.chunk != 0 || state.older != 0 || state.used >= before) return;
      if (late_.find(id) || older_late_.find(id)) return;
      forgotten_.erase(id);
      index_->remove(id);
      states_.retire(id);
      retired = true;
    });
  }
  if (!retired) return;
  const std::unique_lock lock(mutex_);
  keys_.filter([&](std::uint32_t id) { return states_.find(id) != nullptr; });
  if (index_->is_worn()) rebuild_index();
  const std::lock_guard labels_lock(labels_mutex_);
  shared_labels_.clear();
}

/// A new index from the series that live: what the others needed is given back.
void TenantHead::rebuild_index() {
  auto fresh = std::make_unique<LabelIndex>(states_);
  std::vector<std::uint32_t> pairs;
  states_.visit(1, SIZE_MAX, [&](std::uint32_t id, SeriesState& state) {
    fresh->intern(index_->labels({state.pairs, state.pair_count}), pairs);
    const auto kept = fresh->add(id, pairs);
    state.pairs = kept.data();
  });
  index_ = std::move(fresh);
}

namespace {

/// Sets of pairs compare as their ranks do: pair by pair, the shorter first.
void sort_by_labels(std::vector<TenantHead::OlderSeries>& series, const std::vector<std::uint32_t>& ranks) {
  struct Key {
    std::uint64_t prefix;
    std::uint32_t at;
  };
  std::vector<Key> keys(series.size());
  const auto rank = [&](const PairSpan& pairs, std::size_t i) -> std::uint64_t {
    return i < pairs.size() ? ranks[pairs[i]] + 1ULL : 0;
  };
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    keys[i] = {rank(series[i].pairs, 0) << 32 | rank(series[i].pairs, 1), i};
  }
  std::sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const auto& left = series[a.at].pairs;
    const auto& right = series[b.at].pairs;
    const auto size = std::min(left.size(), right.size());
    for (std::size_t i = 2; i < size; ++i) {
      if (left[i] != right[i]) return ranks[left[i]] < ranks[right[i]];
    }
    return left.size() < right.size();
  });
  std::vector<TenantHead::OlderSeries> sorted;
  sorted.reserve(series.size());
  for (const auto& key : keys) sorted.push_back(series[key.at]);
  series = std::move(sorted);
}

}  // namespace

std::vector<TenantHead::OlderSeries> TenantHead::older_series() const {
  std::vector<OlderSeries> out;
  for (std::uint32_t from = 1; from != 0;) {
    const std::shared_lock lock(mutex_);
    from = states_.visit(from, 64, [&](std::uint32_t id, const SeriesState& state) {
      OlderSeries one{id, {state.pairs, state.pair_count}, 0, 0};
      if (state.generation == generation_) {
        one.chunk = state.older;
      } else {
        one.chunk = state.chunk;
        one.open_count = state.count;
      }
      if (one.chunk != 0 || older_late_.find(id)) out.push_back(one);
    });
  }
  const auto texts = [&] {
    const std::shared_lock lock(mutex_);
    return index_->pairs().texts();
  }();
  sort_by_labels(out, texts.ranks());
  return out;
}

std::vector<Labels> TenantHead::labels_of(std::span<const OlderSeries> series) const {
  const std::shared_lock lock(mutex_);
  std::vector<Labels> out;
  out.reserve(series.size());
  for (const auto& one : series) out.push_back(index_->labels(one.pairs));
  return out;
}

void TenantHead::read_older(const OlderSeries& series, std::vector<std::int64_t>& times,
                            std::vector<double>& values) const {
  times.clear();
  values.clear();
  if (series.chunk != 0) read_chain(*older_arena_, series.chunk, series.open_count, times, values);
  if (const auto* late = older_late_.find(series.id)) merge_late(*late, times, values);
}

std::vector<TenantHead::OlderSeries> TenantHead::in_order(std::span<const std::uint32_t> ids) const {
  std::vector<OlderSeries> out;
  out.reserve(ids.size());
  const auto texts = [&] {
    const std::shared_lock lock(mutex_);
    for (const auto id : ids) {
      const auto* state = states_.find(id);
      if (state) out.push_back({id, {state->pairs, state->pair_count}, 0, 0});
    }
    return index_->pairs().texts();
  }();
  sort_by_labels(out, texts.ranks());
  return out;
}

}  // namespace atalaya::tsdb
