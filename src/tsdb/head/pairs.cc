#include "tsdb/head/pairs.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "base/check.h"
#include "io/checksum.h"

namespace atalaya::tsdb {
namespace {

constexpr std::size_t kFirstSlots = 64;

std::uint64_t hash_of(std::uint32_t name, std::string_view value) {
  return io::xxh3(value) + name * 0x9E3779B97F4A7C15;
}

std::string_view keep(ByteArena& arena, std::string_view text) {
  if (text.empty()) return {};
  char* place = arena.allocate(text.size());
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

}  // namespace

char* ByteArena::allocate(std::size_t size, std::size_t alignment) {
  used_ = (used_ + alignment - 1) / alignment * alignment;
  if (used_ + size > slab_bytes_) {
    slab_bytes_ = std::max(size, std::min(kMostSlabBytes, std::max(kLeastSlabBytes, slab_bytes_ * 2)));
    slabs_.push_back(std::make_unique_for_overwrite<char[]>(slab_bytes_));
    bytes_ += slab_bytes_;
    used_ = 0;
  }
  char* place = slabs_.back().get() + used_;
  used_ += size;
  return place;
}

PairTable::PairTable() : slots_(kFirstSlots), name_slots_(kFirstSlots, kNone) {}

std::uint32_t PairTable::find_name(std::string_view name) const {
  const auto mask = name_slots_.size() - 1;
  for (auto at = io::xxh3(name) & mask;; at = (at + 1) & mask) {
    const auto found = name_slots_[at];
    if (found == kNone || names_[found].text == name) return found;
  }
}

std::uint32_t PairTable::intern_name(std::string_view name) {
  if (const auto found = find_name(name); found != kNone) return found;
  const auto number = static_cast<std::uint32_t>(names_.size());
  names_.push_back({keep(arena_, name), {}});
  const auto place = [&](std::uint32_t which) {
    const auto mask = name_slots_.size() - 1;
    auto at = io::xxh3(names_[which].text) & mask;
    while (name_slots_[at] != kNone) at = (at + 1) & mask;
    name_slots_[at] = which;
  };
  if (names_.size() * 2 <= name_slots_.size()) {
    place(number);
  } else {
    name_slots_.assign(name_slots_.size() * 2, kNone);
    for (std::uint32_t i = 0; i <= number; ++i) place(i);
  }
  return number;
}

PairTable::Slot& PairTable::slot_of(std::uint64_t hash, std::uint32_t name, std::string_view value) {
  const auto mask = slots_.size() - 1;
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  for (auto at = hash & mask;; at = (at + 1) & mask) {
    auto& slot = slots_[at];
    if (slot.pair == kNone) return slot;
    if (slot.hash == tag && entries_[slot.pair].name == name && this->value(slot.pair) == value) return slot;
  }
}

void PairTable::grow() {
  slots_.assign(slots_.size() * 2, Slot{});
  const auto mask = slots_.size() - 1;
  for (std::uint32_t pair = 0; pair < entries_.size(); ++pair) {
    const auto hash = hash_of(entries_[pair].name, value(pair));
    auto at = hash & mask;
    while (slots_[at].pair != kNone) at = (at + 1) & mask;
    slots_[at] = {static_cast<std::uint32_t>(hash >> 32), pair};
  }
}

std::uint32_t PairTable::intern(std::string_view name, std::string_view value) {
  const auto number = intern_name(name);
  const auto hash = hash_of(number, value);
  if (auto& slot = slot_of(hash, number, value); slot.pair != kNone) return slot.pair;
  const auto pair = static_cast<std::uint32_t>(entries_.size());
  AT_CHECK(pair != kNone);
  const auto kept = keep(arena_, value);
  entries_.push_back({kept.data(), static_cast<std::uint32_t>(value.size()), number});
  names_[number].pairs.push_back(pair);
  if (entries_.size() * 4 > slots_.size() * 3) {
    grow();
  } else {
    slot_of(hash, number, value) = {static_cast<std::uint32_t>(hash >> 32), pair};
  }
  return pair;
}

std::uint32_t PairTable::find(std::string_view name, std::string_view value) const {
  const auto number = find_name(name);
  if (number == kNone) return kNone;
  return const_cast<PairTable*>(this)->slot_of(hash_of(number, value), number, value).pair;
}

PairTable::Texts PairTable::texts() const {
  Texts out{entries_, {}};
  for (const auto& name : names_) out.names.push_back(name.text);
  return out;
}

std::vector<std::uint32_t> PairTable::Texts::ranks() const {
  std::vector<std::uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return names[a] < names[b]; });
  std::vector<std::uint32_t> name_rank(names.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) name_rank[order[i]] = i;

  // Eight bytes of the value decide nearly all comparisons without another look into memory.
  struct Key {
    std::uint32_t name;
    std::uint32_t pair;
    std::uint64_t prefix;
  };
  std::vector<Key> keys(entries.size());
  for (std::uint32_t pair = 0; pair < entries.size(); ++pair) {
    const auto& entry = entries[pair];
    char first[8] = {};
    std::memcpy(first, entry.value, std::min<std::size_t>(entry.value_size, sizeof first));
    std::uint64_t prefix = 0;
    std::memcpy(&prefix, first, sizeof prefix);
    if constexpr (std::endian::native == std::endian::little) prefix = __builtin_bswap64(prefix);
    keys[pair] = {name_rank[entry.name], pair, prefix};
  }
  const auto text = [&](std::uint32_t pair) { return std::string_view(entries[pair].value, entries[pair].value_size); };
  std::sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    if (a.name != b.name) return a.name < b.name;
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    return text(a.pair) < text(b.pair);
  });
  std::vector<std::uint32_t> ranks(entries.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) ranks[keys[i].pair] = i;
  return ranks;
}

std::size_t PairTable::bytes() const {
  std::size_t pairs = 0;
  for (const auto& name : names_) pairs += name.pairs.capacity() * sizeof(std::uint32_t);
  return arena_.bytes() + entries_.capacity() * sizeof(Entry) + slots_.size() * sizeof(Slot) + pairs;
}

}  // namespace atalaya::tsdb
