// What the index of a block costs: 2,000 hosts × 500 series.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "tsdb/block/index.h"

namespace atalaya::tsdb {
namespace {

constexpr std::uint32_t kHosts = 2000;
constexpr std::uint32_t kSeriesOfHost = 500;

struct Series {
  Labels labels;
  ChunkRef chunk;
};

/// As an exporter of a machine would have them: 0–3 labels beside instance and job. `wide` adds seven that
/// are the same for all series of a host.
std::vector<Series> fleet(bool wide, std::uint32_t hosts = kHosts) {
  std::vector<Series> out;
  for (std::uint32_t host = 0; host < hosts; ++host) {
    for (std::uint32_t i = 0; i < kSeriesOfHost; ++i) {
      LabelsBuilder labels;
      labels.set("instance", fmt::format("host{:04}.example.net:9100", host)).set("job", "node");
      if (wide) {
        labels.set("cluster", fmt::format("c{}", host % 7)).set("datacenter", fmt::format("dc{}", host % 3));
        labels.set("env", "production").set("rack", fmt::format("r{:03}", host / 20)).set("team", "infrastructure");
        labels.set("region", "eu-west").set("zone", fmt::format("z{}", host % 4));
      }
      if (i < 200) {
        labels.set("__name__", fmt::format("node_single_metric_{:03}", i));
      } else if (i < 328) {
        static constexpr const char* kModes[] = {"idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"};
        labels.set("__name__", "node_cpu_seconds_total").set("cpu", fmt::format("{}", (i - 200) / 8));
        labels.set("mode", kModes[i % 8]);
      } else if (i < 400) {
        labels.set("__name__", fmt::format("node_disk_metric_{}", i % 18));
        labels.set("device", fmt::format("sd{}", static_cast<char>('a' + i / 18 % 4)));
      } else if (i < 470) {
        labels.set("__name__", fmt::format("node_filesystem_metric_{}", i % 7));
        labels.set("device", fmt::format("/dev/mapper/vg-{}", (i - 400) / 7));
        labels.set("fstype", "ext4").set("mountpoint", fmt::format("/srv/data/{}", (i - 400) / 7));
      } else {
        labels.set("__name__", fmt::format("node_network_metric_{}_total", i % 15));
        labels.set("device", fmt::format("eth{}", i / 15 % 2));
      }
      out.push_back({labels.build(), {}});
    }
  }
  std::sort(out.begin(), out.end(), [](const Series& a, const Series& b) { return a.labels < b.labels; });
  // Values lie in the order of the labels; each host has its own instants, numbered by first appearance.
  std::uint32_t state = 1;
  std::uint64_t offset = 0;
  std::unordered_map<std::string, std::uint32_t> times;
  for (auto& series : out) {
    const auto vector =
        times.emplace(series.labels.get("instance"), static_cast<std::uint32_t>(times.size())).first->second;
    const std::int64_t first = 1'767'225'600'000 + vector * 7919 % 15000;
    series.chunk = {first,
                    first + 15'000 * 239,
                    240,
                    vector,
                    static_cast<std::uint32_t>(offset >> 16),
                    static_cast<std::uint32_t>(offset & 0xffff)};
    state = state * 1664525 + 1013904223;
    offset += 8 + (state >> 24);
  }
  // A copy lies in memory in this order, as labels do that were just read: the misses are not the index's.
  return std::vector<Series>(out.begin(), out.end());
}

std::string build(const std::vector<Series>& all) {
  IndexBuilder builder;
  for (const auto& series : all) builder.add(series.labels, {&series.chunk, 1});
  return builder.finish();
}

const std::vector<Series>& shared_fleet() {
  static const auto all = fleet(false);
  return all;
}

const Index& shared_index() {
  static const std::string section = build(shared_fleet());
  static const auto index = Index::open(section).value();
  return *index;
}

void build_all(benchmark::State& state, const std::vector<Series>& all) {
  std::size_t bytes = 0;
  for (auto _ : state) bytes = build(all).size();
  const auto count = static_cast<double>(all.size());
  state.counters["bytes_per_series"] = static_cast<double>(bytes) / count;
  state.counters["s_per_series"] =
      benchmark::Counter(count, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void BM_Build(benchmark::State& state) { build_all(state, shared_fleet()); }
BENCHMARK(BM_Build)->Unit(benchmark::kMillisecond);

void BM_BuildWide(benchmark::State& state) {
  static const auto all = fleet(true, 400);
  build_all(state, all);
}
BENCHMARK(BM_BuildWide)->Unit(benchmark::kMillisecond);

void BM_Open(benchmark::State& state) {
  const auto section = build(shared_fleet());
  for (auto _ : state) benchmark::DoNotOptimize(Index::open(section).value());
}
BENCHMARK(BM_Open)->Unit(benchmark::kMicrosecond);

Matcher regex(std::string name, std::string value) {
  return Matcher::make(std::move(name), Matcher::Op::kRegex, std::move(value)).value();
}

void select(benchmark::State& state, const Matchers& matchers) {
  auto found = shared_index().select(matchers).value().size();
  for (auto _ : state) found = shared_index().select(matchers).value().size();
  state.counters["series"] = static_cast<double>(found);
}

const Matcher kMetric = Matcher::equal("__name__", "node_single_metric_077");
const Matcher kInstance = Matcher::equal("instance", "host1234.example.net:9100");
BENCHMARK_CAPTURE(select, metric, Matchers{kMetric})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(select, instance, Matchers{kInstance})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(select, metric_and_instance, Matchers{kMetric, kInstance})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(select, metric_and_regex, Matchers{kMetric, regex("instance", ".*[37]\\..*")})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(select, regex_prefix, Matchers{regex("instance", "host12.*")})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(select, regex_of_metrics, Matchers{regex("__name__", "node_(disk|network)_.*")})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(select, mode_not_idle,
                  Matchers{Matcher::equal("__name__", "node_cpu_seconds_total"),
                           Matcher::make("mode", Matcher::Op::kNotEqual, "idle").value()})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(select, job, Matchers{Matcher::equal("job", "node")})->Unit(benchmark::kMicrosecond);

void BM_InstanceCold(benchmark::State& state) {
  const auto section = build(shared_fleet());
  for (auto _ : state) {
    const auto index = Index::open(section).value();
    benchmark::DoNotOptimize(index->select({kInstance}).value());
  }
}
BENCHMARK(BM_InstanceCold)->Unit(benchmark::kMicrosecond);

void BM_LabelsOfAMetric(benchmark::State& state) {
  const auto found = shared_index().select({kMetric}).value();
  for (auto _ : state) benchmark::DoNotOptimize(shared_index().labels(found).value());
}
BENCHMARK(BM_LabelsOfAMetric)->Unit(benchmark::kMicrosecond);

void BM_ChunksOfAMetric(benchmark::State& state) {
  const auto found = shared_index().select({kMetric}).value();
  std::vector<ChunkRef> chunks;
  for (auto _ : state) {
    for (const auto ordinal : found) (void)shared_index().chunks(ordinal, chunks);
  }
}
BENCHMARK(BM_ChunksOfAMetric)->Unit(benchmark::kMicrosecond);

void BM_InstancesOfAMetric(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(shared_index().label_values("instance", {kMetric}).value());
}
BENCHMARK(BM_InstancesOfAMetric)->Unit(benchmark::kMicrosecond);

void BM_Verify(benchmark::State& state) {
  for (auto _ : state) {
    if (!shared_index().verify()) state.SkipWithError("it does not verify");
  }
}
BENCHMARK(BM_Verify)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace atalaya::tsdb

BENCHMARK_MAIN();
