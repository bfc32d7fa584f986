#include "ingest/remote_write.h"

#include <fmt/format.h>

#include <algorithm>

#include "ingest/append_wait.h"
#include "ingest/shortened.h"
#include "io/compress.h"

namespace atalaya::ingest {
namespace {

using storage::SampleBatch;
using storage::SeriesKey;

constexpr std::size_t kMaxNamed = storage::kMaxNamedRefusals;
/// Long enough for any reason with a label's name in it; the labels are shortened before.
constexpr std::size_t kMaxNamedBytes = 800;
constexpr std::size_t kKeptBytes = 8 << 20;

void name(RemoteWritten& out, std::string what) {
  if (out.named.size() < kMaxNamed) out.named.push_back(shortened(std::move(what), kMaxNamedBytes));
}

}  // namespace

std::string RemoteWritten::to_string() const {
  const auto of_samples = samples + refused() - histograms;
  auto text = fmt::format("{} of {} samples were written", samples, of_samples);
  const char* before = "; refused: ";
  const auto part = [&](std::uint64_t count, std::string_view why) {
    if (count == 0) return;
    text += fmt::format("{}{} {}", before, count, why);
    before = ", ";
  };
  part(conflicting, "with another value at a time that has one");
  part(too_old, "too old");
  part(too_new, "from a clock that is ahead");
  part(bad_labels, "with labels that do not hold");
  part(over_limits, "of series beyond a limit");
  part(histograms, "native histograms, which are not stored yet");
  for (std::size_t i = 0; i < named.size(); ++i) text += (i == 0 ? "; first: " : "; ") + named[i];
  return text;
}

/// What one body needs, kept for the next.
struct RemoteWriter::Work {
  std::string unpacked;
  RemoteWriteReader reader;
  std::vector<SeriesId> ids;  ///< of the reader's series; 0: refused
  std::uint64_t parsed = 0;   ///< series whose labels were read
  SampleBatch batch;
};

struct RemoteWriter::Counters {
  explicit Counters(telemetry::Registry& r)
      : requests(r.counter("atalaya_remote_write_requests_total", "Remote write bodies that were taken.")),
        samples(r.counter("atalaya_remote_write_samples_total", "Samples written by remote write.")),
        conflicting(refused(r, "conflicting")),
        too_old(refused(r, "too_old")),
        too_new(refused(r, "too_new")),
        bad_labels(refused(r, "labels")),
        over_limits(refused(r, "limits")),
        histograms(refused(r, "histogram")),
        exemplars(r.counter("atalaya_remote_write_dropped_exemplars_total", "Exemplars that were not kept.")),
        exemplars_kept(r.counter("atalaya_remote_write_exemplars_total", "Exemplars that were kept.")),
        metadata(
            r.counter("atalaya_remote_write_dropped_metadata_total", "Entries of metadata, which are not stored.")),
        parsed(r.counter("atalaya_remote_write_parsed_series_total",
                         "Series whose labels were read, since their bytes were not known.")) {}
  static telemetry::Counter& refused(telemetry::Registry& r, std::string reason) {
    return r.counter("atalaya_remote_write_refused_samples_total", "Samples refused in remote write, by reason.",
                     {{"reason", std::move(reason)}});
  }
  telemetry::Counter& requests;
  telemetry::Counter& samples;
  telemetry::Counter& conflicting;
  telemetry::Counter& too_old;
  telemetry::Counter& too_new;
  telemetry::Counter& bad_labels;
  telemetry::Counter& over_limits;
  telemetry::Counter& histograms;
  telemetry::Counter& exemplars;
  telemetry::Counter& exemplars_kept;
  telemetry::Counter& metadata;
  telemetry::Counter& parsed;
};

RemoteWriter::RemoteWriter(storage::SeriesAppender& series, storage::SeriesKeys& keys, telemetry::Registry& metrics,
                           storage::Exemplars* exemplars)
    : series_(series), keys_(keys), exemplars_(exemplars), counters_(std::make_unique<Counters>(metrics)) {}
RemoteWriter::~RemoteWriter() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return under_way_ == 0; });
}

std::unique_ptr<RemoteWriter::Work> RemoteWriter::take_work() {
  const std::lock_guard lock(mutex_);
  ++under_way_;
  if (idle_.empty()) return std::make_unique<Work>();
  auto work = std::move(idle_.back());
  idle_.pop_back();
  return work;
}

void RemoteWriter::give_back(std::unique_ptr<Work> work) {
  work->reader.shrink();
  if (work->unpacked.capacity() > kKeptBytes) std::string().swap(work->unpacked);
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(work));
  --under_way_;
  ended_.notify_all();
}

void RemoteWriter::write(const TenantId& tenant, RemoteWriteVersion version, std::string_view snappy, Done done) {
  auto work = take_work();
  auto read = this->read(tenant, version, snappy, *work);
  if (!read || work->batch.samples.empty()) return finish(std::move(work), std::move(read), done);
  auto batch = std::move(work->batch);
  struct Waiting {
    std::unique_ptr<Work> work;
    RemoteWritten written;
    Done done;
  };
  auto waiting = std::make_shared<Waiting>(std::move(work), std::move(*read), std::move(done));
  series_.append(tenant, std::move(batch), [this, waiting](Result<storage::Appended> appended) {
    if (!appended) {
      return finish(std::move(waiting->work), std::unexpected(std::move(appended).error()), waiting->done);
    }
    tell(*appended, *waiting->work, waiting->written);
    finish(std::move(waiting->work), std::move(waiting->written), waiting->done);
  });
}

void RemoteWriter::finish(std::unique_ptr<Work> work, Result<RemoteWritten> written, const Done& done) {
  if (written) count(*written, *work);
  done(std::move(written));
  give_back(std::move(work));
}

Result<RemoteWritten> RemoteWriter::read(const TenantId& tenant, RemoteWriteVersion version, std::string_view snappy,
                                         Work& work) {
  work.batch.samples.clear();
  auto body = io::snappy_decompress(snappy, kMaxRemoteWriteBytes, work.unpacked);
  if (!body && body.error().code == ErrorCode::kCorruption) {
    return fail(ErrorCode::kInvalidArgument, "the body is not in snappy's block format: " + body.error().message);
  }
  if (!body) return std::unexpected(std::move(body).error());
  auto& reader = work.reader;
  AT_TRY(reader.read(version, *body));
  RemoteWritten out;
  out.histograms = reader.histograms();
  work.parsed = 0;
  work.ids.resize(reader.series().size());
  keys_.find_bound(tenant, reader.keys(), work.ids);
  AT_TRY(resolve_unknown(tenant, work, out));
  keep_exemplars(tenant, work, out);
  fill_batch(work);
  return out;
}

Status RemoteWriter::resolve_unknown(const TenantId& tenant, Work& work, RemoteWritten& out) {
  const auto& series = work.reader.series();
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto samples = series[i].samples_end - first;
    first = series[i].samples_end;
    if (work.ids[i].value() != 0) continue;
    AT_TRY(resolve_one(tenant, i, samples, work, out));
  }
  return {};
}

/// An error is one of the whole body; a series that cannot be taken is told in `out` and keeps the id 0.
Status RemoteWriter::resolve_one(const TenantId& tenant, std::size_t index, std::uint64_t samples, Work& work,
                                 RemoteWritten& out) {
  ++work.parsed;
  auto labels = work.reader.labels(index);
  if (!labels) {
    out.bad_labels += samples;
    name(out, fmt::format("series {} of the body: {}", index + 1, labels.error().message));
    return {};
  }
  // A series without samples brings histograms or exemplars alone: it comes to be by neither.
  if (samples == 0) return {};
  const auto id = series_.resolve(tenant, *labels);
  if (id) {
    work.ids[index] = *id;
    const auto& key = work.reader.keys()[index];
    if (key != SeriesKey{}) keys_.bind(tenant, key, *id);
    return {};
  }
  switch (id.error().code) {
    case ErrorCode::kInvalidArgument: out.bad_labels += samples; break;
    case ErrorCode::kResourceExhausted: out.over_limits += samples; break;
    default: return std::unexpected(id.error());
  }
  name(out, fmt::format("{}: {}", id.error().message, shortened(to_string(*labels))));
  return {};
}

/// They come beside samples, or as a series of their own that has none: of one that nobody knows they are dropped.
void RemoteWriter::keep_exemplars(const TenantId& tenant, Work& work, RemoteWritten& out) {
  auto& reader = work.reader;
  out.exemplars = reader.exemplars();
  for (std::size_t i = 0; exemplars_ != nullptr && i < reader.exemplars(); ++i) {
    const auto place = reader.series_of_exemplar(i);
    auto& id = work.ids[place];
    const auto& key = reader.keys()[place];
    if (id.value() == 0 && key != SeriesKey{}) keys_.find_bound(tenant, {&key, 1}, {&id, 1});
    if (id.value() == 0) continue;
    auto exemplar = reader.exemplar(i);
    if (!exemplar || !exemplars_->add(tenant, id, std::move(*exemplar))) continue;
    ++out.exemplars_kept;
    --out.exemplars;
  }
}

/// The samples of the series that have an id.
void RemoteWriter::fill_batch(Work& work) {
  work.batch.samples = std::move(work.reader.samples());
  auto& samples = work.batch.samples;
  const auto& series = work.reader.series();
  std::size_t at = 0;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto id = work.ids[i];
    for (; at < series[i].samples_end; ++at) {
      if (id.value() == 0) continue;
      if (kept != at) samples[kept] = samples[at];
      samples[kept++].series = id;
    }
  }
  samples.resize(kept);
}

void RemoteWriter::tell(const storage::Appended& appended, Work& work, RemoteWritten& out) {
  out.samples += appended.accepted + (appended.duplicate - appended.conflicting);
  out.conflicting += appended.conflicting;
  out.too_old += appended.too_old;
  out.too_new += appended.too_new;
  for (const auto& refused : appended.named) {
    const auto& sample = refused.sample;
    const auto index =
        static_cast<std::size_t>(std::find(work.ids.begin(), work.ids.end(), sample.series) - work.ids.begin());
    if (index == work.ids.size()) continue;
    const auto labels = work.reader.labels(index);
    name(out, fmt::format("{} at {}: {}", labels ? shortened(to_string(*labels)) : "a series",
                          format_rfc3339(sample.time), words(refused)));
  }
}

void RemoteWriter::count(const RemoteWritten& written, const Work& work) {
  auto& c = *counters_;
  c.requests.add();
  c.samples.add(written.samples);
  c.conflicting.add(written.conflicting);
  c.too_old.add(written.too_old);
  c.too_new.add(written.too_new);
  c.bad_labels.add(written.bad_labels);
  c.over_limits.add(written.over_limits);
  c.histograms.add(written.histograms);
  c.exemplars.add(written.exemplars);
  c.exemplars_kept.add(written.exemplars_kept);
  c.metadata.add(work.reader.metadata());
  c.parsed.add(work.parsed);
}

}  // namespace atalaya::ingest
