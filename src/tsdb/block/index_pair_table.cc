#include "tsdb/block/index_pair_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "io/checksum.h"

namespace atalaya::tsdb::index {
namespace {

/// The first bytes as a number that orders as they do.
std::uint64_t head(std::string_view text) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < sizeof out; ++i)
    out = out << 8 | (i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0);
  return out;
}

}  // namespace

std::uint32_t PairTable::intern(std::string_view packed) {
  if (2 * pairs_.size() >= slots_.size()) grow();
  // Keyed, since names come from outside.
  const auto hash = static_cast<std::uint32_t>(io::keyed_hash(packed).low);
  const auto mask = slots_.size() - 1;
  auto slot = hash & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const auto& pair = pairs_[slots_[slot] - 1];
    if (pair.hash == hash && std::string_view(bytes_).substr(pair.begin, pair.length) == packed) {
      return slots_[slot] - 1;
    }
  }
  pairs_.push_back({bytes_.size(), static_cast<std::uint32_t>(packed.size()), hash});
  bytes_ += packed;
  slots_[slot] = static_cast<std::uint32_t>(pairs_.size());
  return slots_[slot] - 1;
}

void PairTable::grow() {
  slots_.assign(std::max<std::size_t>(1024, slots_.size() * 2), 0);
  const auto mask = slots_.size() - 1;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    auto slot = pairs_[i].hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

std::vector<PairTable::Key> PairTable::sorted() const {
  struct Sortable {
    std::uint64_t head = 0;  ///< of the value
    std::string_view value;
    std::uint32_t number = 0;
  };
  std::unordered_map<std::string_view, std::vector<Sortable>> by_name;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    ByteReader reader(std::string_view(bytes_).substr(pairs_[i].begin, pairs_[i].length));
    const auto name = reader.text();
    const auto value = reader.text();
    by_name[name].push_back({head(value), value, static_cast<std::uint32_t>(i)});
  }
  std::vector<std::string_view> names;
  names.reserve(by_name.size());
  for (const auto& [name, values] : by_name) names.push_back(name);
  std::sort(names.begin(), names.end());
  std::vector<Key> out;
  out.reserve(pairs_.size());
  for (const auto name : names) {
    auto& values = by_name[name];
    std::sort(values.begin(), values.end(), [](const Sortable& a, const Sortable& b) {
      return a.head != b.head ? a.head < b.head : a.value < b.value;
    });
    for (const auto& value : values) out.push_back({name, value.value, value.number});
  }
  return out;
}

}  // namespace atalaya::tsdb::index
