// What sensors' collectors measure on this host.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collect/collector.h"
#include "collect/metric/host_values.h"
#include "collect/series_set.h"
#include "collect/spec.h"

namespace re2 {
class RE2;
}

namespace atalaya::collect::metric {

/// Where a metric is measured and what it needs.
struct MetricContext {
  std::string instance;
  LabelsTable& labels;
  const HostValues& host;  ///< outlives it
  /// Makes the collector whose samples are taken.
  std::function<Result<std::unique_ptr<Collector>>(const CollectorSpec& spec)> make;
};

/// Writes the series <metric>{__collector__, instance, …} once a period: a value of the host, or a sample or the number
/// of lines of a collector of its own, whose other series and lines go nowhere. Beside `__collector__` and `instance`
/// they have the labels that tell several values of one metric apart. A rate of the host has a value at once, from the
/// host collector's last two cycles. Strand-bound.
class MetricCollector final : public Collector {
 public:
  /// invalid_argument for what cannot be measured.
  static Result<std::unique_ptr<MetricCollector>> make(const CollectorSpec& spec, MetricContext context);
  ~MetricCollector() override;

  Duration period() const override;
  bool needs_durable() const override { return inner_ && inner_->needs_durable(); }
  /// unavailable: the host has no such thing, or what the metric is taken of says why there is none.
  Status collect(Time now, Batch& out) override;
  void settled(bool stored) override;
  /// Another period of a value of the host.
  bool change(const CollectorSpec& spec) override;
  void finish(Time now, Batch& out) override;

 private:
  MetricCollector(CollectorSpec spec, MetricContext context, std::unique_ptr<re2::RE2> pattern);

  Status collect_host(Time now, Batch& out);
  Status take_samples(Time now, Batch& out);
  void take_lines(Time now, Batch& out);
  SeriesSet::Slot slot(const Labels& labels);
  bool is_wanted(const Labels& labels) const;
  const MetricSpec& metric() const { return std::get<MetricSpec>(spec_.what); }

  CollectorSpec spec_;
  const MetricContext context_;
  const std::unique_ptr<re2::RE2> pattern_;
  std::unique_ptr<Collector> inner_;
  Batch taken_;  ///< what `inner_` wrote
  SeriesSet set_;
  std::map<std::string, SeriesSet::Slot, std::less<>> slots_;  ///< by packed labels
  std::map<std::string, Reading, std::less<>> last_;           ///< of rates; by packed labels
  std::string problem_;
  struct Counted {
    std::uint64_t lines = 0;
    Time next = kMinTime;  ///< when they are told
  };
  Counted counted_;
  Counted before_;  ///< what `settled` goes back to when the lines were lost
};

}  // namespace atalaya::collect::metric
