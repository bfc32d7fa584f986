// Is it up? Checks of processes, TCP ports, HTTP addresses and (collect/ping) hosts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collect/collector.h"
#include "collect/series_set.h"
#include "collect/spec.h"
#include "net/client.h"
#include "net/event_loop.h"

namespace atalaya::collect::check {

struct Verdict {
  bool up = false;
  std::string text;
  std::vector<double> values = {};  ///< of Probe::metrics, in their order; NaN: none this time
};

/// One way of looking. Strand-bound; destroyed while it looks, it reports no more.
class Probe {
 public:
  using Done = std::function<void(Verdict)>;
  virtual ~Probe() = default;
  /// `done` is called once, at the latest after the time-out, perhaps within the call.
  virtual void look(Done done) = 0;
  /// Names of what it measures beside the verdict.
  virtual std::vector<std::string> metrics() const { return {}; }
};

/// invalid_argument for an address or expression that cannot work.
Result<std::unique_ptr<Probe>> make_tcp_probe(const TcpSpec& spec, Duration timeout, net::EventLoop& loop);
Result<std::unique_ptr<Probe>> make_http_probe(const HttpSpec& spec, Duration timeout, net::EventLoop& loop);
Result<std::unique_ptr<Probe>> make_process_probe(const ProcessSpec& spec, const std::string& root);

/// Where a check runs and what it needs.
struct CheckContext {
  std::string instance;
  std::string root = "/";
  LabelsTable& labels;
  net::EventLoop& loop;
  const Clock& clock;
  /// Asks for a `collect` soon: a verdict has come.
  std::function<void()> wake;
};

/// Looks once a period and writes check_up (0 or 1), check_duration_seconds and what its probe measures
/// {check, type, target, instance, job="check"}, and a log line {check, type, instance, job="check", level}
/// with the verdict's text whenever up or text changes. While a look is still under way no second
/// one begins. Strand-bound.
class Check final : public Collector {
 public:
  static Result<std::unique_ptr<Check>> make(const CollectorSpec& spec, CheckContext context);
  ~Check() override;

  Duration period() const override { return spec_.period; }
  Status collect(Time now, Batch& out) override;
  void finish(Time now, Batch& out) override;

 private:
  Check(CollectorSpec spec, CheckContext context, std::unique_ptr<Probe> probe, std::string type, std::string target);
  void report(Time now, Batch& out);

  const CollectorSpec spec_;
  CheckContext context_;
  const Labels stream_;
  SeriesSet set_;
  SeriesSet::Slot up_;
  SeriesSet::Slot duration_;
  std::vector<SeriesSet::Slot> measured_;  ///< one of each of the probe's metrics
  LabelsId stream_up_ = kNoLabels;
  LabelsId stream_down_ = kNoLabels;
  Steady next_look_{};
  Steady began_{};
  bool looking_ = false;
  bool fresh_ = false;    ///< a verdict that was not written yet
  bool in_look_ = false;  ///< within Probe::look: the verdict will be written by the caller
  Verdict verdict_;
  std::chrono::nanoseconds took_{0};
  bool told_ = false;
  Verdict last_told_;
  std::unique_ptr<Probe> probe_;  ///< first to go: it calls back into this
};

}  // namespace atalaya::collect::check
