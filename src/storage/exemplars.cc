#include "storage/exemplars.h"

#include <algorithm>

namespace atalaya::storage {
namespace {

std::size_t runes_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_too_long(const Labels& labels) {
  std::size_t runes = 0;
  for (const auto& [name, value] : labels) runes += runes_of(name) + runes_of(value);
  return runes > kMaxExemplarRunes;
}

}  // namespace

bool Exemplars::add(const TenantId& tenant, SeriesId series, Exemplar exemplar) {
  if (capacity_ == 0 || is_too_long(exemplar.labels)) return false;
  auto labels = series_.labels_of(tenant, series);
  if (!labels) return false;
  const std::lock_guard lock(mutex_);
  const Key key{tenant, series.value()};
  const auto known = newest_.find(key);
  if (known != newest_.end()) {
    const auto& newest = ring_[known->second.place].exemplar;
    if (newest == exemplar) return true;
    if (exemplar.time < newest.time) return false;
  }
  if (ring_.size() < capacity_) {
    ring_.emplace_back();
  } else {
    const auto old = newest_.find(ring_[next_].key);
    if (--old->second.count == 0) newest_.erase(old);
  }
  ring_[next_] = {std::move(labels), key, std::move(exemplar)};
  auto& newest = newest_[key];
  newest.place = next_;
  ++newest.count;
  next_ = (next_ + 1) % capacity_;
  return true;
}

std::vector<Exemplars::OfSeries> Exemplars::select(const TenantId& tenant, const std::vector<Matchers>& selectors,
                                                   TimeRange range) const {
  std::map<Labels, std::vector<Exemplar>> found;
  {
    const std::lock_guard lock(mutex_);
    std::unordered_map<std::uint64_t, bool> wanted;
    // From the oldest on, so that those of a series stand in their order.
    const auto begin = ring_.size() < capacity_ ? 0 : next_;
    for (std::size_t i = 0; i < ring_.size(); ++i) {
      const auto& [series, key, exemplar] = ring_[(begin + i) % ring_.size()];
      if (key.first != tenant || exemplar.time < range.from || exemplar.time > range.to) continue;
      const auto [known, is_new] = wanted.try_emplace(key.second);
      if (is_new) {
        known->second =
            std::ranges::any_of(selectors, [&](const Matchers& selector) { return matches(selector, *series); });
      }
      if (known->second) found[*series].push_back(exemplar);
    }
  }
  std::vector<OfSeries> out;
  for (auto& [series, exemplars] : found) {
    // A series that vanished and came back has two numbers.
    std::ranges::stable_sort(exemplars, {}, &Exemplar::time);
    out.push_back({series, std::move(exemplars)});
  }
  return out;
}

std::size_t Exemplars::size() const {
  const std::lock_guard lock(mutex_);
  return ring_.size();
}

}  // namespace atalaya::storage
