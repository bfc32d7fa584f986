#include "collect/scrape/scrape_state.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "model/sample.h"

namespace atalaya::collect::scrape {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::array kSynthetic{"up", "scrape_duration_seconds", "scrape_samples_scraped",
                                "scrape_samples_post_metric_relabeling", "scrape_series_added"};

/// A target and what its series are called.
struct World {
  ScrapeConfig config;
  Labels labels{{"instance", "a:1"}, {"job", "j"}};
  ScrapeState state;
  std::vector<Labels> names;
  std::string error;
  Time now = from_ms(1'000'000);
  std::size_t most_series = 1000;

  Result<SeriesId> resolve(const Labels& given) {
    const auto found = std::ranges::find(names, given);
    if (found != names.end()) return SeriesId{static_cast<std::uint64_t>(found - names.begin()) + 1};
    if (names.size() == most_series) return fail(ErrorCode::kResourceExhausted, "too many series");
    names.push_back(given);
    return SeriesId{names.size()};
  }
  std::vector<std::string> shown(const std::vector<storage::SeriesSample>& samples, bool wanted) const {
    std::vector<std::string> out;
    for (const auto& one : samples) {
      const auto& name = names[one.series.value() - 1];
      const bool is_synthetic = std::ranges::find(kSynthetic, name.get(kMetricName)) != kSynthetic.end();
      if (is_synthetic != wanted) continue;
      const auto at = to_ms(one.time) - 1'000'000;
      const auto value = is_stale(one.value) ? std::string("stale") : fmt::format("{}", one.value);
      if (wanted)
        out.push_back(fmt::format("{} {}", name.get(kMetricName), value));
      else
        out.push_back(fmt::format("{} {} @{}", to_string(name.without("job").without("instance")), value, at));
    }
    std::ranges::sort(out);
    return out;
  }
  /// What the target's own series got.
  std::vector<std::string> scrape(Result<std::string_view> body, Format format = Format::kText) {
    now += Duration{1000};
    auto out = state.take(config, labels, Duration{500}, {std::move(body), format, now, Duration{250}},
                          [this](const Labels& given) { return resolve(given); });
    error = out.error;
    synthetic = shown(out.samples, true);
    return shown(out.samples, false);
  }
  std::vector<std::string> synthetic;
};

TEST(ScrapeState, ATargetThatIsUpHasItsSamplesAndTheSyntheticSeries) {
  World w;
  EXPECT_THAT(w.scrape("a 1\nb{x=\"y\"} 2\n"), ElementsAre("a 1 @1000", "b{x=\"y\"} 2 @1000"));
  EXPECT_THAT(w.synthetic, ElementsAre("scrape_duration_seconds 0.25", "scrape_samples_post_metric_relabeling 2",
                                       "scrape_samples_scraped 2", "scrape_series_added 2", "up 1"));
  w.scrape("a 1\nc 3\n");
  EXPECT_THAT(w.synthetic, Contains("scrape_series_added 1"));
  EXPECT_THAT(w.names, Contains(Labels{{"__name__", "up"}, {"instance", "a:1"}, {"job", "j"}}));
}

TEST(ScrapeState, ExemplarsGoWithTheirSeriesAndTakeItsTime) {
  World w;
  w.now += Duration{1000};
  const std::string body =
      "# TYPE a counter\na_total{x=\"y\"} 1 # {trace=\"t\"} 0.5 7\na_total{x=\"z\"} 1 # {} 2\n# EOF\n";
  const auto out = w.state.take(w.config, w.labels, Duration{500}, {body, Format::kOpenMetrics, w.now, Duration{250}},
                                [&](const Labels& given) { return w.resolve(given); });
  ASSERT_EQ(out.exemplars.size(), 2u);
  EXPECT_EQ(w.names[out.exemplars[0].first.value() - 1].get("x"), "y");
  EXPECT_EQ(out.exemplars[0].second, (storage::Exemplar{Labels{{"trace", "t"}}, 0.5, from_ms(7000)}));
  EXPECT_EQ(out.exemplars[1].second, (storage::Exemplar{Labels{}, 2, w.now}));
}

TEST(ScrapeState, ASeriesThatVanishesEndsOnce) {
  World w;
  w.scrape("a 1\nb 2\n");
  EXPECT_THAT(w.scrape("a 1\n"), ElementsAre("a 1 @2000", "b stale @2000"));
  EXPECT_THAT(w.scrape("a 1\n"), ElementsAre("a 1 @3000"));
  EXPECT_THAT(w.scrape("a 1\nb 2\n"), ElementsAre("a 1 @4000", "b 2 @4000"));
}

TEST(ScrapeState, ATargetThatFailsEndsItsSeriesAndIsDown) {
  World w;
  w.scrape("a 1\n");
  EXPECT_THAT(w.scrape(fail(ErrorCode::kUnavailable, "connection refused")), ElementsAre("a stale @2000"));
  EXPECT_THAT(w.synthetic, Contains("up 0"));
  EXPECT_EQ(w.error, "connection refused");
  EXPECT_THAT(w.scrape(fail(ErrorCode::kUnavailable, "connection refused")), IsEmpty());
  EXPECT_THAT(w.scrape("a 1\n"), ElementsAre("a 1 @4000"));
  EXPECT_THAT(w.synthetic, Contains("scrape_series_added 0")) << "it is known from before";
}

TEST(ScrapeState, SamplesOfAFailedScrapeAreCountedUpToTheLineThatDoesNotHold) {
  World w;
  w.scrape("a 1\na-b 2\nc 3\n");
  EXPECT_THAT(w.synthetic, Contains("scrape_samples_scraped 1"));
  w.scrape("a 1\na-b 2\nc 3\n");
  EXPECT_THAT(w.synthetic, Contains("scrape_samples_scraped 1")) << "of series that are known, too";
}

TEST(ScrapeState, AnAnswerCountsAsAWhole) {
  World w;
  w.scrape("a 1\n");
  EXPECT_THAT(w.scrape("a 2\nnew 1\nbroken\n"), ElementsAre("a stale @2000"));
  EXPECT_THAT(w.synthetic, Contains("scrape_samples_scraped 2"));
  EXPECT_THAT(w.error, HasSubstr("line 3"));
  EXPECT_THAT(w.scrape("a 3\n"), ElementsAre("a 3 @3000")) << "what came in the refused answer never was";
}

TEST(ScrapeState, ATargetThatGoesAwayEndsEverything) {
  World w;
  w.scrape("a 1\n");
  const auto ended = w.state.end(w.now + Duration{1});
  EXPECT_THAT(w.shown(ended, false), ElementsAre("a stale @1001"));
  EXPECT_EQ(w.shown(ended, true).size(), 5U);
  EXPECT_THAT(w.state.end(w.now), IsEmpty());
}

TEST(ScrapeState, SeriesWithTimesOfTheirOwnDoNotEndUnlessAskedTo) {
  World w;
  EXPECT_THAT(w.scrape("a 1 1000500\n"), ElementsAre("a 1 @500"));
  EXPECT_THAT(w.scrape(""), IsEmpty());
  w.config.track_timestamps = true;
  w.scrape("a 1 1002500\n");
  EXPECT_THAT(w.scrape(""), ElementsAre("a stale @4000"));
  w.config.honor_timestamps = false;
  EXPECT_THAT(w.scrape("a 1 1002500\n"), ElementsAre("a 1 @5000"));
}

TEST(ScrapeState, TheTargetsLabelsWinUnlessTheSamplesAreHonoured) {
  const Labels sample{{"__name__", "m"}, {"job", "own"}, {"exported_job", "x"}};
  const Labels target{{"job", "j"}, {"instance", "i"}};
  EXPECT_EQ(to_string(with_target_labels(sample, target, false)),
            R"(m{exported_exported_job="own", exported_job="x", instance="i", job="j"})");
  EXPECT_EQ(to_string(with_target_labels(sample, target, true)), R"(m{exported_job="x", instance="i", job="own"})");
}

TEST(ScrapeState, BoundsOfHistogramsAndQuantilesAreWrittenInOneWay) {
  World w;
  const char* histogram =
      "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"0.25\"} 1\nh_bucket{le=\"1000000\"} 2\n"
      "h_bucket{le=\"+Inf\"} 3\nh_bucket{le=\"much\"} 3\nh_bucket{quantile=\"1\"} 3\nh_bucket{le=\"\"} 3\n";
  const std::vector<std::string> written{R"(h_bucket 3 @1000)",
                                         R"(h_bucket{le="+Inf"} 3 @1000)",
                                         R"(h_bucket{le="0.25"} 1 @1000)",
                                         R"(h_bucket{le="1.0"} 1 @1000)",
                                         R"(h_bucket{le="1e+06"} 2 @1000)",
                                         R"(h_bucket{le="much"} 3 @1000)",
                                         R"(h_bucket{quantile="1"} 3 @1000)"};
  EXPECT_EQ(w.scrape(histogram), written);
  World in_open_metrics;
  const auto text = std::string(histogram) + "# EOF\n";
  EXPECT_EQ(in_open_metrics.scrape(text, Format::kOpenMetrics), written);
  World others;
  EXPECT_THAT(
      others.scrape("# TYPE s summary\ns{quantile=\"0\"} 1\ns{le=\"1\"} 1\n"
                    "# TYPE g gauge\ng{le=\"1\",quantile=\"1\"} 1\n"),
      ElementsAre(R"(g{le="1", quantile="1"} 1 @1000)", R"(s{le="1"} 1 @1000)", R"(s{quantile="0.0"} 1 @1000)"));
}

TEST(ScrapeState, ATypeThatComesLaterEndsTheSeriesAsItWasWritten) {
  World w;
  EXPECT_THAT(w.scrape("h_bucket{le=\"1\"} 1\n"), ElementsAre(R"(h_bucket{le="1"} 1 @1000)"));
  EXPECT_THAT(w.scrape("# TYPE h histogram\nh_bucket{le=\"1\"} 1\n"),
              ElementsAre(R"(h_bucket{le="1"} stale @2000)", R"(h_bucket{le="1.0"} 1 @2000)"));
}

TEST(ScrapeState, RelabellingDropsAndRenames) {
  World w;
  RelabelSpec drop;
  drop.action = RelabelAction::kDrop;
  drop.source_labels = {"__name__"};
  drop.regex = "go_.*";
  w.config.sample_steps.push_back(*Relabeling::make(drop));
  EXPECT_THAT(w.scrape("go_x 1\na 2\n"), ElementsAre("a 2 @1000"));
  EXPECT_THAT(w.synthetic, Contains("scrape_samples_scraped 2"));
  EXPECT_THAT(w.synthetic, Contains("scrape_samples_post_metric_relabeling 1"));
  EXPECT_THAT(w.scrape("go_x 1\na 2\n"), ElementsAre("a 2 @2000")) << "from memory";
}

TEST(ScrapeState, TheLimitOfSamplesRefusesTheAnswerButCountsIt) {
  World w;
  w.config.limits.samples = 2;
  EXPECT_THAT(w.scrape("a 1\nb 1\n"), ElementsAre("a 1 @1000", "b 1 @1000"));
  EXPECT_THAT(w.scrape("a 1\nb 1\nc 1\nd 1\n"), ElementsAre("a stale @2000", "b stale @2000"));
  EXPECT_EQ(w.error, "sample limit exceeded");
  EXPECT_THAT(w.synthetic, Contains("scrape_samples_scraped 4"));
  EXPECT_THAT(w.synthetic, Contains("scrape_samples_post_metric_relabeling 4"));
}

TEST(ScrapeState, LimitsOfLabelsAreThoseOfTheWholeSet) {
  const Labels labels{{"__name__", "m"}, {"long_name", "v"}, {"l", "long_value"}};
  EXPECT_TRUE(check_label_limits(labels, {.labels = 3, .label_name = 9, .label_value = 10}));
  EXPECT_THAT(check_label_limits(labels, {.labels = 2}).error().message,
              "label_limit exceeded (metric: m, number of labels: 3, limit: 2)");
  EXPECT_THAT(check_label_limits(labels, {.label_name = 8}).error().message,
              HasSubstr("label name: long_name, length: 9, limit: 8"));
  EXPECT_THAT(check_label_limits(labels, {.label_value = 9}).error().message,
              HasSubstr("value: \"long_value\", length: 10, limit: 9"));
  World w;
  w.config.limits.labels = 3;
  EXPECT_THAT(w.scrape("a{b=\"c\"} 1\n"), IsEmpty()) << "name, job, instance and b";
  EXPECT_THAT(w.synthetic, Contains("up 0"));
}

TEST(ScrapeState, NoRoomForASeriesIsAFailedScrape) {
  World w;
  w.most_series = 6;
  w.scrape("a 1\n");
  EXPECT_THAT(w.scrape("a 1\nb 1\n"), ElementsAre("a stale @2000"));
  EXPECT_EQ(w.error, "too many series");
}

TEST(ScrapeState, AfterAChangeWhatIsNotThereAnyMoreEnds) {
  World w;
  w.scrape("a 1\nb 1\n");
  w.state.change();
  RelabelSpec drop;
  drop.action = RelabelAction::kDrop;
  drop.source_labels = {"__name__"};
  drop.regex = "b";
  w.config.sample_steps.push_back(*Relabeling::make(drop));
  EXPECT_THAT(w.scrape("a 1\nb 1\n"), ElementsAre("a 1 @2000", "b stale @2000"));
}

TEST(ScrapeState, OneSeriesWrittenInTwoWaysDoesNotEnd) {
  World w;
  w.scrape("a{x=\"1\",y=\"2\"} 1\n");
  EXPECT_THAT(w.scrape("a{y=\"2\",x=\"1\"} 1\n"), ElementsAre("a{x=\"1\", y=\"2\"} 1 @2000"));
}

TEST(ScrapeState, MetadataIsKept) {
  World w;
  w.scrape("# HELP a what\n# TYPE a counter\n# UNIT a_seconds seconds\na 1\n# EOF\n", Format::kOpenMetrics);
  EXPECT_EQ(w.state.metadata().at("a"), (Metadata{"counter", "what", ""}));
  for (int i = 0; i < 10; ++i) w.scrape("b 1\n");
  EXPECT_TRUE(w.state.metadata().contains("a"));
  w.scrape("b 1\n");
  EXPECT_FALSE(w.state.metadata().contains("a"));
}

TEST(ScrapeState, ExtraSeriesComeIfAsked) {
  World w;
  w.config.extra_metrics = true;
  w.config.limits.samples = 7;
  EXPECT_THAT(w.scrape("a 1\n"), ElementsAre("a 1 @1000", "scrape_body_size_bytes 4 @1000",
                                             "scrape_sample_limit 7 @1000", "scrape_timeout_seconds 0.5 @1000"));
  EXPECT_THAT(w.scrape(fail(ErrorCode::kTooLarge, "body size limit exceeded")),
              Contains("scrape_body_size_bytes -1 @2000"));
}

}  // namespace
}  // namespace atalaya::collect::scrape
