#include "registry/items.h"

#include <utility>

namespace atalaya::registry {

std::string_view name(Origin::Kind kind) {
  switch (kind) {
    case Origin::Kind::kFile: return "file";
    case Origin::Kind::kApi: return "api";
    case Origin::Kind::kOcci: return "occi";
    case Origin::Kind::kAgent: return "agent";
  }
  return "";
}

void Items::note(ItemChange::What what, const Item& item) {
  feed_.push_back({.revision = ++revision_, .what = what, .item = item});
}

std::uint64_t Items::change(const std::function<void()>& edit) {
  const std::lock_guard change(change_mutex_);
  std::vector<ItemChange> changes;
  std::vector<ItemListener> listeners;
  std::uint64_t now = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto before = feed_.size();
    edit();
    now = revision_;
    listeners = listeners_;
    if (!listeners.empty()) changes.assign(feed_.begin() + static_cast<std::ptrdiff_t>(before), feed_.end());
    while (feed_.size() > kFeed) feed_.pop_front();
  }
  for (const auto& one : changes) {
    for (const auto& listener : listeners) listener(one);
  }
  return now;
}

std::uint64_t Items::replace(const TenantId& tenant, std::string_view owner, std::vector<Item> items) {
  std::map<Key, Item> wanted;
  for (auto& item : items) {
    Key key{tenant.value(), item.kind, item.id};
    wanted.insert_or_assign(std::move(key), std::move(item));
  }
  return change([&] {
    const auto prefix = std::string(owner) + "/";
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
    for (auto& [key, item] : wanted) store(key, std::move(item));
  });
}

void Items::store(const Key& key, Item item) {
  kinds_.insert(key.kind);
  const auto [slot, is_new] = items_.try_emplace(key, item);
  if (!is_new && slot->second == item) return;
  slot->second = std::move(item);
  note(is_new ? ItemChange::What::kAdded : ItemChange::What::kChanged, slot->second);
}

void Items::put(Item item) {
  const Key key{item.tenant.value(), item.kind, item.id};
  change([&] { store(key, std::move(item)); });
}

void Items::remove(const TenantId& tenant, std::string_view kind, std::string_view id) {
  change([&] {
    const auto found = items_.find({tenant.value(), std::string(kind), std::string(id)});
    if (found == items_.end()) return;
    note(ItemChange::What::kRemoved, found->second);
    items_.erase(found);
  });
}

ItemFeed Items::changes(const TenantId& tenant, std::uint64_t since, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  ItemFeed out;
  out.revision = revision_;
  if (since == 0) since = first_;
  out.gap = since > revision_ || since < first_ || (since < revision_ && feed_.front().revision > since + 1);
  if (out.gap) return out;
  for (const auto& one : feed_) {
    if (one.revision <= since || one.item.tenant != tenant) continue;
    if (out.changes.size() == limit) {
      out.revision = out.changes.empty() ? since : out.changes.back().revision;
      break;
    }
    out.changes.push_back(one);
  }
  return out;
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
