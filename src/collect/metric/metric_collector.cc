#include "collect/metric/metric_collector.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "config/suggest.h"
#include "ingest/agent_payload.h"
#include "model/sample.h"

namespace atalaya::collect::metric {
namespace {

constexpr std::string_view kLines = "lines";
/// Series of one metric, as a script may print them.
constexpr std::size_t kMostSeries = 1000;

/// Labels that say whose the sample is, not which one.
Labels apart(const Labels& labels) {
  LabelsBuilder out;
  for (const auto& [name, value] : labels) {
    const bool common = name == kMetricName || name == "instance" || name == "job" || name == "check" ||
                        name == "type" || name == "target" || name == ingest::kSensorLabel;
    if (!common) out.set(name, value);
  }
  return out.build();
}

}  // namespace

Result<std::unique_ptr<MetricCollector>> MetricCollector::make(const CollectorSpec& spec, MetricContext context) {
  const auto& metric = std::get<MetricSpec>(spec.what);
  std::unique_ptr<re2::RE2> pattern;
  if (!metric.of && HostValues::kind(metric.take) == nullptr) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("this agent knows no \"{}\" of a host", metric.take),
                config::suggestion(metric.take, HostValues::names()));
  }
  if (!metric.pattern.empty()) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    pattern = std::make_unique<re2::RE2>(metric.pattern, options);
    if (!pattern->ok())
      return fail(ErrorCode::kInvalidArgument, fmt::format("pattern {}: {}", metric.pattern, pattern->error()));
  }
  std::unique_ptr<Collector> inner;
  if (metric.of) {
    AT_TRY(inner, context.make(*metric.of));
  }
  std::unique_ptr<MetricCollector> out(new MetricCollector(spec, std::move(context), std::move(pattern)));
  out->inner_ = std::move(inner);
  return out;
}

MetricCollector::MetricCollector(CollectorSpec spec, MetricContext context, std::unique_ptr<re2::RE2> pattern)
    : spec_(std::move(spec)),
      context_(std::move(context)),
      pattern_(std::move(pattern)),
      set_(context_.labels, Labels{{"instance", context_.instance}, {ingest::kSensorLabel, metric().collector}}) {}

MetricCollector::~MetricCollector() = default;

Duration MetricCollector::period() const {
  // Lines are read as often as their own collector reads them, and counted once a period.
  return metric().take == kLines && inner_ ? std::min(spec_.period, inner_->period()) : spec_.period;
}

SeriesSet::Slot MetricCollector::slot(const Labels& labels) {
  const auto at = slots_.find(labels.packed());
  if (at != slots_.end()) return at->second;
  if (slots_.size() >= kMostSeries) return SeriesSet::kNone;
  const auto made = set_.add(metric().metric, labels);
  slots_.emplace(labels.packed(), made);
  return made;
}

bool MetricCollector::is_wanted(const Labels& labels) const {
  return labels.get(kMetricName) == metric().take &&
         std::ranges::all_of(metric().select, [&](const auto& one) { return labels.get(one.first) == one.second; });
}

Status MetricCollector::collect(Time now, Batch& out) {
  if (!inner_) return collect_host(now, out);
  taken_.clear();
  auto status = inner_->collect(now, taken_);
  for (const auto& mark : taken_.marks()) out.mark(mark.key, mark.value);
  if (metric().take == kLines) {
    take_lines(now, out);
    return status;
  }
  AT_TRY(take_samples(now, out));
  return status;
}

Status MetricCollector::collect_host(Time now, Batch& out) {
  const auto& kind = *HostValues::kind(metric().take);
  const auto readings = context_.host.read(kind.name, metric().select);
  if (readings.empty()) {
    std::string which;
    for (const auto& [label, value] : metric().select) which += fmt::format(" with {}=\"{}\"", label, value);
    return fail(ErrorCode::kUnavailable, fmt::format("this host has no {}{}", kind.name, which));
  }
  const auto before = kind.is_rate ? context_.host.read(kind.name, metric().select, true) : std::vector<Reading>{};
  set_.begin(now, out);
  for (const auto& reading : readings) {
    auto value = reading.amount;
    if (kind.is_rate) {
      // The cycle before serves as a base where nothing was read yet, or nothing newer has come since.
      const auto& key = reading.labels.packed();
      auto base = last_.find(key);
      const auto prior = std::ranges::find(before, reading.labels, &Reading::labels);
      const bool own = base != last_.end() && base->second.at < reading.at;
      if (!own && prior == before.end()) {
        last_.insert_or_assign(key, reading);
        continue;
      }
      const auto& from = own ? base->second : *prior;
      const auto passed = reading.base - from.base;
      // A counter that began anew tells nothing this time.
      const bool usable = passed > 0 && reading.amount >= from.amount;
      value = usable ? (reading.amount - from.amount) / passed : std::numeric_limits<double>::quiet_NaN();
      // Counters with decimals leave a quotient of parts a little above the whole.
      if (kind.is_share) value = std::min(value, 1.0);
      last_.insert_or_assign(key, reading);
      if (!usable) continue;
    }
    if (const auto at = slot(reading.labels); at != SeriesSet::kNone) set_.put(at, value * kind.scale);
  }
  set_.finish();
  std::erase_if(last_, [&](const auto& one) {
    return std::ranges::none_of(readings, [&](const auto& reading) { return reading.labels.packed() == one.first; });
  });
  return {};
}

Status MetricCollector::take_samples(Time now, Batch& out) {
  // What is wrong is a line of a check or script that writes no sample; it is said once, and holds until one comes.
  for (const auto& log : taken_.logs()) problem_ = taken_.line(log);
  if (!taken_.samples().empty()) {
    set_.begin(now, out);
    for (const auto& sample : taken_.samples()) {
      const auto& labels = context_.labels.at(sample.series);
      if (is_stale(sample.value) || !is_wanted(labels)) continue;
      const auto at = slot(apart(labels));
      if (at == SeriesSet::kNone) continue;
      set_.put(at, sample.value);
      problem_.clear();
    }
    set_.finish();
  }
  if (problem_.empty()) return {};
  return fail(ErrorCode::kUnavailable, problem_);
}

void MetricCollector::take_lines(Time now, Batch& out) {
  before_ = counted_;
  for (const auto& log : taken_.logs()) {
    if (!pattern_ || re2::RE2::PartialMatch(taken_.line(log), *pattern_)) ++counted_.lines;
  }
  if (now < counted_.next) return;
  // The first count says that it has begun.
  const bool late = counted_.next == kMinTime || counted_.next + spec_.period <= now;
  counted_.next = (late ? now : counted_.next) + spec_.period;
  set_.begin(now, out);
  set_.put(slot({}), static_cast<double>(std::exchange(counted_.lines, 0)));
  set_.finish();
}

void MetricCollector::settled(bool stored) {
  if (inner_) inner_->settled(stored);
  if (!stored) counted_ = before_;
}

bool MetricCollector::change(const CollectorSpec& spec) {
  const auto* next = std::get_if<MetricSpec>(&spec.what);
  if (inner_ || next == nullptr || *next != metric()) return false;
  spec_ = spec;
  return true;
}

void MetricCollector::finish(Time now, Batch& out) {
  if (inner_) {
    taken_.clear();
    inner_->finish(now, taken_);
    for (const auto& mark : taken_.marks()) out.mark(mark.key, mark.value);
  }
  set_.end_all(now, out);
}

}  // namespace atalaya::collect::metric
