// Aggregators that answer each value at once, by what they remember of its series.
#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "model/sample.h"
#include "sense/aggregator.h"

namespace atalaya::sense {
namespace {

/// A series that stays away for this long, or for three of the sensor's periods if that is longer, is forgotten.
constexpr Duration kForgetAfter{std::chrono::minutes{15}};

/// One state for each label set. Values come in ascending order of time; others are late.
template <typename State>
class PerSeries : public Aggregator {
 public:
  explicit PerSeries(const AggregatorContext& context)
      : limits_(context.limits),
        counters_(*context.counters),
        forget_after_(std::max(kForgetAfter, 3 * context.period)) {}

  void push(std::size_t, const Record& record, Time now, std::vector<Record>& out) final {
    if (is_stale(record.value)) {
      entries_.erase(record.labels);
      out.push_back(record);
      return;
    }
    if (record.is_line() || !std::isfinite(record.value)) {
      ++counters_.not_numbers;
      return;
    }
    auto at = entries_.find(record.labels);
    const bool first = at == entries_.end();
    if (first && entries_.size() >= limits_.max_series) {
      ++counters_.over_limit;
      return;
    }
    if (first) {
      at = entries_.emplace(record.labels, Entry{}).first;
      next_sweep_ = std::min(next_sweep_, now + forget_after_);
    } else if (record.time <= at->second.last) {
      ++counters_.late;
      return;
    }
    auto& entry = at->second;
    const auto value = next(entry.state, first, record.value, first ? Duration{0} : record.time - entry.last);
    entry.last = record.time;
    entry.seen = now;
    if (value) out.push_back({record.time, *value, record.labels, std::nullopt});
  }

  void tick(Time now, std::vector<Record>&) final {
    if (now < next_sweep_) return;
    next_sweep_ = kMaxTime;
    std::erase_if(entries_, [&](const auto& entry) { return entry.second.seen + forget_after_ <= now; });
    for (const auto& [labels, entry] : entries_) next_sweep_ = std::min(next_sweep_, entry.seen + forget_after_);
  }
  Time due() const final { return next_sweep_; }
  std::size_t remembered() const final { return entries_.size(); }

 protected:
  /// The value to give out, if any. `since` is the time from the value before.
  virtual std::optional<double> next(State& state, bool first, double value, Duration since) = 0;

 private:
  struct Entry {
    State state{};
    Time last{};  ///< of the newest record
    Time seen{};
  };

  const PipeLimits limits_;
  PipeCounters& counters_;
  const Duration forget_after_;
  std::unordered_map<Labels, Entry> entries_;
  Time next_sweep_ = kMaxTime;
};

class Ewma final : public PerSeries<double> {
 public:
  Ewma(const AggregatorContext& context, double gain) : PerSeries(context), gain_(gain) {}

 private:
  std::optional<double> next(double& average, bool first, double value, Duration) override {
    // average + (value - average) / gain, without passing what a double holds on the way.
    average = first ? value : std::lerp(average, value, 1 / gain_);
    return average;
  }
  const double gain_;
};

/// The value before, of `Rate` and `Delta`.
class Difference final : public PerSeries<double> {
 public:
  Difference(const AggregatorContext& context, Duration gap, bool per_second)
      : PerSeries(context), gap_(gap), per_second_(per_second) {}

 private:
  std::optional<double> next(double& before, bool first, double value, Duration since) override {
    const double was = std::exchange(before, value);
    if (first || since > gap_) return std::nullopt;
    if (!per_second_) return value - was;
    // A counter that is smaller than it was began anew at zero.
    return (value < was ? value : value - was) / to_seconds(since);
  }
  const Duration gap_;
  const bool per_second_;
};

struct Alarm {
  bool raised = false;
  std::int64_t run = 0;  ///< values in a row that would raise it
};

class Threshold final : public PerSeries<Alarm> {
 public:
  struct Bounds {
    double raise = 0;
    double clear = 0;
    std::int64_t after = 1;
    bool repeat = false;
  };
  Threshold(const AggregatorContext& context, Bounds bounds) : PerSeries(context), bounds_(bounds) {}

 private:
  std::optional<double> next(Alarm& alarm, bool, double value, Duration) override {
    const bool was = alarm.raised;
    alarm.run = beyond(value) ? alarm.run + 1 : 0;
    if (alarm.run >= bounds_.after) alarm.raised = true;
    if (alarm.raised && clear(value)) alarm.raised = false;
    if (alarm.raised == was && !bounds_.repeat) return std::nullopt;
    return alarm.raised ? 1 : 0;
  }
  bool low() const { return bounds_.clear > bounds_.raise; }
  bool beyond(double value) const { return low() ? value <= bounds_.raise : value >= bounds_.raise; }
  bool clear(double value) const {
    if (beyond(value)) return false;
    return low() ? value >= bounds_.clear : bounds_.clear == bounds_.raise || value <= bounds_.clear;
  }
  const Bounds bounds_;
};

}  // namespace

MadeAggregator make_per_value(const PartSettings& settings, const AggregatorContext& context) {
  const auto& name = settings.name();
  if (name == "EWMA") return std::make_unique<Ewma>(context, *settings.number("gain"));
  if (name == "Rate" || name == "Delta")
    return std::make_unique<Difference>(context, *settings.seconds("gap"), name == "Rate");
  if (name == "Threshold") {
    const auto raise = *settings.number("raise");
    return std::make_unique<Threshold>(context, Threshold::Bounds{.raise = raise,
                                                                  .clear = settings.number("clear").value_or(raise),
                                                                  .after = settings.integer("after"),
                                                                  .repeat = settings.flag("repeat")});
  }
  return nullptr;
}

}  // namespace atalaya::sense
