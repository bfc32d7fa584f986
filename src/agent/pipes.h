// Sensors that run here (`placement: agent`): what is measured for them flows into their pipes, and only what those
// publish leaves this machine. docs/formats/agent-protocol.md, "Sensors that run in an agent".
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "collect/collector.h"
#include "collect/spec.h"
#include "net/event_loop.h"
#include "sense/publish/destinations.h"
#include "sense/record.h"

namespace atalaya::agent {

struct PipesContext {
  std::string instance;  ///< this host
  TenantId tenant;
  collect::LabelsTable& labels;
  net::EventLoop& loop;
  const Clock& clock;
  sense::publish::Destinations destinations;
  std::filesystem::path log_folder;  ///< below it the files of `Log`
};

class RunningPipe;

/// Makes collectors of pipes and of what feeds them, and leads records from one to the other. Outlives what it makes.
/// Strand-bound.
class Pipes {
 public:
  explicit Pipes(PipesContext context);
  ~Pipes();

  /// A pipe at work until it is destroyed. As a collector it writes what goes to the server's own publishers, and its
  /// errors are those of the publishers here. invalid_argument, unprocessable: what is wrong with the pipe.
  Result<std::unique_ptr<collect::Collector>> make_pipe(const collect::CollectorSpec& spec, std::function<void()> wake);
  /// A metric whose values go into a pipe; of it the server hears how many there were.
  std::unique_ptr<collect::Collector> make_metric(const collect::CollectorSpec& spec,
                                                  std::unique_ptr<collect::Collector> metric);

 private:
  friend class RunningPipe;
  friend class PipedMetric;

  void push(std::string_view sensor, std::string_view stream, const sense::Record& record);

  const PipesContext context_;
  std::map<std::string, RunningPipe*, std::less<>> running_;  ///< by sensor
};

}  // namespace atalaya::agent
