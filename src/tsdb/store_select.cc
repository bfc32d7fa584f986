// Memory and blocks as one: which parts hold the samples that a query reads.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "tsdb/store_impl.h"
#include "tsdb/stored_samples.h"

namespace atalaya::tsdb {
namespace {

constexpr std::size_t kRaw = 0;  ///< of kResolutions

/// The beginning of time has nothing before it.
Time earlier(Time time, Duration by) { return time < kMinTime + by ? kMinTime : time - by; }

bool overlaps(const Block& block, storage::TimeRange range) {
  return block.meta().last >= to_ms(range.from) && block.meta().first <= to_ms(range.to);
}

/// Whether a sample of a block's series lies in the range: mostly its chunks' ends tell.
Result<bool> has_samples(const TenantId& tenant, const BlockPart& part) {
  const auto& block = *part.block;
  const auto from = to_ms(part.range.from);
  const auto to = to_ms(part.range.to);
  ColumnsRead read;
  if (!part.hidden.empty()) {
    AT_TRY(block.read(tenant, part.ordinal, part.range, read));
    return std::any_of(read.times.begin(), read.times.end(),
                       [&](auto ms) { return !is_hidden(part.hidden, from_ms(ms)); });
  }
  if (block.meta().first >= from && block.meta().last <= to) return true;
  std::vector<ChunkRef> chunks;
  AT_TRY(block.index(tenant)->chunks(part.ordinal, chunks));
  bool perhaps = false;
  for (const auto& chunk : chunks) {
    if ((chunk.first >= from && chunk.first <= to) || (chunk.last >= from && chunk.last <= to)) return true;
    perhaps = perhaps || (chunk.first < from && chunk.last > to);
  }
  if (!perhaps) return false;
  AT_TRY(block.read(tenant, part.ordinal, part.range, read));
  return !read.times.empty();
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
};

using Chosen = std::unordered_set<Labels>;

}  // namespace

/// One call of select.
class Store::Impl::Selection {
 public:
  Selection(const Store::Impl& store, const TenantId& tenant, const Matchers& matchers, storage::TimeRange range,
            storage::SelectHints hints)
      : store_(store), tenant_(tenant), matchers_(matchers), range_(range), hints_(hints) {
    Time oldest = kMaxTime;
    for (const auto resolution : kResolutions) {
      oldest = std::min(oldest, store.cutoff_of(store.retention.longest(resolution)));
    }
    range_.from = std::max(range_.from, oldest);
  }

  Result<std::vector<storage::SelectedSeries>> run() {
    AT_TRY(store_.check_past(range_.from));
    // Memory first: what moves to a block in between is then seen twice, not missed.
    const auto* memory = store_.head.find(tenant_);
    if (memory) AT_TRY(add_memory(*memory));
    deletions_ = store_.deletes.list();
    std::map<std::int64_t, Tiers> stretches;
    const auto list = store_.blocks.list();
    for (const auto& block : *list) {
      if (!overlaps(*block, reach_of(*block)) || !block->index(tenant_)) continue;
      if (const auto tier = tier_of(*block)) stretches[store_.stretch_of(*block)][*tier].push_back(block);
    }
    if (!stretches.empty()) {
      for (std::size_t i = 0; i < merged_.size(); ++i) places_.emplace(*merged_[i].labels, i);
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
    return finish(memory);
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

  /// Of the range, with the bucket before it where that is wanted.
  storage::TimeRange reach_of(const Block& block) const {
    const auto before = hints_.with_bucket_before ? Duration{block.meta().resolution} : Duration{0};
    return {earlier(range_.from, before), range_.to};
  }

  Status add_memory(const TenantHead& memory) {
    AT_TRY(auto found, memory.select(matchers_, {std::max(range_.from, store_.cutoff()), range_.to}));
    merged_.reserve(found.size());
    for (auto& one : found) {
      oldest_in_memory_ = std::min(oldest_in_memory_, one.samples.oldest());
      merged_.push_back({std::move(one.labels), SeriesId{one.id}, {}, std::move(one.samples), {}});
    }
    return {};
  }

  /// Buckets that were made of more than the raw samples that are left go first. Else they only serve series
  /// that have nothing in memory which may be in them already, and nothing hidden.
  Status add_stretch(std::int64_t stretch, const Tiers& tiers, bool raw_is_whole) {
    if (!raw_is_whole) return serve(stretch, tiers, buckets_first(hints_.coarsest), {.raw_fills_gaps = true});
    const bool raw_does = from_ms(stretch) >= store_.cutoff_of(store_.retention.shortest(0)) && !tiers[kRaw].empty();
    const auto fine = raw_does ? Order{kRaw} : Order{kRaw, 1, 2};
    const auto coarse = coarse_order(tiers, hints_.coarsest);
    if (coarse.empty()) return serve(stretch, tiers, fine, {});
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

  /// The rest serves, where the one who asks wants to hear of what does not.
  Status pass_over(const BlockPtr& block, Error error) {
    error.message = fmt::format("block {}: {}", block->path(), error.message);
    if (error.code == ErrorCode::kCorruption) store_.suspects->add(block, error);
    if (error.code != ErrorCode::kCorruption || !hints_.on_damage) return std::unexpected(std::move(error));
    hints_.on_damage(error);
    return {};
  }

  Status add_block(std::int64_t stretch, const BlockPtr& block, const Served* served, const Pass& pass, Served& fresh) {
    const auto* index = block->index(tenant_);
    const auto resolution = block->meta().resolution;
    AT_TRY(const auto ordinals, index->select(matchers_));
    AT_TRY(auto labels, index->labels(ordinals));
    for (std::size_t i = 0; i < ordinals.size(); ++i) {
      if (pass.skips(labels[i])) continue;
      const auto& kept = store_.retention.of(labels[i]);
      BlockPart part{block, ordinals[i], hidden_ranges(*deletions_, tenant_, labels[i], *block), range_};
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
      if (const auto wanted = has_samples(tenant_, part); wanted && !*wanted) continue;
      const auto [place, is_new] = places_.try_emplace(labels[i], merged_.size());
      if (is_new) merged_.push_back({std::make_shared<const Labels>(std::move(labels[i])), SeriesId{0}, {}, {}, {}});
      auto& one = merged_[place->second];
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

  std::vector<storage::SelectedSeries> finish(const TenantHead* memory) {
    std::sort(merged_.begin(), merged_.end(), [](const Merged& a, const Merged& b) { return *a.labels < *b.labels; });
    std::vector<storage::SelectedSeries> out;
    out.reserve(merged_.size());
    for (auto& one : merged_) {
      if (memory && one.id.value() == 0) one.id = SeriesId{memory->find(*one.labels)};
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
  std::shared_ptr<const DeletionList> deletions_;
  Time oldest_in_memory_ = kMaxTime;
  std::vector<Merged> merged_;
  std::unordered_map<Labels, std::size_t> places_;  ///< of merged_; filled when there are blocks
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
