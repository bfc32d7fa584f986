// The background: memory to blocks, many blocks to few, old ones to nothing.
#include <fmt/format.h>

#include <algorithm>

#include "telemetry/log.h"
#include "tsdb/block/merge.h"
#include "tsdb/log/checkpoint.h"
#include "tsdb/partitioned_writer.h"
#include "tsdb/store_impl.h"

namespace atalaya::tsdb {
namespace {

constexpr std::size_t kSeriesASlice = 256;
constexpr auto kIdle = std::chrono::hours{1};
constexpr auto kLook = std::chrono::seconds{1};  ///< how often memory is looked at
constexpr std::size_t kWorthFlushing = 8 << 20;  ///< of samples, when the process takes too much
constexpr std::size_t kMergeFrom = 4;            ///< blocks of a stretch that is still being written

}  // namespace

void Store::Impl::work() {
  maintain_past();
  auto next_maintenance = clock.steady() + options.maintenance;
  const auto period = std::min<Duration>(options.maintenance, kLook);
  for (;;) {
    {
      std::unique_lock lock(waking);
      wake.wait_for(lock, period, [this] { return stopping; });
      if (stopping) return;
    }
    tell_sizes();
    if (clock.steady() >= next_maintenance || flush_is_due()) {
      maintain();
      next_maintenance = clock.steady() + options.maintenance;
    }
  }
}

/// Says on the way who is to wait from now on.
bool Store::Impl::flush_is_due() {
  std::size_t bytes = 0;
  std::size_t series = 0;
  std::size_t known = 0;
  std::size_t tenants = 0;
  const bool is_short = options.budget && options.budget->is_short();
  for (const auto& [tenant, one] : head.all()) {
    bytes += one->sample_bytes();
    if (options.memory_bytes != 0) series += one->memory().series;
    const auto mine = one->known();
    known += mine;
    tenants += mine != 0;
    if (is_short) one->release_labels();
  }
  fair_series = known / (tenants + 1);
  // Of what a flush will build in memory.
  constexpr std::size_t kIndexBytesASeries = 400;
  if (options.budget) options.budget->expect(known * kIndexBytesASeries);
  series_are_full = options.memory_bytes != 0 && bytes + series >= options.memory_bytes;
  series_are_many = options.memory_bytes != 0 && bytes + series >= options.memory_bytes / 10 * 9;
  if (is_short) blocks.forget_pages();
  // A quarter of the budget for samples: as much again while they are written out, and the series.
  const auto most =
      options.memory_bytes == 0 ? options.flush_bytes : std::min(options.flush_bytes, options.memory_bytes / 4);
  memory_is_full = bytes >= 2 * most;
  return bytes >= (is_short ? std::min(most, kWorthFlushing) : most);
}

/// The same in the midst of longer work, once a second.
bool Store::Impl::look_at_memory() {
  if (clock.steady() < next_memory_look) return false;
  next_memory_look = clock.steady() + kLook;
  return flush_is_due();
}

void Store::Impl::note(std::string_view what, const Status& status) {
  if (status || status.error().code == ErrorCode::kCancelled) return;
  metrics.maintenance_failures.add();
  telemetry::log_error("tsdb", std::string(what), {{"error", to_string(status.error())}});
}

void Store::Impl::maintain() {
  maintain_past();
  {
    const std::lock_guard lock(maintaining);
    const bool due = flush_is_due() || unfinished || clock.now() - rotated >= options.flush_age;
    if (due) note("memory is not written to blocks", flush_locked(false));
    const auto left = files.free_bytes(options.directory);
    // It needs room before it gives any, as merging does, but below the reserve too.
    auto merged = left && has_room_to_erase(*left) ? erase_deleted() : Status{};
    // In a block that is younger than a deletion, what this hides would show again.
    const bool may_rewrite = left && deletes.list()->empty();
    if (merged && may_rewrite) merged = merge(false);
    if (merged && may_rewrite && is_settled()) merged = roll_up();
    note("blocks are not merged", merged);
    // The others are not to wait for a block that does not read.
    const bool met_damage = !merged && merged.error().code == ErrorCode::kCorruption;
    const auto met = suspects->take();
    const auto looked = set_damage_aside(met_damage ? *blocks.list() : BlockList(met.begin(), met.end()));
    if (!looked) note("damage is not set aside", std::unexpected(looked.error()));
    note("files of blocks that do not serve stay", blocks.remove_strays());
    note("old blocks stay", drop_aged());
    if (merged && may_rewrite && is_settled()) note("what aged out of its class stays", drop_aged_classes());
    note("too much stays on the disk", keep_to_size());
    note("what is set aside is not looked for", blocks.look_for_set_aside());
    tell_of_damage();
  }
  tell_sizes();
}

void Store::Impl::tell_sizes() {
  TenantHead::Memory memory;
  std::size_t series = 0;
  for (const auto& [tenant, one] : head.all()) {
    const auto mine = one->memory();
    memory.samples += mine.samples;
    memory.series += mine.series;
    series += one->live();
  }
  metrics.series.set(static_cast<double>(series));
  metrics.memory.set(static_cast<double>(memory.samples));
  metrics.series_memory.set(static_cast<double>(memory.series));
  metrics.block_bytes.set(static_cast<double>(blocks.bytes()));
  metrics.block_count.set(static_cast<double>(blocks.list()->size()));
}

/// What is written from now on is not in the blocks that come next; what was is.
Status Store::Impl::rotate() {
  const std::lock_guard lock(writing);
  // Also below the reserve, which is for this; where the log cannot be written, this tells.
  AT_TRY(log->start_segment(clock.now()));
  auto marks_now = [&] {
    const std::shared_lock marks_lock(mutex);
    return marks;
  }();
  AT_TRY(log->stage(encode_marks(marks_now)));
  AT_TRY(log->flush());
  rotated = clock.now();
  unfinished = Cut{storage::LogPosition{log->current().number << 32}, std::move(marks_now)};
  for (const auto& [tenant, one] : head.all()) one->rotate();
  return {};
}

Status Store::Impl::flush_locked(bool drop_log, bool ends) {
  AT_TRY(replay_past());  // it is older than what memory has, and the log behind it goes
  const auto begun = clock.steady();
  // What a flush that failed has left goes first; memory has younger samples whose series the log defines.
  if (unfinished) AT_TRY(flush_older(drop_log, true));
  AT_TRY(rotate());
  // A process that goes on relies on what it has defined.
  AT_TRY(flush_older(drop_log, !ends));
  (void)flush_is_due();  // writers that were sent away may come
  metrics.flushes.add();
  metrics.flush_seconds.observe(std::chrono::duration<double>(clock.steady() - begun).count());
  return {};
}

/// The generation that was set apart.
Status Store::Impl::flush_older(bool drop_log, bool goes_on) {
  AT_TRY(auto fresh, write_blocks());
  AT_TRY(blocks.replace({}, fresh));
  for (const auto& [tenant, one] : head.all()) {
    one->drop_older();
    one->release_labels();
  }
  flushed = *std::exchange(unfinished, std::nullopt);
  return finish_flush(drop_log, goes_on);
}

Result<BlockList> Store::Impl::write_blocks() {
  const auto sequence = next_sequence++;
  PartitionedWriter out(files, blocks, options, sequence, settled(retention.longest()));
  return out.write([&]() -> Status {
    for (const auto& [tenant, one] : head.all()) {
      if (one->has_older()) AT_TRY(add_older(tenant, *one, out));
    }
    return {};
  });
}

Status Store::Impl::add_older(const TenantId& tenant, const TenantHead& one, PartitionedWriter& out) {
  std::vector<std::int64_t> times;
  std::vector<double> values;
  const auto series = one.older_series();
  for (std::size_t i = 0; i < series.size(); i += kSeriesASlice) {
    const auto slice = std::span(series).subspan(i, std::min(kSeriesASlice, series.size() - i));
    const auto labels = one.labels_of(slice);
    (void)look_at_memory();
    for (std::size_t k = 0; k < slice.size(); ++k) {
      one.read_older(slice[k], times, values);
      AT_TRY(out.add(tenant, labels[k], times, values));
    }
  }
  return {};
}

/// What a start needs beside the log from `flushed` on. Its marks are of that place: what sources sent since is in the
/// log alone, and a mark above it would make it a second copy.
Status Store::Impl::write_checkpoint(bool with_series) {
  CheckpointHead checkpoint{flushed.position, next_sequence, {}};
  for (const auto& [tenant, one] : head.all()) checkpoint.next_ids.emplace_back(tenant, one->next_id());
  return tsdb::write_checkpoint(files, options.directory, salt, clock.now(), checkpoint, flushed.marks,
                                with_series ? &head : nullptr);
}

Status Store::Impl::finish_flush(bool drop_log, bool goes_on) {
  AT_TRY(write_checkpoint(goes_on));
  AT_TRY(drop_log_before(flushed.position.value >> 32, drop_log));
  const auto idle = clock.now() - std::min<Duration>(kIdle, clock.now().time_since_epoch());
  const std::lock_guard lock(writing);
  for (const auto& [tenant, one] : head.all()) one->retire_idle(static_cast<std::uint32_t>(to_ms(idle) / 1000));
  return {};
}

/// Files of the log that only hold what is in blocks go, but for the youngest: a judge may ask for them.
Status Store::Impl::drop_log_before(std::uint64_t segment, bool all) {
  auto segments = log->segments();
  std::reverse(segments.begin(), segments.end());
  std::uint64_t kept = 0;
  for (const auto& one : segments) {
    if (one.number >= segment) continue;
    kept += one.bytes;
    const bool wanted = !all && kept <= options.keep_log_bytes && clock.now() - one.created < options.keep_log;
    if (wanted) continue;
    const std::lock_guard lock(writing);
    AT_TRY(log->drop(one.number));
  }
  const std::unique_lock lock(mutex);
  const auto left = log->segments();
  const auto first = left.empty() ? 0 : left.front().number;
  std::erase_if(repeated, [&](std::uint64_t position) { return position >> 32 < first; });
  return {};
}

bool Store::Impl::is_below_reserve() const {
  const auto left = files.free_bytes(options.directory);
  return left && *left < options.disk_reserve_bytes;
}

/// A block is written anew beside the one that goes.
bool Store::Impl::has_room_to_erase(std::uint64_t left) const {
  const auto deletions = deletes.list();
  const auto list = blocks.list();
  std::uint64_t most = 0;
  for (const auto& block : *list) {
    const auto hits = [&](const Deletion& one) { return selects_of(one, *block); };
    if (std::any_of(deletions->begin(), deletions->end(), hits)) most = std::max(most, block->meta().bytes);
  }
  return left >= most + kSlackBytes;
}

/// For a file beside those that it is made of. Where there is none, somebody must be told: raw samples that age out, or
/// make room, would go without buckets.
bool Store::Impl::has_room_for(std::uint64_t bytes, std::uint64_t reserve) {
  const auto left = files.free_bytes(options.directory);
  if (left && *left >= reserve + bytes) return true;
  if (clock.steady() < next_room_complaint) return false;
  next_room_complaint = clock.steady() + std::chrono::hours{1};
  telemetry::log_warn("tsdb", "the disk has too little room to write blocks anew or to make buckets of them",
                      {{"bytes_wanted", reserve + bytes}, {"bytes_free", left.value_or(0)}});
  return false;
}

/// What is hidden leaves the blocks: raw ones first, so that buckets can be made anew of what stays.
Status Store::Impl::erase_deleted() {
  const auto deletions = deletes.list();
  if (deletions->empty()) return {};
  const auto is_touched = [&](const BlockPtr& block) {
    return std::any_of(deletions->begin(), deletions->end(), [&](const auto& one) { return selects_of(one, *block); });
  };
  const auto before = stretches();
  AT_TRY(erase_deleted(*deletions,
                       [&](const BlockPtr& block) { return block->meta().resolution == 0 && is_touched(block); }));
  const auto after = stretches();
  BlockList anew;
  for (const auto& [stretch, of] : before) {
    for (const auto& [resolution, list] : of) {
      if (resolution == 0 || list.size() != 1 || !is_touched(list.front()) || !is_whole(of, resolution)) continue;
      AT_TRY(anew.emplace_back(), make_anew(stretch, after.at(stretch), resolution, *deletions));
    }
  }
  AT_TRY(erase_deleted(*deletions, [&](const BlockPtr& block) {
    const bool is_done = std::find(anew.begin(), anew.end(), block) != anew.end();
    return block->meta().resolution != 0 && !is_done && is_touched(block);
  }));
  AT_TRY(blocks.remove_strays());  // of which nothing was erased
  return deletes.forget(deletions->size());
}

Status Store::Impl::erase_deleted(const DeletionList& deletions, const std::function<bool(const BlockPtr&)>& is_meant) {
  const auto all_blocks = blocks.list();
  for (const auto& block : *all_blocks) {
    auto name = BlockName::parse(block->path());
    if (!name || !is_meant(block)) continue;
    ++name->revision;
    const auto dropped = [&](const TenantId& tenant, const Labels& labels) {
      return hidden_ranges(deletions, tenant, labels, *block);
    };
    const auto pace = [this](std::uint64_t bytes) { return wait_for_disk(bytes); };
    AT_TRY(auto rest, merge_blocks(files, blocks.path(name->text()), {&block, 1}, options.block, dropped, pace));
    AT_TRY(blocks.replace({block}, {rest}));
  }
  return {};
}

/// What a deletion says where not even the little that it needs can be written.
Status Store::Impl::without_room(Error error) const {
  constexpr std::uint64_t kLittle = 1 << 20;
  const auto left = files.free_bytes(options.directory);
  if (left && *left < kLittle) {
    error.remedy = "the disk is full, and what is kept for deletions is used: free a few megabytes, then delete again";
  }
  return std::unexpected(std::move(error));
}

/// All that was acknowledged before is in blocks when it is hidden there; what comes later is not touched.
Status Store::Impl::delete_series(const TenantId& tenant, const Matchers& matchers, storage::TimeRange range) {
  if (std::none_of(matchers.begin(), matchers.end(), [](const Matcher& m) { return !m.matches(""); })) {
    return fail(ErrorCode::kInvalidArgument, "at least one matcher must refuse the empty value",
                "name a metric or a label value");
  }
  const std::lock_guard lock(maintaining);
  make_room();
  if (auto done = flush_locked(is_below_reserve()); !done) return without_room(std::move(done).error());
  AT_TRY(deletes.add({tenant, matchers, range, next_sequence - 1}));
  {
    auto& series = head.at(tenant);
    const std::lock_guard excluded(writing);
    series.reopen(matchers, range);
    AT_TRY(series.forget_youngest(&matchers, range));
  }
  note("a start will bring back series without samples", write_checkpoint(true));
  return {};
}

Status Store::Impl::merge(bool all) {
  for (;;) {
    AT_TRY(const bool merged, merge_once(all));
    if (!merged) return {};
  }
}

/// Nothing more comes in the usual course of things.
bool Store::Impl::is_over(std::int64_t stretch) const {
  return clock.now() > end_of(stretch) + options.window + options.flush_age;
}

/// The run of neighbours that is worth merging: the youngest blocks, as long as none is much larger than
/// all behind it; everything once the stretch is over.
BlockList Store::Impl::next_run(const BlockList& stretch, bool all) const {
  if (stretch.size() < 2) return {};
  if (all || is_over(stretch_of(*stretch.front()))) return stretch;
  std::uint64_t behind = 0;
  std::size_t begin = stretch.size();
  for (std::size_t i = stretch.size(); i-- > 0;) {
    const auto bytes = stretch[i]->meta().bytes;
    if (i + 1 < stretch.size() && bytes > 2 * behind) break;
    behind += bytes;
    begin = i;
  }
  if (stretch.size() - begin < kMergeFrom) return {};
  return {stretch.begin() + static_cast<std::ptrdiff_t>(begin), stretch.end()};
}

Result<bool> Store::Impl::merge_once(bool all) {
  std::map<std::pair<std::int64_t, std::int64_t>, BlockList> stretches;
  const auto all_blocks = blocks.list();
  for (const auto& block : *all_blocks) {
    const auto name = BlockName::parse(block->path());
    if (name) stretches[{name->stretch, name->resolution}].push_back(block);
  }
  for (const auto& [which, stretch] : stretches) {
    const auto run = next_run(stretch, all);
    if (run.empty() || (!all && !has_room_for(bytes_of(run), options.disk_reserve_bytes))) continue;
    const bool salvaged = std::any_of(run.begin(), run.end(), is_salvaged);
    const BlockName name{
        which.first, run.front()->meta().first_sequence, run.back()->meta().last_sequence, which.second, 0, salvaged};
    const auto pace = [this](std::uint64_t bytes) { return wait_for_disk(bytes); };
    std::uint64_t conflicting = 0;
    AT_TRY(auto merged, merge_blocks(files, blocks.path(name.text()), run, options.block, {}, pace, &conflicting));
    if (which.second == 0) metrics.conflicting.add(conflicting);
    AT_TRY(blocks.replace(run, {merged}));
    metrics.merges.add();
    return true;
  }
  return false;
}

/// Reading and writing behind everybody's back keeps to its rate, and ends with the store. Memory does not
/// wait for it: new blocks beside those that are being merged are none of the merge's business.
Status Store::Impl::wait_for_disk(std::uint64_t bytes) {
  const auto rate = options.merge_bytes_per_second;
  auto left =
      rate == 0 || options.commit_inline ? Duration{0} : Duration{static_cast<std::int64_t>(bytes * 1000 / rate)};
  for (;;) {
    if (look_at_memory()) note("memory is not written to blocks", flush_locked(false));
    const auto pause = std::min<Duration>(left, kLook);
    std::unique_lock lock(waking);
    if (!options.commit_inline) wake.wait_for(lock, pause, [this] { return stopping; });
    if (stopping) return fail(ErrorCode::kCancelled, "the store is stopping");
    left -= pause;
    if (left == Duration{0}) return {};
  }
}

}  // namespace atalaya::tsdb
