#include "tsdb/head.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "base/check.h"

namespace atalaya::tsdb {
namespace {

Status check_labels(const Labels& labels, const HeadLimits& limits) {
  if (labels.empty()) return fail(ErrorCode::kInvalidArgument, "a series without labels");
  std::size_t count = 0;
  for (const auto& [name, value] : labels) {
    ++count;
    if (name.size() > limits.max_label_name_bytes) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("label name of {} bytes; max_label_name_bytes is {}",
                                                           name.size(), limits.max_label_name_bytes));
    }
    if (value.size() > limits.max_label_value_bytes) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("value of label {} has {} bytes; max_label_value_bytes is {}", name, value.size(),
                              limits.max_label_value_bytes));
    }
    if (!is_utf8(name) || !is_utf8(value)) return fail(ErrorCode::kInvalidArgument, "a label that is not UTF-8");
  }
  if (count > limits.max_labels_per_series) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} labels; max_labels_per_series is {}", count, limits.max_labels_per_series));
  }
  return {};
}

bool refuses_empty(const Matcher& matcher) { return !matcher.matches(""); }

}  // namespace

std::uint64_t TenantHead::find(const Labels& labels) const {
  const auto [begin, end] = by_hash_.equal_range(labels.hash());
  for (auto it = begin; it != end; ++it) {
    if (*all_[it->second - 1].series->labels() == labels) return it->second;
  }
  return 0;
}

Result<std::uint64_t> TenantHead::add(const Labels& labels, const HeadLimits& limits, Time now) {
  // Retired series keep their ids; without the second bound they could pile up without end.
  if (live_ >= limits.max_series_per_tenant || all_.size() / 4 >= limits.max_series_per_tenant) {
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("{} series; max_series_per_tenant is {}", live_, limits.max_series_per_tenant),
                "send fewer distinct label sets, or raise the limit");
  }
  all_.push_back(Slot{std::make_unique<MemorySeries>(std::make_shared<const Labels>(labels)), true});
  const auto id = all_.size();
  all_.back().series->touched = now;
  by_hash_.emplace(labels.hash(), id);
  index(id);
  ++live_;
  return id;
}

void TenantHead::touch(std::uint64_t id, Time now) {
  auto& slot = all_[id - 1];
  slot.series->touched = std::max(slot.series->touched, now);
  if (slot.live) return;
  slot.live = true;
  ++live_;
  index(id);
}

void TenantHead::index(std::uint64_t id) {
  for (const auto& [name, value] : *all_[id - 1].series->labels()) {
    auto& ids = postings_[std::string(name)][std::string(value)];
    ids.insert(std::upper_bound(ids.begin(), ids.end(), id), id);
  }
}

void TenantHead::unindex(std::uint64_t id) {
  for (const auto& [name, value] : *all_[id - 1].series->labels()) {
    const auto values = postings_.find(name);
    const auto ids = values->second.find(value);
    ids->second.erase(std::lower_bound(ids->second.begin(), ids->second.end(), id));
    if (ids->second.empty()) values->second.erase(ids);
    if (values->second.empty()) postings_.erase(values);
  }
}

/// The shortest list that one matcher alone gives; the others then only filter.
Result<TenantHead::Postings> TenantHead::candidates(const Matchers& matchers) const {
  const Postings* shortest = nullptr;
  const Matcher* other = nullptr;
  for (const auto& matcher : matchers) {
    if (!refuses_empty(matcher)) continue;
    if (matcher.op() != Matcher::Op::kEqual) {
      other = &matcher;
      continue;
    }
    const auto values = postings_.find(matcher.name());
    if (values == postings_.end()) return Postings{};
    const auto ids = values->second.find(matcher.value());
    if (ids == values->second.end()) return Postings{};
    if (!shortest || ids->second.size() < shortest->size()) shortest = &ids->second;
  }
  if (shortest) return *shortest;
  if (!other) {
    return fail(ErrorCode::kInvalidArgument, "at least one matcher must refuse the empty value",
                "name a metric or a label value");
  }
  Postings out;
  const auto values = postings_.find(other->name());
  if (values == postings_.end()) return out;
  for (const auto& [value, ids] : values->second) {
    if (other->matches(value)) out.insert(out.end(), ids.begin(), ids.end());
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool TenantHead::all_match(const Matchers& matchers, std::uint64_t id) const {
  return matches(matchers, *all_[id - 1].series->labels());
}

Result<std::vector<std::uint64_t>> TenantHead::matching(const Matchers& matchers) const {
  AT_TRY(auto ids, candidates(matchers));
  std::erase_if(ids, [&](std::uint64_t id) { return !all_match(matchers, id); });
  return ids;
}

std::vector<std::string> TenantHead::label_names(const Matchers& matchers) const {
  std::vector<std::string> out;
  if (matchers.empty()) {
    for (const auto& [name, values] : postings_) out.push_back(name);
    return out;
  }
  std::set<std::string, std::less<>> names;
  for (const auto& slot : all_) {
    if (!slot.live || !matches(matchers, *slot.series->labels())) continue;
    for (const auto& [name, value] : *slot.series->labels()) {
      if (!names.contains(name)) names.emplace(name);
    }
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> TenantHead::label_values(std::string_view name, const Matchers& matchers) const {
  std::vector<std::string> out;
  const auto values = postings_.find(name);
  if (values == postings_.end()) return out;
  for (const auto& [value, ids] : values->second) {
    if (std::any_of(ids.begin(), ids.end(), [&](std::uint64_t id) { return all_match(matchers, id); })) {
      out.push_back(value);
    }
  }
  return out;
}

void TenantHead::drop_before(Time cutoff) {
  for (std::uint64_t id = 1; id <= all_.size(); ++id) {
    auto& slot = all_[id - 1];
    if (!slot.live) continue;
    slot.series->drop_before(cutoff);
    if (slot.series->has_samples() || slot.series->touched >= cutoff) continue;
    unindex(id);
    slot.live = false;
    --live_;
  }
}

std::size_t TenantHead::memory_bytes() const {
  std::size_t sum = 0;
  for (const auto& slot : all_) sum += slot.series->memory_bytes();
  return sum;
}

Result<SeriesId> Head::resolve(const TenantId& tenant, const Labels& labels, Time now) {
  auto it = tenants_.find(tenant);
  if (it != tenants_.end()) {
    if (const auto id = it->second.find(labels); id != 0) {
      it->second.touch(id, now);
      return SeriesId{id};
    }
  }
  AT_TRY(check_labels(labels, limits_));
  if (it == tenants_.end()) it = tenants_.try_emplace(tenant).first;
  AT_TRY(const auto id, it->second.add(labels, limits_, now));
  return SeriesId{id};
}

std::uint64_t Head::restore(const TenantId& tenant, const Labels& labels, Time now) {
  auto& head = tenants_[tenant];
  if (const auto id = head.find(labels); id != 0) return id;
  HeadLimits unlimited;
  unlimited.max_series_per_tenant = SIZE_MAX;
  const auto id = head.add(labels, unlimited, now);
  AT_CHECK(id.has_value());
  return *id;
}

TenantHead* Head::tenant(const TenantId& tenant) {
  const auto it = tenants_.find(tenant);
  return it == tenants_.end() ? nullptr : &it->second;
}

Result<std::vector<storage::SelectedSeries>> Head::select(const TenantId& tenant_id, const Matchers& matchers,
                                                          storage::TimeRange range) const {
  if (std::none_of(matchers.begin(), matchers.end(), refuses_empty)) {
    return fail(ErrorCode::kInvalidArgument, "at least one matcher must refuse the empty value",
                "name a metric or a label value");
  }
  std::vector<storage::SelectedSeries> out;
  const auto* head = tenant(tenant_id);
  if (!head) return out;
  AT_TRY(const auto ids, head->matching(matchers));
  for (const auto id : ids) {
    const auto* series = head->series(id);
    if (!series->has_samples(range)) continue;
    out.push_back({SeriesId{id}, series->labels(), series->snapshot(range)});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return *a.labels < *b.labels; });
  return out;
}

void Head::drop_before(Time cutoff) {
  for (auto& [id, head] : tenants_) head.drop_before(cutoff);
}

std::size_t Head::live() const {
  std::size_t sum = 0;
  for (const auto& [id, head] : tenants_) sum += head.live();
  return sum;
}

std::size_t Head::memory_bytes() const {
  std::size_t sum = 0;
  for (const auto& [id, head] : tenants_) sum += head.memory_bytes();
  return sum;
}

}  // namespace atalaya::tsdb
