#include "telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace atalaya::telemetry {
namespace {

/// Catches what is logged while it lives.
class Captured {
 public:
  Captured(Level level, LogFormat format) {
    configure_log(level, format, [this](std::string_view line) { lines.emplace_back(line); });
  }
  ~Captured() { configure_log(Level::kInfo, LogFormat::kLogfmt); }
  std::vector<std::string> lines;
};

/// Without its time, which is the machine's.
std::string tail(const std::string& line) { return line.substr(line.find("level")); }

TEST(Log, ALineIsLogfmtWithItsFields) {
  Captured captured(Level::kInfo, LogFormat::kLogfmt);
  log_info("net", "listening", {{"address", "127.0.0.1:2001"}, {"connections", 3}, {"note", "a b=\"c\"\n"}, {"e", ""}});
  ASSERT_EQ(captured.lines.size(), 1u);
  EXPECT_EQ(tail(captured.lines[0]),
            "level=info component=net msg=listening address=127.0.0.1:2001 connections=3 note=\"a b=\\\"c\\\"\\n\" "
            "e=\"\"\n");
  EXPECT_THAT(captured.lines[0], testing::StartsWith("time=20"));
}

TEST(Log, ALineIsJsonWhenAskedFor) {
  Captured captured(Level::kInfo, LogFormat::kJson);
  log_error("db", "say \"no\"\x01", {{"path", "C:\\x"}});
  ASSERT_EQ(captured.lines.size(), 1u);
  EXPECT_EQ(captured.lines[0].substr(0, 9), "{\"time\":\"");
  EXPECT_THAT(captured.lines[0],
              testing::EndsWith("\"level\":\"error\",\"component\":\"db\",\"msg\":\"say \\\"no\\\"\\u0001\","
                                "\"path\":\"C:\\\\x\"}\n"));
}

TEST(Log, ALogIsUtf8WhateverItTells) {
  Captured captured(Level::kInfo, LogFormat::kJson);
  log_info("x", "caf\xc3\xa9", {{"path", "\xff\xfe.log"}});
  ASSERT_EQ(captured.lines.size(), 1u);
  EXPECT_THAT(captured.lines[0], testing::EndsWith("\"msg\":\"café\",\"path\":\"??.log\"}\n"));
}

TEST(Log, LowerLevelsAreSilent) {
  Captured captured(Level::kWarn, LogFormat::kLogfmt);
  log_debug("x", "no");
  log_info("x", "no");
  log_warn("x", "yes");
  log_error("x", "yes");
  EXPECT_EQ(captured.lines.size(), 2u);
  EXPECT_FALSE(enabled(Level::kInfo));
  EXPECT_TRUE(enabled(Level::kWarn));
}

TEST(Log, LinesOfSeveralThreadsDoNotMix) {
  Captured captured(Level::kInfo, LogFormat::kLogfmt);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 100; ++i) log_info("x", "hello");
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(captured.lines.size(), 400u);
}

TEST(Log, ALevelHasAName) {
  EXPECT_EQ(parse_level("debug").value(), Level::kDebug);
  EXPECT_EQ(parse_level("error").value(), Level::kError);
  EXPECT_EQ(parse_level("loud").error().remedy, "write debug, info, warn or error");
}

}  // namespace
}  // namespace atalaya::telemetry
