#include "tsdb/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <mutex>
#include <shared_mutex>

#include "base/bytes.h"
#include "base/random.h"
#include "storage/commit_queue.h"
#include "telemetry/log.h"
#include "tsdb/head.h"
#include "tsdb/replayer.h"

namespace atalaya::tsdb {
namespace {

using storage::Appended;
using storage::LogPosition;

struct Pending {
  TenantId tenant;
  storage::SampleBatch batch;
  storage::AppendDone done;
};

/// What becomes of one batch of a group.
struct Staged {
  Pending* pending = nullptr;
  Appended appended;
  bool written = false;
  std::vector<storage::SeriesSample> samples;  ///< not too old; after applying: the accepted ones
};

struct Metrics {
  explicit Metrics(telemetry::Registry& r)
      : appended(r.counter("atalaya_tsdb_appended_samples_total", "Samples made durable and visible.")),
        duplicate(r.counter("atalaya_tsdb_dropped_samples_total", "Samples not taken, by reason.",
                            {{"reason", "duplicate"}})),
        too_old(
            r.counter("atalaya_tsdb_dropped_samples_total", "Samples not taken, by reason.", {{"reason", "too_old"}})),
        too_new(
            r.counter("atalaya_tsdb_dropped_samples_total", "Samples not taken, by reason.", {{"reason", "too_new"}})),
        queue_full(
            r.counter("atalaya_tsdb_refused_batches_total", "Batches refused, by reason.", {{"reason", "queue_full"}})),
        log_error(
            r.counter("atalaya_tsdb_refused_batches_total", "Batches refused, by reason.", {{"reason", "log_error"}})),
        repeated(r.counter("atalaya_tsdb_repeated_batches_total", "Batches acknowledged without effect, seen before.")),
        read_only(r.gauge("atalaya_tsdb_read_only", "1 while the series log cannot be written.")),
        series(r.gauge("atalaya_tsdb_series", "Series with samples in memory.")),
        memory(r.gauge("atalaya_tsdb_memory_bytes", "Memory of samples.")),
        log_bytes(r.gauge("atalaya_tsdb_log_bytes", "Size of the series log.")),
        damaged(r.gauge("atalaya_tsdb_damaged_files", "Files in which start-up set damage aside.")),
        commit_seconds(r.histogram("atalaya_tsdb_commit_seconds",
                                   "From taking a group of batches to durable and visible.",
                                   {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5})) {}
  telemetry::Counter& appended;
  telemetry::Counter& duplicate;
  telemetry::Counter& too_old;
  telemetry::Counter& too_new;
  telemetry::Counter& queue_full;
  telemetry::Counter& log_error;
  telemetry::Counter& repeated;
  telemetry::Gauge& read_only;
  telemetry::Gauge& series;
  telemetry::Gauge& memory;
  telemetry::Gauge& log_bytes;
  telemetry::Gauge& damaged;
  telemetry::Histogram& commit_seconds;
};

bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

HeadLimits limits_of(const Options& o) {
  return HeadLimits{o.max_series_per_tenant, o.max_labels_per_series, o.max_label_name_bytes, o.max_label_value_bytes};
}

}  // namespace

struct Store::Impl {
  Impl(const Clock& c, telemetry::Registry& registry, Options o)
      : clock(c),
        options(std::move(o)),
        metrics(registry),
        head(limits_of(options)),
        queue(
            {options.queue_batches, options.queue_samples}, options.maintenance, options.commit_inline,
            [this](std::vector<Pending> group) { commit(group); }, [this] { maintain(); }) {}

  Time cutoff() const { return clock.now() - options.retention; }
  Status load(io::FileSystem& files);
  void commit(std::vector<Pending>& group);
  Status ensure_segment();
  Status stage_batch(Staged& staged);
  void complain_of_future(const Labels& labels, Time time);
  void apply(std::vector<Staged>& staged, const storage::OriginMarks& group_marks);
  void note_failure(const Error& error);
  void refuse(std::vector<Staged>& staged, const Error& error);
  void maintain();
  void drop_old_segments(Time before);
  Status replay(LogPosition after, const storage::SamplesListener& listener) const;
  void accepted_only(BatchRecord& batch, bool check_values) const;

  const Clock& clock;
  const Options options;
  Metrics metrics;
  OpenReport report;
  std::vector<storage::SamplesListener> listeners;

  mutable std::shared_mutex mutex;
  Head head;                                   ///< guarded by mutex
  storage::OriginMarks marks;                  ///< guarded by mutex
  std::vector<std::uint64_t> repeated;         ///< guarded by mutex; see Replayer
  std::vector<std::uint64_t> with_duplicates;  ///< guarded by mutex

  std::mutex writing;  ///< held while the log is written or segments are dropped
  std::unique_ptr<storage::SegmentLog> log;
  std::map<std::uint64_t, Time> youngest;  ///< sample of each segment; guarded by writing
  Steady next_attempt{};                   ///< guarded by writing
  Steady next_maintenance{};               ///< guarded by writing
  Steady next_complaint{};                 ///< guarded by writing
  std::optional<Error> log_error;          ///< guarded by writing

  storage::CommitQueue<Pending> queue;  // last: its thread ends before what it uses
};

Status Store::Impl::load(io::FileSystem& files) {
  const auto random = random_bytes(8);
  ByteReader salt(random);
  Replayer replayer(head, marks, cutoff());
  storage::LogDamage damage;
  AT_TRY(log, storage::SegmentLog::open(
                  files, {options.directory, "SERI", options.segment_bytes}, salt.u64(),
                  [&](const auto& segment, const auto& record) { return replayer.visit(segment, record); }, damage));
  report.samples = replayer.samples;
  report.torn_bytes = damage.torn_bytes;
  report.damaged = std::move(damage.damaged);
  if (replayer.lost > 0) {
    report.damaged.push_back(fmt::format("{} samples whose series definition was damaged are lost", replayer.lost));
  }
  youngest = std::move(replayer.youngest);
  repeated = std::move(replayer.repeated);
  with_duplicates = std::move(replayer.with_duplicates);
  if (report.torn_bytes > 0) {
    telemetry::log_warn("tsdb", "cut off an unfinished write", {{"bytes", report.torn_bytes}});
  }
  for (const auto& line : report.damaged) telemetry::log_error("tsdb", "damage set aside", {{"what", line}});
  metrics.damaged.set(static_cast<double>(report.damaged.size()));
  maintain();
  return {};
}

Status Store::Impl::ensure_segment() {
  const auto now = clock.now();
  if (log->is_writable() && !log->is_full() && now - log->current().created < options.retention / 8) return {};
  AT_TRY(log->start_segment(now));
  youngest[log->current().number] = kMinTime;
  const auto marks_now = [&] {
    const std::shared_lock lock(mutex);
    return encode_marks(marks);
  }();
  AT_TRY(log->stage(marks_now));
  return {};
}

/// Once a minute: whoever wonders where a host's samples are finds its name.
void Store::Impl::complain_of_future(const Labels& labels, Time time) {
  if (clock.steady() < next_complaint) return;
  next_complaint = clock.steady() + std::chrono::minutes{1};
  telemetry::log_warn("tsdb", "samples from the future are refused: the clock of their host is ahead",
                      {{"series", to_string(labels)}, {"time", format_rfc3339(time)}});
}

/// Adds one batch to what the log will write. An error is the batch's own.
Status Store::Impl::stage_batch(Staged& staged) {
  auto& pending = *staged.pending;
  BatchRecord record;
  record.tenant = pending.tenant;
  record.origin = pending.batch.origin;
  const auto oldest = cutoff();
  const auto newest = clock.now() + options.ahead;
  const auto segment = log->current().number;
  std::vector<MemorySeries*> defined;
  {
    const std::shared_lock lock(mutex);
    auto* tenant = head.tenant(pending.tenant);
    for (const auto& sample : pending.batch.samples) {
      auto* series = tenant ? tenant->series(sample.series.value()) : nullptr;
      if (!series) {
        for (auto* one : defined) one->defined_in = 0;
        return fail(ErrorCode::kInvalidArgument, fmt::format("no series has the id {}", sample.series.value()));
      }
      if (sample.time < oldest) {
        ++staged.appended.too_old;
        staged.appended.name(sample, storage::Refusal::kTooOld);
        continue;
      }
      if (sample.time > newest) {
        if (staged.appended.too_new++ == 0) complain_of_future(*series->labels(), sample.time);
        staged.appended.name(sample, storage::Refusal::kTooNew);
        continue;
      }
      if (series->defined_in != segment) {
        series->defined_in = segment;
        defined.push_back(series);
        record.definitions.push_back({sample.series.value(), *series->labels()});
      }
      record.samples.push_back(sample);
    }
  }
  staged.appended.position = log->last_position();
  if (record.samples.empty() && record.origin.source.empty()) return {};
  auto position = log->stage(encode_batch(record));
  if (!position) {
    for (auto* one : defined) one->defined_in = 0;
    return std::unexpected(std::move(position).error());
  }
  staged.appended.position = *position;
  staged.written = true;
  staged.samples = std::move(record.samples);
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

void Store::Impl::refuse(std::vector<Staged>& staged, const Error& error) {
  metrics.log_error.add(staged.size());
  for (auto& one : staged) one.pending->done(std::unexpected(error));
}

void Store::Impl::commit(std::vector<Pending>& group) {
  const auto begun = clock.steady();
  std::vector<Staged> staged;
  std::vector<std::pair<Pending*, Error>> refused;
  std::optional<Error> failed;
  {
    const std::lock_guard lock(writing);
    storage::OriginMarks group_marks;
    const bool waiting = log_error && clock.steady() < next_attempt;
    auto status = waiting ? Status(std::unexpected(*log_error)) : ensure_segment();
    for (auto& pending : group) {
      Staged one;
      one.pending = &pending;
      const auto& origin = pending.batch.origin;
      one.appended.repeated = marks.has_seen(pending.tenant, origin) || group_marks.has_seen(pending.tenant, origin);
      if (one.appended.repeated) one.appended.position = log->last_position();
      if (status && !one.appended.repeated) {
        if (auto own = stage_batch(one); !own) {
          refused.emplace_back(&pending, std::move(own).error());
          continue;
        }
        group_marks.remember(pending.tenant, origin);
      }
      staged.push_back(std::move(one));
    }
    if (status) status = log->flush();
    if (!status) {
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
  if (failed) return refuse(staged, *failed);
  for (auto& one : staged) {
    if (one.written && !one.samples.empty()) {
      const storage::CommittedSamples committed{one.pending->tenant, one.appended.position, one.samples};
      for (const auto& listener : listeners) listener(committed);
    }
    one.pending->done(one.appended);
  }
  metrics.commit_seconds.observe(std::chrono::duration<double>(clock.steady() - begun).count());
  if (clock.steady() >= next_maintenance) maintain();
}

/// Makes a durable group visible.
void Store::Impl::apply(std::vector<Staged>& staged, const storage::OriginMarks& group_marks) {
  const auto now = clock.now();
  auto& youngest_here = youngest[log->current().number];
  const std::unique_lock lock(mutex);
  marks.merge(group_marks);
  for (auto& one : staged) {
    if (one.appended.repeated) metrics.repeated.add();
    auto* tenant = head.tenant(one.pending->tenant);
    std::size_t kept = 0;
    for (const auto& sample : one.samples) {
      youngest_here = std::max(youngest_here, sample.time);
      tenant->touch(sample.series.value(), now);
      auto* series = tenant->series(sample.series.value());
      if (series->append(sample.time, sample.value)) {
        one.samples[kept++] = sample;
      } else if (!same_bits(series->value_at(sample.time).value_or(0), sample.value)) {
        ++one.appended.conflicting;
        one.appended.name(sample, storage::Refusal::kDuplicate);
      }
    }
    one.appended.accepted = static_cast<std::uint32_t>(kept);
    one.appended.duplicate = static_cast<std::uint32_t>(one.samples.size() - kept);
    if (one.appended.duplicate > 0) with_duplicates.push_back(one.appended.position.value);
    one.samples.resize(kept);
    metrics.appended.add(kept);
    metrics.duplicate.add(one.appended.duplicate);
    metrics.too_old.add(one.appended.too_old);
    metrics.too_new.add(one.appended.too_new);
  }
}

void Store::Impl::maintain() {
  const std::lock_guard writing_lock(writing);
  next_maintenance = clock.steady() + options.maintenance;
  const auto oldest = cutoff();
  {
    const std::unique_lock lock(mutex);
    head.drop_before(oldest);
    metrics.series.set(static_cast<double>(head.live()));
    metrics.memory.set(static_cast<double>(head.memory_bytes()));
  }
  drop_old_segments(oldest);
  metrics.log_bytes.set(static_cast<double>(log->bytes()));
}

void Store::Impl::drop_old_segments(Time before) {
  const auto segments = log->segments();
  std::uint64_t first_left = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto number = segments[i].number;
    const auto it = youngest.find(number);
    const bool old = it == youngest.end() || it->second < before;
    if (!old || i + 1 == segments.size()) {
      if (first_left == 0) first_left = number;
      continue;
    }
    if (auto status = log->drop(number); !status) {
      telemetry::log_warn("tsdb", "an old segment stays", {{"error", to_string(status.error())}});
      continue;
    }
    youngest.erase(number);
  }
  const std::unique_lock lock(mutex);
  for (auto* positions : {&repeated, &with_duplicates}) {
    std::erase_if(*positions, [&](std::uint64_t position) { return position >> 32 < first_left; });
  }
}

/// Leaves the samples that memory took when the batch was committed.
void Store::Impl::accepted_only(BatchRecord& batch, bool check_values) const {
  const auto oldest = cutoff();
  const auto* tenant = head.tenant(batch.tenant);
  std::erase_if(batch.samples, [&](const storage::SeriesSample& sample) {
    const auto* series = tenant ? tenant->series(sample.series.value()) : nullptr;
    if (!series || sample.time < oldest) return true;
    if (!check_values) return false;
    const auto value = series->value_at(sample.time);
    return !value || !same_bits(*value, sample.value);
  });
}

Status Store::Impl::replay(LogPosition after, const storage::SamplesListener& listener) const {
  References references;
  const auto visit = [&](const storage::Segment& segment, const storage::SegmentRecord& record) -> Status {
    if (record_type(record.payload) != static_cast<std::uint8_t>(RecordType::kBatch)) return {};
    auto batch = decode_batch(record.payload);
    if (!batch) return {};  // said at start-up
    {
      const std::shared_lock lock(mutex);
      const auto* tenant = head.tenant(batch->tenant);
      references.define(segment.epoch, *batch,
                        [&](const Labels& labels) { return tenant ? tenant->find(labels) : std::uint64_t{0}; });
      if (record.position <= after || std::binary_search(repeated.begin(), repeated.end(), record.position.value)) {
        return {};
      }
      for (auto& sample : batch->samples) {
        sample.series = SeriesId{references.id(batch->tenant, sample.series.value())};
      }
      accepted_only(*batch, std::binary_search(with_duplicates.begin(), with_duplicates.end(), record.position.value));
    }
    if (!batch->samples.empty()) listener({batch->tenant, record.position, batch->samples});
    return {};
  };
  for (const auto& segment : log->segments()) {
    if (segment.number < after.value >> 32) continue;
    auto status = log->read(segment, 0, segment.bytes, visit);
    if (!status && status.error().code != ErrorCode::kNotFound) return status;
  }
  return {};
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() { stop(); }

Result<std::unique_ptr<Store>> Store::open(io::FileSystem& files, const Clock& clock, telemetry::Registry& metrics,
                                           Options options) {
  auto impl = std::make_unique<Impl>(clock, metrics, std::move(options));
  AT_TRY(impl->load(files));
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

void Store::start() { impl_->queue.start(); }

void Store::stop() {
  impl_->queue.stop();
  const std::lock_guard lock(impl_->writing);
  impl_->log->seal();
}

const OpenReport& Store::report() const { return impl_->report; }
void Store::maintain() { impl_->maintain(); }

Result<SeriesId> Store::resolve(const TenantId& tenant, const Labels& labels) {
  if (!is_valid(tenant)) return fail(ErrorCode::kInvalidArgument, "not a tenant's name: " + tenant.value());
  {
    const std::shared_lock lock(impl_->mutex);
    const auto* head = impl_->head.tenant(tenant);
    const auto id = head ? head->find(labels) : 0;
    if (id != 0 && head->is_live(id)) return SeriesId{id};
  }
  const std::unique_lock lock(impl_->mutex);
  return impl_->head.resolve(tenant, labels, impl_->clock.now());
}

void Store::append(const TenantId& tenant, storage::SampleBatch batch, storage::AppendDone done) {
  using Pushed = storage::CommitQueue<Pending>::Pushed;
  const auto weight = batch.samples.size();
  Pending pending{tenant, std::move(batch), std::move(done)};
  switch (impl_->queue.push(std::move(pending), weight)) {
    case Pushed::kYes: return;
    case Pushed::kFull:
      impl_->metrics.queue_full.add();
      return pending.done(
          fail(ErrorCode::kResourceExhausted, "too many samples wait to be written", "send again later"));
    case Pushed::kStopped: return pending.done(fail(ErrorCode::kUnavailable, "the store is stopping"));
  }
}

std::uint64_t Store::last_sequence(const TenantId& tenant, const std::string& source) const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->marks.last(tenant, source);
}

void Store::listen(storage::SamplesListener listener) { impl_->listeners.push_back(std::move(listener)); }

Status Store::replay(LogPosition after, const storage::SamplesListener& listener) const {
  return impl_->replay(after, listener);
}

Result<std::vector<storage::SelectedSeries>> Store::select(const TenantId& tenant, const Matchers& matchers,
                                                           storage::TimeRange range) const {
  range.from = std::max(range.from, impl_->cutoff());
  const std::shared_lock lock(impl_->mutex);
  return impl_->head.select(tenant, matchers, range);
}

Result<storage::SelectedSeries> Store::series(const TenantId& tenant, SeriesId id, storage::TimeRange range) const {
  range.from = std::max(range.from, impl_->cutoff());
  const std::shared_lock lock(impl_->mutex);
  const auto* head = impl_->head.tenant(tenant);
  const auto* series = head ? head->series(id.value()) : nullptr;
  if (!series) return fail(ErrorCode::kNotFound, fmt::format("no series has the id {}", id.value()));
  return storage::SelectedSeries{id, series->labels(), series->snapshot(range)};
}

std::shared_ptr<const Labels> Store::labels_of(const TenantId& tenant, SeriesId id) const {
  const std::shared_lock lock(impl_->mutex);
  const auto* head = impl_->head.tenant(tenant);
  const auto* series = head ? head->series(id.value()) : nullptr;
  return series ? series->labels() : nullptr;
}

std::vector<std::string> Store::label_names(const TenantId& tenant, const Matchers& matchers) const {
  const std::shared_lock lock(impl_->mutex);
  const auto* head = impl_->head.tenant(tenant);
  return head ? head->label_names(matchers) : std::vector<std::string>{};
}

std::vector<std::string> Store::label_values(const TenantId& tenant, std::string_view name,
                                             const Matchers& matchers) const {
  const std::shared_lock lock(impl_->mutex);
  const auto* head = impl_->head.tenant(tenant);
  return head ? head->label_values(name, matchers) : std::vector<std::string>{};
}

}  // namespace atalaya::tsdb
