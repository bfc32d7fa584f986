// Which series have a pair (name, value): a set of small numbers that is changed in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

struct roaring_bitmap_s;

namespace atalaya::tsdb {

/// A sorted set of 32-bit numbers. 16 bytes in itself; up to two numbers lie in these, up to 64 in an
/// array, more in a roaring bitmap (a bit to two bytes a number). Thread-compatible: readers may run
/// together.
class Postings {
 public:
  Postings() = default;
  /// Strictly ascending.
  explicit Postings(std::span<const std::uint32_t> values);
  Postings(const Postings& other);
  Postings(Postings&& other) noexcept { swap(other); }
  Postings& operator=(Postings other) noexcept {
    swap(other);
    return *this;
  }
  ~Postings();

  /// False when it was there already. The cheapest is one above all others.
  bool add(std::uint32_t value);
  /// False when it was not there.
  bool remove(std::uint32_t value);
  bool contains(std::uint32_t value) const;
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void intersect(const Postings& other);  ///< keeps what both have
  void subtract(const Postings& other);   ///< keeps what the other has not
  void unite(const Postings& other);
  /// Faster than uniting one after another. No pointer is null.
  static Postings union_of(std::span<const Postings* const> sets);
  bool intersects(const Postings& other) const;

  /// Ascending.
  void append_to(std::vector<std::uint32_t>& out) const;
  std::vector<std::uint32_t> to_vector() const;
  bool operator==(const Postings& other) const;

  /// Gives back what growing took in advance, and stores stretches without gaps as their ends.
  void compact();
  /// Memory, with this object and what the allocator takes for itself (about).
  std::size_t bytes() const;

 private:
  /// In `capacity_`: beside the lengths of arrays.
  static constexpr std::uint32_t kInline = 0;
  static constexpr std::uint32_t kBitmap = ~std::uint32_t{0};

  void swap(Postings& other) noexcept;
  bool is_bitmap() const { return capacity_ == kBitmap; }
  const std::uint32_t* values() const { return capacity_ == kInline ? inline_ : array_; }
  std::uint32_t* values() { return capacity_ == kInline ? inline_ : array_; }
  std::span<const std::uint32_t> few() const { return {values(), size_}; }
  void grow();
  void become_bitmap();
  /// After a bitmap was changed: counts, and leaves the bitmap when little is left.
  void settle();
  void set_few(std::span<const std::uint32_t> values);
  template <typename Keep>
  void filter_few(Keep keep);

  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = kInline;
  union {
    std::uint32_t inline_[2] = {0, 0};
    std::uint32_t* array_;
    roaring_bitmap_s* bitmap_;
  };
};

}  // namespace atalaya::tsdb
