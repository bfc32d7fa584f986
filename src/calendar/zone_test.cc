#include "calendar/zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atalaya::calendar {
namespace {

using testing::HasSubstr;

TEST(Zone, KnowsWhenClocksChange) {
  const auto madrid = Zone::find("Europe/Madrid").value();
  const auto summer = madrid.span_at(parse_time("2026-07-01T00:00:00Z").value());
  EXPECT_EQ(summer.offset, std::chrono::hours{2});
  EXPECT_EQ(summer.abbreviation, "CEST");
  EXPECT_EQ(format_rfc3339(summer.begin), "2026-03-29T01:00:00.000Z");
  EXPECT_EQ(format_rfc3339(summer.end), "2026-10-25T01:00:00.000Z");
  EXPECT_EQ(madrid.name(), "Europe/Madrid");
}

TEST(Zone, UtcNeedsNoData) {
  const auto utc = Zone::find("UTC").value();
  EXPECT_EQ(utc, Zone());
  EXPECT_EQ(utc.local(from_ms(5)), from_ms(5));
  EXPECT_EQ(utc.span_at(from_ms(0)).end, kMaxTime);
}

TEST(Zone, TheEndsOfTimeHaveOffsetsToo) {
  const auto madrid = Zone::find("Europe/Madrid").value();
  EXPECT_LT(madrid.span_at(kMinTime).offset, std::chrono::hours{1});
  EXPECT_GE(madrid.span_at(kMaxTime).offset, std::chrono::hours{1});
}

TEST(Zone, ANameThatIsNotOneGetsAHint) {
  EXPECT_THAT(to_string(Zone::find("europe/madrid").error()), HasSubstr("did you mean \"Europe/Madrid\"?"));
  EXPECT_THAT(to_string(Zone::find("Madrid").error()), HasSubstr("did you mean \"Europe/Madrid\"?"));
  EXPECT_THAT(to_string(Zone::find("../../etc/passwd").error()), HasSubstr("is no time zone"));
  EXPECT_THAT(to_string(Zone::find("").error()), HasSubstr("is no time zone"));
}

}  // namespace
}  // namespace atalaya::calendar
