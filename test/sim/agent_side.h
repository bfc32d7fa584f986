// One host: its disk and the real spool and stream of an agent that may die at any call.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/recorder.h"
#include "agent/spool.h"
#include "agent/stream.h"
#include "collect/batch.h"
#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "sim/truth.h"

namespace atalaya::sim {

/// Thread-compatible. `send` is the network's way in.
class AgentSide {
 public:
  using Send = std::function<bool(std::string frame)>;
  AgentSide(std::string name, bool sync, const Clock& clock, Send send);

  void start();
  /// Its memory is gone, its disk stays.
  void kill();
  /// Of what was not synced a part is gone as well.
  void power_cut(std::uint64_t seed);
  bool alive() const { return stream_ != nullptr; }

  /// One cycle of its collectors.
  void collect(const HostTruth& truth);
  /// Takes note of what the server has acknowledged.
  void settle();

  const std::string& name() const { return name_; }
  agent::Stream& stream() { return *stream_; }
  io::FaultyFileSystem& files() { return files_; }

  // What the checks need.
  /// Values of `sim_counter`, one a batch with samples, that the server has acknowledged.
  const std::vector<std::uint64_t>& acknowledged() const { return acknowledged_; }
  std::uint64_t lines_recorded() const { return next_line_; }
  /// Lines may come twice: their marks were lost with what was not synced.
  bool lines_may_repeat() const { return lines_may_repeat_; }
  bool drained() const;

 private:
  void lose_memory();
  collect::LabelsId series(const std::string& metric);

  const std::string name_;
  const bool sync_;
  const Clock& clock_;
  const Send send_;
  io::MemoryFileSystem disk_;
  io::FaultyFileSystem files_;
  std::uint64_t boot_ = 1;

  std::unique_ptr<agent::Spool> spool_;
  std::unique_ptr<collect::LabelsTable> labels_;
  std::unique_ptr<agent::Recorder> recorder_;
  std::unique_ptr<agent::Stream> stream_;
  std::map<std::string, collect::LabelsId> series_;
  collect::LabelsId file_ = 0;

  std::uint64_t next_counter_ = 1;
  std::uint64_t next_line_ = 0;
  std::map<std::uint64_t, std::uint64_t> unacknowledged_;  ///< sequence → counter
  std::vector<std::uint64_t> acknowledged_;
  bool lines_may_repeat_ = false;
};

}  // namespace atalaya::sim
