#include "tsdb/head/label_index.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <cstring>
#include <set>

#include "io/checksum.h"

namespace atalaya::tsdb {
namespace {

std::uint64_t hash_of(PairSpan pairs) {
  return io::xxh3({reinterpret_cast<const char*>(pairs.data()), pairs.size_bytes()});
}

bool refuses_empty(const Matcher& matcher) { return !matcher.matches(""); }

}  // namespace

PairSpan LabelIndex::pairs_of(std::uint32_t id) const {
  const auto* state = states_->find(id);
  return state ? PairSpan{state->pairs, state->pair_count} : PairSpan{};
}

void LabelIndex::intern(const Labels& labels, std::vector<std::uint32_t>& out) {
  out.clear();
  for (const auto& [name, value] : labels) out.push_back(intern(name, value));
}

std::uint32_t LabelIndex::intern(std::string_view name, std::string_view value) {
  const auto pair = pairs_.intern(name, value);
  if (pair == postings_.size()) postings_.emplace_back();
  return pair;
}

bool LabelIndex::look_up(const Labels& labels, std::vector<std::uint32_t>& out) const {
  out.clear();
  for (const auto& [name, value] : labels) {
    out.push_back(pairs_.find(name, value));
    if (out.back() == PairTable::kNone) return false;
  }
  return true;
}

std::uint32_t LabelIndex::find(PairSpan pairs) const {
  const auto hash = hash_of(pairs);
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  const auto mask = slots_.size() - 1;
  for (auto at = hash & mask;; at = (at + 1) & mask) {
    const auto& slot = slots_[at];
    if (slot.id == 0) return 0;
    if (slot.id != kGone && slot.hash == tag && std::ranges::equal(pairs_of(slot.id), pairs)) return slot.id;
  }
}

void LabelIndex::place(std::uint64_t hash, std::uint32_t id) {
  const auto mask = slots_.size() - 1;
  auto at = hash & mask;
  while (slots_[at].id != 0) at = (at + 1) & mask;
  slots_[at] = {static_cast<std::uint32_t>(hash >> 32), id};
  ++used_slots_;
}

void LabelIndex::grow() {
  auto old = std::move(slots_);
  slots_.assign(live_ * 2 > old.size() ? old.size() * 2 : old.size(), Slot{});
  used_slots_ = 0;
  for (const auto& slot : old) {
    if (slot.id != 0 && slot.id != kGone) place(hash_of(pairs_of(slot.id)), slot.id);
  }
}

PairSpan LabelIndex::add(std::uint32_t id, PairSpan pairs) {
  if (used_slots_ * 4 >= slots_.size() * 3) grow();
  auto* kept = reinterpret_cast<std::uint32_t*>(spans_.allocate(pairs.size_bytes(), alignof(std::uint32_t)));
  std::memcpy(kept, pairs.data(), pairs.size_bytes());
  place(hash_of(pairs), id);
  for (const auto pair : pairs) postings_[pair].add(id);
  ++live_;
  return {kept, pairs.size()};
}

void LabelIndex::remove(std::uint32_t id) {
  const auto pairs = pairs_of(id);
  const auto mask = slots_.size() - 1;
  auto at = hash_of(pairs) & mask;
  while (slots_[at].id != id) at = (at + 1) & mask;
  slots_[at].id = kGone;
  for (const auto pair : pairs) postings_[pair].remove(id);
  --live_;
  ++removed_;
}

Labels LabelIndex::labels(PairSpan pairs) const {
  LabelsPacker packer;
  for (const auto pair : pairs) packer.add(pairs_.name(pair), pairs_.value(pair));
  return packer.take();
}

/// The series are those of all `all_of` that are in none of `none_of` and pass the checks.
struct LabelIndex::Plan {
  struct Check {
    const Matcher* matcher;
    std::uint32_t name;
    boost::unordered_flat_map<std::uint32_t, bool> known;  ///< by pair
  };
  explicit Plan(std::size_t matchers) { unions.reserve(matchers); }

  std::vector<Postings> unions;  ///< what the lists below point to, if not to postings of the index
  std::vector<const Postings*> all_of;
  std::vector<const Postings*> none_of;
  std::vector<Check> checks;
  std::size_t most = SIZE_MAX;  ///< no more series than that are in `all_of`
  bool is_empty = false;

  void require(const Postings& postings) {
    all_of.push_back(&postings);
    most = std::min(most, postings.size());
  }
};

/// A matcher that has to look at values: as the series of those values where that is less than to look at the
/// value of each candidate.
void LabelIndex::add_to(Plan& plan, const Matcher& matcher) const {
  const bool wants = refuses_empty(matcher);
  const auto name = pairs_.find_name(matcher.name());
  if (name == PairTable::kNone) {
    plan.is_empty |= wants;
    return;
  }
  const bool must = wants && plan.all_of.empty();
  const auto& pairs = pairs_.pairs_of(name);
  constexpr std::size_t kFew = 64;
  std::vector<const Postings*> lists;
  std::size_t series = 0;
  if (must || pairs.size() / 2 <= plan.most + kFew) {
    for (const auto pair : pairs) {
      if (postings_[pair].empty() || matcher.matches(pairs_.value(pair)) != wants) continue;
      lists.push_back(&postings_[pair]);
      series += lists.back()->size();
    }
    // A bitmap is joined by the word: far less than a look at each candidate.
    if (must || series / 8 <= plan.most + kFew) {
      plan.unions.push_back(Postings::union_of(lists));
      if (wants) {
        plan.require(plan.unions.back());
      } else {
        plan.none_of.push_back(&plan.unions.back());
      }
      return;
    }
  }
  plan.checks.push_back({&matcher, name, {}});
}

Result<LabelIndex::Plan> LabelIndex::plan(const Matchers& matchers) const {
  Plan plan(matchers.size());
  if (std::none_of(matchers.begin(), matchers.end(), refuses_empty)) {
    return fail(ErrorCode::kInvalidArgument, "at least one matcher must refuse the empty value",
                "name a metric or a label value");
  }
  const auto is_pair = [](const Matcher& one) { return refuses_empty(one) && one.op() == Matcher::Op::kEqual; };
  for (const auto& matcher : matchers) {
    if (!is_pair(matcher)) continue;
    const auto pair = pairs_.find(matcher.name(), matcher.value());
    plan.is_empty |= pair == PairTable::kNone;
    if (!plan.is_empty) plan.require(postings_[pair]);
  }
  // Those that refuse the empty value first: what they leave says how much the others may cost.
  for (const bool wants : {true, false}) {
    for (const auto& matcher : matchers) {
      if (plan.is_empty) return plan;
      if (!is_pair(matcher) && refuses_empty(matcher) == wants) add_to(plan, matcher);
    }
  }
  return plan;
}

Result<std::vector<std::uint32_t>> LabelIndex::select(const Matchers& matchers) const {
  AT_TRY(auto plan, this->plan(matchers));
  if (plan.is_empty) return std::vector<std::uint32_t>{};
  const auto shortest = std::min_element(plan.all_of.begin(), plan.all_of.end(),
                                         [](const auto* a, const auto* b) { return a->size() < b->size(); });
  Postings found = **shortest;
  for (const auto* list : plan.all_of) {
    if (list != *shortest) found.intersect(*list);
  }
  for (const auto* list : plan.none_of) found.subtract(*list);
  auto ids = found.to_vector();
  const auto holds = [&](Plan::Check& check, PairSpan pairs) {
    const auto pair = std::find_if(pairs.begin(), pairs.end(), [&](auto p) { return pairs_.name_of(p) == check.name; });
    if (pair == pairs.end()) return check.matcher->matches("");
    const auto [known, is_new] = check.known.try_emplace(*pair, false);
    if (is_new) known->second = check.matcher->matches(pairs_.value(*pair));
    return known->second;
  };
  if (plan.checks.empty()) return ids;
  std::erase_if(ids, [&](std::uint32_t id) {
    const auto pairs = pairs_of(id);
    return !std::all_of(plan.checks.begin(), plan.checks.end(), [&](auto& check) { return holds(check, pairs); });
  });
  return ids;
}

/// As select; without a matcher that refuses the empty value it looks at all series.
std::vector<std::uint32_t> LabelIndex::select_any(const Matchers& matchers) const {
  if (auto ids = select(matchers)) return std::move(*ids);
  std::vector<std::uint32_t> out;
  states_->visit(1, SIZE_MAX, [&](std::uint32_t id, const SeriesState&) {
    if (matches(matchers, labels(pairs_of(id)))) out.push_back(id);
  });
  return out;
}

/// How many of these series bear each pair.
std::unordered_map<std::uint32_t, std::size_t> LabelIndex::counts_of(const Ids& ids) const {
  std::unordered_map<std::uint32_t, std::size_t> out;
  for (const auto id : ids) {
    for (const auto pair : pairs_of(id)) ++out[pair];
  }
  return out;
}

std::vector<std::string> LabelIndex::label_names(const Matchers& matchers, const Ids& without) const {
  std::vector<std::string> out;
  std::vector<bool> has(pairs_.name_count());
  if (matchers.empty()) {
    auto hidden = counts_of(without);
    for (std::uint32_t pair = 0; pair < pairs_.size(); ++pair) {
      if (postings_[pair].size() > (hidden.empty() ? 0 : hidden[pair])) has[pairs_.name_of(pair)] = true;
    }
  } else {
    for (const auto id : select_any(matchers)) {
      if (without.contains(id)) continue;
      for (const auto pair : pairs_of(id)) has[pairs_.name_of(pair)] = true;
    }
  }
  for (std::uint32_t name = 0; name < has.size(); ++name) {
    if (has[name]) out.emplace_back(pairs_.name_text(name));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> LabelIndex::label_values(std::string_view name, const Matchers& matchers,
                                                  const Ids& without) const {
  std::vector<std::string> out;
  const auto number = pairs_.find_name(name);
  if (number == PairTable::kNone) return out;
  if (matchers.empty()) {
    auto hidden = counts_of(without);
    for (const auto pair : pairs_.pairs_of(number)) {
      if (postings_[pair].size() > (hidden.empty() ? 0 : hidden[pair])) out.emplace_back(pairs_.value(pair));
    }
  } else {
    std::set<std::uint32_t> seen;
    for (const auto id : select_any(matchers)) {
      if (without.contains(id)) continue;
      for (const auto pair : pairs_of(id)) {
        if (pairs_.name_of(pair) == number && seen.insert(pair).second) out.emplace_back(pairs_.value(pair));
      }
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::size_t LabelIndex::bytes() const {
  std::size_t postings = postings_.capacity() * sizeof(Postings);
  for (const auto& list : postings_) postings += list.bytes();
  return pairs_.bytes() + postings + spans_.bytes() + slots_.size() * sizeof(Slot);
}

}  // namespace atalaya::tsdb
