// Start-up: what is recent is in memory before anybody asks; the rest of the log follows behind.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/random.h"
#include "telemetry/log.h"
#include "tsdb/head/past_samples.h"
#include "tsdb/log/checkpoint.h"
#include "tsdb/partitioned_writer.h"
#include "tsdb/store_impl.h"

namespace atalaya::tsdb {

Status Store::Impl::load() {
  const auto random = random_bytes(8);
  salt = ByteReader(random).u64();
  // Before anything is looked at: what looks unfinished may be another process's work.
  AT_TRY(auto lock, storage::SegmentLog::lock(files, options.directory));
  AT_TRY(remove_unfinished_snapshots());
  AT_TRY(
      blocks.open(report.damaged, [&](const Block& block, const std::string& path) { return salvage(block, path); }));
  AT_TRY(deletes.open(report.damaged));
  report.damaged_files = report.damaged.size();
  replayer.emplace(head, marks, logged_ids, cutoff_of(retention.longest()), now_seconds());
  AT_TRY(auto checkpoint, read_checkpoint(files, options.directory, marks,
                                          [&](std::string_view payload) { return replayer->define(payload); }));
  flushed.marks = marks;
  mended_files = checkpoint.damaged.empty() ? 0 : 1;
  report.damaged_files += mended_files;
  std::move(checkpoint.damaged.begin(), checkpoint.damaged.end(), std::back_inserter(report.damaged));
  for (const auto& [tenant, next] : checkpoint.head.next_ids) head.at(tenant).skip_ids_to(next);
  replayer->flushed = checkpoint.head.flushed;
  next_sequence = std::max(checkpoint.head.next_sequence, blocks.last_sequence() + 1);
  // A snapshot has no checkpoint: what is written to it is younger than its deletions all the same.
  const auto deletions = deletes.list();
  for (const auto& deletion : *deletions) next_sequence = std::max(next_sequence, deletion.last_sequence + 1);
  if (checkpoint.fresh) AT_TRY(write_checkpoint(true));  // before the log: one that is missing later was lost
  storage::LogDamage damage;
  AT_TRY(log, storage::SegmentLog::open(
                  files,
                  {.directory = options.directory,
                   .kind = "SERI",
                   .segment_bytes = options.segment_bytes,
                   .sync = options.sync,
                   .above = checkpoint.head.flushed.value >> 32},
                  salt, [&](const auto&, const auto& one) { return replayer->survey(one); }, damage, std::move(lock)));
  report.torn_bytes = damage.torn_bytes;
  report.damaged_files += damage.files;
  std::move(damage.damaged.begin(), damage.damaged.end(), std::back_inserter(report.damaged));
  AT_TRY(replay_recent());
  // What was read from the log belongs into blocks before their stretches are rolled up, or their raw samples go: they
  // may be long over by now.
  if (replayer->samples > 0) rotated = Time{};
  repeated = replayer->repeated;
  if (past_before == 0) replayer.reset();
  report_damage();
  return {};
}

/// The first segment whose samples are wanted in memory at once: all of them, unless that takes long.
std::uint64_t Store::Impl::first_recent(const std::vector<storage::Segment>& segments) const {
  const auto first_wanted = replayer->flushed.value >> 32;
  std::uint64_t bytes = 0;
  for (const auto& segment : segments) bytes += segment.number >= first_wanted ? segment.bytes : 0;
  if (bytes <= options.replay_at_once_bytes) return 0;
  const auto at_once =
      segments.back().created - std::min(options.replay_at_once, segments.back().created.time_since_epoch());
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    if (segment->number <= first_wanted) return 0;
    if (segment->created <= at_once) return segment->number;
  }
  return 0;
}

Status Store::Impl::replay_recent() {
  const auto segments = log->segments();
  if (segments.empty()) return {};
  past_before = first_recent(segments);
  for (const auto& segment : segments) {
    if (segment.number < past_before) continue;
    if (segment.number == past_before) past_until = to_ms(segment.created + options.ahead);
    AT_TRY(log->read(segment, 0, segment.bytes, [&](const auto&, const auto& one) { return replayer->take(one); }));
  }
  report.samples = replayer->samples;
  if (replayer->lost > 0) {
    report.damaged.push_back(fmt::format("{} samples whose series definition was damaged are lost", replayer->lost));
  }
  return {};
}

Status Store::Impl::read_past(std::map<TenantId, PastSamples>& past) {
  const auto visit = [&](const storage::Segment&, const storage::SegmentRecord& one) -> Status {
    AT_TRY(auto* found, replayer->wanted(one));
    if (!found) return {};
    past.try_emplace(found->tenant, options.head_chunk_samples).first->second.add(found->samples);
    const std::lock_guard lock(waking);
    return stopping ? fail(ErrorCode::kCancelled, "the store is stopping") : Status{};
  };
  for (const auto& segment : log->segments()) {
    if (segment.number < replayer->flushed.value >> 32 || segment.number >= past_before) continue;
    AT_TRY(log->read(segment, 0, segment.bytes, visit));
  }
  return {};
}

Status Store::Impl::add_past(const TenantId& tenant, const PastSamples& samples, PartitionedWriter& out) {
  std::vector<std::int64_t> times;
  std::vector<double> values;
  constexpr std::size_t kSeriesASlice = 256;
  const auto& one = head.at(tenant);
  const auto series = one.in_order(samples.ids());
  for (std::size_t i = 0; i < series.size(); i += kSeriesASlice) {
    const auto slice = std::span(series).subspan(i, std::min(kSeriesASlice, series.size() - i));
    const auto labels = one.labels_of(slice);
    for (std::size_t k = 0; k < slice.size(); ++k) {
      samples.read(slice[k].id, times, values);
      AT_TRY(out.add(tenant, labels[k], times, values));
    }
  }
  return {};
}

/// To blocks at once: memory has younger samples of the same series already.
Status Store::Impl::replay_past() {
  if (past_before == 0) return {};
  const auto begun = clock.steady();
  std::map<TenantId, PastSamples> past;
  const auto lost_before = replayer->lost;
  AT_TRY(read_past(past));
  if (const auto lost = replayer->lost - lost_before; lost > 0) {
    telemetry::log_error("tsdb", "samples whose series definition was damaged are lost", {{"samples", lost}});
  }
  const auto sequence = next_sequence++;
  PartitionedWriter out(files, blocks, options, sequence, settled(retention.longest()));
  const auto feed = [&]() -> Status {
    for (const auto& [tenant, samples] : past) AT_TRY(add_past(tenant, samples, out));
    return {};
  };
  AT_TRY(auto fresh, out.write(feed));
  AT_TRY(blocks.replace({}, fresh));
  flushed.position = storage::LogPosition{past_before << 32};  // its marks stay: older ones make nothing a copy
  past_before = 0;
  past_until = INT64_MIN;
  replayer.reset();
  telemetry::log_info("tsdb", "all samples of the log are there",
                      {{"seconds", std::chrono::duration<double>(clock.steady() - begun).count()}});
  return finish_flush(false, true);
}

void Store::Impl::maintain_past() {
  const std::lock_guard lock(maintaining);
  if (past_before == 0) return;
  telemetry::log_info("tsdb", "older samples of the log are being read",
                      {{"until", format_rfc3339(from_ms(past_until))}});
  const auto status = replay_past();
  if (status || status.error().code == ErrorCode::kCancelled) return;
  metrics.maintenance_failures.add();
  telemetry::log_error("tsdb", "older samples of the log are not there yet", {{"error", to_string(status.error())}});
}

void Store::Impl::report_damage() {
  if (report.torn_bytes > 0) {
    telemetry::log_warn("tsdb", "cut off an unfinished write", {{"bytes", report.torn_bytes}});
  }
  for (const auto& line : report.damaged) telemetry::log_error("tsdb", "damage was found", {{"what", line}});
  tell_of_damage();
  if (const auto aside = set_aside(); !aside.paths.empty()) {
    telemetry::log_warn("tsdb", "files are set aside for damage; they may be removed once nothing of them is wanted",
                        {{"files", aside.paths.size()}, {"bytes", aside.bytes}, {"first", aside.paths.front()}});
  }
}

}  // namespace atalaya::tsdb
