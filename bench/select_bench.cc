// What reading through the storage contract costs: 200,000 series, half of two hours in blocks, half in memory.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "io/file_system.h"
#include "tsdb/store.h"

namespace atalaya::tsdb {
namespace {

constexpr std::uint32_t kHosts = 400;
constexpr std::uint32_t kSeriesOfHost = 500;
constexpr int kScrapes = 480;
constexpr std::int64_t kStep = 15'000;

/// On a real disk; taken away at the end.
class Fleet {
 public:
  Fleet() : end_(SystemClock().now()), begin_(end_ - Duration{kScrapes * kStep}), clock_(end_) {
    Options options;
    options.directory = folder_;
    options.commit_inline = true;
    options.sync = false;
    options.flush_on_stop = false;
    options.flush_bytes = SIZE_MAX;
    options.retention = std::chrono::hours{24 * 30};
    store_ = Store::open(*files_, clock_, metrics_, options).value();
    std::vector<SeriesId> ids;
    for (std::uint32_t host = 0; host < kHosts; ++host) {
      const auto instance = fmt::format("host{:04}.example.net:9100", host);
      for (std::uint32_t i = 0; i < kSeriesOfHost; ++i) {
        LabelsBuilder labels;
        labels.set("__name__", fmt::format("node_metric_{:03}", i)).set("instance", instance).set("job", "node");
        ids.push_back(store_->resolve(default_tenant(), labels.build()).value());
      }
    }
    for (int scrape = 0; scrape < kScrapes; ++scrape) {
      storage::SampleBatch batch;
      const auto at = begin_ + Duration{scrape * kStep};
      for (std::uint32_t i = 0; i < ids.size(); ++i) batch.samples.push_back({ids[i], at, value(i, scrape)});
      store_->append(default_tenant(), std::move(batch), [](const auto& done) {
        if (!done) std::abort();
      });
      if (scrape == kScrapes / 2 && !store_->flush()) std::abort();
    }
  }
  ~Fleet() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  const Store& store() const { return *store_; }
  Time begin() const { return begin_; }
  Time end() const { return end_; }

 private:
  /// A third constants, a third counters, a third gauges.
  static double value(std::uint32_t series, int scrape) {
    if (series % 3 == 0) return series;
    if (series % 3 == 1) return 1e6 + scrape * (series % 977);
    return static_cast<double>((series * 2654435761U + static_cast<std::uint32_t>(scrape) * 40503U) % 10000) / 100;
  }

  const std::string folder_ = (std::filesystem::temp_directory_path() / fmt::format("bench-select-{}", getpid()));
  const Time end_;
  const Time begin_;
  ManualClock clock_;
  telemetry::Registry metrics_;
  std::unique_ptr<io::FileSystem> files_ = io::real_file_system();
  std::unique_ptr<Store> store_;
};

const Fleet& fleet() {
  static const Fleet made;
  return made;
}

void read(benchmark::State& state, const Matchers& matchers, Duration range) {
  const auto& all = fleet();
  std::int64_t series = 0;
  std::int64_t samples = 0;
  for (auto _ : state) {
    auto found = all.store().select(default_tenant(), matchers, {all.end() - range, all.end()});
    if (!found) std::abort();
    series += static_cast<std::int64_t>(found->size());
    for (auto& one : *found) {
      for (Sample sample; one.samples->next(sample);) ++samples;
    }
  }
  state.counters["series/s"] = benchmark::Counter(static_cast<double>(series), benchmark::Counter::kIsRate);
  state.counters["samples/s"] = benchmark::Counter(static_cast<double>(samples), benchmark::Counter::kIsRate);
}

const auto kMetric = Matcher::equal("__name__", "node_metric_007");
const auto kInstance = Matcher::equal("instance", "host0123.example.net:9100");
constexpr std::chrono::minutes kLookback{5};
constexpr std::chrono::hours kAll{2};

BENCHMARK_CAPTURE(read, one_series_now, Matchers{kMetric, kInstance}, kLookback)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read, a_metric_now, Matchers{kMetric}, kLookback)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read, a_host_now, Matchers{kInstance}, kLookback)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read, a_metric_of_two_hours, Matchers{kMetric}, kAll)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read, a_host_of_two_hours, Matchers{kInstance}, kAll)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read, everything_of_two_hours, Matchers{Matcher::equal("job", "node")}, kAll)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace atalaya::tsdb

BENCHMARK_MAIN();
