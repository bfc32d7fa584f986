#include "tsdb/head/tenant_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>

#include "base/bytes.h"
#include "base/check.h"

namespace atalaya::tsdb {
namespace {

constexpr std::size_t kAhead = 8;               ///< how many samples before its turn a state is fetched
constexpr std::size_t kSamplesALock = 4096;     ///< applied before readers get a chance
constexpr std::size_t kSharedLabels = 1 << 16;  ///< label sets kept for whoever asks again

Status check_labels(const Labels& labels, const HeadLimits& limits) {
  if (labels.empty()) return fail(ErrorCode::kInvalidArgument, "a series without labels");
  std::size_t count = 0;
  for (const auto& [name, value] : labels) {
    ++count;
    if (name.size() > limits.max_label_name_bytes) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("label name of {} bytes; {} is {}", name.size(),
                                                           limits.names.label_name_bytes, limits.max_label_name_bytes));
    }
    if (value.size() > limits.max_label_value_bytes) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("value of label {} has {} bytes; {} is {}", name, value.size(),
                              limits.names.label_value_bytes, limits.max_label_value_bytes));
    }
    if (!is_utf8(name) || !is_utf8(value)) return fail(ErrorCode::kInvalidArgument, "a label that is not UTF-8");
  }
  if (count > limits.max_labels_per_series) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} labels; {} is {}", count, limits.names.labels, limits.max_labels_per_series));
  }
  return {};
}

/// By the committer, while a checkpoint may be looking.
void mark_defined(SeriesState& state, bool defined) {
  std::atomic_ref(state.defined).store(defined, std::memory_order_relaxed);
}

/// `time` is not after `youngest`; no difference is too large for this.
bool is_behind(std::int64_t youngest, std::int64_t time, Duration window) {
  return static_cast<std::uint64_t>(youngest) - static_cast<std::uint64_t>(time) >
         static_cast<std::uint64_t>(window.count());
}

void append_in_range(const LateSamples::Samples* samples, storage::TimeRange range, std::vector<Sample>& out) {
  if (!samples) return;
  std::vector<Sample> mine;
  const auto is_before = [](const Sample& sample, Time time) { return sample.time < time; };
  for (auto it = std::lower_bound(samples->begin(), samples->end(), range.from, is_before);
       it != samples->end() && it->time <= range.to; ++it) {
    mine.push_back(*it);
  }
  std::vector<Sample> merged;
  merge_samples(std::move(out), mine, merged);
  out = std::move(merged);
}

}  // namespace

void HeadSnapshot::read(storage::TimeRange range, std::vector<Sample>& out) const {
  if (late.empty()) {
    older.read(range, out);
    current.read(range, out);
    return;
  }
  std::vector<Sample> in_order;
  older.read(range, in_order);
  current.read(range, in_order);
  std::vector<Sample> wanted;
  append_in_range(&late, range, wanted);
  merge_samples(std::move(in_order), wanted, out);
}

Time HeadSnapshot::oldest() const {
  Time out = late.empty() ? kMaxTime : late.front().time;
  for (const auto* view : {&older, &current}) {
    if (!view->empty()) out = std::min(out, view->first());
  }
  return out;
}

bool HeadSnapshot::holds(storage::TimeRange range) const {
  const auto in_range = [&](const Sample& sample) { return sample.time >= range.from && sample.time <= range.to; };
  if (std::any_of(late.begin(), late.end(), in_range)) return true;
  std::vector<Sample> found;
  for (const auto* view : {&older, &current}) {
    if (!view->empty() && view->first() <= range.to) view->read(range, found);
  }
  return !found.empty();
}

Result<SeriesId> TenantHead::resolve(const Labels& labels, const HeadLimits& limits, std::uint32_t now) {
  std::vector<std::uint32_t> pairs;
  // One that was deleted counts as new, but it takes no more memory.
  const bool forgotten_may_come = limits.max_series_per_tenant == 0;
  {
    const std::shared_lock lock(mutex_);
    if (index_->look_up(labels, pairs)) {
      if (const auto id = index_->find(pairs); id != 0 && (forgotten_may_come || !forgotten_.contains(id))) {
        std::atomic_ref(states_.find(id)->used).store(now, std::memory_order_relaxed);
        return SeriesId{id};
      }
    }
  }
  AT_TRY(check_labels(labels, limits));
  const std::unique_lock lock(mutex_);
  if (count_live() >= limits.max_series_per_tenant || states_.next() == UINT32_MAX) {
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("{} series; {} is {}", count_live(), limits.names.series, limits.max_series_per_tenant),
                "send fewer distinct label sets, or raise the limit");
  }
  index_->intern(labels, pairs);
  if (const auto id = index_->find(pairs); id != 0) {
    forgotten_.erase(id);
    states_.find(id)->used = now;
    return SeriesId{id};
  }
  return SeriesId{make(states_.next(), pairs, now)};
}

std::uint32_t TenantHead::make(std::uint32_t id, PairSpan pairs, std::uint32_t now) {
  auto& state = states_.make(id);
  const auto kept = index_->add(id, pairs);
  state.pairs = kept.data();
  state.pair_count = static_cast<std::uint8_t>(kept.size());
  state.used = now;
  state.generation = generation_;
  return id;
}

std::vector<std::uint32_t> TenantHead::restore(const DefinitionsView& definitions, std::uint32_t now) {
  const std::unique_lock lock(mutex_);
  std::vector<std::uint32_t> numbers;
  numbers.reserve(definitions.pairs.size());
  for (const auto& [name, value] : definitions.pairs) numbers.push_back(index_->intern(name, value));
  std::vector<std::uint32_t> ids = definitions.ids;
  std::vector<std::uint32_t> pairs;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    pairs.clear();
    for (const auto member : definitions.members_of(i)) pairs.push_back(numbers[member]);
    // The log says it of this series, also where it goes on under another one.
    states_.skip_to(ids[i] + 1);
    if (const auto known = index_->find(pairs); known != 0) {
      ids[i] = known;
      continue;
    }
    if (states_.find(ids[i])) ids[i] = states_.next();
    make(ids[i], pairs, now);
    states_.find(ids[i])->defined = ids[i] == definitions.ids[i];
  }
  return ids;
}

void TenantHead::find_bound(std::span<const storage::SeriesKey> keys, std::span<SeriesId> ids) const {
  const std::shared_lock lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i + kAhead < keys.size()) keys_.prefetch(keys[i + kAhead]);
    ids[i] = SeriesId{keys_.find(keys[i])};
  }
}

void TenantHead::bind(const storage::SeriesKey& key, SeriesId id) {
  const std::unique_lock lock(mutex_);
  if (!states_.find(id.value()) || key == storage::SeriesKey{}) return;
  // One series may be named in many ways, by whoever means ill: then all are learned again.
  if (keys_.size() > 4 * index_->size() + 1024) keys_ = KeyMap{};
  keys_.set(key, static_cast<std::uint32_t>(id.value()));
}

std::shared_ptr<const Labels> TenantHead::share_labels(std::uint32_t id, const SeriesState& state) const {
  const std::lock_guard lock(labels_mutex_);
  auto& known = shared_labels_[id];
  if (!known) {
    auto labels = std::make_shared<const Labels>(index_->labels({state.pairs, state.pair_count}));
    if (shared_labels_.size() > kSharedLabels) {
      shared_labels_.clear();
      return shared_labels_[id] = std::move(labels);
    }
    known = std::move(labels);
  }
  return known;
}

std::shared_ptr<const Labels> TenantHead::labels_of(std::uint64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto* state = states_.find(id);
  return state ? share_labels(static_cast<std::uint32_t>(id), *state) : nullptr;
}

std::size_t TenantHead::live() const {
  const std::shared_lock lock(mutex_);
  return count_live();
}

std::size_t TenantHead::known() const {
  const std::shared_lock lock(mutex_);
  return index_->size();
}

std::uint32_t TenantHead::next_id() const {
  const std::shared_lock lock(mutex_);
  return states_.next();
}

void TenantHead::skip_ids_to(std::uint32_t next) {
  const std::unique_lock lock(mutex_);
  states_.skip_to(next);
}

std::uint32_t TenantHead::find(const Labels& labels) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::uint32_t> pairs;
  return index_->look_up(labels, pairs) ? index_->find(pairs) : 0;
}

/// The sample of that series and time that is in memory, or accepted and on its way there.
std::optional<double> TenantHead::present(std::uint32_t id, const SeriesState& state, Time time) {
  if (to_ms(time) == state.last_time) return std::bit_cast<double>(state.last_value);
  if (!group_is_named_) {
    group_is_named_ = true;
    for (const auto& samples : {std::span<const storage::SeriesSample>(group_), staging_}) {
      for (const auto& sample : samples) {
        group_names_.insert({{sample.series.value(), to_ms(sample.time)}, sample.value});
      }
    }
  }
  if (const auto it = group_names_.find({id, to_ms(time)}); it != group_names_.end()) return it->second;
  std::vector<Sample> found;
  snapshot(id, state, {time, time}).read({time, time}, found);
  if (found.empty()) return std::nullopt;
  return found.front().value;
}

bool TenantHead::is_reopened(const SeriesState& state, Time time) const {
  const auto is_meant = [&](const Reopened& one) {
    return time >= one.range.from && time <= one.range.to &&
           matches(one.matchers, index_->labels({state.pairs, state.pair_count}));
  };
  return std::any_of(reopened_.begin(), reopened_.end(), is_meant);
}

void TenantHead::reopen(const Matchers& matchers, storage::TimeRange range) {
  constexpr std::size_t kMost = 64;
  reopened_.push_back({matchers, range});
  if (reopened_.size() > kMost) reopened_.pop_front();
}

/// Before this a series takes nothing; only asked as far as it matters to a sample of that time.
Time TenantHead::oldest_of(const SeriesState& state, Time time, const AcceptedTimes& times) const {
  if (time >= times.oldest || !times.oldest_of) return times.oldest;
  return times.oldest_of(index_->labels({state.pairs, state.pair_count}));
}

/// Whether a sample that is not younger than all of its series' goes in.
bool TenantHead::take_late(std::uint32_t id, const SeriesState& state, const storage::SeriesSample& sample,
                           const AcceptedTimes& times, storage::Appended& counts) {
  const auto oldest = oldest_of(state, sample.time, times);
  const bool aged = sample.time < oldest;
  const bool behind = is_behind(state.staged_time, to_ms(sample.time), times.window);
  const bool outside = aged || (behind && !is_reopened(state, sample.time));
  const bool is_youngest = to_ms(sample.time) == state.last_time && state.last_time != INT64_MIN;
  if (!outside || is_youngest) {
    const auto there = present(id, state, sample.time);
    if (!there) return true;
    ++counts.duplicate;
    if (std::bit_cast<std::uint64_t>(*there) != std::bit_cast<std::uint64_t>(sample.value)) {
      ++counts.conflicting;
      counts.name(sample, storage::Refusal::kDuplicate);
    }
    return false;
  }
  ++counts.too_old;
  if (aged) {
    counts.name(sample, storage::Refusal::kTooOld, oldest);
  } else {
    counts.name(sample, storage::Refusal::kTooLate, from_ms(state.staged_time) - times.window);
  }
  return false;
}

Status TenantHead::stage(std::span<const storage::SeriesSample> samples, const AcceptedTimes& times,
                         storage::Appended& counts, std::vector<storage::SeriesSample>& accepted,
                         std::vector<std::uint32_t>& undefined) {
  const std::shared_lock lock(mutex_);
  for (const auto& sample : samples) {
    if (!states_.find(sample.series.value())) {
      // It may have been retired since it was looked up: who sends the samples again looks it up again.
      return fail(ErrorCode::kUnavailable, fmt::format("no series has the id {} any more", sample.series.value()));
    }
  }
  const auto begin = accepted.size();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (i + kAhead < samples.size()) states_.prefetch(samples[i + kAhead].series.value());
    const auto& sample = samples[i];
    const auto id = static_cast<std::uint32_t>(sample.series.value());
    auto& state = *states_.find(id);
    const auto time = to_ms(sample.time);
    if (sample.time > times.newest) {
      ++counts.too_new;
      counts.name(sample, storage::Refusal::kTooNew, times.newest);
      continue;
    }
    if (time > state.staged_time && sample.time >= oldest_of(state, sample.time, times)) {
      state.staged_time = time;
    } else {
      staging_ = std::span(accepted).subspan(begin);
      if (!take_late(id, state, sample, times, counts)) continue;
    }
    if (!state.defined) {
      mark_defined(state, true);
      undefined.push_back(id);
    }
    accepted.push_back(sample);
    if (group_is_named_) group_names_.insert({{id, time}, sample.value});
  }
  const auto taken = std::span(accepted).subspan(begin);
  if (!group_is_named_) group_.insert(group_.end(), taken.begin(), taken.end());
  return {};
}

std::size_t TenantHead::erase_unknown(std::vector<storage::SeriesSample>& samples) const {
  const std::shared_lock lock(mutex_);
  return std::erase_if(samples, [&](const auto& sample) { return !states_.find(sample.series.value()); });
}

void TenantHead::end_group() {
  group_.clear();
  group_names_.clear();
  group_is_named_ = false;
}

void TenantHead::unstage(std::span<const storage::SeriesSample> samples, std::span<const std::uint32_t> defined) {
  const std::shared_lock lock(mutex_);
  for (const auto& sample : samples) {
    if (auto* state = states_.find(sample.series.value())) state->staged_time = state->last_time;
  }
  for (const auto id : defined) {
    if (auto* state = states_.find(id)) mark_defined(*state, false);
  }
}

void TenantHead::unstage_last(std::span<const storage::SeriesSample> samples, std::span<const std::uint32_t> defined) {
  unstage(samples, defined);
  const std::shared_lock lock(mutex_);
  const auto stands = [&](std::uint64_t id, std::int64_t time) {
    if (auto* state = states_.find(id)) state->staged_time = std::max(state->staged_time, time);
  };
  if (group_is_named_) {
    for (const auto& sample : samples) group_names_.erase({sample.series.value(), to_ms(sample.time)});
    for (const auto& [name, value] : group_names_) stands(name.id, name.time);
    return;
  }
  AT_CHECK(group_.size() >= samples.size());
  group_.resize(group_.size() - samples.size());
  for (const auto& sample : group_) stands(sample.series.value(), to_ms(sample.time));
}

/// The first sample of a series in this generation: what it has of the one before stays reachable.
void TenantHead::enter_generation(SeriesState& state) {
  state.older = 0;
  if (state.chunk != 0 && older_arena_ && state.generation + 1 == generation_) {
    older_arena_->line(state.chunk).words[1] = state.count;
    state.older = state.chunk;
  }
  state.chunk = 0;
  state.generation = generation_;
}

void TenantHead::apply(std::span<const storage::SeriesSample> samples, std::uint32_t now) {
  for (std::size_t begin = 0; begin < samples.size(); begin += kSamplesALock) {
    const auto slice = samples.subspan(begin, std::min(kSamplesALock, samples.size() - begin));
    const std::unique_lock lock(mutex_);
    for (std::size_t i = 0; i < slice.size(); ++i) {
      if (i + kAhead < slice.size()) states_.prefetch(slice[i + kAhead].series.value());
      const auto& sample = slice[i];
      auto* state = states_.find(sample.series.value());
      AT_CHECK(state != nullptr);
      const auto time = to_ms(sample.time);
      state->used = now;
      if (time <= state->last_time) {
        late_.add(static_cast<std::uint32_t>(sample.series.value()), {sample.time, sample.value});
        continue;
      }
      if (state->last_time == INT64_MIN && !forgotten_.empty()) {
        forgotten_.erase(static_cast<std::uint32_t>(sample.series.value()));
      }
      if (state->generation != generation_) enter_generation(*state);
      append(*state, *arena_, chunk_samples_, time, sample.value);
      if (state->staged_time < time) state->staged_time = time;
    }
  }
}

HeadSnapshot TenantHead::snapshot(std::uint32_t id, const SeriesState& state, storage::TimeRange range) const {
  HeadSnapshot out;
  if (state.generation == generation_) {
    if (older_arena_ && state.older != 0) out.older = StreamView::of(older_arena_, state.older, 0, range);
    if (state.chunk != 0) out.current = StreamView::of(arena_, state.chunk, state.count, range);
  } else if (older_arena_ && state.chunk != 0 && state.generation + 1 == generation_) {
    out.older = StreamView::of(older_arena_, state.chunk, state.count, range);
  }
  append_in_range(older_late_.find(id), range, out.late);
  append_in_range(late_.find(id), range, out.late);
  return out;
}

namespace {

/// Chunks overlap the range; whether a sample of them lies in it is mostly plain, else they are read.
bool has_samples(const HeadSnapshot& samples, std::int64_t last_time, storage::TimeRange range) {
  if (samples.empty()) return false;
  if (!samples.late.empty()) return true;
  if (from_ms(last_time) >= range.from && from_ms(last_time) <= range.to) return true;
  std::vector<Sample> found;
  samples.read(range, found);
  return !found.empty();
}

}  // namespace

Result<std::vector<TenantHead::Found>> TenantHead::select(const Matchers& matchers, storage::TimeRange range,
                                                          const std::function<Status(std::size_t)>& on_series,
                                                          LabelIndex::Stretch* only) const {
  const auto selected = [&] {
    const std::shared_lock lock(mutex_);
    auto ids = index_->select(matchers);
    if (ids && only) index_->keep(*ids, *only);
    if (ids) index_->sort_by_labels(*ids);
    return ids;
  };
  AT_TRY(const auto ids, selected());
  if (on_series) AT_TRY(on_series(ids.size()));
  const std::shared_lock lock(mutex_);
  std::vector<Found> out;
  out.reserve(ids.size());
  for (const auto id : ids) {
    const auto* state = states_.find(id);
    if (!state) continue;  // retired meanwhile
    auto samples = snapshot(id, *state, range);
    if (has_samples(samples, state->last_time, range)) {
      out.push_back({id, share_labels(id, *state), std::move(samples)});
    }
  }
  return out;
}

std::optional<TenantHead::Found> TenantHead::series(std::uint64_t id, storage::TimeRange range) const {
  const std::shared_lock lock(mutex_);
  const auto* state = states_.find(id);
  if (!state) return std::nullopt;
  const auto number = static_cast<std::uint32_t>(id);
  return Found{number, share_labels(number, *state), snapshot(number, *state, range)};
}

std::vector<std::string> TenantHead::label_names(const Matchers& matchers) const {
  const std::shared_lock lock(mutex_);
  return index_->label_names(matchers, forgotten());
}

std::vector<std::string> TenantHead::label_values(std::string_view name, const Matchers& matchers) const {
  const std::shared_lock lock(mutex_);
  return index_->label_values(name, matchers, forgotten());
}

Status TenantHead::visit_defined(const std::function<Status(std::span<const Definition>)>& visit) const {
  std::vector<Definition> slice;
  for (std::uint32_t from = 1; from != 0;) {
    slice.clear();
    {
      const std::shared_lock lock(mutex_);
      from = states_.visit(from, 16, [&](std::uint32_t id, const SeriesState& state) {
        const bool defined = std::atomic_ref(const_cast<bool&>(state.defined)).load(std::memory_order_relaxed);
        if (defined) slice.push_back({id, index_->labels({state.pairs, state.pair_count})});
      });
    }
    if (!slice.empty()) AT_TRY(visit(slice));
  }
  return {};
}

std::vector<Definition> TenantHead::definitions_of(std::span<const std::uint32_t> ids) const {
  const std::shared_lock lock(mutex_);
  std::vector<Definition> out;
  for (const auto id : ids) {
    const auto* state = states_.find(id);
    if (state) out.push_back({id, index_->labels({state->pairs, state->pair_count})});
  }
  return out;
}

std::size_t TenantHead::sample_bytes() const {
  const std::shared_lock lock(mutex_);
  return arena_->bytes() + (older_arena_ ? older_arena_->bytes() : 0) + late_.bytes() + older_late_.bytes();
}

TenantHead::Memory TenantHead::memory() const {
  const auto samples = sample_bytes();
  const std::shared_lock lock(mutex_);
  return {samples, states_.bytes() + index_->bytes() + keys_.bytes()};
}

}  // namespace atalaya::tsdb
