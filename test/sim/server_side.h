// The server: real stores, ingest sessions, judge, control loop, alerts and outbox, that may die at any
// call and come again with what its disk holds.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "alerts/machine.h"
#include "alerts/queries.h"
#include "control/loop.h"
#include "ingest/agent_hub.h"
#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "logdb/store.h"
#include "notify/deliveries.h"
#include "notify/outbox.h"
#include "rules/engine.h"
#include "sim/ledger.h"
#include "sim/peers.h"
#include "telemetry/metrics.h"
#include "tsdb/store.h"

namespace atalaya::sim {

/// Thrown by a crash point.
struct Dies {};

std::vector<rules::RuleSpec> rules_of_story();

/// Thread-compatible. The database survives everything, as one with synchronous commits does.
class ServerSide final : public rules::VerdictSink, public ingest::AgentDirectory {
 public:
  ServerSide(const Clock& clock, Peers& peers, Ledger& ledger);
  ~ServerSide() override;

  /// As the program does: what was committed and not judged comes first.
  void start();
  /// Its memory is gone, its disks stay.
  void kill();
  void power_cut(std::uint64_t seed);
  bool alive() const { return hub_ != nullptr; }
  /// The disk has failed under it for good: kill it.
  bool struck() const { return files_.struck(); }

  ingest::AgentHub& hub() { return *hub_; }
  io::FaultyFileSystem& files() { return files_; }
  /// Judges what was committed, ticks, steps the control loop, delivers. May throw Dies.
  void run();
  /// Asked at every crash point of the control loop and around each delivery; throws to die there.
  std::function<void()> crash_point;

  const storage::SeriesQuerier& series() const { return *series_; }
  const storage::LogQuerier& logs() const { return *logs_; }
  db::Database& database() { return *database_; }
  /// Files that start-up had to set aside: a cut is no reason for one.
  const std::vector<std::string>& damaged() const { return damaged_; }

 private:
  struct Samples {
    storage::LogPosition position;
    std::vector<storage::SeriesSample> samples;
  };
  struct Lines {
    storage::LogPosition position;
    std::vector<LogRecord> records;
  };

  void open_stores();
  void open_control();
  void catch_up();
  void judge(const Samples& work);
  void judge(const Lines& work);
  void hand_over(std::optional<control::Cursor> cursor);
  void settle();
  void attempt(const notify::Delivery& delivery);
  void lose_memory();

  void verdict(rules::Verdict verdict) override { gathered_.push_back(std::move(verdict)); }
  ingest::AgentConfig config_for(const ingest::AgentPeer&) override { return {"1", "{}"}; }
  void connected(const ingest::AgentPeer&, const ingest::HelloFrame&) override {}
  void heard(const ingest::AgentPeer&) override {}
  void disconnected(const ingest::AgentPeer&) override {}

  const Clock& clock_;
  Peers& peers_;
  Ledger& ledger_;
  io::MemoryFileSystem disk_;
  io::FaultyFileSystem files_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<notify::ChannelBook> book_;

  std::unique_ptr<telemetry::Registry> registry_;
  std::unique_ptr<tsdb::Store> series_;
  std::unique_ptr<logdb::Store> logs_;
  std::unique_ptr<notify::Outbox> outbox_;
  std::unique_ptr<alerts::Machine> machine_;
  std::unique_ptr<control::Loop> loop_;
  std::unique_ptr<notify::Deliveries> deliveries_;
  std::unique_ptr<rules::Engine> engine_;
  std::unique_ptr<ingest::AgentHub> hub_;
  std::deque<std::variant<Samples, Lines>> queue_;
  std::vector<rules::Verdict> gathered_;
  std::vector<std::string> damaged_;
};

}  // namespace atalaya::sim
