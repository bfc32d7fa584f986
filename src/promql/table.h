// The columns of an evaluation: series by steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/labels.h"
#include "model/sample.h"
#include "promql/budget.h"

namespace atalaya::promql {

using LabelsPtr = std::shared_ptr<const Labels>;

/// Result series over all steps, in one block of memory. A cell without a value holds the stale
/// marker, which no arithmetic produces. Thread-compatible; different rows may be written side by side.
class Table {
 public:
  struct Head {
    LabelsPtr labels;         ///< set for every row that is kept
    bool drops_name = false;  ///< the name goes when the whole query is done (Prometheus' delayed removal)
  };

  explicit Table(std::size_t steps) : steps_(steps) {}

  std::size_t size() const { return heads_.size(); }
  std::size_t steps() const { return steps_; }
  bool empty() const { return heads_.empty(); }

  Head& head(std::size_t row) { return heads_[row]; }
  const Head& head(std::size_t row) const { return heads_[row]; }
  const Labels& labels(std::size_t row) const { return *heads_[row].labels; }
  std::span<double> cells(std::size_t row) { return {cells_.data() + row * steps_, steps_}; }
  std::span<const double> cells(std::size_t row) const { return {cells_.data() + row * steps_, steps_}; }
  double at(std::size_t row, std::size_t step) const { return cells_[row * steps_ + step]; }
  void set_labels(std::size_t row, Labels labels) {
    heads_[row].labels = std::make_shared<const Labels>(std::move(labels));
  }

  /// Rows without any value, labels to be set. Cells of rows stay where they are until the next add.
  Status add_rows(Budget& budget, std::size_t count);
  /// One row without any value.
  Status add(Budget& budget, LabelsPtr labels, bool drops_name);
  /// Takes over all rows of another with as many steps.
  void append(Table&& other);
  /// Keeps the rows that have a value somewhere.
  void drop_empty();
  /// Brings the rows into this order; each place named once.
  void reorder(const std::vector<std::size_t>& places);

 private:
  std::size_t steps_;
  std::vector<Head> heads_;
  std::vector<double> cells_;
  Budget::Held held_;
};

inline std::size_t values_in(std::span<const double> cells) {
  std::size_t out = 0;
  for (const double cell : cells) out += is_stale(cell) ? 0 : 1;
  return out;
}

inline bool has_value(std::span<const double> cells) {
  for (const double cell : cells) {
    if (!is_stale(cell)) return true;
  }
  return false;
}

/// The labels that make up what a series is of, beside its own: name, and type and unit where given.
bool is_metadata_label(std::string_view name);
Labels without_metadata(const Labels& labels);

}  // namespace atalaya::promql
