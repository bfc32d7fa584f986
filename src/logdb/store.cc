#include "logdb/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "base/bytes.h"
#include "base/random.h"
#include "logdb/index.h"
#include "logdb/line_filter.h"
#include "logdb/record.h"
#include "storage/commit_queue.h"
#include "telemetry/log.h"

namespace atalaya::logdb {
namespace {

using storage::Appended;
using storage::LogPosition;

struct Pending {
  TenantId tenant;
  storage::LogBatch batch;
  storage::AppendDone done;
};

/// What becomes of one batch of a group.
struct Staged {
  Pending* pending = nullptr;
  Appended appended;
  bool written = false;
  std::uint64_t begin = 0;  ///< of its record in the segment
  std::uint64_t end = 0;
};

struct Metrics {
  explicit Metrics(telemetry::Registry& r)
      : appended(r.counter("atalaya_logdb_appended_lines_total", "Lines made durable and visible.")),
        cut(r.counter("atalaya_logdb_cut_lines_total", "Lines cut at the longest length that is stored.")),
        aged_out(r.counter("atalaya_logdb_aged_out_bytes_total", "Bytes dropped by the caps of size and age.")),
        queue_full(r.counter("atalaya_logdb_refused_batches_total", "Batches refused, by reason.",
                             {{"reason", "queue_full"}})),
        log_error(
            r.counter("atalaya_logdb_refused_batches_total", "Batches refused, by reason.", {{"reason", "log_error"}})),
        read_only(r.gauge("atalaya_logdb_read_only", "1 while the log store cannot be written.")),
        bytes(r.gauge("atalaya_logdb_bytes", "Size of the log store.")),
        damaged(r.gauge("atalaya_logdb_damaged_files", "Files in which start-up set damage aside.")),
        commit_seconds(r.histogram("atalaya_logdb_commit_seconds",
                                   "From taking a group of batches to durable and visible.",
                                   {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5})) {}
  telemetry::Counter& appended;
  telemetry::Counter& cut;
  telemetry::Counter& aged_out;
  telemetry::Counter& queue_full;
  telemetry::Counter& log_error;
  telemetry::Gauge& read_only;
  telemetry::Gauge& bytes;
  telemetry::Gauge& damaged;
  telemetry::Histogram& commit_seconds;
};

bool is_lines(const storage::SegmentRecord& record) {
  return record_type(record.payload) == static_cast<std::uint8_t>(RecordType::kLines);
}

/// Cuts at the border of a character.
void cut_line(std::string& line, std::size_t limit) {
  while (limit > 0 && (static_cast<unsigned char>(line[limit]) & 0xc0) == 0x80) --limit;
  line.resize(limit);
}

}  // namespace

struct Store::Impl {
  Impl(const Clock& c, telemetry::Registry& registry, Options o)
      : clock(c),
        options(std::move(o)),
        metrics(registry),
        queue(
            {options.queue_batches, options.queue_bytes}, options.maintenance, options.commit_inline,
            [this](std::vector<Pending> group) { commit(group); }, [this] { maintain(); }) {}

  Status load(io::FileSystem& files);
  Status visit_at_start(const storage::Segment& segment, const storage::SegmentRecord& record);
  void index_lines(std::uint64_t segment, std::uint64_t begin, std::uint64_t end, const LinesView& view);
  void index_batch(const Staged& staged);
  void commit(std::vector<Pending>& group);
  Status ensure_segment();
  Status check(const Pending& pending) const;
  Status stage_batch(Staged& staged);
  void note_failure(const Error& error);
  void apply(std::vector<Staged>& staged, const storage::OriginMarks& group_marks);
  void maintain();
  void age_out();
  Status replay(LogPosition after, const storage::LogsListener& listener) const;
  Result<std::vector<storage::FoundLog>> query(const TenantId& tenant, const storage::LogQuery& query) const;
  bool is_repeated(LogPosition position) const {
    return std::binary_search(repeated.begin(), repeated.end(), position.value);
  }

  const Clock& clock;
  const Options options;
  Metrics metrics;
  OpenReport report;
  std::vector<storage::LogsListener> listeners;

  mutable std::shared_mutex mutex;
  Index index;                          ///< guarded by mutex
  storage::OriginMarks marks;           ///< guarded by mutex
  std::vector<std::uint64_t> repeated;  ///< positions that hold a second copy, ascending; fixed after start-up

  std::mutex writing;  ///< held while the log is written or segments are dropped
  std::unique_ptr<storage::SegmentLog> log;
  Steady next_attempt{};           ///< guarded by writing
  Steady next_maintenance{};       ///< guarded by writing
  std::optional<Error> log_error;  ///< guarded by writing

  storage::CommitQueue<Pending> queue;  // last: its thread ends before what it uses
};

void Store::Impl::index_lines(std::uint64_t segment, std::uint64_t begin, std::uint64_t end, const LinesView& view) {
  if (view.lines.empty()) return;
  Time oldest = kMaxTime;
  Time youngest = kMinTime;
  for (const auto& line : view.lines) {
    oldest = std::min(oldest, line.time);
    youngest = std::max(youngest, line.time);
  }
  std::vector<const Labels*> streams;
  for (const auto& labels : view.streams) streams.push_back(&labels);
  index.add(segment, begin, end, view.tenant, streams, oldest, youngest);
}

void Store::Impl::index_batch(const Staged& staged) {
  const auto& records = staged.pending->batch.records;
  if (records.empty()) return;
  Time oldest = kMaxTime;
  Time youngest = kMinTime;
  std::vector<const Labels*> streams;
  for (const auto& record : records) {
    oldest = std::min(oldest, record.time);
    youngest = std::max(youngest, record.time);
    if (streams.empty() || *streams.back() != record.labels) streams.push_back(&record.labels);
  }
  index.add(staged.appended.position.value >> 32, staged.begin, staged.end, staged.pending->tenant, streams, oldest,
            youngest);
}

Status Store::Impl::visit_at_start(const storage::Segment& segment, const storage::SegmentRecord& record) {
  if (record_type(record.payload) == static_cast<std::uint8_t>(RecordType::kMarks)) {
    return decode_marks(record.payload, marks);
  }
  if (!is_lines(record)) return {};  // of a later version
  AT_TRY(const auto view, decode_lines(record.payload));
  if (marks.has_seen(view.tenant, view.origin)) {
    repeated.push_back(record.position.value);
    return {};
  }
  marks.remember(view.tenant, view.origin);
  report.lines += view.lines.size();
  index_lines(segment.number, record.begin, record.end, view);
  return {};
}

Status Store::Impl::load(io::FileSystem& files) {
  const auto random = random_bytes(8);
  ByteReader salt(random);
  storage::LogDamage damage;
  AT_TRY(log, storage::SegmentLog::open(
                  files, {options.directory, "LOGS", options.segment_bytes}, salt.u64(),
                  [&](const auto& segment, const auto& record) { return visit_at_start(segment, record); }, damage));
  report.torn_bytes = damage.torn_bytes;
  report.damaged = std::move(damage.damaged);
  if (report.torn_bytes > 0) {
    telemetry::log_warn("logdb", "cut off an unfinished write", {{"bytes", report.torn_bytes}});
  }
  for (const auto& line : report.damaged) telemetry::log_error("logdb", "damage set aside", {{"what", line}});
  metrics.damaged.set(static_cast<double>(report.damaged.size()));
  maintain();
  return {};
}

Status Store::Impl::ensure_segment() {
  const auto now = clock.now();
  if (log->is_writable() && !log->is_full() && now - log->current().created < options.segment_age) return {};
  AT_TRY(log->start_segment(now));
  const std::shared_lock lock(mutex);
  AT_TRY(log->stage(encode_marks(marks)));
  return {};
}

Status Store::Impl::check(const Pending& pending) const {
  const std::shared_lock lock(mutex);
  std::set<Labels> fresh;
  for (const auto& record : pending.batch.records) {
    if (index.knows(pending.tenant, record.labels) || !fresh.insert(record.labels).second) continue;
    std::size_t count = 0;
    for (const auto& [name, value] : record.labels) {
      ++count;
      if (!is_utf8(name) || !is_utf8(value)) return fail(ErrorCode::kInvalidArgument, "a label that is not UTF-8");
    }
    if (count > options.max_labels_per_stream) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} labels; max_labels_per_stream is {}", count, options.max_labels_per_stream));
    }
  }
  if (index.streams_of(pending.tenant) + fresh.size() > options.max_streams_per_tenant && !fresh.empty()) {
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("{} label sets of log lines; max_streams_per_tenant is {}",
                            index.streams_of(pending.tenant) + fresh.size(), options.max_streams_per_tenant),
                "keep what varies in the line, not in its labels");
  }
  return {};
}

/// Adds one batch to what the log will write. An error is the batch's own.
Status Store::Impl::stage_batch(Staged& staged) {
  auto& pending = *staged.pending;
  auto& records = pending.batch.records;
  staged.appended.position = log->last_position();
  if (records.empty() && pending.batch.origin.source.empty()) return {};
  AT_TRY(check(pending));
  for (auto& record : records) {
    if (record.line.size() <= options.max_line_bytes) continue;
    cut_line(record.line, options.max_line_bytes);
    metrics.cut.add();
  }
  staged.begin = log->staged_end();
  const auto ordinals = std::max<std::size_t>(records.size(), 1);
  AT_TRY(staged.appended.position,
         log->stage(encode_lines(pending.tenant, pending.batch.origin, records), static_cast<std::uint32_t>(ordinals)));
  staged.end = log->staged_end();
  staged.written = true;
  return {};
}

/// From now on, and until an attempt succeeds, writes get this answer.
void Store::Impl::note_failure(const Error& error) {
  if (!log_error) {
    telemetry::log_error("logdb", "the log store cannot be written: refusing lines", {{"error", to_string(error)}});
  }
  const bool full = error.code == ErrorCode::kResourceExhausted;
  log_error = Error{full ? ErrorCode::kResourceExhausted : ErrorCode::kUnavailable,
                    "the log store cannot be written: " + error.message, std::nullopt,
                    "free space on the disk; the server tries again by itself"};
  next_attempt = clock.steady() + options.retry;
  metrics.read_only.set(1);
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
      if (log_error) telemetry::log_info("logdb", "the log store can be written again");
      log_error.reset();
      metrics.read_only.set(0);
      apply(staged, group_marks);
      if (log->bytes() > options.max_bytes) age_out();
    }
    metrics.bytes.set(static_cast<double>(log->bytes()));
  }
  for (auto& [pending, error] : refused) pending->done(std::unexpected(std::move(error)));
  for (auto& one : staged) {
    if (failed) {
      metrics.log_error.add();
      one.pending->done(std::unexpected(*failed));
      continue;
    }
    if (one.written && !one.pending->batch.records.empty()) {
      const storage::CommittedLogs committed{one.pending->tenant, one.appended.position, one.pending->batch.records};
      for (const auto& listener : listeners) listener(committed);
    }
    one.pending->done(one.appended);
  }
  metrics.commit_seconds.observe(std::chrono::duration<double>(clock.steady() - begun).count());
  if (clock.steady() >= next_maintenance) maintain();
}

/// Makes a durable group visible.
void Store::Impl::apply(std::vector<Staged>& staged, const storage::OriginMarks& group_marks) {
  const std::unique_lock lock(mutex);
  marks.merge(group_marks);
  for (auto& one : staged) {
    if (!one.written) continue;
    one.appended.accepted = static_cast<std::uint32_t>(one.pending->batch.records.size());
    metrics.appended.add(one.appended.accepted);
    index_batch(one);
  }
}

void Store::Impl::maintain() {
  const std::lock_guard lock(writing);
  next_maintenance = clock.steady() + options.maintenance;
  age_out();
  metrics.bytes.set(static_cast<double>(log->bytes()));
}

/// Oldest first; the newest segment stays.
void Store::Impl::age_out() {
  const auto segments = log->segments();
  const auto oldest = clock.now() - options.max_age;
  auto total = log->bytes();
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    const auto& segment = segments[i];
    const bool old = [&] {
      const std::shared_lock lock(mutex);
      return index.youngest(segment.number) < oldest;
    }();
    if (!old && total <= options.max_bytes) continue;
    if (auto status = log->drop(segment.number); !status) {
      telemetry::log_warn("logdb", "an old segment stays", {{"error", to_string(status.error())}});
      continue;
    }
    total -= segment.bytes;
    metrics.aged_out.add(segment.bytes);
    const std::unique_lock lock(mutex);
    index.drop(segment.number);
  }
}

Result<std::vector<storage::FoundLog>> Store::Impl::query(const TenantId& tenant,
                                                          const storage::LogQuery& query) const {
  AT_TRY(const auto filter, LineFilter::make(query));
  BestLines best(query.limit, query.newest_first);
  const auto stretches = [&] {
    const std::shared_lock lock(mutex);
    return index.candidates(tenant, query.matchers, query.range, query.newest_first);
  }();
  std::map<std::uint64_t, storage::Segment> segments;
  for (const auto& segment : log->segments()) segments.emplace(segment.number, segment);
  const auto visit = [&](const storage::Segment&, const storage::SegmentRecord& record) -> Status {
    if (!is_lines(record) || is_repeated(record.position)) return {};
    const auto view = decode_lines(record.payload);
    if (!view || view->tenant != tenant) return {};
    std::vector<bool> wanted;
    for (const auto& labels : view->streams) wanted.push_back(matches(query.matchers, labels));
    for (std::size_t i = 0; i < view->lines.size(); ++i) {
      const auto& line = view->lines[i];
      if (!wanted[line.stream] || !best.wants(line.time) || !filter.accepts(line.time, line.line)) continue;
      best.add({record.position.value + i, {line.time, view->streams[line.stream], std::string(line.line)}});
    }
    return {};
  };
  for (const auto& stretch : stretches) {
    if (!best.wants(query.newest_first ? stretch.youngest : stretch.oldest)) break;
    const auto segment = segments.find(stretch.segment);
    if (segment == segments.end()) continue;
    auto status = log->read(segment->second, stretch.begin, stretch.end, visit);
    if (!status && status.error().code != ErrorCode::kNotFound) return std::unexpected(std::move(status).error());
  }
  return best.take();
}

Status Store::Impl::replay(LogPosition after, const storage::LogsListener& listener) const {
  const auto visit = [&](const storage::Segment&, const storage::SegmentRecord& record) -> Status {
    if (record.position <= after || !is_lines(record) || is_repeated(record.position)) return {};
    const auto view = decode_lines(record.payload);
    if (!view || view->lines.empty()) return {};
    std::vector<LogRecord> records;
    records.reserve(view->lines.size());
    for (const auto& line : view->lines) {
      records.push_back({line.time, view->streams[line.stream], std::string(line.line)});
    }
    listener({view->tenant, record.position, records});
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

void Store::append(const TenantId& tenant, storage::LogBatch batch, storage::AppendDone done) {
  using Pushed = storage::CommitQueue<Pending>::Pushed;
  if (!is_valid(tenant)) return done(fail(ErrorCode::kInvalidArgument, "not a tenant's name: " + tenant.value()));
  std::size_t weight = 0;
  for (const auto& record : batch.records) weight += record.line.size() + 64;
  Pending pending{tenant, std::move(batch), std::move(done)};
  switch (impl_->queue.push(std::move(pending), weight)) {
    case Pushed::kYes: return;
    case Pushed::kFull:
      impl_->metrics.queue_full.add();
      return pending.done(fail(ErrorCode::kResourceExhausted, "too many lines wait to be written", "send again later"));
    case Pushed::kStopped: return pending.done(fail(ErrorCode::kUnavailable, "the store is stopping"));
  }
}

std::uint64_t Store::last_sequence(const TenantId& tenant, const std::string& source) const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->marks.last(tenant, source);
}

void Store::listen(storage::LogsListener listener) { impl_->listeners.push_back(std::move(listener)); }

Status Store::replay(LogPosition after, const storage::LogsListener& listener) const {
  return impl_->replay(after, listener);
}

Result<std::vector<storage::FoundLog>> Store::query(const TenantId& tenant, const storage::LogQuery& query) const {
  return impl_->query(tenant, query);
}

std::vector<std::string> Store::label_values(const TenantId& tenant, std::string_view name) const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->index.label_values(tenant, name);
}

std::vector<Labels> Store::streams(const TenantId& tenant, const Matchers& matchers, storage::TimeRange range) const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->index.streams(tenant, matchers, range);
}

}  // namespace atalaya::logdb
