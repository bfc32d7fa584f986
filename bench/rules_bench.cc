// What a batch of one host costs the judge, with a thousand rules loaded.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "rules/engine.h"
#include "rules/memory_store.h"

namespace atalaya::rules {
namespace {

const Time kStart = from_ms(1'767'225'600'000);

class CountingSink final : public VerdictSink {
 public:
  void verdict(Verdict v) override { benchmark::DoNotOptimize(v.value), ++count; }
  std::size_t count = 0;
};

RuleSpec rule(int i, std::string expr) {
  RuleSpec out;
  out.tenant = default_tenant();
  out.name = fmt::format("rule_{}", i);
  out.id = "bench/rules/" + out.name;
  out.threshold = GaugeSpec{.expr = std::move(expr), .warning = 1e9, .critical = 2e9};
  return out;
}

/// 1,000 series of one host in 100 metrics.
struct World {
  MemorySeries store;
  CountingSink sink;
  Engine engine{store, sink};
  std::vector<storage::SeriesSample> batch;
  const TenantId tenant = default_tenant();
  Time now = kStart;
  std::uint64_t position = 0;

  explicit World(std::vector<RuleSpec> rules) {
    for (int i = 0; i < 1000; ++i) {
      const auto id = store.resolve(Labels{{kMetricName, fmt::format("metric_{}", i / 10)},
                                           {"instance", "host-1"},
                                           {"job", "node"},
                                           {"device", fmt::format("dev{}", i % 10)}});
      batch.push_back({id, now, 1.0});
    }
    if (!engine.set_rules(std::move(rules), now)) std::abort();
    send();  // series are matched once
  }
  void send() {
    now += std::chrono::seconds{1};
    for (auto& sample : batch) sample.time = now;
    engine.on_samples({tenant, {++position}, batch}, now);
    engine.on_tick(now);
  }
};

void run(benchmark::State& state, const std::vector<RuleSpec>& rules) {
  World world(rules);
  for (auto _ : state) world.send();
  state.SetItemsProcessed(state.iterations() * 1000);
}

/// Every rule watches the ten series of one metric: 10,000 judgements a batch.
void simple_rules(benchmark::State& state) {
  std::vector<RuleSpec> rules;
  for (int i = 0; i < 1000; ++i) rules.push_back(rule(i, fmt::format("metric_{}", i % 100)));
  run(state, rules);
}
BENCHMARK(simple_rules)->Unit(benchmark::kMillisecond);

/// Every rule watches one series: 1,000 judgements a batch.
void narrow_rules(benchmark::State& state) {
  std::vector<RuleSpec> rules;
  for (int i = 0; i < 1000; ++i) {
    rules.push_back(rule(i, fmt::format(R"(metric_{}{{device="dev{}"}} * 100)", i / 10, i % 10)));
  }
  run(state, rules);
}
BENCHMARK(narrow_rules)->Unit(benchmark::kMillisecond);

/// A thousand rules about other series.
void unrelated_rules(benchmark::State& state) {
  std::vector<RuleSpec> rules;
  for (int i = 0; i < 1000; ++i) rules.push_back(rule(i, fmt::format("other_{}", i)));
  run(state, rules);
}
BENCHMARK(unrelated_rules)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace atalaya::rules

BENCHMARK_MAIN();
