// Unpacked pages of blocks, so that what is asked again and again is unpacked once.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace atalaya::tsdb {

/// What the pages of an owner (a block, an index) are: each kind counts its pages from 0.
enum class CachedKind : std::uint8_t { kValues, kInstants, kIndex };  ///< kIndex and above: kinds of the index

/// The youngest used pages of many owners, up to a number of bytes. Pages of an owner that is gone stay until
/// others need the room. Thread-safe.
class PageCache {
 public:
  /// `shards` do not wait for each other; each keeps its part of the bytes.
  explicit PageCache(std::size_t max_bytes, std::size_t shards = 1)
      : max_shard_bytes_(max_bytes / shards), shards_(shards) {}

  /// A number for somebody whose pages are to be told from all others'.
  std::uint64_t enter() { return ++owners_; }
  /// Null when it is not there.
  std::shared_ptr<const void> find(std::uint64_t owner, CachedKind kind, std::uint32_t number);
  /// `bytes`: what the page takes. One that is larger than a shard is not kept.
  void put(std::uint64_t owner, CachedKind kind, std::uint32_t number, std::shared_ptr<const void> page,
           std::size_t bytes);
  /// All of them.
  void forget();
  /// What all pages take.
  std::size_t bytes() const;

 private:
  struct Key {
    std::uint64_t owner;
    std::uint64_t page;  ///< number and kind
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return ((key.owner * 0x9E3779B97F4A7C15) ^ key.page) * 0xD6E8FEB86659FD93 >> 16;
    }
  };
  struct Entry {
    Key key;
    std::shared_ptr<const void> page;
    std::size_t bytes = 0;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Entry> entries;  ///< youngest first
    std::unordered_map<Key, std::list<Entry>::iterator, Hash> places;
    std::size_t bytes = 0;
  };
  static Key key_of(std::uint64_t owner, CachedKind kind, std::uint32_t number) {
    return {owner, std::uint64_t{number} << 8 | static_cast<std::uint8_t>(kind)};
  }
  Shard& shard_of(const Key& key) { return shards_[Hash()(key) % shards_.size()]; }

  const std::size_t max_shard_bytes_;
  std::vector<Shard> shards_;
  std::atomic<std::uint64_t> owners_ = 0;
};

/// Where somebody keeps pages, and as whom.
struct PageKeeper {
  std::shared_ptr<PageCache> cache;
  std::uint64_t owner = 0;

  explicit PageKeeper(std::shared_ptr<PageCache> kept_in) : cache(std::move(kept_in)), owner(cache->enter()) {}

  template <typename T>
  std::shared_ptr<const T> find(CachedKind kind, std::uint32_t number) const {
    return std::static_pointer_cast<const T>(cache->find(owner, kind, number));
  }
  void put(CachedKind kind, std::uint32_t number, std::shared_ptr<const void> page, std::size_t bytes) const {
    cache->put(owner, kind, number, std::move(page), bytes);
  }
};

/// Of a block that nobody else shares one with: enough to read its series in order.
constexpr std::size_t kOwnCacheBytes = 2 << 20;

}  // namespace atalaya::tsdb
