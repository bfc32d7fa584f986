#include "storage/series_key_table.h"

#include <algorithm>
#include <mutex>

namespace atalaya::storage {

void SeriesKeyTable::find_bound(const TenantId& tenant, std::span<const SeriesKey> keys,
                                std::span<SeriesId> ids) const {
  const std::shared_lock lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end()) {
    std::fill(ids.begin(), ids.end(), SeriesId{0});
    return;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto it = found->second.find(keys[i]);
    ids[i] = it == found->second.end() ? SeriesId{0} : it->second;
  }
}

void SeriesKeyTable::bind(const TenantId& tenant, const SeriesKey& key, SeriesId id) {
  const std::unique_lock lock(mutex_);
  auto& keys = tenants_[tenant];
  if (keys.size() >= max_keys_) keys.clear();
  keys.insert_or_assign(key, id);
}

}  // namespace atalaya::storage
