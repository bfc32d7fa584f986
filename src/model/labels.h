// Label sets: the identity of series, log streams and alerts.
#pragma once

#include <compare>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace atalaya {

constexpr std::string_view kMetricName = "__name__";

/// An immutable set of name/value pairs, sorted by name (bytewise), names unique, no empty values
/// (an empty value is the same as an absent label). One packed buffer: cheap to copy, hash, compare.
/// Immutable.
class Labels {
 public:
  using Pair = std::pair<std::string_view, std::string_view>;

  Labels() = default;
  Labels(std::initializer_list<Pair> pairs);
  explicit Labels(const std::map<std::string, std::string>& pairs);

  class Iterator {
   public:
    using value_type = Pair;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    explicit Iterator(std::string_view left) : left_(left) { load(); }
    const Pair& operator*() const { return pair_; }
    const Pair* operator->() const { return &pair_; }
    Iterator& operator++() {
      left_ = rest_;
      load();
      return *this;
    }
    bool operator==(const Iterator& other) const { return left_.size() == other.left_.size(); }

   private:
    void load();
    std::string_view left_;
    std::string_view rest_;
    Pair pair_;
  };

  /// Views live as long as this object is unchanged.
  Iterator begin() const { return Iterator(packed_); }
  Iterator end() const { return Iterator(std::string_view(packed_).substr(packed_.size())); }
  /// The value, or "" when absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const { return !get(name).empty(); }
  bool empty() const { return packed_.empty(); }
  std::size_t size() const;

  /// XXH3 of the packed form: stable across processes and versions of the program.
  std::uint64_t hash() const;
  /// The packed form: (varint length, bytes) of name and value in turn. For logs and wires.
  const std::string& packed() const { return packed_; }
  /// Checks bytes from outside: sorted, unique, no empty names or values, UTF-8. False if not so.
  static bool unpack(std::string_view packed, Labels& out);

  Labels with(std::string_view name, std::string_view value) const;
  Labels without(std::string_view name) const { return with(name, ""); }

  bool operator==(const Labels& other) const { return packed_ == other.packed_; }
  /// Bytewise by pairs, as Prometheus sorts series.
  std::strong_ordering operator<=>(const Labels& other) const;

 private:
  friend class LabelsBuilder;
  friend class LabelsPacker;
  std::string packed_;
};

/// Collects pairs in any order; later ones win. Thread-compatible.
class LabelsBuilder {
 public:
  LabelsBuilder() = default;
  explicit LabelsBuilder(const Labels& base);
  LabelsBuilder& set(std::string_view name, std::string_view value);  ///< "" removes
  LabelsBuilder& erase(std::string_view name);
  Labels build() const;

 private:
  std::map<std::string, std::string, std::less<>> pairs_;
};

/// Puts together a set from pairs that are known to be in order, without looking at them again: names
/// ascending, neither empty. Thread-compatible.
class LabelsPacker {
 public:
  void add(std::string_view name, std::string_view value);
  Labels take();

 private:
  std::string packed_;
};

/// `name{a="b",…}` with Prometheus' quoting.
std::string to_string(const Labels& labels);

}  // namespace atalaya

template <>
struct std::hash<atalaya::Labels> {
  std::size_t operator()(const atalaya::Labels& labels) const { return labels.hash(); }
};
