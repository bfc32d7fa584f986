// Label pairs as numbers: what makes a million label sets small.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace atalaya::tsdb {

/// Bytes that stay where they are until all of them go. Thread-compatible.
class ByteArena {
 public:
  char* allocate(std::size_t size, std::size_t alignment = 1);
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kLeastSlabBytes = 4 << 10;
  static constexpr std::size_t kMostSlabBytes = 256 << 10;
  std::vector<std::unique_ptr<char[]>> slabs_;
  std::size_t slab_bytes_ = 0;
  std::size_t used_ = 0;
  std::size_t bytes_ = 0;
};

/// Numbers (name, value) pairs from 0 in the order in which they first come. Names also have numbers
/// of their own. Nothing is ever taken out. Thread-compatible.
class PairTable {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  PairTable();
  std::uint32_t intern(std::string_view name, std::string_view value);
  std::uint32_t find(std::string_view name, std::string_view value) const;  ///< kNone when absent
  std::uint32_t find_name(std::string_view name) const;                     ///< kNone when absent

  /// Views live as long as the table.
  std::string_view name(std::uint32_t pair) const { return names_[entries_[pair].name].text; }
  std::string_view value(std::uint32_t pair) const { return {entries_[pair].value, entries_[pair].value_size}; }
  std::uint32_t name_of(std::uint32_t pair) const { return entries_[pair].name; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(entries_.size()); }
  std::uint32_t name_count() const { return static_cast<std::uint32_t>(names_.size()); }
  std::string_view name_text(std::uint32_t name) const { return names_[name].text; }
  /// Pairs of a name, in the order of their numbers.
  const std::vector<std::uint32_t>& pairs_of(std::uint32_t name) const { return names_[name].pairs; }
  std::size_t bytes() const;

  /// What the order of the pairs hangs on; its texts live as long as the table.
  struct Texts {
    struct Entry {
      const char* value;
      std::uint32_t value_size;
      std::uint32_t name;
    };
    std::vector<Entry> entries;
    std::vector<std::string_view> names;

    /// Of each pair its place in the order of (name, value), bytewise.
    std::vector<std::uint32_t> ranks() const;
  };
  Texts texts() const;

 private:
  using Entry = Texts::Entry;
  struct Name {
    std::string_view text;
    std::vector<std::uint32_t> pairs;
  };
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t pair = kNone;
  };
  std::uint32_t intern_name(std::string_view name);
  Slot& slot_of(std::uint64_t hash, std::uint32_t name, std::string_view value);
  void grow();

  ByteArena arena_;
  std::vector<Entry> entries_;
  std::vector<Name> names_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> name_slots_;
};

}  // namespace atalaya::tsdb
