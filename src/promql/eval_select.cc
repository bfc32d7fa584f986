// Reading selectors.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "promql/evaluator.h"

namespace atalaya::promql {
namespace {

/// About what one that was found takes, beside its samples: labels, what reads it, its place in lists.
constexpr std::size_t kBytesOfSeries = 512;
/// From so many samples, or what takes as long, on another thread is worth its start.
constexpr std::size_t kWorkPerThread = 40'000;
constexpr std::size_t kWorkOfSeries = 20;  ///< beside its samples
/// What a thread takes at once: little, so that all end at about the same time.
constexpr std::size_t kWorkPerPortion = 20'000;
constexpr std::size_t kMostPerPortion = 16;  ///< series

/// The error of the first item that has one, whichever thread found it.
class FirstError {
 public:
  void offer(std::size_t at, Error error) {
    const std::lock_guard lock(mutex_);
    if (at < at_) {
      at_ = at;
      error_ = std::move(error);
    }
  }
  Status status() {
    if (error_) return std::unexpected(std::move(*error_));
    return {};
  }

 private:
  std::mutex mutex_;
  std::size_t at_ = SIZE_MAX;
  std::optional<Error> error_;
};

/// Between the samples on both sides; the earlier one alone when nothing follows. `next` is the first
/// sample at or after `at`.
std::optional<double> smoothed_value(std::span<const Sample> samples, std::size_t next, Time at, Duration lookback) {
  if (next < samples.size() && samples[next].time == at) return samples[next].value;
  if (next == 0 || samples[next - 1].time <= shifted(at, -lookback)) return std::nullopt;
  const auto& before = samples[next - 1];
  if (next == samples.size() || samples[next].time > shifted(at, lookback)) return before.value;
  const auto& after = samples[next];
  return before.value + (after.value - before.value) * static_cast<double>((at - before.time).count()) /
                            static_cast<double>((after.time - before.time).count());
}

}  // namespace

Result<EffectiveTimes> Evaluator::times_of(const Expression& selector) const {
  EffectiveTimes out;
  out.steps = steps_;
  AT_TRY(out.offset, length_of(selector.offset, query_.lengths, Sign::kAny));
  if (selector.at) {
    switch (selector.at->kind) {
      case AtModifier::Kind::kTime: out.fixed = selector.at->time; break;
      case AtModifier::Kind::kStart: out.fixed = query_.start; break;
      case AtModifier::Kind::kEnd: out.fixed = query_.end; break;
    }
  }
  return out;
}

Result<Evaluator::Sources> Evaluator::open(const Expression& selector, Time from, Time to, BucketUse use,
                                           Duration window) const {
  storage::SelectHints hints;
  hints.value = use.value;
  hints.with_bucket_before = window == Duration{0};
  if (use.will_do) hints.coarsest = coarsest_buckets(steps_, window);
  auto matchers = selector.matchers;
  matchers.insert(matchers.end(), query_.restrict.begin(), query_.restrict.end());
  std::vector<Error> damage;
  hints.on_damage = [&](const Error& error) { damage.push_back(error); };
  Budget::Held looked_up;
  hints.on_series = [&](std::size_t series) -> Status {
    AT_TRY(auto held, query_.budget.take(0, series * kBytesOfSeries));
    looked_up.join(std::move(held));
    return {};
  };
  const auto* clock = query_.account ? query_.account->clock : nullptr;
  const auto began = clock ? clock->steady() : Steady{};
  AT_TRY(auto found, query_.series.select_hinted(query_.tenant, matchers, {from, to}, hints));
  if (clock) query_.account->looking_up += clock->steady() - began;
  looked_up = {};
  for (auto& error : damage) {
    if (!query_.notes_are_read) return std::unexpected(std::move(error));
    query_.notes.warn_of_store(fmt::format("series or samples may be missing: {}", to_string(error)));
  }
  AT_TRY(query_.budget.keep(found.size() * kBytesOfSeries));
  Sources out;
  out.reserve(found.size());
  const storage::BucketSpan* youngest = nullptr;
  for (auto& series : found) {
    out.push_back({std::move(series.labels), false, std::move(series.samples), {}, std::move(series.buckets)});
    const auto& spans = out.back().buckets;
    if (!spans.empty() && (!youngest || spans.back().range.to > youngest->range.to)) youngest = &spans.back();
  }
  if (youngest) {
    query_.notes.info(selector.place,
                      fmt::format("buckets of {} stand for samples until {}", format_duration(youngest->length),
                                  format_rfc3339(youngest->range.to)));
  }
  return out;
}

Result<Budget::Held> Evaluator::load(Source& source, bool keeps_stale, std::vector<Sample>& out) const {
  out.clear();
  source.stored->take_rest(out);
  AT_TRY(auto held, query_.budget.take(out.size(), out.size() * sizeof(Sample)));
  if (!keeps_stale) std::erase_if(out, [](const Sample& sample) { return is_stale(sample.value); });
  if (auto status = source.stored->status(); !status) {
    if (!query_.notes_are_read) return std::unexpected(std::move(status).error());
    query_.notes.warn_of_store(
        fmt::format("samples of {} are missing: {}", to_string(*source.labels), to_string(status.error())));
  }
  return held;
}

Status Evaluator::for_each_series(Sources& sources, bool keeps_stale, const OfSeries& visit) const {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> at_once{1};
  std::atomic<bool> failed{false};
  FirstError error;
  const auto one = [&](std::size_t i, std::vector<Sample>& samples, std::size_t& work) -> Status {
    AT_TRY(query_.budget.go_on());
    auto& source = sources[i];
    work += kWorkOfSeries;
    if (!source.stored) {
      work += source.made.size();
      return visit(source, source.made, i);
    }
    AT_TRY(const auto held, load(source, keeps_stale, samples));
    work += samples.size();
    AT_TRY(visit(source, samples, i));
    source.stored.reset();
    return {};
  };
  const auto portion = [&](std::vector<Sample>& samples, std::size_t& work) {
    const auto count = at_once.load();
    const auto begin = next.fetch_add(count);
    if (begin >= sources.size()) return false;
    for (auto i = begin; i < std::min(begin + count, sources.size()) && !failed; ++i) {
      if (auto status = one(i, samples, work); !status) {
        error.offer(i, std::move(status).error());
        failed = true;
      }
    }
    return !failed;
  };
  const auto all = [&] {
    std::vector<Sample> samples;
    std::size_t work = 0;
    while (portion(samples, work)) continue;
  };
  // What the first series took tells whether the others are worth more threads.
  std::vector<std::jthread> helpers;
  std::vector<Sample> samples;
  std::size_t work = 0;
  while (portion(samples, work)) {
    const auto done = std::min(next.load(), sources.size());
    if (!helpers.empty()) continue;
    const auto of_one = std::max<std::size_t>(work / done, 1);
    const auto left = of_one * (sources.size() - done);
    at_once = std::clamp<std::size_t>(kWorkPerPortion / of_one, 1, kMostPerPortion);
    if (left < kWorkPerThread) continue;
    const auto wanted =
        std::min<std::size_t>({query_.limits.threads, left / kWorkPerThread + 1, sources.size() - done});
    for (std::size_t i = 1; i < wanted; ++i) helpers.emplace_back(all);
  }
  helpers.clear();
  return error.status();
}

Result<Table> Evaluator::instant_selector(const Expression& selector, Show show) {
  AT_TRY(const auto times, times_of(selector));
  const bool smoothed = selector.extension == "smoothed";
  const auto lookback = query_.limits.lookback;
  const Time from = shifted(times.at(0), -lookback + Duration{1});  // open on the left
  const Time to = shifted(times.at(steps_.count - 1), smoothed ? lookback : Duration{0});
  AT_TRY(auto sources, open(selector, from, to, {storage::BucketValue::kLast, true}));
  return look_back(std::move(sources), times, show, smoothed);
}

Result<Table> Evaluator::look_back(Sources sources, const EffectiveTimes& times, Show show, bool smoothed) {
  Table table = empty();
  AT_TRY(table.add_rows(query_.budget, sources.size()));
  const auto usual = query_.limits.lookback;
  const auto row = [&](Source& source, std::span<const Sample> samples, std::size_t i) -> Status {
    table.head(i).labels = source.labels;
    const auto cells = table.cells(i);
    std::size_t next = 0;  // the first sample after the step, or at it when smoothed
    for (std::size_t step = 0; step < steps_.count; ++step) {
      const Time at = times.at(step);
      const auto lookback = source.buckets.empty() ? usual : look_back_at(source.buckets, at, usual);
      while (next < samples.size() && (smoothed ? samples[next].time < at : samples[next].time <= at)) ++next;
      if (smoothed) {
        if (const auto value = smoothed_value(samples, next, at, lookback)) cells[step] = *value;
        continue;
      }
      if (next == 0) continue;
      const auto& last = samples[next - 1];
      if (last.time <= shifted(at, -lookback) || is_stale(last.value)) continue;
      cells[step] = show == Show::kTimestamp ? to_seconds(last.time) : last.value;
    }
    if (query_.account) count(values_in(cells));
    return {};
  };
  AT_TRY(for_each_series(sources, !smoothed, row));
  table.drop_empty();
  return table;
}

}  // namespace atalaya::promql
