// What `Sensors` keeps of sensors and tenants: for its own sources alone.
#pragma once

#include <fmt/format.h>

#include <algorithm>

#include "app/sensors.h"
#include "model/sample.h"

namespace atalaya::app {

constexpr std::size_t kShownOfLine = 200;  ///< bytes

inline std::string beginning_of(const std::string& line) {
  auto end = std::min(line.size(), kShownOfLine);
  while (end < line.size() && end > 0 && (line[end] & 0xC0) == 0x80) --end;  // not within a character
  return line.substr(0, end);
}

/// What an agent said of one metric last.
struct Heard {
  Time at = kMinTime;
  double value = 0;
  double taken = 0;  ///< how many a pipe in the agent took, in place of the value
  std::string problem;
};

/// One sensor at work.
struct Sensors::Running {
  // What `post` runs alone touches these, beside the first reading of `plan`.
  std::optional<sense::Pipe> pipe;  ///< one of the two, if it could be made
  std::unique_ptr<RemotePipe> remote;
  std::vector<std::shared_ptr<Outlet>> outlets;  ///< null: it could not be made
  std::vector<sense::Published> out;

  std::mutex mutex;  ///< guards the rest against those who look
  occi::SensorPlan plan;
  std::vector<std::string> problems;                ///< of its parts, that keep it from running as it should
  std::map<std::string, std::string> failures;      ///< of its publishers now, by their term; "" : of its process
  std::map<std::string, Heard, std::less<>> heard;  ///< by collector and metric
  std::map<std::string, std::string, std::less<>> pipe_problems;  ///< by the host whose agent runs the pipe
  Time last = kMinTime;
  std::uint64_t values = 0;
  std::map<std::string, api::SensorFlow::Value, std::less<>> given;  ///< the newest of each stream that is published

  /// Of collectors and hosts that are not the plan's any more.
  void forget() {
    std::erase_if(heard, [&](const auto& one) { return !plan.streams.contains(one.first); });
    std::erase_if(pipe_problems, [&](const auto& one) { return !plan.hosts.contains(one.first); });
  }
  /// Hands on what the pipe gave; how many.
  std::size_t deliver() {
    for (const auto& one : out) {
      if (const auto& outlet = outlets[one.publisher]) outlet->publish(one.stream, one.record);
    }
    if (!out.empty()) {
      const std::lock_guard lock(mutex);
      for (const auto& one : out) remember(one.stream, one.record);
    }
    return out.size();
  }
  /// Under the mutex: what was published.
  void remember(std::string_view stream, const sense::Record& record) {
    if (is_stale(record.value)) return;
    auto at = given.find(stream);
    if (at == given.end()) at = given.emplace(std::string(stream), api::SensorFlow::Value{}).first;
    at->second = {record.time, record.value, std::nullopt};
    if (record.text) at->second.line = beginning_of(*record.text);
  }
  void look_at_outlets() {
    failures.clear();
    for (std::size_t i = 0; i < outlets.size(); ++i) {
      auto problem = outlets[i] ? outlets[i]->problem() : std::string();
      if (!problem.empty()) failures.emplace(sense::term_of(plan.pipe.publishers[i].mixin), std::move(problem));
    }
    auto problem = remote ? remote->problem() : std::string();
    if (!problem.empty()) failures.emplace("", std::move(problem));
  }
};

struct Sensors::Tenant {
  struct HostOrders {
    std::vector<occi::Order> list;
    std::vector<std::string> texts;
    std::uint64_t revision = 0;
    std::size_t left_out = 0;  ///< the last so many of the list do not fit
  };
  Sensing sensors;
  std::unordered_map<std::string, std::shared_ptr<Running>> by_collector;
  std::map<std::string, HostOrders, std::less<>> hosts;
  std::map<std::string, std::string, std::less<>> idle;
  std::set<std::string, std::less<>> faulty;                ///< idle ones that should run and cannot
  std::map<std::string, std::string, std::less<>> waiting;  ///< sensors that do not run, and why
  /// Where each collector's first order stands: its host, and the place in that one's list.
  std::unordered_map<std::string, std::pair<std::string, std::size_t>> ordered;
  /// Of each agent the newest spool and what came of it.
  std::map<std::string, std::pair<std::string, std::uint64_t>, std::less<>> sequences;
  std::set<std::string, std::less<>> old_agents;
  Time until = kMaxTime;
};

}  // namespace atalaya::app
