// The machine itself, once a second, under node_exporter's names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "collect/collector.h"
#include "collect/series_set.h"

namespace atalaya::collect::host {

struct HostOptions {
  std::string root = "/";  ///< where proc, sys, etc, run hang; ends with a slash
  std::string instance;
  Duration period{1000};
  /// What changes rarely (names, versions, sysfs attributes, limits) is read and written once in
  /// so many cycles: far less than any query looks back.
  std::uint32_t slow_every = 5;
};

/// One group of files that become series. Strand-bound.
class Source {
 public:
  virtual ~Source() = default;
  virtual void read(Time now) = 0;
};

/// Reads the kernel's tables and writes samples of one instant: names, labels and units of
/// node_exporter 1.5, plus instance and job="node", and up{job="node"} = 1. What is absent on a
/// machine is left out; what vanishes ends with one stale marker. A steady state opens no file
/// (except sysfs attributes in slow cycles) and allocates nothing. Strand-bound.
class HostCollector final : public Collector {
 public:
  HostCollector(HostOptions options, LabelsTable& labels);
  ~HostCollector() override;

  Duration period() const override { return options_.period; }
  Status collect(Time now, Batch& out) override;
  void finish(Time now, Batch& out) override { set_.end_all(now, out); }

 private:
  const HostOptions options_;
  SeriesSet set_;
  SeriesSet::Slot up_;
  std::uint32_t cycle_ = 0;
  std::vector<std::unique_ptr<Source>> sources_;
};

// The groups; each in the file of its name.
std::unique_ptr<Source> make_stat_source(const HostOptions& options, SeriesSet& set);
std::unique_ptr<Source> make_memory_source(const HostOptions& options, SeriesSet& set);
std::unique_ptr<Source> make_disk_source(const HostOptions& options, SeriesSet& set);
std::unique_ptr<Source> make_filesystem_source(const HostOptions& options, SeriesSet& set);
std::unique_ptr<Source> make_network_source(const HostOptions& options, SeriesSet& set);
std::unique_ptr<Source> make_network_class_source(const HostOptions& options, SeriesSet& set);
std::unique_ptr<Source> make_protocol_source(const HostOptions& options, SeriesSet& set);
std::unique_ptr<Source> make_pressure_source(const HostOptions& options, SeriesSet& set);
std::unique_ptr<Source> make_kernel_source(const HostOptions& options, SeriesSet& set);
std::unique_ptr<Source> make_system_source(const HostOptions& options, SeriesSet& set);
std::unique_ptr<Source> make_hardware_source(const HostOptions& options, SeriesSet& set);
std::unique_ptr<Source> make_raid_source(const HostOptions& options, SeriesSet& set);
std::unique_ptr<Source> make_softnet_source(const HostOptions& options, SeriesSet& set);

}  // namespace atalaya::collect::host
