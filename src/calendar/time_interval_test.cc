#include "calendar/time_interval.h"

#include <gtest/gtest.h>

namespace atalaya::calendar {
namespace {

Time at(const char* text) { return *parse_time(text); }

TEST(TimeInterval, WithoutAnyListHoldsAlways) { EXPECT_TRUE(TimeInterval{}.contains(at("2026-11-22T03:04:05Z"))); }

TEST(TimeInterval, EndsOfTimesAreNotIncluded) {
  TimeInterval interval;
  interval.times = {{*parse_clock_time("09:00"), *parse_clock_time("17:00")}};
  EXPECT_FALSE(interval.contains(at("2026-11-22T08:59:59Z")));
  EXPECT_TRUE(interval.contains(at("2026-11-22T09:00:00Z")));
  EXPECT_TRUE(interval.contains(at("2026-11-22T16:59:59Z")));
  EXPECT_FALSE(interval.contains(at("2026-11-22T17:00:00Z")));
  interval.times = {{*parse_clock_time("22:00"), *parse_clock_time("24:00")}};
  EXPECT_TRUE(interval.contains(at("2026-11-22T23:59:59Z")));
  EXPECT_FALSE(interval.contains(at("2026-11-23T00:00:00Z")));
}

TEST(TimeInterval, GoesByTheClocksOfItsZone) {
  TimeInterval interval;
  interval.times = {{*parse_clock_time("09:00"), *parse_clock_time("10:00")}};
  interval.zone = *Zone::find("Europe/Madrid");
  EXPECT_TRUE(interval.contains(at("2026-01-15T08:30:00Z")));
  EXPECT_FALSE(interval.contains(at("2026-01-15T09:30:00Z")));
  EXPECT_TRUE(interval.contains(at("2026-07-15T07:30:00Z"))) << "summer time";
  interval.zone = *Zone::find("Australia/Sydney");
  interval.times.clear();
  interval.weekdays = {*parse_weekdays("monday")};
  EXPECT_TRUE(interval.contains(at("2026-11-22T14:00:00Z"))) << "monday there, sunday in UTC";
}

TEST(TimeInterval, CountsDaysOfTheMonthFromItsEnd) {
  TimeInterval interval;
  interval.days_of_month = {*parse_days_of_month("-3:-1")};
  EXPECT_FALSE(interval.contains(at("2026-02-25T00:00:00Z")));
  EXPECT_TRUE(interval.contains(at("2026-02-26T00:00:00Z")));
  EXPECT_TRUE(interval.contains(at("2026-02-28T23:59:00Z")));
  EXPECT_FALSE(interval.contains(at("2024-02-26T12:00:00Z"))) << "a leap year";
  EXPECT_TRUE(interval.contains(at("2024-02-29T12:00:00Z")));
  interval.days_of_month = {*parse_days_of_month("29:31")};
  EXPECT_FALSE(interval.contains(at("2026-02-28T12:00:00Z"))) << "the range begins after the month's end";
  EXPECT_TRUE(interval.contains(at("2026-04-30T12:00:00Z")));
}

TEST(TimeInterval, NeedsEveryListToHold) {
  TimeInterval interval;
  interval.weekdays = {*parse_weekdays("Monday:friday")};
  interval.months = {*parse_months("january:march"), *parse_months("11")};
  interval.years = {*parse_years("2026:2027")};
  EXPECT_TRUE(interval.contains(at("2026-11-23T12:00:00Z")));
  EXPECT_FALSE(interval.contains(at("2026-11-22T12:00:00Z"))) << "a sunday";
  EXPECT_FALSE(interval.contains(at("2026-10-23T12:00:00Z"))) << "october";
  EXPECT_FALSE(interval.contains(at("2028-01-03T12:00:00Z"))) << "2028";
}

TEST(TimeInterval, RangesThatCannotBeAreRefused) {
  EXPECT_EQ(parse_weekdays("friday:monday").error().message, "start day cannot be before end day");
  EXPECT_EQ(parse_weekdays("-2:-1").error().message, "-2 is not a valid weekday");
  EXPECT_EQ(parse_months("december:january").error().message, "end month january is before start month december");
  EXPECT_EQ(parse_months("smarch").error().message, "smarch is not a valid month");
  EXPECT_EQ(parse_years("2020:2019").error().message, "end year 2019 is before start year 2020");
  EXPECT_EQ(parse_days_of_month("0").error().message, "0 is not a valid day of the month: out of range");
  EXPECT_EQ(parse_days_of_month("-50:-20").error().message, "-50 is not a valid day of the month: out of range");
  EXPECT_EQ(parse_days_of_month("-10:5").error().message, "end day must be negative if start day is negative");
  EXPECT_EQ(parse_days_of_month("10:-25").error().message, "end day -25 is always before start day 10");
  for (const auto* text : {"9:00", "25:00", "24:01", "09:60", "0900", "-1:00", ""}) {
    EXPECT_FALSE(parse_clock_time(text)) << text;
  }
  for (const auto* text : {"", ":", "1:", ":1", "1:2:3"}) EXPECT_FALSE(parse_years(text)) << text;
}

TEST(TimeInterval, SaysInWordsWhenItIs) {
  EXPECT_EQ(to_string(TimeInterval{}), "always");
  TimeInterval nights;
  nights.weekdays = {parse_weekdays("monday:friday").value(), parse_weekdays("sunday").value()};
  nights.times = {{0, 390}, {22 * 60, 24 * 60}};
  nights.zone = Zone::find("Europe/Madrid").value();
  EXPECT_EQ(to_string(nights), "Monday to Friday and Sunday, 00:00–06:30 and 22:00–24:00 Europe/Madrid");
  TimeInterval closing;
  closing.days_of_month = {parse_days_of_month("-3:-1").value(), parse_days_of_month("1").value()};
  closing.months = {parse_months("march:may").value()};
  closing.years = {parse_years("2026").value()};
  EXPECT_EQ(to_string(closing), "the last day but 2 to the last day and day 1, March to May, 2026");
}

}  // namespace
}  // namespace atalaya::calendar
