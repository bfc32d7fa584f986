// Which elements of two vectors belong together, and what comes of them.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "promql/ast.h"
#include "promql/table.h"

namespace atalaya::promql {

/// Numbers rows by the labels they are matched by. Thread-compatible.
class MatchGroups {
 public:
  explicit MatchGroups(const Matching& matching) : matching_(matching) {}
  /// The group of each row, from 0; rows of both sides with equal labels have the same.
  std::vector<std::size_t> of(const Table& table);
  std::size_t count() const { return numbers_.size(); }
  /// The labels by which this series is matched.
  static Labels signature(const Matching& matching, const Labels& labels);

 private:
  const Matching& matching_;
  std::unordered_map<Labels, std::size_t> numbers_;
};

/// Arithmetic or comparison between two vectors, element by element. unprocessable when more than one
/// element could be meant.
Result<Table> match(const Expression& node, const Table& left, const Table& right, Budget& budget);

}  // namespace atalaya::promql
