#include "ingest/series_import.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ingest/prometheus_text.h"
#include "ingest/series_lines.h"
#include "ingest/stores_for_tests.h"

namespace atalaya::ingest {
namespace {

std::string fault(std::string_view line) {
  const auto parts = split_text_line(line);
  if (!parts) return parts.error().message;
  if (!*parts) return "nothing";
  if (const auto labels = parse_text_series((*parts)->series); !labels) return labels.error().message;
  return parse_text_value((*parts)->value) ? "none" : "no number";
}

TEST(PrometheusText, DividesLinesAndReadsTheirSeries) {
  const auto parts = **split_text_line("  http_total {code=\"2\\\"0}0\", a=\"x y\"}\t1e3 -15 \r");
  EXPECT_EQ(parts.value, "1e3");
  EXPECT_EQ(parts.time, from_ms(-15));
  EXPECT_EQ(*parse_text_series(parts.series), Labels({{"__name__", "http_total"}, {"a", "x y"}, {"code", "2\"0}0"}}));
  EXPECT_EQ((**split_text_line("up 1")).time, std::nullopt);
  EXPECT_EQ(*parse_text_series("up"), Labels({{"__name__", "up"}}));
  EXPECT_EQ(*parse_text_series("up{}"), Labels({{"__name__", "up"}}));
  EXPECT_EQ(*parse_text_series(R"({"my.name","x.y"="z",})"), Labels({{"__name__", "my.name"}, {"x.y", "z"}}));
  EXPECT_EQ(*parse_text_series(R"({__name__="up"})"), Labels({{"__name__", "up"}}));
}

TEST(PrometheusText, ABackslashBeforeAnythingElseIsText) {
  EXPECT_EQ(*parse_text_series(R"(up{a="C:\dir\\x\\n\n\"\é"})"),
            Labels({{"__name__", "up"}, {"a", "C:\\dir\\x\\n\n\"\\é"}}));
}

TEST(PrometheusText, TellsWhatIsWrongWithALine) {
  EXPECT_EQ(fault(""), "nothing");
  EXPECT_EQ(fault("# HELP up x"), "nothing");
  EXPECT_EQ(fault("up"), "a value is missing");
  EXPECT_EQ(fault("up{a=\"b\" 1"), "labels do not end with }");
  EXPECT_EQ(fault("up 1 2 3"), "more follows the time");
  EXPECT_EQ(fault("up 1 1.5"), "the time is no whole number of milliseconds");
  EXPECT_EQ(fault("up one"), "no number");
  EXPECT_EQ(fault("1up 1"), "\"1up\" is no metric's name");
  EXPECT_EQ(fault("{a=\"b\"} 1"), "a series without a name");
  EXPECT_EQ(fault("up{a=\"b\",a=\"\"} 1"), "label a twice");
  EXPECT_EQ(fault("up{a-b=\"c\"} 1"), "\"a-b\" is no label's name");
  EXPECT_EQ(fault("up{a=b} 1"), "label a has no value in quotes");
  EXPECT_EQ(fault("up{a} 1"), "a label has no value");
  EXPECT_EQ(fault("up{\"down\"} 1"), "two names");
  EXPECT_EQ(fault("up{__name__=\"down\"} 1"), "two names");
  EXPECT_EQ(fault("up{a=\"\\\"} 1"), "labels do not end with }");
  EXPECT_EQ(fault("up{a=\"\xff\"} 1"), "a label that is not UTF-8");
}

TEST(PrometheusText, ValuesReadBackAsTheyWereWritten) {
  constexpr double kMost = std::numeric_limits<double>::max();
  for (const double value : {0.0, -0.0, 1.5, 1e21, -1e-300, kMost, std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), 4.9e-324, 0.1}) {
    std::string text;
    append_text_value(text, value);
    const auto read = parse_text_value(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(*read), std::bit_cast<std::uint64_t>(value)) << text;
  }
  std::string text;
  append_text_value(text, stale_marker());
  EXPECT_EQ(text, "NaN");
  EXPECT_TRUE(std::isnan(*parse_text_value("nan")));
  EXPECT_EQ(parse_text_value("1e999"), std::nullopt);
  EXPECT_EQ(parse_text_value("-1e-999"), 0.0);
  for (const auto* bad : {"", "-", "+-1", "1x", "0x", "infinit"}) EXPECT_EQ(parse_text_value(bad), std::nullopt) << bad;
}

TEST(PrometheusText, SeriesReadBackAsTheyWereWritten) {
  for (const Labels& labels : {Labels{{"__name__", "up"}}, Labels{{"__name__", "up"}, {"a", "x\\\"\n}y"}, {"b.c", "d"}},
                               Labels{{"__name__", "my.name"}}, Labels{{"__name__", "a b"}, {"Z", "1"}}}) {
    std::string text;
    append_text_series(text, labels);
    EXPECT_EQ(parse_text_series(text).value(), labels) << text;
    EXPECT_EQ((**split_text_line(text + " 1 2")).series, text);
  }
}

TEST(SeriesLines, ReadBackAsTheyWereWritten) {
  const std::vector<Sample> samples{{from_ms(-1), 1.5},
                                    {from_ms(0), std::numeric_limits<double>::infinity()},
                                    {from_ms(1), -std::numeric_limits<double>::infinity()},
                                    {from_ms(2), stale_marker()},
                                    {from_ms(3), 1.1400000000000001},
                                    {from_ms(4), -0.0},
                                    {from_ms(5), 4.9e-324},
                                    {from_ms(1'700'000'000'000), 0.1}};
  const Labels labels{{"__name__", "up"}, {"a", "\"\n\xe2\x82\xac"}};
  std::string line;
  append_series_line(line, labels, samples);
  const auto read = parse_series_line(line);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->labels, labels);
  ASSERT_EQ(read->samples.size(), samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(read->samples[i].time, samples[i].time);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(read->samples[i].value), std::bit_cast<std::uint64_t>(samples[i].value));
  }
}

TEST(SeriesLines, TellWhatIsWrong) {
  const auto wrong = [](const char* line) {
    const auto read = parse_series_line(line);
    return read ? "none" : read.error().message;
  };
  EXPECT_TRUE(wrong("{").starts_with("no JSON: "));
  EXPECT_EQ(wrong("[]"), "\"metric\" is no object");
  EXPECT_EQ(wrong(R"({"metric":{"__name__":"a"},"values":[[1]],"timestamps":[1]})"),
            "more than one level below \"metric\", \"values\" or \"timestamps\"");
  EXPECT_EQ(wrong(R"({"metric":{"__name__":"a","__name__":"b"},"values":[],"timestamps":[]})"), "label __name__ twice");
  EXPECT_EQ(wrong(R"({"metric":{"__name__":"a"},"values":[],"timestamps":[]} 1)"), "more follows the JSON object");
  EXPECT_EQ(wrong(R"({"metric":{"__name__":"a"},"values":[true],"timestamps":[1]})"), "value 1 is no number");
  EXPECT_EQ(wrong(R"({"other":[{"values":[{}]}],"metric":{"__name__":"a"},"values":[],"timestamps":[]})"), "none");
  EXPECT_EQ(wrong(R"({"metric":{"__name__":"a"},"values":[1]})"), "\"values\" and \"timestamps\" are no arrays");
  EXPECT_EQ(wrong(R"({"metric":{"__name__":"a"},"values":[1],"timestamps":[]})"), "1 values and 0 timestamps");
  EXPECT_EQ(wrong(R"({"metric":{"a":"b"},"values":[],"timestamps":[]})"), "a series without a name");
  EXPECT_EQ(wrong(R"({"metric":{"__name__":1},"values":[],"timestamps":[]})"), "label __name__ is no text");
  EXPECT_EQ(wrong(R"({"metric":{"__name__":"a"},"values":["x"],"timestamps":[1]})"), "value 1 is no number");
  EXPECT_EQ(wrong(R"({"metric":{"__name__":"a"},"values":[1],"timestamps":[1.5]})"), "timestamp 1 is no whole number");
  EXPECT_EQ(wrong(R"({"metric":{"__name__":"a"},"values":[1],"timestamps":[1e300]})"),
            "timestamp 1 is no whole number");
}

class SeriesImportTest : public testing::Test {
 protected:
  SeriesImportTest() {
    stores_.commit_at_once = true;
    stores_.keep_first = true;
  }
  Imported run(LineFormat format, std::string_view body) {
    return SeriesImport(stores_, TenantId{"default"}, from_ms(777)).run(format, body);
  }
  StoresForTests stores_;
};

TEST_F(SeriesImportTest, TakesGoodLinesAndNamesBadOnes) {
  stores_.oldest = from_ms(100);
  stores_.refuse_metric = "many";
  const auto done = run(LineFormat::kText,
                        "# TYPE up gauge\nup 1 200\n\nup two 300\nup 3 99\nup 1 200\nup 2 200\nmany 1 200\nup 5\n"
                        "up 4 400");
  ASSERT_FALSE(done.stopped);
  EXPECT_EQ(done.lines, 10u);
  EXPECT_EQ(done.samples, 4u) << "with the one that came twice";
  EXPECT_EQ(done.refused, 3u);
  EXPECT_EQ(done.bad_lines, 1u);
  std::string errors;
  for (const auto& [line, what] : done.errors) errors += std::to_string(line) + ": " + what + "\n";
  EXPECT_EQ(errors,
            "4: \"two\" is no number\n5: the sample at 1970-01-01T00:00:00.099Z: too old\n7: the sample at "
            "1970-01-01T00:00:00.200Z: another value is there at that time\n8: too many series: many\n");
  EXPECT_EQ(stores_.samples.size(), 3u);
  EXPECT_EQ(stores_.samples[1].time, from_ms(777)) << "a line without a time is of now";
}

TEST_F(SeriesImportTest, TakesJsonLines) {
  const auto done = run(LineFormat::kJson, R"({"metric":{"__name__":"a"},"values":[1,2],"timestamps":[1,2]}
nonsense
{"metric":{"__name__":"b"},"values":[null],"timestamps":[1]})");
  ASSERT_FALSE(done.stopped);
  EXPECT_EQ(done.samples, 3u);
  EXPECT_EQ(done.bad_lines, 1u);
  EXPECT_EQ(done.errors.at(0).line, 2u);
}

TEST_F(SeriesImportTest, TimesOfOpenMetricsAreSeconds) {
  stores_.keep_first = false;
  const std::string body =
      "# TYPE omx counter\nomx_total{a=\"b\"} 1 1700000000\nomx_total{a=\"b\"} 2 1700000015.250 # {trace_id=\"x\"} 1 "
      "1700000014\nomx_total{a=\"b\"} 3 1.7e9 # {trace_id=\"y\"} 1\nomx_total{a=\"c\"} 4 # {} 1\nomx_total{a=\"d\"} 5 "
      "x\n";
  for (const bool said : {true, false}) {
    stores_.samples.clear();
    const auto done = said ? run(LineFormat::kOpenMetrics, body) : run(LineFormat::kText, body + "# EOF\n");
    ASSERT_FALSE(done.stopped);
    ASSERT_EQ(done.errors.size(), 1u);
    EXPECT_EQ(done.errors[0].what, "the time is no number of seconds");
    ASSERT_EQ(stores_.samples.size(), 4u);
    EXPECT_EQ(stores_.samples[0].time, from_ms(1'700'000'000'000));
    EXPECT_EQ(stores_.samples[1].time, from_ms(1'700'000'015'250));
    EXPECT_EQ(stores_.samples[2].time, from_ms(1'700'000'000'000));
    EXPECT_EQ(stores_.samples[3].time, from_ms(777));
  }
}

TEST_F(SeriesImportTest, OnlyALastLineOfEofMakesATextOpenMetrics) {
  EXPECT_TRUE(ends_as_open_metrics("# EOF"));
  EXPECT_TRUE(ends_as_open_metrics("a 1\n# EOF\r\n\n"));
  EXPECT_FALSE(ends_as_open_metrics("a 1 # EOF"));
  EXPECT_FALSE(ends_as_open_metrics("# EOF\na 1\n"));
  EXPECT_FALSE(ends_as_open_metrics(""));
  EXPECT_FALSE(run(LineFormat::kText, "# EOF\na 1 1700000000\n").stopped);
  EXPECT_EQ(stores_.samples.at(0).time, from_ms(1'700'000'000));
}

TEST_F(SeriesImportTest, ALongBodyIsWrittenInPieces) {
  std::string body;
  for (int i = 0; i < 120'000; ++i) body += "up 1 " + std::to_string(i) + "\n";
  const auto done = run(LineFormat::kText, body);
  EXPECT_EQ(done.samples, 120'000u);
  EXPECT_EQ(stores_.series_appends, 3u);
  EXPECT_EQ(stores_.resolved, 1u);
}

TEST_F(SeriesImportTest, AStoreThatCannotWriteEndsIt) {
  stores_.refuse_appends = ErrorCode::kUnavailable;
  EXPECT_EQ(run(LineFormat::kText, "up 1 1\n").stopped.value_or(Error{}).code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace atalaya::ingest
