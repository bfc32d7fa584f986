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

/// Whether nothing is missing in buckets of what the raw blocks have: where a damaged block was set aside, what did
/// not read of it.
bool Store::Impl::is_rolled(std::int64_t stretch, const ByResolution& of, std::int64_t resolution) const {
  const auto raw = of.find(0);
  if (raw == of.end() || !retention.keeps(resolution)) return true;
  if (end_of(stretch) <= cutoff_of(retention.longest(resolution))) return true;
  const auto buckets = of.find(resolution);
  const bool lacks = buckets != of.end() && std::any_of(buckets->second.begin(), buckets->second.end(), is_salvaged) &&
                     is_whole(of, resolution);
  if (buckets != of.end() && !lacks && is_rolled_up(raw->second, buckets->second)) return true;
  const auto nothing = without_buckets.find({stretch, resolution});
  return nothing != without_buckets.end() && nothing->second >= youngest_sequence(raw->second);
}

/// Buckets of the stretches that are over.
Status Store::Impl::roll_up() {
  const auto all = stretches();
  std::erase_if(without_buckets, [&](const auto& one) { return !all.contains(one.first.first); });
  for (const auto& [stretch, of] : all) {
    if (!is_over(stretch)) continue;
    for (const auto resolution : kBuckets) {
      if (is_rolled(stretch, of, resolution)) continue;
      const auto present = of.find(resolution);
      const auto bytes = bytes_of(of.at(0)) + (present == of.end() ? 0 : bytes_of(present->second));
      if (has_room_for(bytes, options.disk_reserve_bytes)) AT_TRY(roll_up(stretch, of, resolution));
    }
  }
  return {};
}

/// Buckets of the raw samples and those that are there already, in one block with the name; null when there is
/// nothing to keep. Of series for which `leads` says so those of the raw samples stand where both have one,
/// of others those that were there.
Result<BlockPtr> Store::Impl::rolled(const ByResolution& of, const BlockName& name,
                                     const std::function<bool(const Labels&)>& leads,
                                     const DroppedRanges& dropped_of_present) {
  const auto of_resolution = [&](std::int64_t wanted) {
    const auto found = of.find(wanted);
    return found == of.end() ? BlockList{} : found->second;
  };
  const auto raw = of_resolution(0);
  const auto present = of_resolution(name.resolution);
  const auto path = blocks.path(name.text());
  const auto pace = [this](std::uint64_t bytes) { return wait_for_disk(bytes); };
  bool some_follow = false;
  const auto made = [&](const std::string& part, bool of_leading) -> Result<BlockPtr> {
    if (raw.empty()) return BlockPtr{};
    const auto dropped = [&](const TenantId&, const Labels& labels) -> std::vector<storage::TimeRange> {
      if (retention.of(labels).at(name.resolution) == Duration{0}) return {kAlways};
      const bool leading = leads(labels);
      some_follow = some_follow || !leading;
      return leading == of_leading ? std::vector<storage::TimeRange>{} : std::vector{kAlways};
    };
    return rollup_blocks(files, part, raw, name.resolution, options.block, dropped, pace);
  };
  if (present.empty()) return made(path, true);
  const std::array<std::string, 3> places{path + ".leading.part", path + ".present.part", path + ".following.part"};
  const auto join = [&]() -> Result<BlockPtr> {
    BlockList parts(places.size());
    AT_TRY(parts[0], made(places[0], true));
    if (some_follow) {
      AT_TRY(parts[2], made(places[2], false));
    }
    AT_TRY(parts[1], merge_blocks(files, places[1], present, options.block, dropped_of_present, pace));
    std::erase(parts, nullptr);
    if (parts.empty()) return BlockPtr{};
    return merge_blocks(files, path, parts, options.block, {}, pace);
  };
  auto joined = join();
  for (const auto& place : places) {
    if (!files.exists(place)) continue;
    // What else went wrong is worth more than what is left lying; a start takes that away.
    if (auto removed = files.remove(place); !removed && joined) return std::unexpected(std::move(removed).error());
  }
  return joined;
}

/// For buckets of all that a stretch has.
BlockName Store::Impl::rolled_name(std::int64_t stretch, const ByResolution& of, std::int64_t resolution) {
  BlockName name{stretch, UINT64_MAX, 0, resolution, 0, false};
  for (const auto which : {std::int64_t{0}, resolution}) {
    const auto found = of.find(which);
    if (found == of.end()) continue;
    for (const auto& block : found->second) {
      name.first_sequence = std::min(name.first_sequence, block->meta().first_sequence);
      name.last_sequence = std::max(name.last_sequence, block->meta().last_sequence);
      const auto other = BlockName::parse(block->path());
      if (which != 0 && other) name.revision = std::max(name.revision, other->revision + 1);
      name.salvaged = name.salvaged || (which != 0 && other && other->salvaged);
    }
  }
  // Of whole raw samples come whole buckets.
  name.salvaged = name.salvaged && !is_whole(of, resolution);
  return name;
}

/// What aged out of a class has its buckets from before; what came of it since fills their gaps.
Status Store::Impl::roll_up(std::int64_t stretch, const ByResolution& of, std::int64_t resolution) {
  const auto found = of.find(resolution);
  const auto present = found == of.end() ? BlockList{} : found->second;
  const bool whole = present.empty() || is_whole(of, resolution);
  const auto leads = [&](const Labels& labels) {
    return whole && (present.empty() || end_of(stretch) > settled(retention.of(labels).raw));
  };
  AT_TRY(auto fresh, rolled(of, rolled_name(stretch, of, resolution), leads, {}));
  if (!fresh) {
    without_buckets[{stretch, resolution}] = youngest_sequence(of.at(0));
    return {};
  }
  metrics.rollups.add();
  return blocks.replace(present, {fresh});
}

/// Whether the raw blocks have all that the buckets were made of, but for series that aged out of their class.
bool Store::Impl::is_whole(const ByResolution& of, std::int64_t resolution) {
  const auto raw = of.find(0);
  const auto buckets = of.find(resolution);
  return raw != of.end() && buckets != of.end() && std::none_of(raw->second.begin(), raw->second.end(), is_salvaged) &&
         raw->second.front()->meta().first_sequence <= buckets->second.front()->meta().first_sequence;
}

/// The buckets of a stretch once more: of series with all of their raw samples from these, of the others without
/// what is deleted. What serves then; null when that is nothing.
Result<BlockPtr> Store::Impl::make_anew(std::int64_t stretch, const ByResolution& of, std::int64_t resolution,
                                        const DeletionList& deletions) {
  const auto& present = of.at(resolution);
  const auto is_kept = [&](const Labels& labels) { return from_ms(stretch) >= cutoff_of(retention.of(labels).raw); };
  const auto dropped = [&](const TenantId& tenant, const Labels& labels) {
    return is_kept(labels) ? std::vector{kAlways} : hidden_ranges(deletions, tenant, labels, *present.front());
  };
  AT_TRY(auto fresh, rolled(of, rolled_name(stretch, of, resolution), is_kept, dropped));
  AT_TRY(blocks.replace(present, {fresh}));
  return fresh;
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
      const auto kept = retention.longest(resolution);
      const auto oldest = resolution == 0 ? settled(kept) : cutoff_of(kept);
      for (const auto& block : list) {
        const bool holds = resolution == 0 && (waits || (!is_settled() && !presses));
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
      const auto slack = resolution == 0 ? options.flush_age : Duration{0};
      const auto passed = retention.count_within(resolution, clock.now() - end - slack);
      const bool waits = resolution == 0 && std::any_of(kBuckets.begin(), kBuckets.end(),
                                                        [&](auto buckets) { return !is_rolled(stretch, of, buckets); });
      if (passed == 0 || waits) continue;
      for (const auto& block : list) {
        const auto before = aged.find(block->path());
        if (before != aged.end() && before->second == passed) {
          looked.insert(*before);
          continue;
        }
        // Below the reserve too: it gives room.
        if (!has_room_for(block->meta().bytes, kSlackBytes)) continue;
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
  const auto is_aged = [&](const Labels& labels) {
    const auto kept = retention.of(labels).at(resolution);
    return end <= (resolution == 0 ? settled(kept) : cutoff_of(kept));
  };
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

/// Raw samples go first, the oldest stretch before the others, but never the youngest, nor one that has no buckets yet;
/// then the finer buckets; where that is not enough, raw samples without buckets too.
BlockList Store::Impl::first_to_go(const Stretches& all) const {
  const auto raw = [&](bool rolled_alone) -> BlockList {
    std::vector<std::pair<std::int64_t, const ByResolution*>> found;
    for (const auto& [stretch, of] : all) {
      if (of.contains(0)) found.emplace_back(stretch, &of);
    }
    if (!found.empty()) found.pop_back();
    for (const auto& [stretch, of] : found) {
      const auto is_done = [&, at = stretch, by = of](auto buckets) { return is_rolled(at, *by, buckets); };
      if (!rolled_alone || std::all_of(kBuckets.begin(), kBuckets.end(), is_done)) return of->at(0);
    }
    return {};
  };
  if (auto list = raw(true); !list.empty()) return list;
  for (const auto resolution : kBuckets) {
    for (const auto& [stretch, of] : all) {
      if (const auto list = of.find(resolution); list != of.end()) return list->second;
    }
  }
  return raw(false);
}

Status Store::Impl::keep_to_size() {
  if (options.max_bytes == 0) return {};
  for (;;) {
    const auto used = blocks.bytes();
    if (used <= options.max_bytes) return {};
    const auto oldest = first_to_go(stretches());
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
