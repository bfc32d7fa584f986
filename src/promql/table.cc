#include "promql/table.h"

#include <algorithm>

namespace atalaya::promql {

Status Table::add_rows(Budget& budget, std::size_t count) {
  AT_TRY(auto held, budget.take(count * steps_, count * (steps_ * sizeof(double) + sizeof(Head))));
  held_.join(std::move(held));
  heads_.resize(heads_.size() + count);
  cells_.resize(cells_.size() + count * steps_, stale_marker());
  return {};
}

Status Table::add(Budget& budget, LabelsPtr labels, bool drops_name) {
  AT_TRY(add_rows(budget, 1));
  heads_.back() = Head{std::move(labels), drops_name};
  return {};
}

void Table::append(Table&& other) {
  held_.join(std::move(other.held_));
  if (heads_.empty()) {
    heads_ = std::move(other.heads_);
    cells_ = std::move(other.cells_);
    return;
  }
  heads_.insert(heads_.end(), std::make_move_iterator(other.heads_.begin()),
                std::make_move_iterator(other.heads_.end()));
  cells_.insert(cells_.end(), other.cells_.begin(), other.cells_.end());
}

void Table::drop_empty() {
  std::size_t kept = 0;
  for (std::size_t row = 0; row < heads_.size(); ++row) {
    const auto from = cells(row);
    if (!has_value(from)) continue;
    if (kept != row) {
      heads_[kept] = std::move(heads_[row]);
      std::copy(from.begin(), from.end(), cells_.begin() + static_cast<std::ptrdiff_t>(kept * steps_));
    }
    ++kept;
  }
  heads_.resize(kept);
  cells_.resize(kept * steps_);
}

void Table::reorder(const std::vector<std::size_t>& places) {
  std::vector<Head> heads;
  std::vector<double> ordered;
  heads.reserve(places.size());
  ordered.reserve(cells_.size());
  for (const auto place : places) {
    const auto from = cells(place);
    ordered.insert(ordered.end(), from.begin(), from.end());
    heads.push_back(std::move(heads_[place]));
  }
  heads_ = std::move(heads);
  cells_ = std::move(ordered);
}

bool is_metadata_label(std::string_view name) {
  return name == kMetricName || name == "__type__" || name == "__unit__";
}

Labels without_metadata(const Labels& labels) {
  LabelsPacker out;
  for (const auto& [name, value] : labels) {
    if (!is_metadata_label(name)) out.add(name, value);
  }
  return out.take();
}

}  // namespace atalaya::promql
