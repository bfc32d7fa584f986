#include "tsdb/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "telemetry/log.h"
#include "tsdb/store_impl.h"

namespace atalaya::tsdb {
namespace {

HeadLimits limits_of(const Options& o) {
  constexpr std::size_t kMostLabels = 255;  // SeriesState counts them in a byte
  return HeadLimits{o.max_series_per_tenant, std::min(o.max_labels_per_series, kMostLabels), o.max_label_name_bytes,
                    o.max_label_value_bytes, o.limit_names};
}

bool keeps_buckets(const Options& o) {
  const Retention kept({o.retention, o.keep_five_minutes, o.keep_one_hour}, o.classes);
  return kept.keeps(kFiveMinutes) || kept.keeps(kOneHour);
}

}  // namespace

Store::Impl::Impl(io::FileSystem& file_system, const Clock& c, telemetry::Registry& registry, Options o)
    : files(file_system),
      clock(c),
      options(std::move(o)),
      retention({options.retention, options.keep_five_minutes, options.keep_one_hour}, options.classes),
      metrics(registry),
      head(options.head_chunk_samples),
      blocks(files, options.directory + "/blocks",
             options.memory_bytes == 0 ? options.page_cache_bytes
                                       : std::min(options.page_cache_bytes, options.memory_bytes / 8)),
      deletes(files, options.directory + "/deletes"),
      rotated(clock.now()),
      rates(options.max_samples_per_second),
      queue(
          {options.queue_batches, options.queue_samples, options.gather}, options.maintenance, options.commit_inline,
          [this](std::vector<Pending> group) { commit(group); }, [] {}) {}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() { stop(); }

Result<std::unique_ptr<Store>> Store::open(io::FileSystem& files, const Clock& clock, telemetry::Registry& metrics,
                                           Options options) {
  if (options.partition.count() % kOneHour != 0 && keeps_buckets(options)) {
    return fail(ErrorCode::kInvalidArgument,
                "a stretch of blocks is not whole hours, so it cannot hold buckets of one");
  }
  auto impl = std::make_unique<Impl>(files, clock, metrics, std::move(options));
  AT_TRY(impl->load());
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

void Store::start() {
  if (impl_->options.commit_inline) return;
  impl_->queue.start();
  if (!impl_->worker.joinable()) impl_->worker = std::thread([this] { impl_->work(); });
}

void Store::stop() {
  impl_->queue.stop();
  {
    const std::lock_guard lock(impl_->waking);
    if (std::exchange(impl_->stopping, true)) return;
  }
  impl_->wake.notify_all();
  if (impl_->worker.joinable()) impl_->worker.join();
  if (impl_->options.flush_on_stop) {
    const std::lock_guard lock(impl_->maintaining);
    if (impl_->past_before != 0) {
      telemetry::log_info("tsdb", "the log was not read to its end: it stays until the next start");
    } else if (auto status = impl_->flush_locked(true, true); !status) {
      telemetry::log_warn("tsdb", "memory stays in the log until the next start",
                          {{"error", to_string(status.error())}});
    }
  }
  const std::lock_guard lock(impl_->writing);
  impl_->log->seal();
}

const OpenReport& Store::report() const { return impl_->report; }
void Store::maintain() { impl_->maintain(); }

Status Store::flush() {
  const std::lock_guard lock(impl_->maintaining);
  return impl_->flush_locked(true);
}

Status Store::compact() {
  const std::lock_guard lock(impl_->maintaining);
  AT_TRY(impl_->erase_deleted());
  AT_TRY(impl_->merge(true));
  return impl_->is_settled() ? impl_->roll_up() : Status{};
}

Status Store::delete_series(const TenantId& tenant, const Matchers& matchers, storage::TimeRange range) {
  return impl_->delete_series(tenant, matchers, range);
}

Result<std::string> Store::snapshot() { return impl_->snapshot(); }
Status Store::remove_snapshot(const std::string& name) { return impl_->remove_snapshot(name); }
Result<std::vector<std::string>> Store::verify() { return impl_->verify(); }

std::vector<std::string> Store::set_aside() const { return impl_->set_aside().paths; }

Cardinality Store::cardinality(const TenantId& tenant, std::size_t limit) const {
  const auto* head = impl_->head.find(tenant);
  if (!head) return {};
  auto found = head->cardinality();
  for (auto* counts : {&found.metrics, &found.values, &found.series_of_pairs, &found.value_bytes}) {
    const auto kept = std::min(limit, counts->size());
    std::partial_sort(
        counts->begin(), counts->begin() + static_cast<std::ptrdiff_t>(kept), counts->end(),
        [](const auto& a, const auto& b) { return std::tie(b.second, a.first) < std::tie(a.second, b.first); });
    counts->resize(kept);
  }
  return found;
}

std::vector<BlockMeta> Store::blocks() const {
  std::vector<BlockMeta> out;
  const auto all_blocks = impl_->blocks.list();
  for (const auto& block : *all_blocks) out.push_back(block->meta());
  return out;
}

/// What is left goes to those who have less than others, as long as there is any.
bool Store::Impl::admits_to_little(const TenantHead& tenant) const {
  if (series_are_full || (options.budget && options.budget->is_full())) return false;
  return tenant.live() < fair_series;
}

Result<SeriesId> Store::resolve(const TenantId& tenant, const Labels& labels) {
  if (!is_valid(tenant)) return fail(ErrorCode::kInvalidArgument, "not a tenant's name: " + tenant.value());
  const auto& options = impl_->options;
  auto limits = limits_of(options);
  // Measured on the way too: between two looks of a second many a series is made.
  constexpr std::uint32_t kBetweenMeasuring = 1024;
  if (options.budget && ++impl_->resolved % kBetweenMeasuring == 0) (void)options.budget->is_full();
  const bool is_tight = options.budget && options.budget->is_tight();
  const bool is_little = impl_->series_are_many || is_tight;
  auto& mine = impl_->head.at(tenant);
  const auto make = [&](std::size_t most) {
    limits.max_series_per_tenant = most;
    return mine.resolve(labels, limits, impl_->now_seconds());
  };
  auto id = make(is_little ? 0 : options.max_series_per_tenant);  // what is known goes on
  bool is_full = is_little;
  if (is_little && !id && id.error().code == ErrorCode::kResourceExhausted && impl_->admits_to_little(mine)) {
    id = make(options.max_series_per_tenant);
    is_full = false;
  }
  if (id) return id;
  if (id.error().code != ErrorCode::kResourceExhausted) {
    impl_->metrics.series_labels.add();
  } else if (is_full) {
    impl_->metrics.series_no_memory.add();
    impl_->complain_of_series(tenant, labels, "memory");
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("no memory for another series; {} is {}",
                            is_tight ? options.limit_names.budget : options.limit_names.memory,
                            is_tight ? options.budget->limit() : options.memory_bytes),
                "send fewer distinct label sets, delete some, or give the server more");
  } else {
    impl_->metrics.series_limit.add();
    impl_->complain_of_series(tenant, labels, "limit");
  }
  return id;
}

void Store::find_bound(const TenantId& tenant, std::span<const storage::SeriesKey> keys,
                       std::span<SeriesId> ids) const {
  if (const auto* head = impl_->head.find(tenant)) return head->find_bound(keys, ids);
  std::fill(ids.begin(), ids.end(), SeriesId{0});
}

void Store::bind(const TenantId& tenant, const storage::SeriesKey& key, SeriesId id) {
  if (auto* head = impl_->head.find(tenant)) head->bind(key, id);
}

void Store::append(const TenantId& tenant, storage::SampleBatch batch, storage::AppendDone done) {
  if (impl_->memory_is_full) {
    impl_->metrics.memory_full.add();
    return done(fail(ErrorCode::kResourceExhausted, "memory is full of samples that wait to be written to blocks",
                     "send again later"));
  }
  const auto weight = batch.samples.size();
  if (!impl_->rates.admit(tenant, weight, impl_->clock.steady())) {
    impl_->metrics.rate.add();
    return done(fail(ErrorCode::kResourceExhausted,
                     fmt::format("more than {} samples a second; {} is {}", impl_->options.max_samples_per_second,
                                 impl_->options.limit_names.samples_per_second, impl_->options.max_samples_per_second),
                     "send less, or raise the limit"));
  }
  Impl::Pending pending{tenant, std::move(batch), std::move(done)};
  using Pushed = storage::CommitQueue<Impl::Pending>::Pushed;
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

Status Store::replay(storage::LogPosition after, const storage::SamplesListener& listener) const {
  return impl_->replay(after, listener);
}

}  // namespace atalaya::tsdb
