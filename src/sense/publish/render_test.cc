#include "sense/publish/render.h"

#include <gmock/gmock.h>

#include <cmath>

#include "ingest/remote_write_reader.h"
#include "model/sample.h"

namespace atalaya::sense::publish {
namespace {

const Time kTime = from_ms(1'700'000'000'123);

Record value(double number, Labels labels = {}) { return {kTime, number, std::move(labels), std::nullopt}; }
Record line(std::string text) { return {kTime, std::nan(""), {}, std::move(text)}; }

TEST(Render, DatagramsAreThoseOfTheDemo) {
  EXPECT_EQ(udp_text(value(12.5)), "Data: 12.5");
  EXPECT_EQ(udp_text(value(3)), "Data: 3");
  EXPECT_EQ(udp_text(value(0.1 + 0.2)), "Data: 0.30000000000000004");
  EXPECT_EQ(udp_text(value(NAN)), "Data: NaN");
  EXPECT_EQ(udp_text(value(-INFINITY)), "Data: -Inf");
  EXPECT_EQ(udp_text(line("a\nline")), "Data: a line");
}

TEST(Render, ADatagramIsCutBetweenCharacters) {
  std::string text(1393, 'x');
  EXPECT_EQ(udp_text(line(text + "€€")), "Data: " + text);
  EXPECT_EQ(udp_text(line(std::string(1394, 'x') + "y")).size(), 1400);
}

TEST(Render, LinesOfALog) {
  EXPECT_EQ(log_line("c", value(12.5, {{"host", "x"}})), "2023-11-14T22:13:20.123Z c{host=\"x\"} 12.5\n");
  EXPECT_EQ(log_line("b", line("two\r\nlines")), "2023-11-14T22:13:20.123Z b two  lines\n");
}

TEST(Render, JsonLines) {
  EXPECT_EQ(json_line("urn:uuid:1", {"c", value(12.5, {{"host", "x\"y"}, {"zone", "é"}})}),
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"sensor\":\"urn:uuid:1\",\"stream\":\"c\","
            "\"labels\":{\"host\":\"x\\\"y\",\"zone\":\"é\"},\"value\":12.5}\n");
  EXPECT_THAT(json_line("s", {"c", line("a\nb")}), ::testing::HasSubstr("\"labels\":{},\"text\":\"a\\nb\"}\n"));
  EXPECT_THAT(json_line("s", {"c", value(INFINITY)}), ::testing::HasSubstr("\"value\":\"+Inf\"}"));
  EXPECT_THAT(json_line("s", {"c", value(stale_marker())}), ::testing::HasSubstr("\"value\":null}"));
}

TEST(Render, SyslogOfRfc5424) {
  const SyslogOptions options{.facility = 16, .severity = 6, .host = "node 1", .app = "atalaya"};
  EXPECT_EQ(syslog_message(options, "c", value(12.5, {{"host", "x"}})),
            "<134>1 2023-11-14T22:13:20.123Z node_1 atalaya - - - c{host=\"x\"} 12.5");
  EXPECT_EQ(syslog_message({.facility = 0, .severity = 0, .host = "", .app = "a"}, "b", line("down\nnow")),
            "<0>1 2023-11-14T22:13:20.123Z - a - - - b down now");
}

TEST(Render, RemoteWriteIsWhatItsReaderReads) {
  const auto later = from_ms(to_ms(kTime) + 1000);
  std::vector<Item> items{{"1.cpu", value(1, {{"host", "x"}})},
                          {"1.cpu", {later, 2, {{"host", "x"}}, std::nullopt}},
                          {"c", value(3, {{"__name__", "own_name"}})},
                          {"c", line("left out")},
                          {"c", value(stale_marker())}};
  const auto body = remote_write_body("", items);
  ingest::RemoteWriteReader reader;
  ASSERT_TRUE(reader.read(ingest::RemoteWriteVersion::kV1, body));
  ASSERT_EQ(reader.series().size(), 3);
  std::map<std::string, std::vector<double>> read;
  for (std::size_t i = 0; i < 3; ++i) {
    auto& values = read[to_string(*reader.labels(i))];
    for (auto k = reader.first_sample(i); k < reader.series()[i].samples_end; ++k)
      values.push_back(reader.samples()[k].value);
  }
  EXPECT_EQ(read["_1_cpu{host=\"x\"}"], (std::vector<double>{1, 2}));
  EXPECT_EQ(read["own_name"], std::vector<double>{3});
  ASSERT_EQ(read["c"].size(), 1);
  EXPECT_TRUE(is_stale(read["c"][0]));

  const auto named = remote_write_body("given", {items[2]});
  ASSERT_TRUE(reader.read(ingest::RemoteWriteVersion::kV1, named));
  EXPECT_EQ(to_string(*reader.labels(0)), "given");
}

}  // namespace
}  // namespace atalaya::sense::publish
