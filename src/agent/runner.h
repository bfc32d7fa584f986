// Runs the collectors of an agent, each at its period.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/recorder.h"
#include "collect/collector.h"
#include "collect/spec.h"
#include "net/event_loop.h"

namespace atalaya::agent {

struct RunnerOptions {
  std::string instance;
  std::string root = "/";
};

/// Owns the collectors and the schedule. What is due at one moment goes into one record; a collector
/// whose lines must be durable gets a record of its own and is passed over while the disk refuses. A collector
/// that fails or cannot be made says so by `problems()` and a log line {job="agent", collector}; the
/// others run on. Strand-bound.
class Runner {
 public:
  using Factory = std::function<Result<std::unique_ptr<collect::Collector>>(const collect::CollectorSpec& spec,
                                                                            std::function<void()> wake)>;

  /// `recorded` is called after each record that reached the spool.
  Runner(RunnerOptions options, net::EventLoop& loop, const Clock& clock, Spool& spool, collect::LabelsTable& labels,
         Factory factory, std::function<void()> recorded);
  ~Runner();

  /// A collector that no configuration changes.
  void add_fixed(std::string id, std::unique_ptr<collect::Collector> collector);
  /// Starts, stops and replaces what differs from the last call; the rest is not touched.
  void apply(const collect::ConfigurationSpec& configuration);
  void start();
  void stop();  ///< idempotent; collectors are destroyed without an end of their series

  /// Collector → what is wrong with it, "" if nothing; without those of sensors.
  std::map<std::string, std::string> problems() const;
  /// Problems of sensors' collectors are told once more, with the next cycle.
  void tell_again();
  std::uint64_t refused_records() const { return refused_records_; }
  /// How long the last cycle took to collect, encode and write.
  std::chrono::nanoseconds last_cycle() const { return last_cycle_; }

 private:
  struct Entry {
    collect::CollectorSpec spec;
    bool fixed = false;
    std::unique_ptr<collect::Collector> collector;  ///< null when it could not be made
    Steady next{};
    bool woken = false;
    std::string problem;
    std::string told;  ///< the problem that was logged last
    collect::LabelsId stream = collect::kNoLabels;
  };
  using Entries = std::map<std::string, Entry>;

  void make(Entry& entry);
  void end(Entry& entry, bool end_series);
  void tick();
  void run_plain(Time now, Steady steady);
  void run_durable(Entry& entry, Time now);
  bool take_due(Entry& entry, Steady steady);
  void tell_problems(Time now);
  bool record(Time now);
  void schedule();
  void wake(const std::string& id);

  const RunnerOptions options_;
  net::EventLoop& loop_;
  const Clock& clock_;
  Spool& spool_;
  collect::LabelsTable& labels_;
  Recorder recorder_;
  const Factory factory_;
  const std::function<void()> recorded_;
  Entries entries_;
  collect::Batch batch_;
  net::Timer timer_;
  bool running_ = false;
  bool tick_posted_ = false;
  std::uint64_t refused_records_ = 0;
  std::chrono::nanoseconds last_cycle_{0};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace atalaya::agent
