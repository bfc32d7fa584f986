// What everybody may expect of a store of time series. `tsdb` keeps this promise; `promql`, `rules`
// and `ingest` know nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/sample.h"
#include "storage/position.h"

namespace atalaya::storage {

struct SeriesSample {
  SeriesId series;
  Time time;
  double value = 0;
};

struct SampleBatch {
  std::vector<SeriesSample> samples;
  WriteOrigin origin;
};

/// Why a sample of a batch was not taken. kDuplicate: another value is there at that time. kTooOld: it would not be
/// kept. kTooLate: its series has samples that are younger by more than is taken.
enum class Refusal : std::uint8_t { kDuplicate, kTooOld, kTooLate, kTooNew };
struct RefusedSample {
  SeriesSample sample;
  Refusal why = Refusal::kTooOld;
  Time bound = kMinTime;  ///< the first instant that is not too old or late, or the last that is not too new
};
constexpr std::size_t kMaxNamedRefusals = 5;

/// What became of a batch. A refused sample does not refuse its neighbours.
struct Appended {
  LogPosition position;
  bool repeated = false;  ///< seen before from this origin: nothing was written
  std::uint32_t accepted = 0;
  /// Same series and time already there (the first value stays). What left memory is not looked at: such
  /// a sample is accepted, and the first value stays all the same.
  std::uint32_t duplicate = 0;
  std::uint32_t too_old = 0;         ///< outside retention, or out of order by more than is taken
  std::uint32_t too_new = 0;         ///< from a clock that is ahead
  std::uint32_t conflicting = 0;     ///< those of `duplicate` that have another value, bit for bit, than what stays
  std::vector<RefusedSample> named;  ///< the first few of those that are conflicting, too old or too new
  /// Remembers a refused sample as long as there is room.
  void name(const SeriesSample& sample, Refusal why, Time bound = kMinTime) {
    if (named.size() < kMaxNamedRefusals) named.push_back({sample, why, bound});
  }
};
using AppendDone = std::function<void(Result<Appended>)>;

/// A batch that has become durable and visible, told to listeners in order of position.
struct CommittedSamples {
  const TenantId& tenant;
  LogPosition position;
  std::span<const SeriesSample> samples;  ///< the accepted ones
};
using SamplesListener = std::function<void(const CommittedSamples&)>;

/// Stands for the bytes by which a protocol names a series: a keyed hash of 128 bits of them
/// (`io::keyed_hash`; the key is the process's own secret, so that nobody can make two names meet).
struct SeriesKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const SeriesKey&) const = default;
};

/// Recognises series by such bytes, without reading their labels. Thread-safe.
class SeriesKeys {
 public:
  virtual ~SeriesKeys() = default;
  /// `ids[i]` becomes the id bound to `keys[i]`, or 0 when there is none: then read the labels,
  /// `resolve` them and `bind`. Both spans are equally long.
  virtual void find_bound(const TenantId& tenant, std::span<const SeriesKey> keys, std::span<SeriesId> ids) const = 0;
  /// Forgotten with the series, so a cache that cannot outgrow the store.
  virtual void bind(const TenantId& tenant, const SeriesKey& key, SeriesId id) = 0;
};

/// How long an id may be kept without being used: resolve again after that.
constexpr Duration kIdIsGoodFor = std::chrono::minutes{30};

/// Thread-safe.
class SeriesAppender {
 public:
  virtual ~SeriesAppender() = default;
  /// The id of the series with these labels, made if new; ids are per tenant. resource_exhausted
  /// when a limit is hit. An id is good for kIdIsGoodFor after it was last resolved or appended to, and
  /// no other series ever gets it.
  virtual Result<SeriesId> resolve(const TenantId& tenant, const Labels& labels) = 0;
  /// Calls `done` exactly once, from the store's commit thread, after the batch survives a power
  /// cut and the next query sees it (and after the listeners heard of it), or with the error that
  /// kept it out as a whole. `done` must be short. resource_exhausted when the queue is full.
  virtual void append(const TenantId& tenant, SampleBatch batch, AppendDone done) = 0;
  /// Highest sequence remembered of this source; 0 if unknown.
  virtual std::uint64_t last_sequence(const TenantId& tenant, const std::string& source) const = 0;
};

/// What has been committed, as a stream: how judges and live views hear of samples. Thread-safe.
class SamplesFeed {
 public:
  virtual ~SamplesFeed() = default;
  /// Called on the commit thread, in order of position, before the batch's `done`. Register before
  /// the first append. A listener that blocks holds up every writer: that is the back-pressure.
  virtual void listen(SamplesListener listener) = 0;
  /// Hands over every committed batch with a position above `after`, in order, as far as the log
  /// still holds it: what a judge missed while the process was down.
  virtual Status replay(LogPosition after, const SamplesListener& listener) const = 0;
};

struct TimeRange {
  Time from = kMinTime;  ///< inclusive
  Time to = kMaxTime;    ///< inclusive
  bool operator==(const TimeRange&) const = default;
};

/// Ascending in time, one sample an instant; stale markers are samples. Thread-compatible.
class SampleIterator {
 public:
  virtual ~SampleIterator() = default;
  /// False at the end.
  virtual bool next(Sample& out) = 0;
  /// All that are left, behind what `out` holds already.
  virtual void take_rest(std::vector<Sample>& out) {
    for (Sample sample; next(sample);) out.push_back(sample);
  }
  /// After the end: corruption when some samples could not be read and are missing.
  virtual Status status() const { return {}; }
};

/// Which value of a bucket stands for the samples that were rolled up in it.
enum class BucketValue : std::uint8_t { kLast, kCount, kSum, kMin, kMax };

/// A part of what is selected, in the order of labels: for who goes through more series than fit into memory at once.
struct SeriesPage {
  Labels from = {};         ///< what sorts before it is left out
  std::size_t at_most = 1;  ///< series, of each place that keeps some (memory, each block); 1 or more
  /// Filled: where the page after this one begins; nothing where this is the last. A page may be empty and not the
  /// last, as series count for it that have no samples in the range.
  std::optional<Labels> next = std::nullopt;
};

/// What a reader makes of the samples: buckets may do where it looks far.
struct SelectHints {
  /// Buckets up to this long will do in place of samples that are still kept; 0: none will. Where only
  /// buckets are left, buckets are what there is.
  Duration coarsest{0};
  /// A sample that is no bucket has its value for each, but 1 for kCount; stale markers stay.
  BucketValue value = BucketValue::kLast;
  /// Where buckets serve, also the one that ends before the range: what holds until the next.
  bool with_bucket_before = false;
  /// Told of each part of the store that cannot be read while the rest is served (corruption): samples, or
  /// whole series, may be missing. Without it `select` answers that error.
  std::function<void(const Error&)> on_damage = nullptr;
  /// Asked before so many more series are looked up, which takes memory, though not all of them need to have samples
  /// in the range: its error ends the select.
  std::function<Status(std::size_t series)> on_series = nullptr;
  /// Only these series, if given; it outlives the call. Where `select_hinted` is only `select`, all come and there is
  /// no next page.
  SeriesPage* page = nullptr;
};

/// Where the samples of a series are values of buckets, each at the last instant of its bucket.
struct BucketSpan {
  TimeRange range;
  Duration length;
  bool operator==(const BucketSpan&) const = default;
};

struct SelectedSeries {
  SeriesId id;  ///< 0 for a series that gets no samples now: resolve its labels to append to it
  std::shared_ptr<const Labels> labels;
  std::unique_ptr<SampleIterator> samples;
  std::vector<BucketSpan> buckets = {};  ///< ascending; empty where all are samples as they came
};

/// Thread-safe. A query sees every batch acknowledged before it began.
class SeriesQuerier {
 public:
  virtual ~SeriesQuerier() = default;
  /// Series matching all matchers that have samples in the range, sorted by labels. At least one
  /// matcher must refuse the empty value, else invalid_argument.
  virtual Result<std::vector<SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                     TimeRange range) const = 0;
  /// As `select`, of buckets where the hints allow it or nothing else is left. A store without buckets
  /// gives samples, as for kLast. `on_damage` is called before it returns.
  virtual Result<std::vector<SelectedSeries>> select_hinted(const TenantId& tenant, const Matchers& matchers,
                                                            TimeRange range, const SelectHints&) const {
    return select(tenant, matchers, range);
  }
  /// After a start older samples may be still on their way: ranges that begin before this instant get the
  /// error unavailable.
  virtual Time complete_from() const { return kMinTime; }
  /// One known series: its samples in the range; not_found for an unknown id.
  virtual Result<SelectedSeries> series(const TenantId& tenant, SeriesId id, TimeRange range) const = 0;
  /// Null for an unknown id.
  virtual std::shared_ptr<const Labels> labels_of(const TenantId& tenant, SeriesId id) const = 0;
  virtual std::vector<std::string> label_names(const TenantId& tenant, const Matchers& matchers) const = 0;
  virtual std::vector<std::string> label_values(const TenantId& tenant, std::string_view name,
                                                const Matchers& matchers) const = 0;
};

}  // namespace atalaya::storage
