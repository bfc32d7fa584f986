#include "app/series_options.h"

#include <gtest/gtest.h>

namespace atalaya::app {
namespace {

TEST(RetentionClasses, SayWhatIsKeptHowLong) {
  const auto one = parse_retention_class(R"({job="billing", zone=~"a|b"} raw:30d 1h:5y)").value();
  ASSERT_EQ(one.matchers.size(), 2u);
  EXPECT_EQ(one.kept.raw, std::chrono::hours{24 * 30});
  EXPECT_EQ(one.kept.five_minutes, Duration{0});
  EXPECT_EQ(one.kept.one_hour, std::chrono::hours{24 * 365 * 5});
  EXPECT_EQ(parse_retention_class(R"(up{job="a"}   raw:2d  5m:3d )")->matchers.size(), 2u);
}

TEST(RetentionClasses, MistakesAreToldWithARemedy) {
  for (const auto* text : {
           "",
           "raw:30d",
           "{} raw:30d",
           R"({a="b"})",
           R"({a="b"} raw)",
           R"({a="b"} raw:x)",
           R"({a="b"} raw:0s)",
           R"({a="b"} 1d:5d)",
           R"({a="b"} raw:1m)",
           R"({a="b"} raw:1d 5m:9d)",
           R"({a=b} raw:3d)",
           R"({a="b"} + {c="d"} raw:3d)",
       }) {
    const auto read = parse_retention_class(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalidArgument) << text;
    EXPECT_FALSE(read.error().message.empty()) << text;
  }
}

}  // namespace
}  // namespace atalaya::app
