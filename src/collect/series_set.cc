#include "collect/series_set.h"

#include <algorithm>

#include "base/check.h"
#include "collect/utf8.h"

namespace atalaya::collect {

SeriesSet::SeriesSet(LabelsTable& labels, Labels base) : labels_(labels), base_(std::move(base)) {}

SeriesSet::~SeriesSet() {
  for (const auto& series : series_)
    if (series.labels != kNoLabels) labels_.release(series.labels);
}

SeriesSet::Slot SeriesSet::add(std::string_view metric, const Labels& more, bool slow) {
  LabelsBuilder builder(base_);
  builder.set(kMetricName, metric);
  for (const auto& [name, value] : more) builder.set(name, to_utf8(value));
  Slot slot;
  if (free_.empty()) {
    slot = static_cast<Slot>(series_.size());
    series_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  series_[slot] = {labels_.add(builder.build()), slow, false, 0};
  return slot;
}

void SeriesSet::begin(Time now, Batch& out, bool slow_cycle) {
  now_ = now;
  out_ = &out;
  slow_cycle_ = slow_cycle;
  ++cycle_;
}

void SeriesSet::put(Slot slot, double value) {
  auto& series = series_[slot];
  series.cycle = cycle_;
  series.live = true;
  out_->sample(series.labels, now_, value);
}

void SeriesSet::remove(Slot slot) {
  auto& series = series_[slot];
  AT_CHECK(series.labels != kNoLabels);
  // A value of this very cycle is taken back by nothing: one instant holds one sample.
  if (series.live && series.cycle != cycle_) out_->sample(series.labels, now_, stale_marker());
  labels_.release(series.labels);
  series = {};
  free_.push_back(slot);
}

void SeriesSet::finish() {
  for (auto& series : series_) {
    if (!series.live || series.cycle == cycle_ || (series.slow && !slow_cycle_)) continue;
    series.live = false;
    out_->sample(series.labels, now_, stale_marker());
  }
  out_ = nullptr;
}

void SeriesSet::end_all(Time now, Batch& out) {
  for (auto& series : series_) {
    if (series.labels == kNoLabels) continue;
    if (series.live) out.sample(series.labels, now, stale_marker());
    labels_.release(series.labels);
  }
  series_.clear();
  free_.clear();
}

Rows::Rows(SeriesSet& set, std::vector<std::string> metrics, bool slow)
    : set_(set), metrics_(std::move(metrics)), slow_(slow) {}

void Rows::begin() {
  next_ = 0;
  seen_rows_ = 0;
  ++cycle_;
}

Rows::Row& Rows::at(std::string_view key, bool& fresh) {
  fresh = false;
  auto found = rows_.end();
  if (next_ < rows_.size() && rows_[next_].key == key) {
    found = rows_.begin() + static_cast<std::ptrdiff_t>(next_);
  } else {
    found = std::ranges::find(rows_, key, &Row::key);
  }
  if (found == rows_.end()) {
    fresh = true;
    Row row;
    row.key = key;
    row.slots.assign(std::max<std::size_t>(metrics_.size(), 1), SeriesSet::kNone);
    // Where the file has it, so that its successors are found by their order again.
    found = rows_.insert(rows_.begin() + static_cast<std::ptrdiff_t>(std::min(next_, rows_.size())), std::move(row));
  }
  next_ = static_cast<std::size_t>(found - rows_.begin()) + 1;
  if (found->seen != cycle_) {
    found->seen = cycle_;
    ++seen_rows_;
  }
  return *found;
}

void Rows::put(Row& row, std::size_t column, double value) {
  auto& slot = row.slots[column];
  if (slot == SeriesSet::kNone) slot = set_.add(metrics_.empty() ? row.metric : metrics_[column], row.labels, slow_);
  set_.put(slot, value);
}

void Rows::finish() {
  if (seen_rows_ == rows_.size()) return;
  std::erase_if(rows_, [&](const Row& row) {
    if (row.seen == cycle_) return false;
    for (const auto slot : row.slots)
      if (slot != SeriesSet::kNone) set_.remove(slot);
    return true;
  });
}

}  // namespace atalaya::collect
