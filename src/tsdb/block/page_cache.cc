#include "tsdb/block/page_cache.h"

namespace atalaya::tsdb {

std::shared_ptr<const void> PageCache::find(std::uint64_t owner, CachedKind kind, std::uint32_t number) {
  const auto key = key_of(owner, kind, number);
  auto& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto it = shard.places.find(key);
  if (it == shard.places.end()) return nullptr;
  shard.entries.splice(shard.entries.begin(), shard.entries, it->second);
  return it->second->page;
}

void PageCache::put(std::uint64_t owner, CachedKind kind, std::uint32_t number, std::shared_ptr<const void> page,
                    std::size_t bytes) {
  if (bytes > max_shard_bytes_) return;
  const auto key = key_of(owner, kind, number);
  auto& shard = shard_of(key);
  std::list<Entry> dropped;  // freed when the lock is open again
  const std::lock_guard lock(shard.mutex);
  if (shard.places.contains(key)) return;
  shard.entries.push_front({key, std::move(page), bytes});
  shard.places.emplace(key, shard.entries.begin());
  shard.bytes += bytes;
  while (shard.bytes > max_shard_bytes_) {
    shard.bytes -= shard.entries.back().bytes;
    shard.places.erase(shard.entries.back().key);
    dropped.splice(dropped.begin(), shard.entries, std::prev(shard.entries.end()));
  }
}

void PageCache::forget() {
  for (auto& shard : shards_) {
    std::list<Entry> dropped;
    const std::lock_guard lock(shard.mutex);
    dropped.swap(shard.entries);
    shard.places.clear();
    shard.bytes = 0;
  }
}

std::size_t PageCache::bytes() const {
  std::size_t out = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    out += shard.bytes;
  }
  return out;
}

}  // namespace atalaya::tsdb
