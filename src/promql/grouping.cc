#include "promql/grouping.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <functional>
#include <string>

#include "base/bytes.h"

namespace atalaya::promql {

Labels group_labels(const Grouping& grouping, const Labels& labels) {
  LabelsPacker out;
  if (!grouping.without && grouping.labels.empty()) return out.take();
  for (const auto& [name, value] : labels) {
    const bool listed = std::find(grouping.labels.begin(), grouping.labels.end(), name) != grouping.labels.end();
    if (grouping.without ? !listed && name != kMetricName : listed) out.add(name, value);
  }
  return out.take();
}

namespace {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

/// The bytes of a group's labels, one after another: what tells groups apart, made without allocating.
void append_key(const Grouping& grouping, const Labels& labels, std::string& key) {
  ByteWriter writer(key);
  for (const auto& [name, value] : labels) {
    const bool listed = std::find(grouping.labels.begin(), grouping.labels.end(), name) != grouping.labels.end();
    if (grouping.without ? listed || name == kMetricName : !listed) continue;
    writer.text(name);
    writer.text(value);
  }
}

}  // namespace

std::vector<Group> group_rows(const Grouping& grouping, const Table& table) {
  std::vector<Group> groups;
  boost::unordered_flat_map<std::string, std::size_t, TextHash, std::equal_to<>> index;
  std::string key;
  std::string last;
  std::size_t at = 0;
  const bool one = !grouping.without && grouping.labels.empty();
  for (std::size_t row = 0; row < table.size(); ++row) {
    key.clear();
    if (!one) append_key(grouping, table.labels(row), key);
    // Neighbours are often of one group.
    if (row == 0 || key != last) {
      auto found = index.find(std::string_view(key));
      if (found == index.end()) {
        found = index.emplace(key, groups.size()).first;
        groups.push_back({group_labels(grouping, table.labels(row)), {}});
      }
      at = found->second;
      last = key;
    }
    groups[at].rows.push_back(row);
  }
  return groups;
}

}  // namespace atalaya::promql
