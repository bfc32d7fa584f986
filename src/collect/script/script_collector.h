// Scripts of packages that measure: run at their period, their output becomes series.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "collect/collector.h"
#include "collect/script/exposition.h"
#include "collect/series_set.h"
#include "collect/spec.h"
#include "io/sandbox.h"
#include "net/event_loop.h"
#include "net/worker_pool.h"

namespace atalaya::collect::script {

/// Where a script runs and what it needs.
struct ScriptContext {
  std::string instance;
  LabelsTable& labels;
  net::EventLoop& loop;
  const Clock& clock;
  /// Scripts wait here for their turn. Outlives the collector.
  net::WorkerPool& workers;
  /// Asks for a `collect` soon: a script has ended.
  std::function<void()> wake;
  std::function<Result<io::SandboxResult>(const io::SandboxRequest&)> run = io::run_sandboxed;
};

/// Runs its program once a period in the sandbox, with network, and writes the series that it prints
/// {…, instance, job="<name>"}; its own labels `instance` and `job` become `exported_instance` and
/// `exported_job`. Beside them script_up (0 or 1) and script_duration_seconds {script, instance, job}, and a log
/// line {script, instance, job, level} with the reason whenever that changes. A series that is not printed any
/// more ends; after a failure all end. While one run is under way no second begins. Strand-bound.
class ScriptCollector final : public Collector {
 public:
  ScriptCollector(const CollectorSpec& spec, ScriptContext context);
  ~ScriptCollector() override;  ///< ends the script

  Duration period() const override { return spec_.period; }
  Status collect(Time now, Batch& out) override;
  void finish(Time now, Batch& out) override;

 private:
  struct Outcome {
    std::string problem;  ///< "" when all is well
    std::vector<ExpositionSample> samples;
    std::chrono::nanoseconds took{0};
  };
  /// What a run under way and the collector share.
  struct Shared;
  struct Printed {
    SeriesSet::Slot slot;
    std::uint64_t run;
  };

  static Outcome judge(Result<io::SandboxResult> result, Duration timeout);
  io::SandboxRequest request() const;
  void start();
  void report(Time now, Batch& out);
  void put(const ExpositionSample& sample);
  void tell(Time now, Batch& out);

  const CollectorSpec spec_;
  const ScriptContext context_;
  const Labels stream_;
  SeriesSet set_;
  SeriesSet::Slot up_;
  SeriesSet::Slot duration_;
  LabelsId stream_up_ = kNoLabels;
  LabelsId stream_down_ = kNoLabels;
  std::unordered_map<Labels, Printed> printed_;
  std::uint64_t runs_ = 0;
  Steady next_run_{};
  bool running_ = false;
  bool fresh_ = false;  ///< an outcome that was not written yet
  Outcome outcome_;
  bool told_ = false;
  std::string last_told_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace atalaya::collect::script
