// Memory and blocks as one: which parts hold the samples that a query reads.
#include <boost/unordered/unordered_flat_map.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "tsdb/store_impl.h"
#include "tsdb/stored_samples.h"

namespace atalaya::tsdb {
namespace {

constexpr std::size_t kRaw = 0;  ///< of kResolutions
constexpr std::uint32_t kNoRank = UINT32_MAX;
constexpr std::size_t kWorthRanking = 64;  ///< series of a block

/// The beginning of time has nothing before it.
Time earlier(Time time, Duration by) { return time < kMinTime + by ? kMinTime : time - by; }

bool overlaps(const Block& block, storage::TimeRange range) {
  return block.meta().last >= to_ms(range.from) && block.meta().first <= to_ms(range.to);
}

/// Whether a sample of a block's series lies in the range: mostly its chunks' ends tell.
Result<bool> has_samples(const BlockPart& part) {
  const auto& block = *part.block;
  const auto from = to_ms(part.range.from);
  const auto to = to_ms(part.range.to);
  if (part.hidden.empty()) {
    if (block.meta().first >= from && block.meta().last <= to) return true;
    AT_TRY(const auto chunks, part.index->chunks(part.ordinal));
    bool perhaps = false;
    for (const auto& chunk : chunks) {
      if ((chunk.first >= from && chunk.first <= to) || (chunk.last >= from && chunk.last <= to)) return true;
      perhaps = perhaps || (chunk.first < from && chunk.last > to);
    }
    if (!perhaps) return false;
    return block.has_instant(*part.index, part.ordinal, part.range);
  }
  std::vector<Sample> read;
  AT_TRY(block.read_column(*part.index, part.ordinal, part.range, 0, read));
  return std::any_of(read.begin(), read.end(), [&](const Sample& one) { return !is_hidden(part.hidden, one.time); });
}

/// The blocks of a stretch, by kResolutions.
using Tiers = std::array<BlockList, kResolutions.size()>;
using Order = std::vector<std::size_t>;

/// The tiers of buckets in the order in which they are asked.
Order buckets_first(Duration coarsest) {
  return coarsest.count() >= kResolutions[2] ? Order{2, 1, kRaw} : Order{1, 2, kRaw};
}

/// The order in which tiers are asked when buckets will do in place of the raw samples that are there; empty
/// when they will not.
Order coarse_order(const Tiers& tiers, Duration coarsest) {
  for (std::size_t tier = kResolutions.size(); --tier > kRaw;) {
    if (kResolutions[tier] > coarsest.count() || !is_rolled_up(tiers[kRaw], tiers[tier])) continue;
    return tier == 2 ? Order{2, 1, kRaw} : Order{1, kRaw, 2};
  }
  return {};
}

/// Of a stretch, the lowest sequences of its blocks.
struct Beginnings {
  std::uint64_t raw = UINT64_MAX;
  std::uint64_t buckets = UINT64_MAX;
};

/// One series and where its samples are.
struct Merged {
  std::shared_ptr<const Labels> labels;
  SeriesId id{0};
  std::vector<BlockPart> blocks;
  HeadSnapshot head;
  std::vector<storage::BucketSpan> buckets;
  std::uint32_t rank = kNoRank;  ///< in the order of the block that ranks
};

using Chosen = std::unordered_set<Labels>;

}  // namespace

/// One call of select.
class Store::Impl::Selection {
 public:
  Selection(const Store::Impl& store, const TenantId& tenant, const Matchers& matchers, storage::TimeRange range,
            storage::SelectHints hints)
      : store_(store), tenant_(tenant), matchers_(matchers), range_(range), hints_(hints) {
    range_.from = std::max(range_.from, store.cutoff_of(store.retention.longest()));
  }

  Result<std::vector<storage::SelectedSeries>> run() {
    AT_TRY(store_.check_past(range_.from));
    tell_of_set_aside();
    if (hints_.page) AT_TRY(bound_by_blocks());
    // Memory first: what moves to a block in between is then seen twice, not missed.
    memory_ = store_.head.find(tenant_);
    if (memory_) AT_TRY(add_memory());
    deletions_ = store_.deletes.list();
    std::map<std::int64_t, Tiers> stretches;
    const auto list = store_.blocks.list();
    for (const auto& block : *list) {
      if (!overlaps(*block, reach_of(*block)) || !block->index(tenant_)) continue;
      if (const auto tier = tier_of(*block)) stretches[store_.stretch_of(*block)][*tier].push_back(block);
    }
    if (!stretches.empty()) {
      places_.reserve(merged_.size());
      for (std::size_t i = 0; i < merged_.size(); ++i) places_.emplace(merged_[i].id.value(), i);
    }
    const bool any_buckets = std::any_of(stretches.begin(), stretches.end(), [](const auto& one) {
      return !one.second[1].empty() || !one.second[2].empty();
    });
    std::unordered_map<std::int64_t, Beginnings> begin;
    if (any_buckets) begin = beginnings(*list);
    for (const auto& [stretch, tiers] : stretches) {
      const auto found = begin.find(stretch);
      const bool raw_is_whole = found == begin.end() || found->second.raw <= found->second.buckets;
      AT_TRY(add_stretch(stretch, tiers, raw_is_whole));
    }
    if (hints_.page) hints_.page->next = std::move(page_.until);
    return finish();
  }

 private:
  /// Where a series of the stretch is served by a tier that was asked before: from there on.
  using Served = std::unordered_map<Labels, Time>;

  static std::optional<std::size_t> tier_of(const Block& block) {
    const auto tier = std::find(kResolutions.begin(), kResolutions.end(), block.meta().resolution);
    if (tier == kResolutions.end()) return std::nullopt;
    return static_cast<std::size_t>(tier - kResolutions.begin());
  }

  std::unordered_map<std::int64_t, Beginnings> beginnings(const BlockList& list) const {
    std::unordered_map<std::int64_t, Beginnings> out;
    for (const auto& block : list) {
      auto& one = out[store_.stretch_of(*block)];
      auto& least = block->meta().resolution == 0 ? one.raw : one.buckets;
      least = std::min(least, block->meta().first_sequence);
    }
    return out;
  }

  /// Of blocks that were set aside nobody knows any more which series are missing, only whose. Buckets whose raw
  /// samples are there were made anew.
  void tell_of_set_aside() const {
    const auto aside = store_.blocks.set_aside();
    if (aside->empty() || !hints_.on_damage) return;
    const auto list = store_.blocks.list();
    for (const auto& one : *aside) {
      if (!one.may_miss(tenant_)) continue;
      const auto& name = one.name;
      const auto begin = from_ms(name.stretch);
      const auto end = store_.end_of(name.stretch) - Duration{1};
      if (end < range_.from || begin > range_.to) continue;
      const auto is_raw_of_it = [&, stretch = name.stretch](const BlockPtr& block) {
        return block->meta().resolution == 0 && store_.stretch_of(*block) == stretch;
      };
      if (name.resolution != 0 && std::any_of(list->begin(), list->end(), is_raw_of_it)) continue;
      // Who asks may be of any tenant: the folder is not theirs to know.
      hints_.on_damage({ErrorCode::kCorruption,
                        fmt::format("of {} to {} samples may be missing: {} was set aside", format_rfc3339(begin),
                                    format_rfc3339(end), one.path.substr(one.path.rfind('/') + 1)),
                        std::nullopt, "an administrator removes the file once nothing of it is wanted"});
    }
  }

  /// Of the range, with the bucket before it where that is wanted.
  storage::TimeRange reach_of(const Block& block) const {
    const auto before = hints_.with_bucket_before ? Duration{block.meta().resolution} : Duration{0};
    return {earlier(range_.from, before), range_.to};
  }

  /// No block has more series of the page than it may: those that follow are of the next.
  Status bound_by_blocks() {
    page_ = {hints_.page->from, std::nullopt, std::max<std::size_t>(hints_.page->at_most, 1)};
    const auto list = store_.blocks.list();
    for (const auto& block : *list) {
      const auto* index = block->index(tenant_);
      if (!index || !overlaps(*block, reach_of(*block))) continue;
      const auto narrow = [&]() -> Status {
        AT_TRY(const auto ordinals, ordinals_of(*index));
        if (ordinals.size() <= page_.at_most) return {};
        AT_TRY(page_.until, index->labels(ordinals[page_.at_most]));
        return {};
      };
      // What does not read is told when it is to be served.
      if (auto narrowed = narrow(); !narrowed && narrowed.error().code != ErrorCode::kCorruption) return narrowed;
    }
    return {};
  }

  /// Of the series that match, those of the page.
  Result<std::vector<std::uint32_t>> ordinals_of(const Index& index) const {
    AT_TRY(auto ordinals, index.select(matchers_));
    if (!hints_.page) return ordinals;
    const auto first_from = [&](const Labels& bound) -> Result<std::ptrdiff_t> {
      std::size_t begin = 0;
      for (std::size_t end = ordinals.size(); begin < end;) {
        const auto middle = begin + (end - begin) / 2;
        AT_TRY(const auto labels, index.labels(ordinals[middle]));
        if (labels < bound) {
          begin = middle + 1;
        } else {
          end = middle;
        }
      }
      return static_cast<std::ptrdiff_t>(begin);
    };
    if (page_.until) {
      AT_TRY(const auto end, first_from(*page_.until));
      ordinals.erase(ordinals.begin() + end, ordinals.end());
    }
    AT_TRY(const auto begin, first_from(page_.from));
    ordinals.erase(ordinals.begin(), ordinals.begin() + begin);
    return ordinals;
  }

  Status add_memory() {
    AT_TRY(auto found, memory_->select(matchers_, {std::max(range_.from, store_.cutoff()), range_.to}, hints_.on_series,
                                       hints_.page ? &page_ : nullptr));
    merged_.reserve(found.size());
    for (auto& one : found) {
      oldest_in_memory_ = std::min(oldest_in_memory_, one.samples.oldest());
      merged_.push_back({std::move(one.labels), SeriesId{one.id}, {}, std::move(one.samples), {}});
    }
    in_memory_ = merged_.size();
    return {};
  }

  /// Buckets that were made of more than the raw samples that are left go first. Else they only serve series
  /// that have nothing in memory which may be in them already, and nothing hidden.
  Status add_stretch(std::int64_t stretch, const Tiers& tiers, bool raw_is_whole) {
    if (!raw_is_whole) return serve(stretch, tiers, buckets_first(hints_.coarsest), {.raw_fills_gaps = true});
    const bool raw_does = from_ms(stretch) >= store_.cutoff_of(store_.retention.shortest(0)) && !tiers[kRaw].empty();
    const auto fine = raw_does ? Order{kRaw} : Order{kRaw, 1, 2};
    const auto coarse = coarse_order(tiers, hints_.coarsest);
    if (coarse.empty()) {
      return raw_does && deletions_->empty() ? serve_plain(tiers[kRaw]) : serve(stretch, tiers, fine, {});
    }
    Chosen rest;
    const storage::TimeRange whole{from_ms(stretch), store_.end_of(stretch) - Duration{1}};
    for (const auto& one : merged_) {
      if (oldest_in_memory_ > whole.to) break;
      if (one.head.holds({std::max(whole.from, range_.from), whole.to})) rest.insert(*one.labels);
    }
    AT_TRY(serve(stretch, tiers, coarse, {.without = &rest}));
    return rest.empty() ? Status{} : serve(stretch, tiers, fine, {.only = &rest});
  }

  /// Whom a pass over the blocks of a stretch is for.
  struct Pass {
    Chosen* without = nullptr;     ///< all but these; series of which buckets are hidden join them
    const Chosen* only = nullptr;  ///< these alone
    bool raw_fills_gaps = false;   ///< raw samples serve wherever there is no bucket

    bool skips(const Labels& labels) const {
      return (without && without->contains(labels)) || (only && !only->contains(labels));
    }
  };

  Status serve(std::int64_t stretch, const Tiers& tiers, const Order& order, const Pass& pass) {
    Served served;
    for (const auto tier : order) {
      Served fresh;
      const bool cut = order.size() > 1 && !(pass.raw_fills_gaps && tier == kRaw);
      for (const auto& block : tiers[tier]) {
        auto added = add_block(stretch, block, cut ? &served : nullptr, pass, fresh);
        if (!added) AT_TRY(pass_over(block, std::move(added).error()));
      }
      for (auto& [labels, from] : fresh) served.insert_or_assign(labels, from);
    }
    return {};
  }

  Status serve_plain(const BlockList& blocks) {
    for (const auto& block : blocks) {
      if (auto added = add_plain_block(block); !added) AT_TRY(pass_over(block, std::move(added).error()));
    }
    return {};
  }

  /// A raw block all of whose samples in the range are wanted: of the series that memory knows no labels are read.
  Status add_plain_block(const BlockPtr& block) {
    const auto& index = *block->index(tenant_);
    AT_TRY(auto ordinals, ordinals_of(index));
    std::size_t count = 0;
    for (const auto ordinal : ordinals) {
      // One that cannot be looked at is read, so that it is told.
      const auto wanted = has_samples({block, &index, ordinal, {}, range_});
      if (!wanted || *wanted) ordinals[count++] = ordinal;
    }
    ordinals.resize(count);
    merged_.reserve(std::max(merged_.size(), count));
    // The first block with most of the series gives them their rank.
    const bool ranks = !has_ranks_ && count >= kWorthRanking && count >= merged_.size() / 2;
    has_ranks_ = has_ranks_ || ranks;
    const auto add = [&](Merged& one, std::uint32_t ordinal) {
      if (ranks) one.rank = ordinal;
      one.blocks.push_back({block, &index, ordinal, {}, range_});
    };
    std::vector<std::uint32_t> unknown;
    for (const auto ordinal : ordinals) {
      const auto id = index.ids().find(ordinal);
      auto* one = id == 0 ? nullptr : series_of(id);
      if (one) {
        add(*one, ordinal);
      } else {
        unknown.push_back(ordinal);
      }
    }
    AT_TRY(expect(unknown.size()));
    AT_TRY(auto labels, index.labels(unknown));
    for (std::size_t i = 0; i < unknown.size(); ++i) {
      const auto id = memory_ ? memory_->find(labels[i]) : 0;
      if (id != 0) index.ids().note(unknown[i], id);
      add(series_of(id, std::move(labels[i])), unknown[i]);
    }
    return {};
  }

  Status expect(std::size_t series) const {
    return hints_.on_series && series > 0 ? hints_.on_series(series) : Status{};
  }

  /// The place of a series that is not there by its id. It may be by its labels: ids come and go meanwhile.
  std::size_t add_series(std::shared_ptr<const Labels> labels, std::uint32_t id) {
    if (knows_labels_) {
      const auto [place, is_new] = by_labels_.try_emplace(*labels, merged_.size());
      if (!is_new) return place->second;
    }
    merged_.push_back(Merged{std::move(labels), SeriesId{id}, {}, {}, {}});
    return merged_.size() - 1;
  }

  /// Null when memory has no such series any more.
  Merged* series_of(std::uint32_t id) {
    const auto known = places_.find(id);
    if (known != places_.end()) return &merged_[known->second];
    auto labels = memory_ ? memory_->labels_of(id) : nullptr;
    if (!labels) return nullptr;
    const auto place = add_series(std::move(labels), id);
    places_.emplace(id, place);
    return &merged_[place];
  }

  /// `id`: 0 when memory has none.
  Merged& series_of(std::uint32_t id, Labels&& labels) {
    if (id == 0 && !std::exchange(knows_labels_, true)) {
      for (std::size_t i = 0; i < merged_.size(); ++i) by_labels_.emplace(*merged_[i].labels, i);
    }
    const auto known = id == 0 ? places_.end() : places_.find(id);
    if (known != places_.end()) return merged_[known->second];
    const auto place = add_series(std::make_shared<const Labels>(std::move(labels)), id);
    if (id != 0) places_.emplace(id, place);
    return merged_[place];
  }

  /// The rest serves, where the one who asks wants to hear of what does not.
  Status pass_over(const BlockPtr& block, Error error) {
    // Who asks may be of any tenant: the folder is not theirs to know.
    error.message = fmt::format("block {}: {}", block->path().substr(block->path().rfind('/') + 1), error.message);
    if (error.code == ErrorCode::kCorruption) store_.suspects->add(block, error);
    if (error.code != ErrorCode::kCorruption || !hints_.on_damage) return std::unexpected(std::move(error));
    hints_.on_damage(error);
    return {};
  }

  Status add_block(std::int64_t stretch, const BlockPtr& block, const Served* served, const Pass& pass, Served& fresh) {
    const auto* index = block->index(tenant_);
    const auto resolution = block->meta().resolution;
    AT_TRY(const auto ordinals, ordinals_of(*index));
    AT_TRY(expect(ordinals.size() - std::min(ordinals.size(), merged_.size())));
    AT_TRY(auto labels, index->labels(ordinals));
    for (std::size_t i = 0; i < ordinals.size(); ++i) {
      if (pass.skips(labels[i])) continue;
      const auto& kept = store_.retention.of(labels[i]);
      BlockPart part{block, index, ordinals[i], hidden_ranges(*deletions_, tenant_, labels[i], *block), range_};
      part.range.from = std::max(range_.from, store_.cutoff_of(kept.at(resolution)));
      if (served) {
        const auto before = served->find(labels[i]);
        const bool begun = before != served->end() || fresh.contains(labels[i]);
        if (pass.without && resolution != 0 && !part.hidden.empty() && !begun) {
          pass.without->insert(labels[i]);
          continue;
        }
        if (before != served->end()) part.range.to = std::min(part.range.to, before->second - Duration{1});
        if (part.range.from <= part.range.to) fresh.insert_or_assign(labels[i], part.range.from);
      }
      if (part.range.from > part.range.to) continue;
      if (resolution != 0 && hints_.with_bucket_before && part.range.from == range_.from) {
        part.range.from = earlier(part.range.from, Duration{resolution});
      }
      // One that cannot be looked at is read, so that it is told.
      if (const auto wanted = has_samples(part); wanted && !*wanted) continue;
      auto& one = series_of(memory_ ? memory_->find(labels[i]) : 0, std::move(labels[i]));
      if (resolution != 0) add_span(stretch, part, one.buckets);
      one.blocks.push_back(std::move(part));
    }
    return {};
  }

  void add_span(std::int64_t stretch, const BlockPart& part, std::vector<storage::BucketSpan>& spans) const {
    const storage::TimeRange range{std::max(part.range.from, from_ms(stretch)),
                                   std::min(part.range.to, from_ms(stretch + store_.options.partition.count() - 1))};
    const Duration length{part.block->meta().resolution};
    if (!spans.empty() && spans.back().length == length && spans.back().range.to + Duration{1} == range.from) {
      spans.back().range.to = range.to;
    } else {
      spans.push_back({range, length});
    }
  }

  /// By labels. Memory gave its series in order, and a block has its own so: that spares most of the comparing.
  std::vector<Merged*> in_order() {
    std::vector<Merged*> out;
    std::vector<Merged*> of_memory;
    std::vector<Merged*> others;
    for (std::size_t i = 0; i < merged_.size(); ++i) {
      auto& list = merged_[i].rank != kNoRank ? out : i < in_memory_ ? of_memory : others;
      list.push_back(&merged_[i]);
    }
    const auto by_labels = [](const auto* a, const auto* b) { return *a->labels < *b->labels; };
    std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return a->rank < b->rank; });
    std::sort(others.begin(), others.end(), by_labels);
    for (const auto* list : {&of_memory, &others}) {
      const auto middle = out.insert(out.end(), list->begin(), list->end());
      std::inplace_merge(out.begin(), middle, out.end(), by_labels);
    }
    return out;
  }

  std::vector<storage::SelectedSeries> finish() {
    std::vector<storage::SelectedSeries> out;
    out.reserve(merged_.size());
    for (auto* merged : in_order()) {
      auto& one = *merged;
      std::sort(one.buckets.begin(), one.buckets.end(),
                [](const auto& a, const auto& b) { return a.range.from < b.range.from; });
      const auto& kept = store_.retention.of(*one.labels);
      const storage::TimeRange of_memory{std::max(range_.from, store_.cutoff_of(kept.raw)), range_.to};
      out.push_back({one.id, std::move(one.labels),
                     std::make_unique<StoredSamples>(tenant_, std::move(one.blocks), std::move(one.head), of_memory,
                                                     hints_.value, store_.suspects),
                     std::move(one.buckets)});
    }
    return out;
  }

  const Store::Impl& store_;
  const TenantId& tenant_;
  const Matchers& matchers_;
  storage::TimeRange range_;
  const storage::SelectHints hints_;
  LabelIndex::Stretch page_;  ///< if one is asked for
  std::shared_ptr<const DeletionList> deletions_;
  Time oldest_in_memory_ = kMaxTime;
  std::vector<Merged> merged_;
  std::size_t in_memory_ = 0;  ///< the first ones of merged_
  const TenantHead* memory_ = nullptr;
  bool has_ranks_ = false;
  boost::unordered_flat_map<std::uint64_t, std::size_t> places_;  ///< of merged_, by id; filled when there are blocks
  std::unordered_map<Labels, std::size_t> by_labels_;             ///< all of merged_, once there is one without an id
  bool knows_labels_ = false;
};

Result<std::vector<storage::SelectedSeries>> Store::Impl::select(const TenantId& tenant, const Matchers& matchers,
                                                                 storage::TimeRange range,
                                                                 const storage::SelectHints& hints) const {
  if (std::none_of(matchers.begin(), matchers.end(), [](const Matcher& m) { return !m.matches(""); })) {
    return fail(ErrorCode::kInvalidArgument, "at least one matcher must refuse the empty value",
                "name a metric or a label value");
  }
  return Selection(*this, tenant, matchers, range, hints).run();
}

}  // namespace atalaya::tsdb
