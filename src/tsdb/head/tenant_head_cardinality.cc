// What makes a head's series many, and how much of them there is.
#include <algorithm>

#include "tsdb/head/tenant_head.h"

namespace atalaya::tsdb {

/// Some at a time, so that writers get between.
void TenantHead::count_chunks(Cardinality& out) const {
  const auto add = [&](const Arena& arena, std::uint32_t newest, const SeriesState& state) {
    if (newest == 0) return;
    const auto extent = extent_of(arena, newest);
    out.chunks += extent.chunks;
    out.first = std::min(out.first, extent.first);
    out.last = std::max(out.last, state.last_time);
  };
  for (std::uint32_t from = 1; from != 0;) {
    const std::shared_lock lock(mutex_);
    from = states_.visit(from, 16, [&](std::uint32_t, const SeriesState& state) {
      const bool is_current = state.generation == generation_;
      if (is_current) add(*arena_, state.chunk, state);
      if (older_arena_) add(*older_arena_, is_current ? state.older : state.chunk, state);
    });
  }
}

Cardinality TenantHead::cardinality() const {
  Cardinality out;
  count_chunks(out);
  const std::shared_lock lock(mutex_);
  const auto& pairs = index_->pairs();
  out.series = count_live();
  std::vector<std::uint64_t> values(pairs.name_count());
  std::vector<std::uint64_t> bytes(pairs.name_count());
  for (std::uint32_t pair = 0; pair < pairs.size(); ++pair) {
    const auto series = index_->series_of(pair);
    if (series == 0) continue;
    ++out.pairs;
    ++values[pairs.name_of(pair)];
    bytes[pairs.name_of(pair)] += pairs.value(pair).size() * series;
    if (pairs.name(pair) == kMetricName) {
      out.metrics.emplace_back(pairs.value(pair), series);
    } else {
      out.series_of_pairs.emplace_back(std::string(pairs.name(pair)) + "=" + std::string(pairs.value(pair)), series);
    }
  }
  for (std::uint32_t name = 0; name < values.size(); ++name) {
    if (values[name] == 0) continue;
    out.values.emplace_back(pairs.name_text(name), values[name]);
    out.value_bytes.emplace_back(pairs.name_text(name), bytes[name]);
  }
  return out;
}

}  // namespace atalaya::tsdb
