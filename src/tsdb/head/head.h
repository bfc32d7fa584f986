// The heads of all tenants.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "base/ids.h"
#include "tsdb/head/tenant_head.h"

namespace atalaya::tsdb {

/// A tenant's head, once made, stays: pointers are good as long as this object. Thread-safe.
class Head {
 public:
  explicit Head(std::uint16_t chunk_samples) : chunk_samples_(chunk_samples) {}

  /// Null when the tenant has none.
  TenantHead* find(const TenantId& tenant) const {
    const std::shared_lock lock(mutex_);
    const auto it = tenants_.find(tenant);
    return it == tenants_.end() ? nullptr : it->second.get();
  }
  TenantHead& at(const TenantId& tenant) {
    if (auto* found = find(tenant)) return *found;
    const std::unique_lock lock(mutex_);
    auto& head = tenants_[tenant];
    if (!head) head = std::make_unique<TenantHead>(chunk_samples_);
    return *head;
  }
  /// In order of tenants.
  std::vector<std::pair<TenantId, TenantHead*>> all() const {
    const std::shared_lock lock(mutex_);
    std::vector<std::pair<TenantId, TenantHead*>> out;
    for (const auto& [tenant, head] : tenants_) out.emplace_back(tenant, head.get());
    return out;
  }

 private:
  const std::uint16_t chunk_samples_;
  mutable std::shared_mutex mutex_;
  std::map<TenantId, std::unique_ptr<TenantHead>> tenants_;  ///< guarded by mutex_
};

}  // namespace atalaya::tsdb
