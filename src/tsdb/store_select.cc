// Memory and blocks as one: which parts hold the samples that a query reads.
#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

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

/// Which tiers are asked for a series, in order: what one serves is not asked of the next.
std::vector<std::size_t> order_of(const Tiers& tiers, Duration coarsest, bool raw_is_whole) {
  for (std::size_t tier = kResolutions.size(); --tier > kRaw;) {
    if (kResolutions[tier] > coarsest.count() || !is_rolled_up(tiers[kRaw], tiers[tier])) continue;
    return tier == 2 ? std::vector<std::size_t>{2, 1, kRaw} : std::vector<std::size_t>{1, kRaw, 2};
  }
  if (raw_is_whole && !tiers[kRaw].empty()) return {kRaw};
  return {kRaw, 1, 2};
}

/// One series and where its samples are.
struct Merged {
  std::shared_ptr<const Labels> labels;
  SeriesId id{0};
  std::vector<BlockPart> blocks;
  HeadSnapshot head;
  std::vector<storage::BucketSpan> buckets;
};

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
      const auto tier = std::find(kResolutions.begin(), kResolutions.end(), block->meta().resolution);
      if (tier == kResolutions.end()) continue;
      stretches[store_.stretch_of(*block)][static_cast<std::size_t>(tier - kResolutions.begin())].push_back(block);
    }
    if (!stretches.empty()) {
      for (std::size_t i = 0; i < merged_.size(); ++i) places_.emplace(*merged_[i].labels, i);
    }
    for (const auto& [stretch, tiers] : stretches) AT_TRY(add_stretch(stretch, tiers));
    return finish(memory);
  }

 private:
  /// Where a series of the stretch is served by a tier that was asked before: from there on.
  using Served = std::unordered_map<Labels, Time>;

  /// Of the range, with the bucket before it where that is wanted.
  storage::TimeRange reach_of(const Block& block) const {
    const auto before = hints_.with_bucket_before ? Duration{block.meta().resolution} : Duration{0};
    return {earlier(range_.from, before), range_.to};
  }

  Status add_memory(const TenantHead& memory) {
    AT_TRY(auto found, memory.select(matchers_, {std::max(range_.from, store_.cutoff()), range_.to}));
    merged_.reserve(found.size());
    for (auto& one : found) {
      merged_.push_back({std::move(one.labels), SeriesId{one.id}, {}, std::move(one.samples), {}});
    }
    return {};
  }

  Status add_stretch(std::int64_t stretch, const Tiers& tiers) {
    const bool whole = !store_.retention.has_classes() && from_ms(stretch) >= store_.cutoff();
    const auto order = order_of(tiers, hints_.coarsest, whole);
    Served served;
    for (const auto tier : order) {
      Served fresh;
      for (const auto& block : tiers[tier]) {
        AT_TRY(add_block(stretch, block, order.size() > 1 ? &served : nullptr, fresh));
      }
      for (auto& [labels, from] : fresh) served.insert_or_assign(labels, from);
    }
    return {};
  }

  Status add_block(std::int64_t stretch, const BlockPtr& block, const Served* served, Served& fresh) {
    const auto* index = block->index(tenant_);
    const auto resolution = block->meta().resolution;
    AT_TRY(const auto ordinals, index->select(matchers_));
    AT_TRY(auto labels, index->labels(ordinals));
    for (std::size_t i = 0; i < ordinals.size(); ++i) {
      const auto& kept = store_.retention.of(labels[i]);
      BlockPart part{block, ordinals[i], hidden_ranges(*deletions_, tenant_, labels[i], *block), range_};
      part.range.from = std::max(range_.from, store_.cutoff_of(kept.at(resolution)));
      if (served) {
        const auto before = served->find(labels[i]);
        if (before != served->end()) part.range.to = std::min(part.range.to, before->second - Duration{1});
        if (part.range.from <= part.range.to) fresh.insert_or_assign(labels[i], part.range.from);
      }
      if (part.range.from > part.range.to) continue;
      if (resolution != 0 && hints_.with_bucket_before && part.range.from == range_.from) {
        part.range.from = earlier(part.range.from, Duration{resolution});
      }
      AT_TRY(const bool wanted, has_samples(tenant_, part));
      if (!wanted) continue;
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
                                                     hints_.value, store_.metrics.unreadable),
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
