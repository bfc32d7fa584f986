#include "tsdb/head/tenant_head.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

namespace atalaya::tsdb {
namespace {

const AcceptedTimes kAll{Time{}, kMaxTime, std::chrono::hours{1}};

class HeadOfATenant : public testing::Test {
 protected:
  std::uint32_t id(const Labels& labels, std::uint32_t now = 100) {
    return static_cast<std::uint32_t>(head_.resolve(labels, limits_, now).value().value());
  }
  storage::Appended write(std::vector<storage::SeriesSample> samples, AcceptedTimes times = kAll,
                          std::uint32_t now = 100) {
    storage::Appended counts;
    std::vector<storage::SeriesSample> accepted;
    std::vector<std::uint32_t> undefined;
    EXPECT_TRUE(head_.stage(samples, times, counts, accepted, undefined));
    head_.end_group();
    head_.apply(accepted, now);
    counts.accepted = static_cast<std::uint32_t>(accepted.size());
    return counts;
  }
  storage::Appended write(std::uint32_t series, std::int64_t time, double value) {
    return write({{SeriesId{series}, from_ms(time), value}});
  }
  std::map<std::int64_t, double> read(std::uint32_t series, storage::TimeRange range = {}) {
    std::vector<Sample> samples;
    head_.series(series, range)->samples.read(range, samples);
    std::map<std::int64_t, double> out;
    for (const auto& sample : samples) EXPECT_TRUE(out.emplace(to_ms(sample.time), sample.value).second);
    return out;
  }
  std::vector<std::string> names(const Matchers& matchers, storage::TimeRange range = {}) {
    std::vector<std::string> out;
    const auto all = head_.select(matchers, range).value();
    for (const auto& found : all) out.push_back(to_string(*found.labels));
    std::sort(out.begin(), out.end());
    return out;
  }

  HeadLimits limits_;
  TenantHead head_{16};
};

TEST_F(HeadOfATenant, LabelsHaveOneIdAndComeBack) {
  const Labels labels{{"__name__", "up"}, {"job", "a"}};
  EXPECT_EQ(id(labels), id(labels));
  EXPECT_NE(id(labels), id(Labels{{"__name__", "up"}, {"job", "b"}}));
  EXPECT_NE(id(labels), id(Labels{{"__name__", "up"}}));
  EXPECT_EQ(*head_.labels_of(id(labels)), labels);
  EXPECT_EQ(head_.labels_of(99), nullptr);
  EXPECT_EQ(head_.live(), 3u);
}

TEST_F(HeadOfATenant, SelectFindsWhatMatchesInTheOrderOfLabels) {
  std::mt19937_64 random(7);
  const auto one_of = [&](std::initializer_list<std::string_view> texts) {
    return std::data(texts)[random() % texts.size()];
  };
  const auto name = [&] { return one_of({"__name__", "a", "ab", "b", "job", "jobs"}); };
  const auto value = [&] { return one_of({"x", "xx", "xy", "y", "\xc3\xa9", "x0123456789", "x0123456788"}); };
  std::vector<Labels> all;
  for (int i = 0; i < 400; ++i) {
    LabelsBuilder builder;
    for (auto pairs = 1 + random() % 5; pairs > 0; --pairs) builder.set(name(), value());
    const auto series = id(builder.build());
    write(series, 1000, 1);
    all.push_back(builder.build());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  using Op = Matcher::Op;
  for (int i = 0; i < 2000; ++i) {
    Matchers matchers;
    for (auto count = 1 + random() % 3; count > 0; --count) {
      const auto op = std::array{Op::kEqual, Op::kNotEqual, Op::kRegex, Op::kNotRegex}[random() % 4];
      const bool is_regex = op == Op::kRegex || op == Op::kNotRegex;
      const auto pattern = is_regex ? one_of({"x.*", ".+", "y|xx", "", "nothing", "x?"}) : one_of({"x", "xy", "", "z"});
      matchers.push_back(Matcher::make(std::string(name()), op, std::string(pattern)).value());
    }
    const auto found = head_.select(matchers, {});
    if (std::all_of(matchers.begin(), matchers.end(), [](const auto& one) { return one.matches(""); })) {
      ASSERT_FALSE(found);
      continue;
    }
    std::vector<Labels> wanted;
    std::copy_if(all.begin(), all.end(), std::back_inserter(wanted),
                 [&](const auto& labels) { return matches(matchers, labels); });
    std::vector<Labels> got;
    for (const auto& one : *found) got.push_back(*one.labels);
    ASSERT_EQ(got, wanted) << i;
  }
}

TEST_F(HeadOfATenant, LimitsRefuseByName) {
  limits_.max_series_per_tenant = 1;
  limits_.max_labels_per_series = 2;
  limits_.max_label_name_bytes = 8;
  limits_.max_label_value_bytes = 8;
  const auto refused = [&](const Labels& labels) { return head_.resolve(labels, limits_, 1).error(); };
  EXPECT_NE(refused(Labels{{"a", "1"}, {"b", "1"}, {"c", "1"}}).message.find("max_labels_per_series is 2"),
            std::string::npos);
  EXPECT_NE(refused(Labels{{"a_long_name", "1"}}).message.find("max_label_name_bytes is 8"), std::string::npos);
  EXPECT_NE(refused(Labels{{"a", "a long value"}}).message.find("max_label_value_bytes is 8"), std::string::npos);
  EXPECT_EQ(refused(Labels{}).code, ErrorCode::kInvalidArgument);
  id(Labels{{"a", "1"}});
  EXPECT_EQ(refused(Labels{{"a", "2"}}).code, ErrorCode::kResourceExhausted);
  id(Labels{{"a", "1"}});  // known ones go on
}

TEST_F(HeadOfATenant, LateSamplesAreTakenWithinTheWindowAndTheFirstStays) {
  const auto series = id(Labels{{"__name__", "up"}});
  const auto hour = std::int64_t{3'600'000};
  EXPECT_EQ(write(series, 2 * hour, 1).accepted, 1u);
  EXPECT_EQ(write(series, 2 * hour + 10, 2).accepted, 1u);
  EXPECT_EQ(write(series, 2 * hour + 5, 3).accepted, 1u);     // late
  EXPECT_EQ(write(series, hour + 10, 4).accepted, 1u);        // just inside
  EXPECT_EQ(write(series, hour + 9, 5).too_old, 1u);          // just outside
  EXPECT_EQ(write(series, 2 * hour + 5, 3).conflicting, 0u);  // the same again
  const auto other = write(series, 2 * hour + 5, 9);
  EXPECT_EQ(other.duplicate, 1u);
  EXPECT_EQ(other.conflicting, 1u);
  ASSERT_EQ(other.named.size(), 1u);
  EXPECT_EQ(write(series, 2 * hour + 10, 9).conflicting, 1u);  // the youngest
  EXPECT_EQ(write(series, 2 * hour, 1).duplicate, 1u);
  EXPECT_EQ(read(series),
            (std::map<std::int64_t, double>{{hour + 10, 4}, {2 * hour, 1}, {2 * hour + 5, 3}, {2 * hour + 10, 2}}));
}

TEST_F(HeadOfATenant, ASeriesFirstSampleMayHaveAnyAge) {
  EXPECT_EQ(write(id(Labels{{"a", "new"}}), 1'700'000'000'000, 1).accepted, 1u);
  EXPECT_EQ(write(id(Labels{{"a", "old"}}), 0, 1).accepted, 1u);
}

TEST_F(HeadOfATenant, WithinOneGroupDuplicatesAreSeenToo) {
  const SeriesId series{id(Labels{{"a", "b"}})};
  const auto counts = write({{series, from_ms(10), 1},
                             {series, from_ms(20), 2},
                             {series, from_ms(10), 3},
                             {series, from_ms(15), 4},
                             {series, from_ms(15), 4}});
  EXPECT_EQ(counts.accepted, 3u);
  EXPECT_EQ(counts.duplicate, 2u);
  EXPECT_EQ(counts.conflicting, 1u);
  EXPECT_EQ(read(static_cast<std::uint32_t>(series.value())),
            (std::map<std::int64_t, double>{{10, 1}, {15, 4}, {20, 2}}));
}

TEST_F(HeadOfATenant, WhatWasNotWrittenIsForgotten) {
  const auto series = id(Labels{{"a", "b"}});
  storage::Appended counts;
  std::vector<storage::SeriesSample> accepted;
  std::vector<std::uint32_t> undefined;
  ASSERT_TRUE(head_.stage(std::vector<storage::SeriesSample>{{SeriesId{series}, from_ms(10), 1}}, kAll, counts,
                          accepted, undefined));
  EXPECT_EQ(undefined, std::vector<std::uint32_t>{series});
  head_.unstage(accepted, undefined);
  head_.end_group();
  EXPECT_TRUE(read(series).empty());
  undefined.clear();
  accepted.clear();
  ASSERT_TRUE(head_.stage(std::vector<storage::SeriesSample>{{SeriesId{series}, from_ms(5), 1}}, kAll, counts, accepted,
                          undefined));
  EXPECT_EQ(undefined.size(), 1u);
  EXPECT_EQ(accepted.size(), 1u);
}

/// Its samples are nobody's duplicates, and those of the others of its group stand.
TEST_F(HeadOfATenant, ABatchThatIsRefusedAloneLeavesItsGroupAsItWas) {
  for (const bool named : {false, true}) {
    const auto a = id({{"__name__", named ? "named" : "plain"}});
    write(a, 1000, 1);
    storage::Appended counts;
    std::vector<storage::SeriesSample> first;
    std::vector<storage::SeriesSample> refused;
    std::vector<storage::SeriesSample> third;
    std::vector<std::uint32_t> undefined;
    ASSERT_TRUE(head_.stage({{{SeriesId{a}, from_ms(2000), 2}}}, kAll, counts, first, undefined));
    std::vector<storage::SeriesSample> batch{{SeriesId{a}, from_ms(5000), 5}, {SeriesId{a}, from_ms(6000), 6}};
    if (named) batch.push_back({SeriesId{a}, from_ms(4000), 4});
    ASSERT_TRUE(head_.stage(batch, kAll, counts, refused, undefined));
    ASSERT_EQ(refused.size(), batch.size());
    head_.unstage_last(refused, {});
    const std::vector<storage::SeriesSample> again{{SeriesId{a}, from_ms(4000), 40},
                                                   {SeriesId{a}, from_ms(5000), 50},
                                                   {SeriesId{a}, from_ms(2000), 20},
                                                   {SeriesId{a}, from_ms(6000), 60}};
    ASSERT_TRUE(head_.stage(again, kAll, counts, third, undefined));
    head_.end_group();
    head_.apply(first, 100);
    head_.apply(third, 100);
    EXPECT_EQ(counts.duplicate, 1u);
    EXPECT_EQ(read(a), (std::map<std::int64_t, double>{{1000, 1}, {2000, 2}, {4000, 40}, {5000, 50}, {6000, 60}}));
  }
}

TEST_F(HeadOfATenant, GenerationsReadAsOneUntilTheOlderIsDropped) {
  const auto a = id(Labels{{"__name__", "a"}});
  const auto b = id(Labels{{"__name__", "b"}});
  for (int i = 0; i < 40; ++i) write(a, i * 10, i);
  write(b, 5, 1);
  write(b, 3, 2);  // late
  head_.rotate();
  EXPECT_EQ(read(a).size(), 40u);  // nothing of the new generation yet
  for (int i = 40; i < 60; ++i) write(a, i * 10, i);
  write(a, 105, 7);  // late, between samples of the older one
  EXPECT_EQ(write(a, 110, 7).duplicate, 1u);
  EXPECT_EQ(read(a).size(), 61u);
  EXPECT_EQ(read(a, {from_ms(395), from_ms(405)}), (std::map<std::int64_t, double>{{400, 40}}));

  const auto older = head_.older_series();
  ASSERT_EQ(older.size(), 2u);
  std::vector<std::int64_t> times;
  std::vector<double> values;
  head_.read_older(older[0], times, values);
  EXPECT_EQ(times.size(), 40u);
  head_.read_older(older[1], times, values);
  EXPECT_EQ(times, (std::vector<std::int64_t>{3, 5}));
  EXPECT_EQ(head_.labels_of(older)[1], (Labels{{"__name__", "b"}}));

  const auto before = head_.series(a, {})->samples;
  head_.drop_older();
  EXPECT_EQ(read(a).size(), 21u);
  EXPECT_TRUE(read(b).empty());
  std::vector<Sample> kept;
  before.read({}, kept);
  EXPECT_EQ(kept.size(), 61u);  // who had it keeps it
  write(b, 6, 1);
  EXPECT_EQ(read(b).size(), 1u);
  EXPECT_EQ(write(b, 5, 1).accepted, 1u);  // what is in blocks is not looked at
}

TEST_F(HeadOfATenant, OlderSeriesComeInTheOrderOfTheirLabels) {
  std::mt19937_64 random(7);
  std::vector<Labels> wanted;
  for (int i = 0; i < 500; ++i) {
    LabelsBuilder builder;
    for (const char* name : {"__name__", "a", "ab", "b"}) {
      if (random() % 4)
        builder.set(
            name, std::string(1 + random() % 12, static_cast<char>('a' + random() % 3)) + std::to_string(random() % 5));
    }
    const auto labels = builder.build();
    if (labels.empty() || head_.find(labels) != 0) continue;
    write(id(labels), i, 1);
    wanted.push_back(labels);
  }
  std::sort(wanted.begin(), wanted.end());
  head_.rotate();
  EXPECT_EQ(head_.labels_of(head_.older_series()), wanted);
}

TEST_F(HeadOfATenant, IdleSeriesLoseTheirIdAndComeBackUnderAnother) {
  const Labels sleeper{{"__name__", "sleeper"}};
  const auto first = id(sleeper, 100);
  const storage::SeriesKey key{1, 2};
  head_.bind(key, SeriesId{first});
  const auto busy = id(Labels{{"__name__", "busy"}}, 100);
  write(first, 1, 1);
  head_.rotate();
  head_.drop_older();
  write({{SeriesId{busy}, from_ms(2), 1}}, kAll, 300);
  head_.retire_idle(200);
  EXPECT_EQ(head_.live(), 1u);
  EXPECT_EQ(head_.labels_of(first), nullptr);
  SeriesId bound;
  head_.find_bound({&key, 1}, {&bound, 1});
  EXPECT_EQ(bound.value(), 0u);
  EXPECT_GT(id(sleeper, 400), first);
  EXPECT_EQ(names({Matcher::make("__name__", Matcher::Op::kRegex, ".+").value()}), std::vector<std::string>{"busy"});
}

TEST_F(HeadOfATenant, AnIndexWornByChurnIsMadeAnewAndAnswersTheSame) {
  const auto stays = id(Labels{{"__name__", "stays"}, {"pod", "x"}}, 1'000'000);
  write({{SeriesId{stays}, from_ms(1), 1}}, kAll, 1'000'000);
  for (int i = 0; i < 6000; ++i) id(Labels{{"__name__", "goes"}, {"pod", std::to_string(i)}}, 1);
  const auto before = head_.memory().series;
  head_.retire_idle(10);
  EXPECT_LT(head_.memory().series, before);
  EXPECT_EQ(names({Matcher::equal("pod", "x")}), std::vector<std::string>{R"(stays{pod="x"})"});
  EXPECT_EQ(id(Labels{{"__name__", "stays"}, {"pod", "x"}}), stays);
  EXPECT_EQ(head_.label_values("pod", {}), std::vector<std::string>{"x"});
}

TEST_F(HeadOfATenant, SelectsAsAPlainModelDoes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::vector<Labels> all;
  for (int i = 0; i < 300; ++i) {
    LabelsBuilder builder;
    builder.set("__name__", "m" + std::to_string(random() % 5));
    for (const char* name : {"a", "b", "c"}) {
      if (random() % 3) builder.set(name, std::to_string(random() % 6));
    }
    const auto labels = builder.build();
    write(id(labels), i, 1);
    all.push_back(labels);
  }
  using Op = Matcher::Op;
  const std::array label_names{"__name__", "a", "b", "c", "none"};
  const std::array ops{Op::kEqual, Op::kNotEqual, Op::kRegex, Op::kNotRegex};
  const std::array patterns{"m1", "m2", "1", "2", "", "1|2", ".*", ".+", "m[0-2]", "|3"};
  for (int round = 0; round < 500; ++round) {
    Matchers matchers;
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n) {
      const std::string name = label_names[random() % label_names.size()];
      const auto op = ops[random() % ops.size()];
      const std::string value = patterns[random() % patterns.size()];
      matchers.push_back(Matcher::make(name, op, value).value());
    }
    std::set<std::string> wanted;
    for (const auto& labels : all) {
      if (matches(matchers, labels)) wanted.insert(to_string(labels));
    }
    const auto found = head_.select(matchers, {});
    const bool all_accept_empty =
        std::all_of(matchers.begin(), matchers.end(), [](const auto& m) { return m.matches(""); });
    ASSERT_EQ(found.has_value(), !all_accept_empty) << to_string(matchers);
    if (!found) continue;
    std::set<std::string> got;
    for (const auto& one : *found) got.insert(to_string(*one.labels));
    ASSERT_EQ(got, wanted) << to_string(matchers);
  }
}

TEST_F(HeadOfATenant, RangesWithoutSamplesSelectNothing) {
  const auto series = id(Labels{{"__name__", "up"}});
  for (const int time : {10, 20, 100}) write(series, time, 1);
  const Matchers up{Matcher::equal("__name__", "up")};
  EXPECT_EQ(names(up, {from_ms(30), from_ms(90)}).size(), 0u);
  EXPECT_EQ(names(up, {from_ms(20), from_ms(90)}).size(), 1u);
  EXPECT_EQ(names(up, {from_ms(101), from_ms(900)}).size(), 0u);
  EXPECT_EQ(names(up, {from_ms(0), from_ms(9)}).size(), 0u);
}

}  // namespace
}  // namespace atalaya::tsdb
