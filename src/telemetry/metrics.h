// The program's own metrics, exposed at /metrics in Prometheus' text format.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace atalaya::telemetry {

/// Monotonic. Thread-safe, lock-free.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Thread-safe, lock-free.
class Gauge {
 public:
  void set(double v) { value_.store(v, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// Fixed buckets, upper bounds in seconds (or the unit in the metric's name). Thread-safe.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void observe(double v);
  const std::vector<double>& bounds() const { return bounds_; }
  std::uint64_t bucket(std::size_t i) const { return counts_[i].load(std::memory_order_relaxed); }  ///< not cumulative
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

/// `name="value"` pairs fixed at registration; keep them few and bounded.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// Owns every metric of a process; passed in, not global. Asking twice for the same name and labels
/// gives the same object; references stay valid as long as the registry. Thread-safe.
class Registry {
 public:
  Registry();
  ~Registry();
  Counter& counter(std::string name, std::string help, MetricLabels labels = {});
  Gauge& gauge(std::string name, std::string help, MetricLabels labels = {});
  Histogram& histogram(std::string name, std::string help, std::vector<double> bounds, MetricLabels labels = {});
  /// A gauge (or, with a name ending in _total, a counter) read when exposed.
  void callback(std::string name, std::string help, std::function<double()> read, MetricLabels labels = {});
  /// Prometheus text 0.0.4, families sorted by name.
  std::string expose() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Adds process_* (cpu, resident memory, descriptors, start time) and atalaya_build_info.
void add_process_metrics(Registry& registry, std::string_view version, std::string_view revision);

}  // namespace atalaya::telemetry
