#include "tsdb/block/postings.h"

#include <roaring/roaring.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace atalaya::tsdb {
namespace {

constexpr std::uint32_t kInlineValues = 2;
constexpr std::uint32_t kArrayValues = 64;
/// A bitmap that shrinks becomes an array below this: not at once, lest a set at the border pay at each change.
constexpr std::uint32_t kLeaveBitmap = kArrayValues / 2;
/// What glibc's allocator takes for itself, on average.
constexpr std::size_t kAllocation = 12;

}  // namespace

Postings::Postings(std::span<const std::uint32_t> values) {
  if (values.size() <= kArrayValues) {
    set_few(values);
    return;
  }
  capacity_ = kBitmap;
  size_ = static_cast<std::uint32_t>(values.size());
  bitmap_ = roaring_bitmap_of_ptr(values.size(), values.data());
  compact();
}

Postings::Postings(const Postings& other) {
  if (!other.is_bitmap()) {
    set_few(other.few());
    return;
  }
  capacity_ = kBitmap;
  size_ = other.size_;
  bitmap_ = roaring_bitmap_copy(other.bitmap_);
}

Postings::~Postings() {
  if (is_bitmap()) {
    roaring_bitmap_free(bitmap_);
  } else if (capacity_ != kInline) {
    delete[] array_;
  }
}

void Postings::swap(Postings& other) noexcept {
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  std::swap(inline_, other.inline_);  // the widest of the union: all of its 8 bytes
}

void Postings::set_few(std::span<const std::uint32_t> values) {
  Postings made;
  made.size_ = static_cast<std::uint32_t>(values.size());
  if (values.size() > kInlineValues) {
    made.array_ = new std::uint32_t[values.size()];
    made.capacity_ = made.size_;
  }
  std::copy(values.begin(), values.end(), made.values());
  swap(made);
}

void Postings::grow() {
  const auto capacity = capacity_ == kInline ? 2 * kInlineValues : std::min(kArrayValues, capacity_ + capacity_ / 2);
  auto* array = new std::uint32_t[capacity];
  std::copy_n(values(), size_, array);
  if (capacity_ != kInline) delete[] array_;
  array_ = array;
  capacity_ = capacity;
}

void Postings::become_bitmap() {
  auto* bitmap = roaring_bitmap_of_ptr(size_, values());
  if (capacity_ != kInline) delete[] array_;
  bitmap_ = bitmap;
  capacity_ = kBitmap;
}

void Postings::settle() {
  size_ = static_cast<std::uint32_t>(roaring_bitmap_get_cardinality(bitmap_));
  if (size_ >= kLeaveBitmap) return;
  std::uint32_t left[kLeaveBitmap];
  roaring_bitmap_to_uint32_array(bitmap_, left);
  set_few({left, size_});
}

bool Postings::add(std::uint32_t value) {
  if (is_bitmap()) {
    const bool added = roaring_bitmap_add_checked(bitmap_, value);
    size_ += added;
    return added;
  }
  auto at = size_;
  if (size_ > 0 && value <= values()[size_ - 1]) {
    at = static_cast<std::uint32_t>(std::lower_bound(values(), values() + size_, value) - values());
    if (values()[at] == value) return false;
  }
  if (size_ == kArrayValues) {
    become_bitmap();
    return add(value);
  }
  if (size_ == (capacity_ == kInline ? kInlineValues : capacity_)) grow();
  std::copy_backward(values() + at, values() + size_, values() + size_ + 1);
  values()[at] = value;
  ++size_;
  return true;
}

bool Postings::remove(std::uint32_t value) {
  if (is_bitmap()) {
    if (!roaring_bitmap_remove_checked(bitmap_, value)) return false;
    if (--size_ < kLeaveBitmap) settle();
    return true;
  }
  auto* const end = values() + size_;
  auto* const at = std::lower_bound(values(), end, value);
  if (at == end || *at != value) return false;
  std::copy(at + 1, end, at);
  --size_;
  if (size_ <= kInlineValues) set_few(few());
  return true;
}

bool Postings::contains(std::uint32_t value) const {
  if (is_bitmap()) return roaring_bitmap_contains(bitmap_, value);
  return std::binary_search(values(), values() + size_, value);
}

template <typename Keep>
void Postings::filter_few(Keep keep) {
  auto* const end = std::remove_if(values(), values() + size_, [&](std::uint32_t value) { return !keep(value); });
  size_ = static_cast<std::uint32_t>(end - values());
  if (size_ <= kInlineValues) set_few(few());
}

void Postings::intersect(const Postings& other) {
  if (!is_bitmap()) return filter_few([&](std::uint32_t value) { return other.contains(value); });
  if (!other.is_bitmap()) {
    Postings small = other;
    small.filter_few([&](std::uint32_t value) { return contains(value); });
    return swap(small);
  }
  if (this == &other) return;
  roaring_bitmap_and_inplace(bitmap_, other.bitmap_);
  settle();
}

void Postings::subtract(const Postings& other) {
  if (this == &other) return set_few({});
  if (!is_bitmap()) return filter_few([&](std::uint32_t value) { return !other.contains(value); });
  if (!other.is_bitmap()) {
    for (const auto value : other.few()) remove(value);
    return;
  }
  roaring_bitmap_andnot_inplace(bitmap_, other.bitmap_);
  settle();
}

void Postings::unite(const Postings& other) {
  if (this == &other) return;
  if (!other.is_bitmap()) {
    for (const auto value : other.few()) add(value);
  } else if (!is_bitmap()) {
    Postings large = other;
    for (const auto value : few()) large.add(value);
    swap(large);
  } else {
    roaring_bitmap_or_inplace(bitmap_, other.bitmap_);
    settle();
  }
}

Postings Postings::union_of(std::span<const Postings* const> sets) {
  std::vector<const roaring_bitmap_t*> bitmaps;
  std::vector<std::uint32_t> few;
  for (const auto* set : sets) {
    if (set->is_bitmap()) {
      bitmaps.push_back(set->bitmap_);
    } else {
      few.insert(few.end(), set->values(), set->values() + set->size_);
    }
  }
  std::sort(few.begin(), few.end());
  few.erase(std::unique(few.begin(), few.end()), few.end());
  if (bitmaps.empty()) return Postings(few);
  Postings out;
  out.bitmap_ = roaring_bitmap_or_many(bitmaps.size(), bitmaps.data());
  out.capacity_ = kBitmap;
  roaring_bitmap_add_many(out.bitmap_, few.size(), few.data());
  out.settle();
  return out;
}

bool Postings::intersects(const Postings& other) const {
  if (is_bitmap() && other.is_bitmap()) return roaring_bitmap_intersect(bitmap_, other.bitmap_);
  const auto& small = is_bitmap() ? other : *this;
  const auto& large = is_bitmap() ? *this : other;
  const auto values = small.few();
  return std::any_of(values.begin(), values.end(), [&](std::uint32_t value) { return large.contains(value); });
}

void Postings::append_to(std::vector<std::uint32_t>& out) const {
  const auto before = out.size();
  out.resize(before + size_);
  if (is_bitmap()) {
    roaring_bitmap_to_uint32_array(bitmap_, out.data() + before);
  } else {
    std::copy_n(values(), size_, out.data() + before);
  }
}

std::vector<std::uint32_t> Postings::to_vector() const {
  std::vector<std::uint32_t> out;
  append_to(out);
  return out;
}

bool Postings::operator==(const Postings& other) const {
  if (size_ != other.size_) return false;
  if (is_bitmap() && other.is_bitmap()) return roaring_bitmap_equals(bitmap_, other.bitmap_);
  const auto& small = is_bitmap() ? other : *this;
  const auto& large = is_bitmap() ? *this : other;
  const auto values = small.few();
  return std::all_of(values.begin(), values.end(), [&](std::uint32_t value) { return large.contains(value); });
}

void Postings::compact() {
  if (is_bitmap()) {
    roaring_bitmap_run_optimize(bitmap_);
    roaring_bitmap_shrink_to_fit(bitmap_);
  } else if (capacity_ > size_) {
    set_few(few());
  }
}

std::size_t Postings::bytes() const {
  if (capacity_ == kInline) return sizeof *this;
  if (!is_bitmap()) return sizeof *this + kAllocation + capacity_ * sizeof(std::uint32_t);
  roaring_statistics_t held;
  roaring_bitmap_statistics(bitmap_, &held);
  // A container is two allocations, its head and its values; the bitmap has a place (pointer, key, kind) for it.
  constexpr std::size_t kContainer = 2 * kAllocation + 16 + sizeof(void*) + sizeof(std::uint16_t) + 1;
  return sizeof *this + 2 * kAllocation + sizeof(roaring_bitmap_t) + held.n_containers * kContainer +
         held.n_bytes_array_containers + held.n_bytes_run_containers + held.n_bytes_bitset_containers;
}

}  // namespace atalaya::tsdb
