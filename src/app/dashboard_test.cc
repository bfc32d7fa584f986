#include "app/dashboard.h"

#include <gmock/gmock.h>

namespace atalaya::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Time at(int second) { return from_ms(1'700'000'000'000 + second * 1000); }

TEST(Dashboard, ReadsTheNumbersOfDatagrams) {
  EXPECT_EQ(datagram_value("Data: 12.5"), 12.5);
  EXPECT_EQ(datagram_value("Data: -3\n"), -3);
  EXPECT_EQ(datagram_value("Data:1e3"), 1000);
  for (const auto* text : {"", "Data:", "Data: ", "12.5", "Data: 12.5 x", "Data: NaN", "Data: +Inf", "data: 1"})
    EXPECT_EQ(datagram_value(text), std::nullopt) << text;
}

TEST(Dashboard, ALineHoldsNoControlCharacters) {
  EXPECT_EQ(datagram_line("127.0.0.1:9", "Data: 1\n\x1b[2J", at(0)),
            "2023-11-14T22:13:20.000Z 127.0.0.1:9 Data: 1  [2J");
  EXPECT_EQ(datagram_line("x", "\xff\xfe", at(0)), "2023-11-14T22:13:20.000Z x ??");
}

TEST(Dashboard, BarsGoFromTheSmallestToTheGreatest) {
  EXPECT_EQ(sparkline({0, 1, 2, 3, 4, 5, 6, 7}), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(sparkline({5, 5}), "▅▅");
  EXPECT_EQ(sparkline({-1.7e308, 1.7e308}), "▁█");
  EXPECT_EQ(sparkline({}), "");
}

TEST(Dashboard, DrawsALineForEachSender) {
  Dashboard dashboard;
  dashboard.put("127.0.0.1:1", "Data: 1", at(0));
  dashboard.put("127.0.0.1:1", "Data: 3", at(1));
  dashboard.put("127.0.0.1:2", "hello", at(1));
  EXPECT_THAT(dashboard.draw(80), ElementsAre("3 datagrams of 2 senders", "127.0.0.1:1                    3  1 … 3  ▁█",
                                              "127.0.0.1:2           hello"));
}

TEST(Dashboard, KeepsToTheWidth) {
  Dashboard dashboard;
  for (int i = 0; i < 200; ++i) dashboard.put("127.0.0.1:1", "Data: " + std::to_string(i), at(i));
  const auto line = dashboard.draw(60).at(1);
  const auto columns = std::count_if(line.begin(), line.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; });
  EXPECT_EQ(columns, 60);
  EXPECT_THAT(dashboard.draw(10).at(0), "200 datagr");
}

TEST(Dashboard, TheSenderThatWasSilentLongestMakesRoom) {
  Dashboard dashboard;
  for (int i = 0; i < 40; ++i) dashboard.put("sender " + std::to_string(i), "Data: 1", at(i));
  const auto lines = dashboard.draw(80);
  EXPECT_EQ(lines.size(), 33);
  for (const auto& line : lines) EXPECT_THAT(line, ::testing::Not(HasSubstr("sender 7 ")));
}

}  // namespace
}  // namespace atalaya::app
