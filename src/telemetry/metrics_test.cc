#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace atalaya::telemetry {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

TEST(Metrics, AreExposedAsPrometheusTextSortedByName) {
  Registry registry;
  registry.gauge("b_ratio", "Second.").set(0.25);
  registry.counter("a_total", "First \\ line\nand more.", {{"kind", "x\"y\\z\n"}}).add(3);
  registry.counter("a_total", "ignored", {{"kind", "w"}});
  registry.callback("c_bytes", "Third.", [] { return std::numeric_limits<double>::infinity(); });
  EXPECT_EQ(registry.expose(),
            "# HELP a_total First \\\\ line\\nand more.\n"
            "# TYPE a_total counter\n"
            "a_total{kind=\"w\"} 0\n"
            "a_total{kind=\"x\\\"y\\\\z\\n\"} 3\n"
            "# HELP b_ratio Second.\n"
            "# TYPE b_ratio gauge\n"
            "b_ratio 0.25\n"
            "# HELP c_bytes Third.\n"
            "# TYPE c_bytes gauge\n"
            "c_bytes +Inf\n");
}

TEST(Metrics, AskingTwiceGivesTheSameObject) {
  Registry registry;
  auto& first = registry.counter("x_total", "X.", {{"a", "1"}});
  EXPECT_EQ(&registry.counter("x_total", "X.", {{"a", "1"}}), &first);
  EXPECT_NE(&registry.counter("x_total", "X.", {{"a", "2"}}), &first);
}

TEST(Metrics, AHistogramsBucketsAreCumulativeWhenExposed) {
  Registry registry;
  auto& histogram = registry.histogram("h_seconds", "H.", {0.1, 1}, {{"op", "read"}});
  for (const double v : {0.05, 0.1, 0.5, 7.0}) histogram.observe(v);
  EXPECT_EQ(histogram.bucket(0), 2u);
  EXPECT_EQ(registry.expose(),
            "# HELP h_seconds H.\n"
            "# TYPE h_seconds histogram\n"
            "h_seconds_bucket{op=\"read\",le=\"0.1\"} 2\n"
            "h_seconds_bucket{op=\"read\",le=\"1\"} 3\n"
            "h_seconds_bucket{op=\"read\",le=\"+Inf\"} 4\n"
            "h_seconds_sum{op=\"read\"} 7.65\n"
            "h_seconds_count{op=\"read\"} 4\n");
}

TEST(Metrics, AValueThatIsNoNumberLandsInTheLastBucket) {
  Histogram histogram({1});
  histogram.observe(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(histogram.bucket(0), 0u);
  EXPECT_EQ(histogram.bucket(1), 1u);
}

TEST(Metrics, ACallbackMayAskTheRegistryAndMayBeReplaced) {
  Registry registry;
  registry.callback("x_total", "X.", [] { return 1.0; });
  registry.callback("x_total", "X.",
                    [&] { return static_cast<double>(registry.counter("y_total", "Y.").value() + 2); });
  EXPECT_THAT(registry.expose(), HasSubstr("# TYPE x_total counter\nx_total 2\n"));
}

TEST(Metrics, TheProcessTellsWhatItUses) {
  Registry registry;
  add_process_metrics(registry, "1.2.3", "abc");
  const auto text = registry.expose();
  EXPECT_THAT(text, HasSubstr("atalaya_build_info{version=\"1.2.3\",revision=\"abc\"} 1\n"));
  EXPECT_THAT(text, ContainsRegex("\nprocess_resident_memory_bytes [1-9]"));
  EXPECT_THAT(text, ContainsRegex("\nprocess_cpu_seconds_total [0-9]"));
  EXPECT_THAT(text, ContainsRegex("\nprocess_open_fds [1-9]"));
  EXPECT_THAT(text, ContainsRegex("\nprocess_threads [1-9]"));
  EXPECT_THAT(text, ContainsRegex("\nprocess_start_time_seconds 1[0-9.e+]*\n"));
}

}  // namespace
}  // namespace atalaya::telemetry
