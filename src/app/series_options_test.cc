#include "app/series_options.h"

#include <gtest/gtest.h>

#include "app/tables.h"
#include "io/memory_file_system.h"

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
           R"({a="b"} raw:1d raw:2d)",
           R"({a="b"} raw:2d 1h:3d 1h:4d)",
           "1:1",
           R"({a="b"} raw:1d 5m:9d)",
           R"({a=b} raw:3d)",
           R"({a="b"} + {c="d"} raw:3d)",
       }) {
    const auto read = parse_retention_class(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalidArgument) << text;
    EXPECT_TRUE(read.error().message.starts_with("--series-class '" + std::string(text) + "': "))
        << read.error().message;
  }
}

Result<tsdb::Options> options_of(std::vector<std::string> words) {
  io::MemoryFileSystem files;
  words.insert(words.begin(), "server");
  const auto none = [](const std::string&) { return std::optional<std::string>(); };
  return series_options(std::get<config::Options>(config::read_options(server_program(), words, none, files)));
}

TEST(SeriesOptions, MistakesBeginWithTheNameOfTheOption) {
  using Words = std::vector<std::string>;
  for (const auto& words :
       {Words{"--series-memory", "1KiB"}, Words{"--series-max-bytes", "15MiB"}, Words{"--memory", "1B"},
        Words{"--series-memory", "64MiB", "--memory", "32MiB"}, Words{"--series-retention", "1m"},
        Words{"--series-retention", "1d", "--series-keep-5m", "9d"}, Words{"--series-class", "1:1"}}) {
    const auto read = options_of(words);
    ASSERT_FALSE(read) << words[1];
    EXPECT_TRUE(read.error().message.starts_with(words[0])) << read.error().message;
    EXPECT_FALSE(read.error().remedy.empty() && words[0] != "--series-class") << words[0];
  }
  EXPECT_EQ(options_of({"--series-memory", "16MiB"})->memory_bytes, 16u << 20);
  EXPECT_EQ(options_of({"--series-memory", "16MiB", "--memory", "16MiB"})->memory_bytes, 16u << 20);
  EXPECT_EQ(options_of({"--series-max-bytes", "0B"})->max_bytes, 0u);
}

}  // namespace
}  // namespace atalaya::app
