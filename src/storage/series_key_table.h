// Series bound to the bytes that name them, in memory.
#pragma once

#include <map>
#include <shared_mutex>
#include <unordered_map>

#include "storage/series.h"

namespace atalaya::storage {

/// A table a tenant. One that would pass its bound is emptied: whoever asks then reads labels once more, so
/// that no flood of names, nor of forms of one name, takes more memory than that. Thread-safe.
class SeriesKeyTable final : public SeriesKeys {
 public:
  explicit SeriesKeyTable(std::size_t max_keys_per_tenant) : max_keys_(max_keys_per_tenant) {}

  void find_bound(const TenantId& tenant, std::span<const SeriesKey> keys, std::span<SeriesId> ids) const override;
  void bind(const TenantId& tenant, const SeriesKey& key, SeriesId id) override;

 private:
  struct Spread {
    std::size_t operator()(const SeriesKey& key) const { return key.low; }
  };
  using Keys = std::unordered_map<SeriesKey, SeriesId, Spread>;

  const std::size_t max_keys_;
  mutable std::shared_mutex mutex_;
  std::map<TenantId, Keys> tenants_;
};

}  // namespace atalaya::storage
