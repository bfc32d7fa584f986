// Rows of a table by the labels that an aggregation keeps.
#pragma once

#include <vector>

#include "promql/ast.h"
#include "promql/table.h"

namespace atalaya::promql {

/// The labels of the group that a series is in.
Labels group_labels(const Grouping& grouping, const Labels& labels);

struct Group {
  Labels labels;
  std::vector<std::size_t> rows;
};
/// In order of their first row.
std::vector<Group> group_rows(const Grouping& grouping, const Table& table);

}  // namespace atalaya::promql
