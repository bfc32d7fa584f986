#include "logdb/index.h"

#include <algorithm>

namespace atalaya::logdb {

const Index::Stream* Index::find(const TenantId& tenant, const Labels& labels) const {
  const auto streams = tenants_.find(tenant);
  if (streams == tenants_.end()) return nullptr;
  const auto it = streams->second.find(labels);
  return it == streams->second.end() ? nullptr : &it->second;
}

std::uint32_t Index::use(const TenantId& tenant, const Labels& labels, Stretch& stretch) {
  auto& stream = tenants_[tenant][labels];
  if (stream.id == 0) {
    stream.id = next_id_++;
    by_id_.emplace(stream.id, std::pair{tenant, labels});
  }
  const auto at = std::lower_bound(stretch.streams.begin(), stretch.streams.end(), stream.id);
  if (at == stretch.streams.end() || *at != stream.id) {
    stretch.streams.insert(at, stream.id);
    ++stream.uses;
  }
  return stream.id;
}

void Index::add(std::uint64_t segment, std::uint64_t begin, std::uint64_t end, const TenantId& tenant,
                const std::vector<const Labels*>& streams, Time oldest, Time youngest) {
  auto& stretches = segments_[segment];
  if (stretches.empty() || stretches.back().end - stretches.back().begin >= kStretchBytes) {
    stretches.push_back(Stretch{.segment = segment, .begin = begin});
  }
  auto& stretch = stretches.back();
  stretch.end = end;
  stretch.oldest = std::min(stretch.oldest, oldest);
  stretch.youngest = std::max(stretch.youngest, youngest);
  for (const auto* labels : streams) use(tenant, *labels, stretch);
}

void Index::drop(std::uint64_t segment) {
  const auto it = segments_.find(segment);
  if (it == segments_.end()) return;
  for (const auto& stretch : it->second) {
    for (const auto id : stretch.streams) {
      const auto& [tenant, labels] = by_id_.at(id);
      auto& streams = tenants_.at(tenant);
      const auto stream = streams.find(labels);
      if (--stream->second.uses > 0) continue;
      streams.erase(stream);
      by_id_.erase(id);
    }
  }
  segments_.erase(it);
}

std::vector<Stretch> Index::candidates(const TenantId& tenant, const Matchers& matchers, storage::TimeRange range,
                                       bool newest_first) const {
  std::vector<Stretch> out;
  const auto streams = tenants_.find(tenant);
  if (streams == tenants_.end()) return out;
  std::set<std::uint32_t> wanted;
  for (const auto& [labels, stream] : streams->second) {
    if (matches(matchers, labels)) wanted.insert(stream.id);
  }
  for (const auto& [number, stretches] : segments_) {
    for (const auto& stretch : stretches) {
      if (stretch.youngest < range.from || stretch.oldest > range.to) continue;
      if (std::any_of(stretch.streams.begin(), stretch.streams.end(), [&](auto id) { return wanted.contains(id); })) {
        out.push_back(stretch);
      }
    }
  }
  std::stable_sort(out.begin(), out.end(), [&](const Stretch& a, const Stretch& b) {
    return newest_first ? a.youngest > b.youngest : a.oldest < b.oldest;
  });
  return out;
}

std::vector<std::string> Index::label_values(const TenantId& tenant, std::string_view name) const {
  std::set<std::string, std::less<>> values;
  const auto streams = tenants_.find(tenant);
  if (streams == tenants_.end()) return {};
  for (const auto& [labels, stream] : streams->second) {
    const auto value = labels.get(name);
    if (!value.empty() && !values.contains(value)) values.emplace(value);
  }
  return {values.begin(), values.end()};
}

std::vector<Labels> Index::streams(const TenantId& tenant, const Matchers& matchers, storage::TimeRange range) const {
  std::set<std::uint32_t> named;
  for (const auto& stretch : candidates(tenant, matchers, range, true)) {
    named.insert(stretch.streams.begin(), stretch.streams.end());
  }
  std::vector<Labels> out;
  for (const auto id : named) {
    const auto& [owner, labels] = by_id_.at(id);
    if (owner == tenant && matches(matchers, labels)) out.push_back(labels);
  }
  return out;
}

Time Index::youngest(std::uint64_t segment) const {
  Time out = kMinTime;
  const auto it = segments_.find(segment);
  if (it == segments_.end()) return out;
  for (const auto& stretch : it->second) out = std::max(out, stretch.youngest);
  return out;
}

std::size_t Index::streams_of(const TenantId& tenant) const {
  const auto it = tenants_.find(tenant);
  return it == tenants_.end() ? 0 : it->second.size();
}

}  // namespace atalaya::logdb
