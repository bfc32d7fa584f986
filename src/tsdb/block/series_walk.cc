#include "tsdb/block/series_walk.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace atalaya::tsdb {
namespace {

constexpr std::uint32_t kLabelsAhead = 512;

void append(ColumnsRead& to, const ColumnsRead& from, std::size_t begin, std::size_t end) {
  const auto copy = [&](auto& column, const auto& source) {
    column.insert(column.end(), source.begin() + static_cast<std::ptrdiff_t>(begin),
                  source.begin() + static_cast<std::ptrdiff_t>(end));
  };
  copy(to.times, from.times);
  for (std::size_t c = 0; c < to.columns.size(); ++c) copy(to.columns[c], from.columns[c]);
}

void clear(ColumnsRead& out, std::size_t columns) {
  out.times.clear();
  out.columns.resize(columns);
  for (auto& column : out.columns) column.clear();
}

/// The first index whose instant is not below `time`, where that at `at` is; looks near first.
std::size_t skip_below(const std::vector<std::int64_t>& times, std::size_t at, std::int64_t time) {
  std::size_t step = 1;
  auto low = at;
  while (low + step < times.size() && times[low + step] < time) {
    low += step;
    step *= 2;
  }
  const auto end = std::min(times.size(), low + step + 1);
  return static_cast<std::size_t>(std::lower_bound(times.begin() + static_cast<std::ptrdiff_t>(low),
                                                   times.begin() + static_cast<std::ptrdiff_t>(end), time) -
                                  times.begin());
}

}  // namespace

/// Stands on one series of one block.
class SeriesWalk::Cursor {
 public:
  explicit Cursor(const Block& block) : block_(block) {}

  /// Goes to the first series, or to the next one.
  Status advance() {
    if (index_ != nullptr) ++ordinal_;
    while (index_ == nullptr || ordinal_ == index_->size()) {
      if (next_tenant_ == block_.tenants().size()) {
        at_end_ = true;
        return {};
      }
      index_ = block_.index(block_.tenants()[next_tenant_++]);
      ordinal_ = 0;
      ahead_.clear();
      ahead_from_ = 0;
    }
    if (ordinal_ - ahead_from_ < ahead_.size()) return {};
    std::vector<std::uint32_t> ordinals(std::min(kLabelsAhead, index_->size() - ordinal_));
    std::iota(ordinals.begin(), ordinals.end(), ordinal_);
    AT_TRY(ahead_, index_->labels(ordinals));
    ahead_from_ = ordinal_;
    if (ahead_.size() != ordinals.size()) return fail(ErrorCode::kCorruption, "block " + block_.path() + ": labels");
    return {};
  }

  bool at_end() const { return at_end_; }
  const TenantId& tenant() const { return block_.tenants()[next_tenant_ - 1]; }
  const Labels& labels() const { return ahead_[ordinal_ - ahead_from_]; }
  Status read(ColumnsRead& out) const { return block_.read(tenant(), ordinal_, {}, out); }
  std::size_t columns() const { return block_.meta().columns; }

 private:
  const Block& block_;
  const Index* index_ = nullptr;
  std::size_t next_tenant_ = 0;
  std::uint32_t ordinal_ = 0;
  std::vector<Labels> ahead_;
  std::uint32_t ahead_from_ = 0;  ///< ordinal of the first of them
  bool at_end_ = false;
};

SeriesWalk::SeriesWalk(std::span<const std::shared_ptr<const Block>> blocks, const DroppedRanges& dropped)
    : dropped_(dropped) {
  for (const auto& block : blocks) cursors_.push_back(std::make_unique<Cursor>(*block));
  // Before its first series each of them stands on one that is done with.
  for (const auto& cursor : cursors_) chosen_.push_back(cursor.get());
}
SeriesWalk::~SeriesWalk() = default;

const TenantId& SeriesWalk::tenant() const { return chosen_.front()->tenant(); }
const Labels& SeriesWalk::labels() const { return chosen_.front()->labels(); }

Result<bool> SeriesWalk::next() {
  AT_TRY(choose());
  if (chosen_.empty()) return false;
  AT_TRY(read_series());
  if (dropped_) drop(dropped_(tenant(), labels()));
  return true;
}

/// All cursors on the least (tenant, labels).
Status SeriesWalk::choose() {
  for (auto* cursor : chosen_) AT_TRY(cursor->advance());
  chosen_.clear();
  for (const auto& cursor : cursors_) {
    if (cursor->at_end()) continue;
    if (!chosen_.empty()) {
      auto order = cursor->tenant() <=> tenant();
      if (order == 0) order = cursor->labels() <=> labels();
      if (order > 0) continue;
      if (order < 0) chosen_.clear();
    }
    chosen_.push_back(cursor.get());
  }
  return {};
}

Status SeriesWalk::read_series() {
  AT_TRY(chosen_.front()->read(merged_));
  for (std::size_t i = 1; i < chosen_.size(); ++i) {
    AT_TRY(chosen_[i]->read(read_));
    merge_in();
  }
  return {};
}

/// Adds `read_` to `merged_`, whose samples stay where both have an instant.
void SeriesWalk::merge_in() {
  auto& a = merged_.times;
  const auto& b = read_.times;
  if (b.empty()) return;
  if (a.empty() || a.back() < b.front()) return append(merged_, read_, 0, b.size());
  clear(spare_, merged_.columns.size());
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (a[i] == b[j]) {
      const auto begin = i;
      while (i < a.size() && j < b.size() && a[i] == b[j]) ++i, ++j;
      count_conflicts(begin, j - (i - begin), i - begin);
      append(spare_, merged_, begin, i);
    } else if (a[i] < b[j]) {
      const auto end = skip_below(a, i, b[j]);
      append(spare_, merged_, i, end);
      i = end;
    } else {
      const auto end = skip_below(b, j, a[i]);
      append(spare_, read_, j, end);
      j = end;
    }
  }
  append(spare_, merged_, i, a.size());
  append(spare_, read_, j, b.size());
  std::swap(merged_, spare_);
}

/// Of samples of the same instants, one after the other from there on.
void SeriesWalk::count_conflicts(std::size_t mine, std::size_t other, std::size_t count) {
  const auto is_equal = [&](std::size_t i) {
    for (std::size_t c = 0; c < merged_.columns.size(); ++c) {
      const double* a = &merged_.columns[c][mine + i];
      if (std::memcmp(a, &read_.columns[c][other + i], sizeof *a) != 0) return false;
    }
    return true;
  };
  for (std::size_t i = 0; i < count; ++i) conflicting_ += is_equal(i) ? 0 : 1;
}

void SeriesWalk::drop(std::vector<storage::TimeRange> ranges) {
  if (ranges.empty() || merged_.times.empty()) return;
  const auto is_dropped = [&](std::int64_t time) {
    return std::any_of(ranges.begin(), ranges.end(), [&](const storage::TimeRange& range) {
      return to_ms(range.from) <= time && time <= to_ms(range.to);
    });
  };
  std::size_t kept = 0;
  for (std::size_t i = 0; i < merged_.times.size(); ++i) {
    if (is_dropped(merged_.times[i])) continue;
    merged_.times[kept] = merged_.times[i];
    for (auto& column : merged_.columns) column[kept] = column[i];
    ++kept;
  }
  merged_.times.resize(kept);
  for (auto& column : merged_.columns) column.resize(kept);
}

}  // namespace atalaya::tsdb
