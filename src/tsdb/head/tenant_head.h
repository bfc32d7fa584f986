// The series of one tenant that get samples now, and the samples that are in no block yet.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "storage/series.h"
#include "tsdb/cardinality.h"
#include "tsdb/head/key_map.h"
#include "tsdb/head/label_index.h"
#include "tsdb/head/late_samples.h"
#include "tsdb/head/states.h"
#include "tsdb/limit_names.h"
#include "tsdb/log/records.h"

namespace atalaya::tsdb {

struct HeadLimits {
  std::size_t max_series_per_tenant = 1'000'000;
  std::size_t max_labels_per_series = 64;  ///< at most 255
  std::size_t max_label_name_bytes = 256;
  std::size_t max_label_value_bytes = 4096;
  LimitNames names;
};

/// Which samples a head takes.
struct AcceptedTimes {
  Time oldest;      ///< retention; that of the class which is kept shortest, if there are some
  Time newest;      ///< a clock that is ahead
  Duration window;  ///< how far behind a series' youngest sample one may come
  /// The retention of a series, asked where `oldest` does not do; null: `oldest` is that of all.
  std::function<Time(const Labels&)> oldest_of = nullptr;
};

/// Samples of one series in memory: stays as it is, whatever comes after. Immutable.
struct HeadSnapshot {
  StreamView older;    ///< being written to a block
  StreamView current;  ///< after it
  std::vector<Sample> late;

  bool empty() const { return older.empty() && current.empty() && late.empty(); }
  /// Of the oldest sample, about: none is older. kMaxTime without any.
  Time oldest() const;
  /// Whether a sample lies in the range.
  bool holds(storage::TimeRange range) const;
  /// Appends what lies in the range, ascending.
  void read(storage::TimeRange range, std::vector<Sample>& out) const;
};

/// Operation: samples are staged (looked at), written to the log by the store, then applied. `rotate`
/// begins a new generation; the one before is read by the thread that writes blocks, and dropped once
/// they serve.
///
/// Concurrency: thread-safe, but `stage`, `apply`, `unstage`, `rotate`, `drop_older` and `retire_idle`
/// are for one thread at a time (the store holds its writing lock).
class TenantHead {
 public:
  explicit TenantHead(std::uint16_t chunk_samples) : chunk_samples_(chunk_samples) {}

  // Series.
  Result<SeriesId> resolve(const Labels& labels, const HeadLimits& limits, std::uint32_t now);
  /// From the log: series with the ids they had; limits were looked at once. Labels that have another
  /// id already keep that one. Of each series its id now.
  std::vector<std::uint32_t> restore(const DefinitionsView& definitions, std::uint32_t now);
  void find_bound(std::span<const storage::SeriesKey> keys, std::span<SeriesId> ids) const;
  void bind(const storage::SeriesKey& key, SeriesId id);
  std::shared_ptr<const Labels> labels_of(std::uint64_t id) const;
  /// How many series may get samples, those left out that were deleted and got none since.
  std::size_t live() const;
  /// With them, as they take memory until they are retired.
  std::size_t known() const;
  std::uint32_t next_id() const;
  void skip_ids_to(std::uint32_t next);

  // Writing.
  /// Leaves in `accepted` what is new, and in `undefined` the series among them that the log does not
  /// know; adds to the counts. invalid_argument for an id that is not there.
  Status stage(std::span<const storage::SeriesSample> samples, const AcceptedTimes& times, storage::Appended& counts,
               std::vector<storage::SeriesSample>& accepted, std::vector<std::uint32_t>& undefined);
  /// Takes out samples whose series is not there; how many.
  std::size_t erase_unknown(std::vector<storage::SeriesSample>& samples) const;
  /// What was staged did not get into the log, nor did the definitions.
  void unstage(std::span<const storage::SeriesSample> samples, std::span<const std::uint32_t> defined);
  /// The same of the batch that was staged last, alone: the group goes on without it.
  void unstage_last(std::span<const storage::SeriesSample> samples, std::span<const std::uint32_t> defined);
  /// Between the last `stage` of a group and its first `apply`.
  void end_group();
  /// Samples that `stage` accepted, in the same order.
  void apply(std::span<const storage::SeriesSample> samples, std::uint32_t now);

  // Reading.
  struct Found {
    std::uint32_t id = 0;
    std::shared_ptr<const Labels> labels;
    HeadSnapshot samples;
  };
  /// Series that match and have samples in the range, in the order of their labels.
  /// `on_series`, when given: as storage::SelectHints has it; `only`, when given: as LabelIndex::keep has it.
  Result<std::vector<Found>> select(const Matchers& matchers, storage::TimeRange range,
                                    const std::function<Status(std::size_t)>& on_series = nullptr,
                                    LabelIndex::Stretch* only = nullptr) const;
  std::optional<Found> series(std::uint64_t id, storage::TimeRange range) const;
  std::vector<std::string> label_names(const Matchers& matchers) const;
  std::vector<std::string> label_values(std::string_view name, const Matchers& matchers) const;
  /// The id of the series with these labels; 0 when there is none.
  std::uint32_t find(const Labels& labels) const;

  // Generations.
  void rotate();
  bool has_older() const { return older_arena_ != nullptr; }
  void drop_older();
  /// What a writer of blocks reads of the older generation. Labels ascending.
  struct OlderSeries {
    std::uint32_t id = 0;
    PairSpan pairs;
    std::uint32_t chunk = 0;
    std::uint16_t open_count = 0;
  };
  std::vector<OlderSeries> older_series() const;
  std::vector<Labels> labels_of(std::span<const OlderSeries> series) const;
  /// These series, labels ascending, without samples.
  std::vector<OlderSeries> in_order(std::span<const std::uint32_t> ids) const;
  /// Ascending; replaces what the vectors hold.
  void read_older(const OlderSeries& series, std::vector<std::int64_t>& times, std::vector<double>& values) const;

  /// Samples of series that match, of the range, are taken from now on however late they come: some were deleted,
  /// and are perhaps sent again. The last few calls count. Excluded from stage.
  void reopen(const Matchers& matchers, storage::TimeRange range);
  /// The youngest samples of series that match (null: of all) and lie in the range are in no block any more:
  /// what comes again is new. Until then nobody is told of their labels by memory, and if there were matchers they
  /// neither count as live nor are they defined for the log. Of series without samples in memory; excluded from stage
  /// to apply.
  Status forget_youngest(const Matchers* matchers, storage::TimeRange range);

  /// Forgets series without samples in memory that were last used before `before`.
  void retire_idle(std::uint32_t before);
  /// Label sets that are kept for whoever asks again, if nobody has them now.
  void release_labels();
  /// Shows every series that the log defines, a few hundred at a time.
  Status visit_defined(const std::function<Status(std::span<const Definition>)>& visit) const;
  std::vector<Definition> definitions_of(std::span<const std::uint32_t> ids) const;

  /// In no order, and of all.
  Cardinality cardinality() const;

  struct Memory {
    std::size_t samples = 0;
    std::size_t series = 0;
  };
  Memory memory() const;
  std::size_t sample_bytes() const;  ///< Memory::samples; cheap

 private:
  struct SampleName {
    std::uint64_t id;
    std::int64_t time;
    bool operator==(const SampleName&) const = default;
  };
  struct SampleNameHash {
    std::size_t operator()(const SampleName& name) const {
      return (name.id * 0x9E3779B97F4A7C15 ^ static_cast<std::uint64_t>(name.time)) * 0xD6E8FEB86659FD93;
    }
  };
  std::uint32_t make(std::uint32_t id, PairSpan pairs, std::uint32_t now);
  HeadSnapshot snapshot(std::uint32_t id, const SeriesState& state, storage::TimeRange range) const;
  std::optional<double> present(std::uint32_t id, const SeriesState& state, Time time);
  bool is_reopened(const SeriesState& state, Time time) const;
  Time oldest_of(const SeriesState& state, Time time, const AcceptedTimes& times) const;
  bool take_late(std::uint32_t id, const SeriesState& state, const storage::SeriesSample& sample,
                 const AcceptedTimes& times, storage::Appended& counts);
  std::size_t count_live() const { return index_->size() - forgotten_.size(); }
  bool is_bare(std::uint32_t id) const;
  void count_chunks(Cardinality& out) const;
  LabelIndex::Ids forgotten() const;
  void enter_generation(SeriesState& state);
  std::shared_ptr<const Labels> share_labels(std::uint32_t id, const SeriesState& state) const;
  void rebuild_index();

  const std::uint16_t chunk_samples_;

  mutable std::shared_mutex mutex_;
  StateTable states_;                                                          ///< guarded by mutex_
  std::unique_ptr<LabelIndex> index_ = std::make_unique<LabelIndex>(states_);  ///< guarded by mutex_
  KeyMap keys_;                                                                ///< guarded by mutex_
  std::uint32_t generation_ = 1;                                               ///< guarded by mutex_
  std::shared_ptr<Arena> arena_ = std::make_shared<Arena>();                   ///< guarded by mutex_
  std::shared_ptr<Arena> older_arena_;  ///< guarded by mutex_; null when there is none
  LateSamples late_;                    ///< guarded by mutex_
  LateSamples older_late_;              ///< guarded by mutex_
  /// Guarded by mutex_: whose youngest sample was forgotten; those that have none now are not listed.
  LabelIndex::Ids forgotten_;

  mutable std::mutex labels_mutex_;
  mutable boost::unordered_flat_map<std::uint32_t, std::shared_ptr<const Labels>>
      shared_labels_;  ///< guarded by labels_mutex_

  struct Reopened {
    Matchers matchers;
    storage::TimeRange range;
  };
  std::deque<Reopened> reopened_;  ///< changed and read by who stages, or excludes them

  // The committer's alone.
  std::vector<storage::SeriesSample> group_;                            ///< accepted since the last end_group
  std::unordered_map<SampleName, double, SampleNameHash> group_names_;  ///< of it, once somebody had to know
  std::span<const storage::SeriesSample> staging_;  ///< accepted of the batch that is being looked at
  bool group_is_named_ = false;
};

}  // namespace atalaya::tsdb
