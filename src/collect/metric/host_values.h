// What sensors want to know of this host, from the series that the host collector writes anyway.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collect/batch.h"
#include "collect/collector.h"
#include "model/labels.h"

namespace atalaya::collect::metric {

/// One reading of a value. A rate is what `amount` grew by for what `base` grew by between two readings; a gauge is
/// `amount` itself.
struct Reading {
  Labels labels;  ///< what tells it from others of the name: device, mountpoint …
  double amount = 0;
  double base = 0;
  Time at = kMinTime;
};

/// How readings of one name become values.
struct HostValueKind {
  std::string_view name;
  bool is_rate = false;
  double scale = 1;
  bool is_share = false;  ///< of a whole: never above it
};

/// The last two cycles of the host collector. So a rate has a value at once, without a second period. Strand-bound.
class HostValues {
 public:
  explicit HostValues(const LabelsTable& labels) : labels_(labels) {}

  /// What one cycle has written; a series that ends is forgotten.
  void note(std::span<const Batch::SampleEntry> samples);

  /// Null for a name that is none.
  static const HostValueKind* kind(std::string_view name);
  static std::vector<std::string> names();
  /// Readings of the newest cycle (`before`: of the one before it) whose labels have all of `select`. Empty before the
  /// host collector has run, and where this host has no such thing.
  std::vector<Reading> read(std::string_view name, const std::map<std::string, std::string>& select,
                            bool before = false) const;

 private:
  static constexpr std::uint32_t kUnknown = UINT32_MAX;
  static constexpr std::uint32_t kUnwanted = UINT32_MAX - 1;
  static constexpr std::size_t kSeries = 16;

  struct Entry {
    LabelsId id = kNoLabels;
    Labels labels;
    std::array<double, 2> values{};  ///< newest last
    std::array<Time, 2> at{kMinTime, kMinTime};
  };

  void learn(LabelsId id);
  void forget(LabelsId id);
  const Entry* find(std::size_t series, const Labels& labels) const;
  std::vector<Reading> cpu(std::size_t side) const;
  std::vector<Reading> share(std::size_t whole, std::size_t free, std::size_t side) const;
  std::vector<Reading> filesystems(std::size_t side) const;
  std::vector<Reading> plain(std::size_t series, bool is_rate, std::size_t side) const;

  const LabelsTable& labels_;
  /// By label set: the place in `wanted_` shifted by the series, or kUnwanted.
  std::vector<std::uint32_t> known_;
  std::array<std::vector<Entry>, kSeries> wanted_;
};

/// The host collector, whose samples `values` hears of besides.
class HeardHost final : public Collector {
 public:
  HeardHost(std::unique_ptr<Collector> host, HostValues& values) : host_(std::move(host)), values_(values) {}

  Duration period() const override { return host_->period(); }
  Status collect(Time now, Batch& out) override;
  void finish(Time now, Batch& out) override;

 private:
  const std::unique_ptr<Collector> host_;
  HostValues& values_;
};

}  // namespace atalaya::collect::metric
