// Remote-write bodies for the bench of the series store, built before anything is measured.
#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atalaya::bench {

constexpr std::size_t kSeriesABody = 2000;  ///< as Prometheus sends by default

struct BodySample {
  double value = 0;
  std::int64_t milliseconds = 0;
};

/// Collects series and writes a file of bodies: u32 length, then a snappy block with a
/// prometheus.WriteRequest (remote write 1.0) of about kSeriesABody samples.
class BodyWriter {
 public:
  explicit BodyWriter(const std::string& path) : file_(path, std::ios::binary) {}
  ~BodyWriter() { end_body(); }
  /// `labels` as protobuf fields of a TimeSeries, see `label_fields`.
  void add(std::string_view labels, std::span<const BodySample> samples);
  void add(std::string_view labels, double value, std::int64_t milliseconds) {
    const BodySample sample{value, milliseconds};
    add(labels, {&sample, 1});
  }
  void end_body();
  std::uint64_t samples() const { return samples_; }

 private:
  std::ofstream file_;
  std::string request_;
  std::size_t in_body_ = 0;
  std::uint64_t samples_ = 0;
};

/// One body with one sample.
std::string body_of(std::string_view labels, double value, std::int64_t milliseconds);

using LabelPairs = std::vector<std::pair<std::string, std::string>>;
/// Sorted by name; encoded as `repeated Label labels = 1`.
std::string label_fields(LabelPairs pairs);

/// A fleet of hosts: label sets as node_exporter has them, under names that no shipped rule reads (peers judge
/// nothing); 45 % counters, 20 % whole gauges,
/// 15 % measured gauges, 20 % constants. Hosts are scraped every 15 s, each at its own second and with
/// a few milliseconds of jitter. Returns the samples written.
std::uint64_t write_fleet(const std::string& path, std::size_t hosts, std::size_t series_a_host, std::size_t scrapes,
                          std::int64_t first_ms);

/// Recorded scrapes (`<milliseconds>[.gz]`, Prometheus text) of one host, moved in time so that the
/// first lies at `first_ms`.
std::uint64_t write_recorded(const std::string& path, const std::string& folder, std::int64_t first_ms);

}  // namespace atalaya::bench
