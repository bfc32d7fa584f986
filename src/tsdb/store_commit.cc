// The commit thread: a group of batches becomes durable, then visible.
#include <fmt/format.h>

#include <algorithm>

#include "telemetry/log.h"
#include "tsdb/store_impl.h"

namespace atalaya::tsdb {

using storage::Appended;

Status Store::Impl::ensure_segment() {
  if (log->is_writable() && !log->is_full()) return {};
  AT_TRY(log->start_segment(clock.now()));
  const auto marks_now = [&] {
    const std::shared_lock lock(mutex);
    return encode_marks(marks);
  }();
  AT_TRY(log->stage(marks_now));
  return {};
}

/// Once a second: what is left on the disk is for what must be written to go on at all.
Status Store::Impl::check_reserve() {
  if (options.disk_reserve_bytes == 0) return {};
  if (clock.steady() >= next_reserve_look) {
    next_reserve_look = clock.steady() + std::chrono::seconds{1};
    AT_TRY(const auto left, files.free_bytes(options.directory));
    below_reserve = left < options.disk_reserve_bytes;
  }
  if (!below_reserve) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("the disk has less left than the reserve of {} bytes", options.disk_reserve_bytes));
}

/// Once a minute: whoever wonders where a host's samples are finds its name.
void Store::Impl::complain_of_future(const Appended& appended, TenantHead& tenant) {
  if (appended.too_new == 0 || clock.steady() < next_complaint) return;
  const auto named = std::find_if(appended.named.begin(), appended.named.end(),
                                  [](const auto& one) { return one.why == storage::Refusal::kTooNew; });
  if (named == appended.named.end()) return;
  const auto labels = tenant.labels_of(named->sample.series.value());
  if (!labels) return;
  next_complaint = clock.steady() + std::chrono::minutes{1};
  telemetry::log_warn("tsdb", "samples from the future are refused: the clock of their host is ahead",
                      {{"series", to_string(*labels)}, {"time", format_rfc3339(named->sample.time)}});
}

/// Once a minute: that series are refused, and one of them.
void Store::Impl::complain_of_series(const TenantId& tenant, const Labels& labels, std::string_view why) {
  constexpr std::size_t kShownBytes = 200;
  const auto now = clock.steady().time_since_epoch();
  auto next = next_series_complaint.load();
  if (now.count() < next ||
      !next_series_complaint.compare_exchange_strong(next, (now + std::chrono::minutes{1}).count())) {
    return;
  }
  telemetry::log_warn(
      "tsdb", "series are refused",
      {{"why", std::string(why)}, {"tenant", tenant.value()}, {"series", to_string(labels).substr(0, kShownBytes)}});
}

Status Store::Impl::stage_definitions(const Staged& staged, std::span<const std::uint32_t> ids) {
  constexpr std::size_t kAtOnce = 4096;
  if (ids.empty()) return {};
  std::string definitions;
  if (ids.size() <= kAtOnce) {
    definitions = encode_definitions(staged.pending->tenant, staged.head->definitions_of(ids));
    // Long labels: one that is too large for itself is the log's to refuse.
    if (ids.size() == 1 || definitions.size() <= storage::kMaxPayloadBytes) {
      AT_TRY(log->stage(definitions));
      return {};
    }
  }
  const auto half = ids.size() > kAtOnce ? kAtOnce : ids.size() / 2;
  AT_TRY(stage_definitions(staged, ids.first(half)));
  return stage_definitions(staged, ids.subspan(half));
}

/// As many records as they need. The last one alone says whose they are: what a crash leaves of them comes again.
Result<storage::LogPosition> Store::Impl::stage_samples(const Staged& staged) {
  constexpr std::size_t kAtOnce = std::size_t{1} << 19;  // of 20 bytes at most
  static_assert(kAtOnce * 20 + (1 << 16) < storage::kMaxPayloadBytes);
  const auto& tenant = staged.pending->tenant;
  std::span<const storage::SeriesSample> left = staged.samples;
  for (; left.size() > kAtOnce; left = left.subspan(kAtOnce)) {
    encode_samples(tenant, {}, left.first(kAtOnce), record);
    AT_TRY(log->stage(record, 1, storage::SegmentLog::Packing::kPlain));
  }
  encode_samples(tenant, staged.pending->batch.origin, left, record);
  return log->stage(record, 1, storage::SegmentLog::Packing::kPlain);
}

/// Adds one batch to what the log will write. An error is the batch's own.
Status Store::Impl::stage_batch(Staged& staged) {
  auto& pending = *staged.pending;
  auto& tenant = head.at(pending.tenant);
  staged.head = &tenant;
  AcceptedTimes times{cutoff_of(retention.shortest(0)), clock.now() + options.ahead, options.window};
  if (retention.has_classes()) {
    times.oldest_of = [this](const Labels& labels) { return cutoff_of(retention.of(labels).raw); };
  }
  AT_TRY(tenant.stage(pending.batch.samples, times, staged.appended, staged.samples, staged.defined));
  complain_of_future(staged.appended, tenant);
  staged.appended.position = log->last_position();
  if (staged.samples.empty() && pending.batch.origin.source.empty()) return {};
  AT_TRY(stage_definitions(staged, staged.defined));
  AT_TRY(staged.appended.position, stage_samples(staged));
  staged.written = true;
  return {};
}

/// From now on, and until an attempt succeeds, writes get this answer.
void Store::Impl::note_failure(const Error& error) {
  if (!log_error) {
    telemetry::log_error("tsdb", "the series log cannot be written: refusing samples", {{"error", to_string(error)}});
  }
  log_error = Error{ErrorCode::kUnavailable, "the series log cannot be written: " + error.message, std::nullopt,
                    "free space on the disk; the server tries again by itself"};
  next_attempt = clock.steady() + options.retry;
  metrics.read_only.set(1);
}

void Store::Impl::unstage(std::vector<Staged>& staged) {
  for (auto& one : staged) {
    if (!one.head) continue;
    one.head->unstage(one.samples, one.defined);
    one.head->end_group();
  }
}

void Store::Impl::commit(std::vector<Pending>& group) {
  const auto begun = clock.steady();
  std::vector<Staged> staged;
  staged.reserve(group.size());
  std::vector<std::pair<Pending*, Error>> refused;
  std::optional<Error> failed;
  {
    const std::lock_guard lock(writing);
    storage::OriginMarks group_marks;
    const bool waiting = log_error && clock.steady() < next_attempt;
    auto status = waiting ? Status(std::unexpected(*log_error)) : check_reserve();
    if (status) status = ensure_segment();
    for (auto& pending : group) {
      Staged one;
      one.pending = &pending;
      const auto& origin = pending.batch.origin;
      one.appended.repeated = marks.has_seen(pending.tenant, origin) || group_marks.has_seen(pending.tenant, origin);
      if (one.appended.repeated) one.appended.position = log->last_position();
      if (status && !one.appended.repeated) {
        if (auto own = stage_batch(one); !own) {
          one.head->unstage_last(one.samples, one.defined);
          refused.emplace_back(&pending, std::move(own).error());
          continue;
        }
        group_marks.remember(pending.tenant, origin);
      }
      staged.push_back(std::move(one));
    }
    const auto sync_begun = clock.steady();
    if (status) status = log->flush();
    // Where the disk is quick, waiting for others would cost more than the sync that it saves.
    queue.gather_at_most(clock.steady() - sync_begun);
    if (!status) {
      unstage(staged);
      if (!waiting) note_failure(status.error());
      failed = log_error;
    } else {
      if (log_error) telemetry::log_info("tsdb", "the series log can be written again");
      log_error.reset();
      metrics.read_only.set(0);
      apply(staged, group_marks);
    }
    metrics.log_bytes.set(static_cast<double>(log->bytes()));
  }
  for (auto& [pending, error] : refused) pending->done(std::unexpected(std::move(error)));
  for (auto& one : staged) {
    if (failed) {
      metrics.log_error.add();
      one.pending->done(std::unexpected(*failed));
      continue;
    }
    if (one.written && !one.samples.empty()) {
      const storage::CommittedSamples committed{one.pending->tenant, one.appended.position, one.samples};
      for (const auto& listener : listeners) listener(committed);
    }
    one.pending->done(std::move(one.appended));
  }
  metrics.commit_seconds.observe(std::chrono::duration<double>(clock.steady() - begun).count());
}

/// Makes a durable group visible.
void Store::Impl::apply(std::vector<Staged>& staged, const storage::OriginMarks& group_marks) {
  const auto now = now_seconds();
  {
    const std::unique_lock lock(mutex);
    marks.merge(group_marks);
  }
  for (auto& one : staged) {
    if (one.appended.repeated) metrics.repeated.add();
    if (!one.head) continue;
    one.head->end_group();
    one.head->apply(one.samples, now);
    one.appended.accepted = static_cast<std::uint32_t>(one.samples.size());
    metrics.appended.add(one.samples.size());
    metrics.duplicate.add(one.appended.duplicate);
    metrics.too_old.add(one.appended.too_old);
    metrics.too_new.add(one.appended.too_new);
  }
}

}  // namespace atalaya::tsdb
