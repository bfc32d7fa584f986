#include "sense/pipe.h"

#include <gmock/gmock.h>

#include "model/sample.h"
#include "sense/part_types.h"
#include "sense/testing.h"

namespace atalaya::sense {
namespace {

using testing::at;
using testing::Bench;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::one;
using testing::spec_of;

Part udp(const std::string& input) { return {"SendUDP", {{"input", input}, {"udpAddr", "127.0.0.1:9"}}}; }

/// The published demo: its sensor's mixins, with the blocks that count as listed, and its collector's streams.
PipeSpec demo() {
  PipeSpec spec;
  spec.sources = {{"a", "CPUPercent"}, {"b", "IsReachable"}};
  spec.aggregators = {{"http://example.com/occi/monitoring/aggregator#EWMA",
                       {{"com.example.occi.monitoring.EWMA.gain", std::int64_t{16}},
                        {"com.example.occi.monitoring.EWMA.instream", "a"},
                        {"com.example.occi.monitoring.EWMA.outstream", "c"}}}};
  spec.publishers = {{"http://example.com/occi/monitoring/publisher#EmailOnAlarm", {}},
                     {"SendUDP", {{"udpAddr", "192.168.5.1:8888"}, {"input", "c"}}},
                     {"Log", {{"filename", "my/log/file"}, {"in_msg", "b"}}}};
  return spec;
}

TEST(Check, TakesThePublishedDemo) {
  const auto checked = check(demo());
  ASSERT_TRUE(checked) << to_string(checked.error());
  EXPECT_THAT(checked->warnings, ElementsAre(HasSubstr("EmailOnAlarm hears nothing")));
  EXPECT_THAT(checked->awaited, IsEmpty());
}

TEST(Check, AwaitsStreamsWhereCollectorsMayStillCome) {
  auto spec = demo();
  spec.sources.clear();
  spec.more_sources = true;
  const auto checked = check(spec);
  ASSERT_TRUE(checked) << to_string(checked.error());
  EXPECT_THAT(checked->awaited, ElementsAre("a", "b"));
}

TEST(Check, NamesAStreamThatIsMissing) {
  auto spec = demo();
  spec.sources.pop_back();
  EXPECT_THAT(error_of(spec), HasSubstr("Log: in_msg: there is no stream \"b\""));
  EXPECT_EQ(check(spec).error().code, ErrorCode::kInvalidArgument);
  spec.sources.clear();
  EXPECT_THAT(error_of(spec), HasSubstr("EWMA: instream: there is no stream \"a\""));
}

TEST(Check, NamesTheStreamThatWasMeant) {
  auto spec = spec_of({{"Mean", {{"instream", "cpuu"}, {"outstream", "z"}}}}, {"cpu", "memory"});
  EXPECT_THAT(error_of(spec), HasSubstr("did you mean \"cpu\""));
}

TEST(Check, NamesACircle) {
  const auto spec = spec_of({{"Mean", {{"instream", "x"}, {"outstream", "y"}}},
                             {"Max", {{"instream", "y"}, {"outstream", "x"}}},
                             {"Min", {{"instream", "x"}, {"outstream", "z"}}}});
  EXPECT_THAT(error_of(spec), HasSubstr("streams go in a circle: "));
  EXPECT_THAT(error_of(spec), ::testing::AnyOf(HasSubstr("x → y → x"), HasSubstr("y → x → y")));
  EXPECT_THAT(error_of(spec_of({{"Mean", {{"instream", "z"}, {"outstream", "z"}}}})), HasSubstr("z → z"));
}

TEST(Check, NamesAStreamThatIsMadeTwice) {
  EXPECT_THAT(error_of(spec_of({{"Mean", {{"instream", "a"}, {"outstream", "z"}}},
                                {"Max", {{"instream", "a"}, {"outstream", "z"}}}})),
              HasSubstr("Max: outstream: stream \"z\" comes from Mean already"));
  EXPECT_THAT(error_of(spec_of({{"Mean", {{"instream", "a"}, {"outstream", "a"}}}})),
              HasSubstr("stream \"a\" comes from Test already"));
}

TEST(Check, NamesWhatIsWrongWithAnAttribute) {
  EXPECT_THAT(error_of(one("EWMA", {{"gain", 0.5}})), HasSubstr("EWMA: gain: 0.5 is below 1"));
  EXPECT_THAT(error_of(one("EWMA", {{"gain", "many"}})), HasSubstr("EWMA: gain: it is not a number"));
  EXPECT_THAT(error_of(one("EWMA", {{"gian", 16.0}})), HasSubstr("gian: there is no such attribute"));
  EXPECT_THAT(error_of(one("EWMA", {{"gian", 16.0}})), HasSubstr("did you mean \"gain\""));
  EXPECT_THAT(error_of(one("Ewma", {})), HasSubstr("there is no aggregator Ewma"));
  EXPECT_THAT(error_of(spec_of({{"EWMA", {{"instream", "a"}}}})), HasSubstr("EWMA: outstream: it is missing"));
  EXPECT_THAT(error_of(one("Threshold", {{"raise", 1.0}, {"after", 1.5}})), HasSubstr("not a whole number"));
  auto spec = one("EWMA", {});
  spec.publishers[0].attributes["udpAddr"] = "nowhere";
  EXPECT_THAT(error_of(spec), HasSubstr("SendUDP: udpAddr: \"nowhere\" does not match"));
  spec.publishers[0].attributes["udpAddr"] = "host:1\r\nX: y";
  EXPECT_THAT(error_of(spec), HasSubstr("control character"));
}

TEST(Check, ASecretDoesNotAppearInAnError) {
  auto spec = one("Anonymize", {{"hash", "user"}, {"key", std::string("s3cr3t\nvalue")}});
  EXPECT_THAT(error_of(spec), ::testing::Not(HasSubstr("s3cr3t")));
  EXPECT_THAT(error_of(spec), HasSubstr("Anonymize: key"));
}

TEST(Check, WantsAsManyStreamsOutAsIn) {
  EXPECT_THAT(error_of(spec_of({{"Mean", {{"instream", "a,b"}, {"outstream", "z"}}}}, {"a", "b"})),
              HasSubstr("outstream: it names 1 streams where there must be 2"));
  EXPECT_THAT(error_of(spec_of({{"Mean", {{"instream", " , "}, {"outstream", "z"}}}})),
              HasSubstr("instream: it names no stream"));
}

TEST(Check, WarnsOfAStreamThatNothingReads) {
  const auto checked = check(spec_of({{"Mean", {{"instream", "a"}, {"outstream", "z"}}}}, {"a", "b"}));
  ASSERT_TRUE(checked);
  EXPECT_THAT(checked->warnings, ElementsAre(HasSubstr("nothing reads stream \"b\" of Test")));
}

TEST(Check, RefusesMoreThanItsBounds) {
  auto spec = spec_of({});
  spec.publishers.assign(kMaxParts + 1, udp("a"));
  EXPECT_THAT(error_of(spec), HasSubstr("65 mixins are more than 64"));
}

TEST(Check, EveryMixinOfTheDataHasCode) {
  for (const auto& type : part_types(Family::kAggregator)) {
    Part part{type.name, {{"instream", "a"}, {"outstream", "z"}}};
    if (type.name == "Histogram") part.attributes["bounds"] = "1";
    if (type.name == "Threshold") part.attributes["raise"] = 1.0;
    if (type.name == "Join") part.attributes["expression"] = "a";
    if (type.name == "Filter") part.attributes["least"] = 1.0;
    if (type.name == "Relabel") part.attributes["targetlabel"] = "x";
    EXPECT_EQ(error_of(spec_of({part})), "") << type.name;
  }
}

TEST(Pipe, ValuesFlowToEveryPublisherOfTheirStream) {
  auto spec = demo();
  spec.publishers.push_back(udp("a,c"));
  Bench bench(spec);
  bench.push(0, 10, {}, "a").push(0, 1, {}, "b");
  const auto out = bench.take();
  ASSERT_EQ(out.size(), 4);
  EXPECT_EQ(out[0].publisher, 3);
  EXPECT_EQ(out[0].stream, "a");
  EXPECT_EQ(out[1].publisher, 1);
  EXPECT_EQ(out[1].stream, "c");
  EXPECT_EQ(out[1].record.value, 10);
  EXPECT_EQ(out[2].publisher, 3);
  EXPECT_EQ(out[2].stream, "c");
  EXPECT_EQ(out[3].publisher, 2);
  EXPECT_EQ(out[3].stream, "b");
  EXPECT_EQ(bench.counters().published, 4);
}

TEST(Pipe, OneMixinTreatsSeveralStreamsEachAlone) {
  auto spec = spec_of({{"EWMA", {{"instream", "a, b"}, {"outstream", "x, z"}, {"gain", 2.0}}}}, {"a", "b"});
  Bench bench(spec);
  bench.push(0, 100, {}, "a").push(0, 2, {}, "b").push(1, 200, {}, "a").push(1, 4, {}, "b");
  EXPECT_THAT(bench.said(), ElementsAre("2", "3"));
}

TEST(Pipe, PartsMayStandInAnyOrder) {
  Bench bench(spec_of({{"Delta", {{"instream", "y"}, {"outstream", "z"}}},
                       {"EWMA", {{"instream", "a"}, {"outstream", "y"}, {"gain", 1.0}}}}));
  bench.push(0, 1).push(1, 3);
  EXPECT_THAT(bench.said(), ElementsAre("2"));
}

TEST(Pipe, CountsWhatNothingReadsAndWhatIsAhead) {
  Bench bench(one("EWMA", {}));
  bench.push(0, 1, {}, "nobody").push(0, 1, {}, "z");
  EXPECT_EQ(bench.counters().unread, 2);
  bench.push(Record{at(61), 1, {}, std::nullopt}, at(0));
  EXPECT_EQ(bench.counters().ahead, 1);
  bench.push(Record{kMinTime, 1, {}, std::nullopt}, at(0));
  EXPECT_EQ(bench.counters().late, 1);
  EXPECT_THAT(bench.said(), IsEmpty());
}

TEST(Pipe, AWindowThatEndsFeedsWhatReadsIt) {
  Bench bench(spec_of({{"Sum", {{"instream", "a"}, {"outstream", "y"}, {"window", 10.0}}},
                       {"Threshold", {{"instream", "y"}, {"outstream", "z"}, {"raise", 5.0}}}}));
  bench.push(0, 3).push(1, 3);
  EXPECT_EQ(bench.pipe().due(), at(12));
  bench.tick(11.9);
  EXPECT_THAT(bench.said(), IsEmpty());
  bench.tick(12);
  EXPECT_THAT(bench.said_when(), ElementsAre("@10 1"));
}

TEST(Pipe, MixinFilesAreThoseThatItReads) {
  std::vector<std::string> names;
  for (const auto& file : mixin_files()) names.emplace_back(file.path);
  EXPECT_THAT(names, ElementsAre("aggregators.yaml", "publishers.yaml"));
  EXPECT_EQ(part_types(Family::kAggregator).size(), 16);
  EXPECT_EQ(part_types(Family::kPublisher).size(), 9);
}

}  // namespace
}  // namespace atalaya::sense
