// The pairs (name, value) that an index is built of, each kept once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace atalaya::tsdb::index {

/// Numbers pairs from 0 by first appearance. Thread-compatible.
class PairTable {
 public:
  struct Key {
    std::string_view name;
    std::string_view value;
    std::uint32_t number = 0;
  };

  /// `packed`: (varint length, bytes) of name and value, as Labels keep them.
  std::uint32_t intern(std::string_view packed);
  std::size_t size() const { return pairs_.size(); }
  /// Ascending by name, then value. Views live until the next call.
  std::vector<Key> sorted() const;

 private:
  struct Pair {
    std::uint64_t begin = 0;  ///< in bytes_
    std::uint32_t length = 0;
    std::uint32_t hash = 0;
  };
  void grow();

  std::string bytes_;
  std::vector<Pair> pairs_;
  std::vector<std::uint32_t> slots_;  ///< number + 1, 0 free; a power of two, at most half full
};

}  // namespace atalaya::tsdb::index
