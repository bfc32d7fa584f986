#include "collect/scrape/config.h"

#include <gtest/gtest.h>

namespace atalaya::collect::scrape {
namespace {

TEST(ScrapeConfig, BytesAreThoseOfPrometheus) {
  EXPECT_EQ(bytes_of("0").value(), 0u);
  EXPECT_EQ(bytes_of("512").value(), 512u);
  EXPECT_EQ(bytes_of("5B").value(), 5u);
  EXPECT_EQ(bytes_of("1KB").value(), 1024u);
  EXPECT_EQ(bytes_of("10MB").value(), 10u << 20);
  EXPECT_EQ(bytes_of("1MiB").value(), 1u << 20);
  EXPECT_EQ(bytes_of("1.5GB").value(), 3u << 29);
  EXPECT_EQ(bytes_of("1MB512KB").value(), (1u << 20) + (512u << 10));
  for (const auto* bad : {"", "MB", "-1MB", "1XB", "1Kb", "1 MB", "1M", "1MB5", "5 ", "9EB", "1e3", "NaNB"}) {
    EXPECT_FALSE(bytes_of(bad)) << bad;
  }
}

TEST(ScrapeConfig, ASizeThatIsNoneIsNamed) {
  std::vector<ConfigProblem> problems;
  EXPECT_FALSE(read_config("p/j", {{"job_name", "j"}, {"body_size_limit", "1XB"}}, {}, problems));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].path, std::vector<std::string>{"body_size_limit"});
  EXPECT_EQ(problems[0].error.message, "\"1XB\" is not a number of bytes");
  const auto read = read_config("p/j", {{"job_name", "j"}, {"body_size_limit", "10KB"}}, {}, problems);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->limits.body_bytes, 10240u);
}

}  // namespace
}  // namespace atalaya::collect::scrape
