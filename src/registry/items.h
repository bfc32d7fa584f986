// The index of everything that packages declare.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"

namespace atalaya::registry {

/// A rule, collector or channel as far as others may point at it.
struct Item {
  std::string id;  ///< "package/group/name", unique within tenant and kind
  TenantId tenant;
  std::string kind;  ///< the section: "rules", "collectors", "channels"
  std::string package;
  std::string title;
  std::vector<std::string> links;  ///< ids of the items that it depends on
  Place origin;

  bool operator==(const Item&) const = default;
};

struct ItemChange {
  enum class What : std::uint8_t { kAdded, kChanged, kRemoved };
  std::uint64_t revision = 0;
  What what = What::kChanged;
  Item item;
};
using ItemListener = std::function<void(const ItemChange&)>;

/// In memory, rebuilt from the files of packages. Thread-safe; listeners are called one at a time, in
/// order of revision, on the changing thread, and must not change items.
class Items {
 public:
  /// Makes these the items of a package, whose ids begin with its name and a slash: what is missing is
  /// removed, what is equal is left alone. Costs what the package holds, however many others there are.
  /// Returns the revision after it.
  std::uint64_t replace_package(const TenantId& tenant, std::string_view package, std::vector<Item> items);

  std::vector<Item> list(const TenantId& tenant, std::string_view kind = {}) const;  ///< by kind and id
  std::optional<Item> find(const TenantId& tenant, std::string_view kind, std::string_view id) const;
  std::uint64_t revision() const;
  void subscribe(ItemListener listener);

 private:
  struct Key {
    std::string tenant, kind, id;
    auto operator<=>(const Key&) const = default;
  };
  // Guarded by mutex_.
  std::map<Key, Item> items_;
  std::set<std::string> kinds_;  ///< that ever stood in items_
  std::vector<ItemListener> listeners_;
  std::uint64_t revision_ = 0;
  mutable std::mutex mutex_;
  std::mutex change_mutex_;  ///< held through a whole change; taken before mutex_
};

}  // namespace atalaya::registry
