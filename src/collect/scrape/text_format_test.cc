#include "collect/scrape/text_format.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atalaya::collect::scrape {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Samples and notes as lines; an error is the last of them.
std::vector<std::string> read(std::string_view body, Format format) {
  std::vector<std::string> out;
  const auto status =
      read_lines(body, format,
                 {[&](const ScrapedLine& line) -> Status {
                    out.push_back(fmt::format("{} = {}{}", line.series, line.value,
                                              line.time ? fmt::format(" @{}", to_ms(*line.time)) : ""));
                    return {};
                  },
                  [&](const ScrapedNote& note) {
                    constexpr const char* kWhat[] = {"help", "type", "unit"};
                    out.push_back(fmt::format("{} {}: {}", kWhat[static_cast<int>(note.what)], note.metric, note.text));
                  }});
  if (!status) out.push_back("! " + status.error().message);
  return out;
}

TEST(TextFormat, PrometheusTextHasTimesInMilliseconds) {
  EXPECT_THAT(
      read("# HELP a what \\\\ it\\nis\n# TYPE a counter\n# a comment\n\na{b=\"c # d\"} 1.5 1000\n  a 2 \na +Inf",
           Format::kText),
      ElementsAre("help a: what \\ it\nis", "type a: counter", "a{b=\"c # d\"} = 1.5 @1000", "a = 2", "a = inf"));
}

TEST(TextFormat, Text100HasNamesInQuotes) {
  EXPECT_THAT(read("# TYPE \"my.name\" gauge\n{\"my.name\",\"l.b\"=\"v}\"} 1\n", Format::kText),
              ElementsAre("type my.name: gauge", "{\"my.name\",\"l.b\"=\"v}\"} = 1"));
}

TEST(TextFormat, OpenMetricsHasSecondsUnitsAndExemplars) {
  EXPECT_THAT(read("# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_seconds_total{x=\"# {\"} 1 1520879607.789 "
                   "# {trace_id=\"k\"} 0.5 1\na_seconds_created 2\n# EOF\n",
                   Format::kOpenMetrics),
              ElementsAre("type a_seconds: counter", "unit a_seconds: seconds",
                          "a_seconds_total{x=\"# {\"} = 1 @1520879607789", "a_seconds_created = 2"));
}

TEST(TextFormat, ExemplarsHaveLabelsAValueAndPerhapsATime) {
  std::vector<ScrapedExemplar> seen;
  const auto read_one = [&](std::string_view exemplar) {
    return read_lines(fmt::format("a_total 1 {}\n# EOF\n", exemplar), Format::kOpenMetrics,
                      {[&](const ScrapedLine& line) {
                         if (line.exemplar) seen.push_back(*line.exemplar);
                         return Status{};
                       },
                       [](const ScrapedNote&) {}});
  };
  EXPECT_TRUE(read_one("# {trace_id=\"k # {\",b=\"2\"} 0.5 1520879607.789"));
  EXPECT_TRUE(read_one("# {} +Inf"));
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].labels, (Labels{{"b", "2"}, {"trace_id", "k # {"}}));
  EXPECT_EQ(seen[0].value, 0.5);
  EXPECT_EQ(seen[0].time, from_ms(1'520'879'607'789));
  EXPECT_TRUE(seen[1].labels.empty());
  EXPECT_FALSE(seen[1].time);
  for (const auto* bad :
       {"# {a=\"b\"}", "# {a=\"b\"} x", "# {a=\"b\"} 1 x", "# {a=\"b\"} 1 2 3", "# {a=\"b 1", "# a 1"}) {
    EXPECT_FALSE(read_one(bad)) << bad;
  }
}

TEST(TextFormat, OpenMetricsEndsWithItsMark) {
  EXPECT_THAT(read("a 1\n", Format::kOpenMetrics), ElementsAre("a = 1", "! data does not end with # EOF"));
  EXPECT_THAT(read("a 1\n# EOF\nb 1\n", Format::kOpenMetrics), ElementsAre("a = 1", "! line 2: more follows # EOF"));
  EXPECT_THAT(read("a 1\n# EOF", Format::kOpenMetrics), ElementsAre("a = 1"));
}

TEST(TextFormat, ABadLineIsNamed) {
  EXPECT_THAT(read("a 1\nb x\nc 1\n", Format::kText), ElementsAre("a = 1", "! line 2: \"x\" is no number"));
  EXPECT_THAT(read("a{b=\"c 1\n", Format::kText), ElementsAre("! line 1: labels do not end with }"));
  EXPECT_THAT(read("a 1 2 3\n", Format::kText), ElementsAre("! line 1: more follows the time"));
  for (const auto* bad : {"a 1 1.5\n", "a 1 -5\n"}) {
    EXPECT_THAT(read(bad, Format::kText), ElementsAre(HasSubstr("whole number of milliseconds"))) << bad;
  }
  EXPECT_THAT(read("# TYPE a thing\n", Format::kText), ElementsAre("! line 1: invalid metric type \"thing\""));
}

TEST(TextFormat, WhatATargetWritesIsToldAsTextThatCanBeShown) {
  EXPECT_THAT(read("# HELP a \xff\n", Format::kText), ElementsAre("! line 1: not UTF-8"));
  EXPECT_THAT(read("a \xff\n", Format::kText), ElementsAre("! line 1: not UTF-8"));
  EXPECT_EQ(read("a " + std::string(1 << 20, 'x'), Format::kText).front().size(), 80 + 25);
}

TEST(TextFormat, ACommentWithoutABlankOrWithAKeywordAloneSaysNothing) {
  EXPECT_THAT(read("#HELP a\n#TYPE a thing\n#\n# HELP\n# TYPE\na 1\n", Format::kText), ElementsAre("a = 1"));
  EXPECT_THAT(read("#TYPE a gauge\n# EOF\n", Format::kOpenMetrics), ElementsAre(HasSubstr("neither HELP, TYPE")));
}

TEST(TextFormat, NumbersBeyondTheRangeFailTheScrape) {
  EXPECT_THAT(read("a 1e400\n", Format::kText), ElementsAre("! line 1: \"1e400\" is no number"));
  EXPECT_THAT(read("a 1e-400\n", Format::kText), ElementsAre("a = 0"));
}

TEST(TextFormat, OneBlankStandsBetweenPartsOfOpenMetrics) {
  for (const auto* bad : {"a  1", "a 1  2", "a 1 ", "a\t1", "a_total 1  # {} 1"}) {
    EXPECT_THAT(read(std::string(bad) + "\n# EOF\n", Format::kOpenMetrics), ElementsAre(HasSubstr("line 1: one blank")))
        << bad;
  }
}

TEST(TextFormat, ExemplarsAreOfWhatIsCounted) {
  EXPECT_THAT(read("a_seconds 3 # {t=\"x\"} 1\n# EOF\n", Format::kOpenMetrics),
              ElementsAre("! line 1: metric name a_seconds does not support exemplars"));
  EXPECT_THAT(read("a_bucket{le=\"1\"} 3 # {t=\"x\"} 1\n{\"a.b_total\"} 1 # {} 2\n# EOF\n", Format::kOpenMetrics),
              ElementsAre("a_bucket{le=\"1\"} = 3", "{\"a.b_total\"} = 1"));
}

TEST(TextFormat, CarriageReturnsAreNoBlanks) {
  for (const auto* bad : {"a 1\r\n", "a 1 \r\n", "\r\na 1\n", "# TYPE a counter\r\n"}) {
    EXPECT_THAT(read(bad, Format::kText), ElementsAre(HasSubstr("! line 1: "))) << bad;
  }
}

TEST(TextFormat, UntypedIsUnknownAndNoWordOfOpenMetrics) {
  EXPECT_THAT(read("# TYPE a untyped\n", Format::kText), ElementsAre("type a: unknown"));
  EXPECT_THAT(read("# TYPE a untyped\n", Format::kOpenMetrics),
              ElementsAre("! line 1: invalid metric type \"untyped\""));
}

TEST(TextFormat, TheContentTypeDecidesThenTheFallback) {
  EXPECT_EQ(format_of("text/plain; version=0.0.4; charset=utf-8", "OpenMetricsText1.0.0"), Format::kText);
  EXPECT_EQ(format_of("application/OpenMetrics-text; version=1.0.0", ""), Format::kOpenMetrics);
  EXPECT_EQ(format_of("", "OpenMetricsText1.0.0"), Format::kOpenMetrics);
  EXPECT_EQ(format_of("text/html", "PrometheusText0.0.4"), Format::kText);
  EXPECT_EQ(
      format_of("", "").error().message,
      "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target");
  EXPECT_EQ(format_of("text/html", "").error().message,
            "received unsupported Content-Type \"text/html\" and no fallback_scrape_protocol specified for target");
  EXPECT_FALSE(format_of("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily", ""));
}

}  // namespace
}  // namespace atalaya::collect::scrape
