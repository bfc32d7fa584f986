// A fleet of hosts over hours, for the bench of queries: some hosts scraped often, the rest seldom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace atalaya::bench {

constexpr std::size_t kSeriesOfHost = 500;
constexpr std::int64_t kSliceMs = 900'000;  ///< histories are written in slices of this length

/// Every value follows from series and instant alone, so any part can be written without those before it. Samples
/// never lie on whole seconds, where closed and open ranges would tell them apart.
struct History {
  std::size_t hosts = 0;
  std::size_t dense_hosts = 0;  ///< the first of them: a sample every 15 s; of the others one a slice
  std::int64_t first_ms = 0;
};

/// Remote-write bodies of the slices [from, to), ascending in time. Returns the samples.
std::uint64_t write_history(const std::string& path, const History& history, std::size_t from, std::size_t to);
/// The same samples as an OpenMetrics text.
std::uint64_t write_openmetrics(const std::string& path, const History& history, std::size_t from, std::size_t to);
/// One sample of every series, as of the slice's beginning, at `at_ms`.
std::uint64_t write_scrape(const std::string& path, const History& history, std::size_t slice, std::int64_t at_ms);

/// Samples of all series in turn, `pace` a second for so many seconds from `first_ms` on.
std::uint64_t write_stream(const std::string& path, std::size_t hosts, std::int64_t first_ms, std::size_t pace,
                           std::size_t seconds);

}  // namespace atalaya::bench
