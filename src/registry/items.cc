#include "registry/items.h"

#include <utility>

namespace atalaya::registry {

std::uint64_t Items::replace_package(const TenantId& tenant, std::string_view package, std::vector<Item> items) {
  const std::lock_guard change(change_mutex_);
  std::vector<ItemChange> changes;
  std::vector<ItemListener> listeners;
  {
    const std::lock_guard lock(mutex_);
    std::map<Key, Item> wanted;
    for (auto& item : items) {
      Key key{tenant.value(), item.kind, item.id};
      wanted.insert_or_assign(std::move(key), std::move(item));
    }
    const auto note = [&](ItemChange::What what, const Item& item) {
      changes.push_back({.revision = ++revision_, .what = what, .item = item});
    };
    const auto prefix = std::string(package) + "/";
    for (const auto& kind : kinds_) {
      auto it = items_.lower_bound({tenant.value(), kind, prefix});
      while (it != items_.end() && it->first.tenant == tenant.value() && it->first.kind == kind &&
             it->first.id.starts_with(prefix)) {
        if (wanted.contains(it->first)) {
          ++it;
          continue;
        }
        note(ItemChange::What::kRemoved, it->second);
        it = items_.erase(it);
      }
    }
    for (auto& [key, item] : wanted) {
      kinds_.insert(key.kind);
      const auto [slot, is_new] = items_.try_emplace(key, item);
      if (!is_new && slot->second == item) continue;
      slot->second = std::move(item);
      note(is_new ? ItemChange::What::kAdded : ItemChange::What::kChanged, slot->second);
    }
    listeners = listeners_;
  }
  for (const auto& one : changes) {
    for (const auto& listener : listeners) listener(one);
  }
  return revision();
}

std::vector<Item> Items::list(const TenantId& tenant, std::string_view kind) const {
  const std::lock_guard lock(mutex_);
  std::vector<Item> out;
  for (auto it = items_.lower_bound({tenant.value(), std::string(kind), ""}); it != items_.end(); ++it) {
    if (it->first.tenant != tenant.value() || (!kind.empty() && it->first.kind != kind)) break;
    out.push_back(it->second);
  }
  return out;
}

std::optional<Item> Items::find(const TenantId& tenant, std::string_view kind, std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find({tenant.value(), std::string(kind), std::string(id)});
  if (found == items_.end()) return std::nullopt;
  return found->second;
}

std::uint64_t Items::revision() const {
  const std::lock_guard lock(mutex_);
  return revision_;
}

void Items::subscribe(ItemListener listener) {
  const std::lock_guard change(change_mutex_);
  const std::lock_guard lock(mutex_);
  listeners_.push_back(std::move(listener));
}

}  // namespace atalaya::registry
