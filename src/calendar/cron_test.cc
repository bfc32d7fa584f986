#include "calendar/cron.h"

#include <boost/json.hpp>
#include <date/date.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace atalaya::calendar {
namespace {

using testing::HasSubstr;

Time at(std::string_view text) { return parse_time(text).value(); }

std::string next(const std::string& schedule, const std::string& after, const std::string& zone = "UTC") {
  const auto cron = Cron::parse(schedule);
  if (!cron) return to_string(cron.error());
  const auto time = cron->next(at(after), Zone::find(zone).value());
  return time ? format_rfc3339(*time) : "never";
}

TEST(Cron, FiveFieldsSayWhen) {
  EXPECT_EQ(next("*/5 * * * *", "2026-11-22T10:02:03.5Z"), "2026-11-22T10:05:00.000Z");
  EXPECT_EQ(next("30 8 * * mon-fri", "2026-11-20T08:30:00Z"), "2026-11-23T08:30:00.000Z");
  EXPECT_EQ(next("0 0 29 2 *", "2026-01-01T00:00:00Z"), "2028-02-29T00:00:00.000Z");
}

TEST(Cron, DaysOfMonthAndWeekAreEitherOr) {
  EXPECT_EQ(next("0 0 13 * fri", "2026-11-22T00:00:00Z"), "2026-11-27T00:00:00.000Z");
  EXPECT_EQ(next("0 0 13 * *", "2026-11-22T00:00:00Z"), "2026-12-13T00:00:00.000Z");
}

TEST(Cron, WordsStandForSchedules) {
  EXPECT_EQ(next("@hourly", "2026-11-22T10:02:03Z"), "2026-11-22T11:00:00.000Z");
  EXPECT_EQ(next("@weekly", "2026-11-22T10:00:00Z"), "2026-11-29T00:00:00.000Z");
  EXPECT_EQ(next("@every 90m", "2026-11-22T10:00:00.7Z"), "2026-11-22T11:30:00.000Z");
}

TEST(Cron, AScheduleMayHaveAZoneOfItsOwn) {
  EXPECT_EQ(next("CRON_TZ=Asia/Tokyo 0 9 * * *", "2026-11-22T10:00:00Z"), "2026-11-23T00:00:00.000Z");
}

TEST(Cron, TimesThatClocksSkipAreNotRun) {
  EXPECT_EQ(next("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Madrid"), "2026-03-30T00:30:00.000Z");
}

TEST(Cron, TimesThatClocksShowTwiceAreRunTwice) {
  EXPECT_EQ(next("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Madrid"), "2026-10-25T00:30:00.000Z");
  EXPECT_EQ(next("30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Madrid"), "2026-10-25T01:30:00.000Z");
}

TEST(Cron, WhatNeverComesIsNever) { EXPECT_EQ(next("0 0 31 2 *", "2026-01-01T00:00:00Z"), "never"); }

TEST(Cron, MistakesNameTheirField) {
  EXPECT_THAT(to_string(Cron::parse("60 * * * *").error()), HasSubstr("\"60\" is no minute: out of bounds"));
  EXPECT_THAT(to_string(Cron::parse("* * * foo *").error()), HasSubstr("\"foo\" is no month"));
  EXPECT_THAT(to_string(Cron::parse("*/0 * * * *").error()), HasSubstr("a step is at least 1"));
  EXPECT_THAT(to_string(Cron::parse("5-1 * * * *").error()), HasSubstr("begins after its end"));
  EXPECT_THAT(to_string(Cron::parse("* * * *").error()), HasSubstr("is no schedule"));
  EXPECT_THAT(to_string(Cron::parse("@noon").error()), HasSubstr("is no schedule"));
  EXPECT_THAT(to_string(Cron::parse("@every fast").error()), HasSubstr("not a duration"));
  EXPECT_THAT(to_string(Cron::parse("TZ=Mars/Olympus 0 0 * * *").error()), HasSubstr("is no time zone"));
}

class CronVectors : public testing::Test {
 protected:
  void SetUp() override {
    const char* given = std::getenv("ATALAYA_REFERENCE_DATA");
    const auto folder =
        given != nullptr ? std::filesystem::path(given) : std::filesystem::path(AT_SOURCE_DIR) / "../shared/data";
    std::ifstream in(folder / "cron/robfig_cron.json");
    if (!in) GTEST_SKIP() << "no reference data in " << folder << " (ATALAYA_REFERENCE_DATA)";
    std::ostringstream text;
    text << in.rdbuf();
    vectors_ = boost::json::parse(text.str()).as_object();
  }

  /// `Mon Jul 9 15:00 2012`, with seconds or without, with `TZ=zone ` before it, or `2012-03-11T00:00:00-0500`.
  std::optional<Time> read(std::string text, std::string& zone) {
    if (text.starts_with("TZ=")) {
      zone = text.substr(3, text.find(' ') - 3);
      text = text.substr(text.find(' ') + 1);
    }
    // Some of the data have a wrong day of the week, which Go does not look at.
    if (text[0] > '9') text = text.substr(text.find(' ') + 1);
    for (const auto* layout : {"%b %e %H:%M:%S %Y", "%b %e %H:%M %Y", "%FT%T%z"}) {
      std::istringstream in(text);
      date::sys_time<Duration> time;
      if (in >> date::parse(std::string(layout), time)) {
        const bool local = std::string_view(layout).find("%z") == std::string_view::npos;
        return local ? time - offset(time, zone) : time;
      }
    }
    return std::nullopt;
  }
  static Duration offset(Time time, const std::string& zone) { return Zone::find(zone).value().span_at(time).offset; }

  boost::json::object vectors_;
};

TEST_F(CronVectors, TheFirstTimeAfterAnother) {
  std::size_t compared = 0;
  for (const auto& one : vectors_.at("next").as_array()) {
    const std::string schedule(one.at("spec").as_string());
    std::string zone = "UTC";
    const auto after = read(std::string(one.at("time").as_string()), zone);
    ASSERT_TRUE(after) << one.at("time");
    const auto cron = Cron::parse(schedule, CronFields::kWithSeconds);
    ASSERT_TRUE(cron) << schedule << ": " << to_string(cron.error());
    const auto got = cron->next(*after, Zone::find(zone).value());
    const std::string expected(one.at("expected").as_string());
    std::string there = zone;
    const auto wanted = expected.empty() ? std::nullopt : read(expected, there);
    EXPECT_EQ(got ? format_rfc3339(*got) : "", wanted ? format_rfc3339(*wanted) : "") << one;
    ++compared;
  }
  EXPECT_GT(compared, 50u);
}

TEST_F(CronVectors, IsItTime) {
  for (const auto& one : vectors_.at("activation").as_array()) {
    std::string zone = "UTC";
    const auto time = read(std::string(one.at("time").as_string()), zone);
    ASSERT_TRUE(time) << one.at("time");
    const auto cron = Cron::parse(std::string(one.at("spec").as_string()));
    ASSERT_TRUE(cron) << one.at("spec");
    EXPECT_EQ(cron->next(*time - std::chrono::seconds{1}, Zone()) == *time, one.at("expected").as_bool()) << one;
  }
}

TEST_F(CronVectors, WhatIsNoSchedule) {
  for (const auto& one : vectors_.at("invalid").as_array()) {
    const auto text = one.is_string() ? std::string(one.as_string()) : std::string(one.at("spec").as_string());
    EXPECT_FALSE(Cron::parse(text, CronFields::kWithSeconds)) << text;
  }
}

}  // namespace
}  // namespace atalaya::calendar
