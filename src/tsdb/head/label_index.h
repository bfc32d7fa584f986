// Finds the series of a head: by their labels, and by matchers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "tsdb/block/postings.h"
#include "tsdb/head/pairs.h"
#include "tsdb/head/states.h"

namespace atalaya::tsdb {

/// The labels of a series: numbers of pairs, sorted by label name. Lives as long as the index.
using PairSpan = std::span<const std::uint32_t>;

/// Label sets of one tenant and the ids that bear them. The pairs of each id are in its state.
/// Thread-compatible.
class LabelIndex {
 public:
  explicit LabelIndex(const StateTable& states) : states_(&states), slots_(kFirstSlots) {}

  /// The pairs of a label set, interned, sorted by name: replaces what `out` holds.
  void intern(const Labels& labels, std::vector<std::uint32_t>& out);
  std::uint32_t intern(std::string_view name, std::string_view value);
  /// As intern, without making any: false when a pair is new, so that no series has these labels.
  bool look_up(const Labels& labels, std::vector<std::uint32_t>& out) const;
  /// The series with exactly these pairs, or 0.
  std::uint32_t find(PairSpan pairs) const;
  /// Adds a series that is not there; the span that is returned stays, and is to go into its state at once.
  PairSpan add(std::uint32_t id, PairSpan pairs);
  /// While its state still has them.
  void remove(std::uint32_t id);
  std::size_t size() const { return live_; }

  Labels labels(PairSpan pairs) const;
  /// Ids that match, ascending. At least one matcher must refuse the empty value: invalid_argument.
  Result<std::vector<std::uint32_t>> select(const Matchers& matchers) const;
  /// Into the order of their labels. All of them are there.
  void sort_by_labels(std::vector<std::uint32_t>& ids) const;
  /// A stretch of the order of labels.
  struct Stretch {
    Labels from;                  ///< inclusive
    std::optional<Labels> until;  ///< exclusive
    std::size_t at_most = SIZE_MAX;
  };
  /// Leaves of ids, all of them there, the first of the stretch, in no order. Where some are too many, `until` is
  /// moved to the first of those.
  void keep(std::vector<std::uint32_t>& ids, Stretch& stretch) const;
  /// Of series that match (no matchers: of all), but for some.
  using Ids = std::unordered_set<std::uint32_t>;
  std::vector<std::string> label_names(const Matchers& matchers, const Ids& without = {}) const;
  std::vector<std::string> label_values(std::string_view name, const Matchers& matchers, const Ids& without = {}) const;

  const PairTable& pairs() const { return pairs_; }
  /// How many series bear a pair.
  std::size_t series_of(std::uint32_t pair) const { return postings_[pair].size(); }
  std::size_t bytes() const;
  /// More of it is about series that went than about those that are there: time to build a new one.
  bool is_worn() const { return removed_ > 4096 && removed_ > live_; }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t id = 0;  ///< 0 empty; kGone was taken out
  };
  static constexpr std::uint32_t kGone = UINT32_MAX;
  void place(std::uint64_t hash, std::uint32_t id);
  void grow();
  struct Plan;
  Result<Plan> plan(const Matchers& matchers) const;
  void add_to(Plan& plan, const Matcher& matcher) const;
  std::vector<std::uint32_t> select_any(const Matchers& matchers) const;
  PairSpan pairs_of(std::uint32_t id) const;
  bool sorts_before(PairSpan a, PairSpan b) const;
  struct Bound;
  bool sorts_before(PairSpan pairs, const Bound& bound) const;
  std::unordered_map<std::uint32_t, std::size_t> counts_of(const Ids& ids) const;

  static constexpr std::size_t kFirstSlots = 16;
  const StateTable* states_;
  PairTable pairs_;
  std::vector<Postings> postings_;  ///< by pair
  ByteArena spans_;
  std::vector<Slot> slots_;
  std::size_t used_slots_ = 0;
  std::size_t live_ = 0;
  std::size_t removed_ = 0;
};

}  // namespace atalaya::tsdb
