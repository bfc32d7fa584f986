// What the outside could see: everything committed, everything judged, every change of an alert.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "alerts/machine.h"
#include "storage/logs.h"
#include "storage/series.h"

namespace atalaya::sim {

/// Outlives every server. Complaints are sentences for the test. Thread-compatible.
class Ledger {
 public:
  using LabelsOf = std::function<std::shared_ptr<const Labels>(SeriesId)>;

  /// In order of position, each once, also across restarts.
  void committed(const storage::CommittedSamples& batch, const LabelsOf& labels_of);
  void committed(const storage::CommittedLogs& batch);
  /// Just before the engine sees it.
  void judging(const storage::CommittedSamples& batch, const LabelsOf& labels_of);
  /// The judge's memory is gone: what it judges next may be what it judged before.
  void judge_ended() {
    for (auto& [key, health] : health_) health.at = kMinTime;
  }
  /// Right after the commit of what followed from it.
  void changed(const alerts::Alert& alert);

  struct Counter {
    Time time;
    std::uint64_t value = 0;
  };
  std::map<std::string, std::vector<Counter>> counters;  ///< by host, in order of commit
  std::map<std::string, std::vector<std::string>> lines;
  storage::LogPosition samples_position;
  storage::LogPosition logs_position;
  std::vector<std::string> complaints;
  std::size_t opened = 0;    ///< episodes
  std::size_t resolved = 0;  ///< episodes

 private:
  struct Health {
    Time at = kMinTime;
    bool healthy = false;
    std::uint64_t judged = 0;
  };
  std::map<std::string, Health> health_;               ///< by metric and host
  std::map<std::string, std::uint64_t> opened_after_;  ///< alert id → samples judged when it opened
};

}  // namespace atalaya::sim
