// The one place where entities live: items of packages, hosts, routes.
#pragma once

#include <cstdint>
#include <deque>
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
#include "base/time.h"

namespace atalaya::registry {

/// Where an entity comes from.
struct Origin {
  enum class Kind : std::uint8_t {
    kFile,   ///< a package's, at `place`
    kApi,    ///< a person or program made it through the API
    kOcci,   ///< the same through OCCI
    kAgent,  ///< it came with an agent
  };
  Kind kind = Kind::kFile;
  Place place = {};
  std::string who = {};         ///< name of the person or token; of kAgent the agent's id; "" of kFile
  std::optional<Time> at = {};  ///< when; nothing of kFile, whose history knows

  bool operator==(const Origin&) const = default;
};
/// `file`, `api`, `occi`, `agent`.
std::string_view name(Origin::Kind kind);

constexpr std::string_view kHosts = "hosts";
constexpr std::string_view kRoutes = "routes";

/// A rule, collector, channel, host, route … as far as others may point at it.
struct Item {
  std::string id;  ///< "package/group/name"; a host's name; a route's address. Unique within tenant and kind
  TenantId tenant;
  std::string kind;     ///< the section: "rules", "collectors", "channels"; kHosts, kRoutes
  std::string package;  ///< "" of a host
  std::string title;
  std::vector<std::string> links;  ///< ids of the items that it depends on
  Origin origin;

  bool operator==(const Item&) const = default;
};

struct ItemChange {
  enum class What : std::uint8_t { kAdded, kChanged, kRemoved };
  std::uint64_t revision = 0;
  What what = What::kChanged;
  Item item;
};
using ItemListener = std::function<void(const ItemChange&)>;

/// The changes of one tenant since a revision, oldest first.
struct ItemFeed {
  std::vector<ItemChange> changes;
  std::uint64_t revision = 0;  ///< ask on from here
  bool gap = false;            ///< older changes are forgotten: list everything, then ask on
};

/// In memory; who owns entities publishes them here, and rebuilds them at the start: packages their items, the
/// table of hosts its hosts. Thread-safe; listeners are called one at a time, in order of revision, on the
/// changing thread, and must not change items.
class Items {
 public:
  /// Revisions go on from `first`: let it grow from start to start (the time in milliseconds), so that who asks
  /// for what came after a revision of an earlier run is told of the gap.
  explicit Items(std::uint64_t first = 0) : first_(first), revision_(first) {}

  static constexpr std::size_t kFeed = 10'000;  ///< changes that are remembered, of all tenants

  /// Makes these the items of an owner (a package: "host"; its pages: "/p/host"), whose ids begin with it and a
  /// slash: what is missing is removed, what is equal is left alone. Costs what the owner holds, however many
  /// others there are. Returns the revision after it.
  std::uint64_t replace(const TenantId& tenant, std::string_view owner, std::vector<Item> items);
  /// One entity; an equal one is left alone.
  void put(Item item);
  void remove(const TenantId& tenant, std::string_view kind, std::string_view id);

  std::vector<Item> list(const TenantId& tenant, std::string_view kind = {}) const;  ///< by kind and id
  std::optional<Item> find(const TenantId& tenant, std::string_view kind, std::string_view id) const;
  std::uint64_t revision() const;
  /// At most `limit` changes after revision `since`; after 0: all since this started.
  ItemFeed changes(const TenantId& tenant, std::uint64_t since, std::size_t limit) const;
  void subscribe(ItemListener listener);

 private:
  struct Key {
    std::string tenant, kind, id;
    auto operator<=>(const Key&) const = default;
  };
  /// Under change_mutex_: `edit` changes items_ and notes it, under mutex_; listeners hear of it after.
  std::uint64_t change(const std::function<void()>& edit);
  void note(ItemChange::What what, const Item& item);
  void store(const Key& key, Item item);

  const std::uint64_t first_;

  // Guarded by mutex_.
  std::map<Key, Item> items_;
  std::deque<ItemChange> feed_;
  std::set<std::string> kinds_;  ///< that ever stood in items_
  std::vector<ItemListener> listeners_;
  std::uint64_t revision_;
  mutable std::mutex mutex_;
  std::mutex change_mutex_;  ///< held through a whole change; taken before mutex_
};

}  // namespace atalaya::registry
