#include "promql/grouping.h"

#include <algorithm>
#include <unordered_map>

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

std::vector<Group> group_rows(const Grouping& grouping, const Table& table) {
  std::vector<Group> groups;
  std::unordered_map<Labels, std::size_t> index;
  for (std::size_t row = 0; row < table.size(); ++row) {
    auto labels = group_labels(grouping, table.labels(row));
    const auto [it, fresh] = index.emplace(labels, groups.size());
    if (fresh) groups.push_back({std::move(labels), {}});
    groups[it->second].rows.push_back(row);
  }
  return groups;
}

}  // namespace atalaya::promql
