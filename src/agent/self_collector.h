// What the agent says about itself.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "collect/collector.h"
#include "collect/host/proc_file.h"
#include "collect/series_set.h"

namespace atalaya::agent {

/// What the agent's parts know when asked.
struct SelfState {
  std::map<std::string, double> values;         ///< metric name → value
  std::map<std::string, std::string> problems;  ///< collector → what is wrong, "" if nothing
};

/// Series {instance, job="agent"}: up, atalaya_agent_*, process_*. Strand-bound.
class SelfCollector final : public collect::Collector {
 public:
  SelfCollector(const std::string& instance, const std::string& version, collect::LabelsTable& labels,
                std::function<SelfState()> state);

  Duration period() const override { return Duration{5000}; }
  Status collect(Time now, collect::Batch& out) override;
  void finish(Time now, collect::Batch& out) override { set_.end_all(now, out); }

 private:
  void read_process();

  collect::SeriesSet set_;
  collect::Rows values_;
  collect::Rows collectors_;
  collect::SeriesSet::Slot up_;
  collect::SeriesSet::Slot info_;
  collect::SeriesSet::Slot cpu_;
  collect::SeriesSet::Slot resident_;
  collect::host::ProcFile stat_;
  const std::function<SelfState()> state_;
};

}  // namespace atalaya::agent
