// What stays on the disk how long: buckets in place of samples, then nothing.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "telemetry/log.h"
#include "tsdb/block/merge.h"
#include "tsdb/block/rollup.h"
#include "tsdb/store_impl.h"

namespace atalaya::tsdb {
namespace {

constexpr storage::TimeRange kAlways{kMinTime, kMaxTime};
constexpr std::array<std::int64_t, 2> kBuckets{kFiveMinutes, kOneHour};

std::uint64_t youngest_sequence(const BlockList& list) {
  std::uint64_t out = 0;
  for (const auto& block : list) out = std::max(out, block->meta().last_sequence);
  return out;
}

}  // namespace

Store::Impl::Stretches Store::Impl::stretches() const {
  Stretches out;
  const auto list = blocks.list();
  for (const auto& block : *list) out[stretch_of(*block)][block->meta().resolution].push_back(block);
  return out;
}

/// Whether nothing is missing in buckets of what the raw blocks have.
bool Store::Impl::is_rolled(std::int64_t stretch, const ByResolution& of, std::int64_t resolution) const {
  const auto raw = of.find(0);
  if (raw == of.end() || !retention.keeps(resolution)) return true;
  if (end_of(stretch) <= cutoff_of(retention.longest(resolution))) return true;
  const auto buckets = of.find(resolution);
  if (buckets != of.end() && is_rolled_up(raw->second, buckets->second)) return true;
  const auto nothing = without_buckets.find({stretch, resolution});
  return nothing != without_buckets.end() && nothing->second >= youngest_sequence(raw->second);
}

/// Buckets of the stretches that are over.
Status Store::Impl::roll_up() {
  for (const auto& [stretch, of] : stretches()) {
    if (!is_over(stretch)) continue;
    for (const auto resolution : kBuckets) {
      if (!is_rolled(stretch, of, resolution)) AT_TRY(roll_up(stretch, of, resolution));
    }
  }
  return {};
}

Status Store::Impl::roll_up(std::int64_t stretch, const ByResolution& of, std::int64_t resolution) {
  const auto& raw = of.at(0);
  const auto found = of.find(resolution);
  const auto present = found == of.end() ? BlockList{} : found->second;
  // What aged out of a class has its buckets from before; what came of it since is not served.
  const auto dropped = [&](const TenantId&, const Labels& labels) -> std::vector<storage::TimeRange> {
    const auto& kept = retention.of(labels);
    const bool aged_out = !present.empty() && end_of(stretch) <= cutoff_of(kept.raw);
    if (kept.at(resolution) == Duration{0} || aged_out) return {kAlways};
    return {};
  };
  const auto pace = [this](std::uint64_t bytes) { return wait_for_disk(bytes); };
  BlockName name{stretch, raw.front()->meta().first_sequence, youngest_sequence(raw), resolution, 0};
  for (const auto& block : present) {
    name.first_sequence = std::min(name.first_sequence, block->meta().first_sequence);
    name.last_sequence = std::max(name.last_sequence, block->meta().last_sequence);
  }
  const auto path = blocks.path(name.text());
  const auto first = present.empty() ? path : path + ".part";
  AT_TRY(auto fresh, rollup_blocks(files, first, raw, resolution, options.block, dropped, pace));
  if (!fresh) {
    without_buckets[{stretch, resolution}] = youngest_sequence(raw);
    return {};
  }
  if (!present.empty()) {
    // Samples that went before their buckets were made anew are in the old ones alone.
    auto order = present;
    const bool is_whole = raw.front()->meta().first_sequence <= present.front()->meta().first_sequence;
    order.insert(is_whole ? order.begin() : order.end(), fresh);
    auto merged = merge_blocks(files, path, order, options.block, {}, pace);
    AT_TRY(files.remove(first));
    if (!merged) return std::unexpected(std::move(merged).error());
    fresh = std::move(*merged);
  }
  metrics.rollups.add();
  return blocks.replace(present, {fresh});
}

/// Whether buckets can be made anew of the raw samples without loss.
bool Store::Impl::is_whole(std::int64_t stretch, const ByResolution& of, const BlockPtr& buckets) const {
  const auto raw = of.find(0);
  return raw != of.end() && !retention.has_classes() && from_ms(stretch) >= cutoff() &&
         raw->second.front()->meta().first_sequence <= buckets->meta().first_sequence;
}

/// Those of a stretch whose raw samples have changed: the next look makes them anew.
Status Store::Impl::drop_buckets(std::int64_t stretch) {
  const auto all = stretches();
  const auto of = all.find(stretch);
  if (of == all.end()) return {};
  BlockList gone;
  for (const auto resolution : kBuckets) {
    const auto buckets = of->second.find(resolution);
    if (buckets == of->second.end()) continue;
    for (const auto& block : buckets->second) {
      if (is_whole(stretch, of->second, block)) gone.push_back(block);
    }
  }
  return gone.empty() ? Status{} : blocks.replace(gone, {});
}

Status Store::Impl::drop_aged() {
  const auto left = files.free_bytes(options.directory);
  // Better without buckets than without room for what comes.
  const bool presses = left && *left < options.disk_reserve_bytes;
  BlockList gone;
  for (const auto& [stretch, of] : stretches()) {
    const bool waits = !presses && std::any_of(kBuckets.begin(), kBuckets.end(), [&](auto resolution) {
      return retention.longest(resolution) > retention.longest(0) && !is_rolled(stretch, of, resolution);
    });
    for (const auto& [resolution, list] : of) {
      const auto oldest = cutoff_of(retention.longest(resolution));
      for (const auto& block : list) {
        const bool holds = resolution == 0 && waits;
        if (from_ms(block->meta().last) < oldest && !holds) gone.push_back(block);
      }
    }
  }
  if (gone.empty()) return {};
  metrics.aged_blocks.add(gone.size());
  return blocks.replace(gone, {});
}

/// Series whose class is kept shorter than that of their neighbours leave the block that they share.
Status Store::Impl::drop_aged_classes() {
  if (!retention.has_classes()) return {};
  std::map<std::string, std::size_t> looked;
  for (const auto& [stretch, of] : stretches()) {
    const auto end = end_of(stretch);
    for (const auto& [resolution, list] : of) {
      const auto passed = retention.count_within(resolution, clock.now() - end);
      const bool waits = resolution == 0 && std::any_of(kBuckets.begin(), kBuckets.end(),
                                                        [&](auto buckets) { return !is_rolled(stretch, of, buckets); });
      if (passed == 0 || waits) continue;
      for (const auto& block : list) {
        const auto before = aged.find(block->path());
        if (before != aged.end() && before->second == passed) {
          looked.insert(*before);
          continue;
        }
        AT_TRY(const auto rest, without_aged(block, end));
        if (rest) looked.emplace(rest->path(), passed);
      }
    }
  }
  aged = std::move(looked);
  return {};
}

/// The block without series that aged out: itself when there are none, null when there is nothing else.
Result<BlockPtr> Store::Impl::without_aged(const BlockPtr& block, Time end) {
  const auto resolution = block->meta().resolution;
  const auto is_aged = [&](const Labels& labels) { return end <= cutoff_of(retention.of(labels).at(resolution)); };
  bool found = false;
  for (const auto& tenant : block->tenants()) {
    const auto* index = block->index(tenant);
    for (std::uint32_t ordinal = 0; ordinal < index->size() && !found; ++ordinal) {
      AT_TRY(const auto labels, index->labels(ordinal));
      found = is_aged(labels);
    }
  }
  auto name = BlockName::parse(block->path());
  if (!found || !name) return block;
  ++name->revision;
  const auto dropped = [&](const TenantId&, const Labels& labels) {
    return is_aged(labels) ? std::vector{kAlways} : std::vector<storage::TimeRange>{};
  };
  const auto pace = [this](std::uint64_t bytes) { return wait_for_disk(bytes); };
  AT_TRY(auto rest, merge_blocks(files, blocks.path(name->text()), {&block, 1}, options.block, dropped, pace));
  AT_TRY(blocks.replace({block}, {rest}));
  return rest;
}

/// Raw samples go first, the oldest stretch before the others, but never the youngest; then the finer buckets.
Status Store::Impl::keep_to_size() {
  if (options.max_bytes == 0) return {};
  for (;;) {
    const auto used = blocks.bytes();
    if (used <= options.max_bytes) return {};
    const auto all = stretches();
    BlockList oldest;
    for (const auto resolution : kResolutions) {
      std::size_t count = 0;
      for (const auto& [stretch, of] : all) {
        const auto list = of.find(resolution);
        if (list == of.end()) continue;
        if (++count == 1) oldest = list->second;
      }
      if (count > (resolution == 0 ? 1 : 0)) break;
      oldest.clear();
    }
    if (oldest.empty()) return {};
    telemetry::log_info("tsdb", "the oldest samples make room",
                        {{"until", format_rfc3339(from_ms(oldest.back()->meta().last))},
                         {"resolution", format_duration(Duration{oldest.back()->meta().resolution})},
                         {"bytes_used", used},
                         {"bytes_allowed", options.max_bytes}});
    metrics.shed_blocks.add(oldest.size());
    AT_TRY(blocks.replace(oldest, {}));
  }
}

}  // namespace atalaya::tsdb
