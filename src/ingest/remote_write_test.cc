#include "ingest/remote_write.h"

#include <gtest/gtest.h>

#include <future>
#include <random>
#include <set>
#include <thread>

#include "ingest/remote_write_for_tests.h"
#include "ingest/stores_for_tests.h"
#include "io/compress.h"

namespace atalaya::ingest {
namespace {

using testing::BodyV1;
using testing::BodyV2;
using testing::difference;
using testing::label;
using testing::Pairs;
using testing::Proto;
using testing::sample;

constexpr auto kV1 = RemoteWriteVersion::kV1;
constexpr auto kV2 = RemoteWriteVersion::kV2;
const Pairs kUp{{"__name__", "up"}, {"instance", "a:9100"}, {"job", "node"}};

storage::SeriesKey key_of(const std::string& body, RemoteWriteVersion version = kV1) {
  RemoteWriteReader reader;
  EXPECT_TRUE(reader.read(version, body));
  EXPECT_EQ(reader.keys().size(), 1u);
  return reader.keys()[0];
}

TEST(RemoteWriteReader, ReadsWhatAPlainDecoderReads) {
  RemoteWriteReader reader;
  BodyV1 first;
  first.series(kUp, {{1000, 1}, {2000, 0.5}}).series({{"__name__", "down"}}, {{-5, -0.0}});
  EXPECT_EQ(difference(reader, kV1, first.str()), "");
  ASSERT_EQ(reader.series().size(), 2u);
  EXPECT_EQ(reader.samples().size(), 3u);
  BodyV2 second;
  second.series(kUp, {{1000, 1}}).series({{"__name__", "down"}, {"job", "node"}}, {{INT64_MIN, 2}, {INT64_MAX, 3}});
  const auto body = second.str();
  EXPECT_EQ(difference(reader, kV2, body), "");
  EXPECT_EQ(to_string(*reader.labels(0)), R"(up{instance="a:9100", job="node"})");
}

TEST(RemoteWriteReader, TheKeyOfASeriesIsThatOfItsLabelsAlone) {
  const auto key = key_of(BodyV1().series(kUp, {{1, 1}}).str());
  EXPECT_EQ(key, key_of(BodyV1().series(kUp, {{2, 7}, {3, 8}}).str()));
  auto other = kUp;
  other[2].second = "nodE";
  EXPECT_NE(key, key_of(BodyV1().series(other, {{1, 1}}).str()));
  EXPECT_NE(key, key_of(BodyV2().series(kUp, {{1, 1}}).str(), kV2));
}

TEST(RemoteWriteReader, LabelsThatDoNotLieTogetherHaveTheKeyOfThoseThatDo) {
  Proto scattered;
  scattered.message(2, sample(1, 1)).message(1, label("__name__", "up")).bytes(9, "unknown");
  scattered.message(1, label("instance", "a:9100")).message(2, sample(2, 2)).message(1, label("job", "node"));
  RemoteWriteReader reader;
  EXPECT_EQ(difference(reader, kV1, BodyV1().add(scattered).str()), "");
  EXPECT_EQ(reader.samples().size(), 2u);
  EXPECT_EQ(reader.keys()[0], key_of(BodyV1().series(kUp, {{1, 1}}).str()));
}

TEST(RemoteWriteReader, TheKeyOfTwoPointZeroDoesNotDependOnTheSymbolTable) {
  BodyV2 plain;
  plain.series(kUp, {{1, 1}});
  BodyV2 shifted;
  for (const auto* text : {"node", "x", "y", "up"}) shifted.symbol(text);
  shifted.series(kUp, {{1, 1}});
  EXPECT_EQ(key_of(plain.str(), kV2), key_of(shifted.str(), kV2));
  BodyV2 loose;  // one reference a field instead of packed ones
  Proto series;
  for (const auto& [name, value] : kUp) series.number(1, loose.symbol(name)).number(1, loose.symbol(value));
  EXPECT_EQ(key_of(plain.str(), kV2), key_of(loose.add(series.message(2, sample(1, 1))).str(), kV2));
  BodyV2 joined;  // the same characters, cut elsewhere
  joined.series({{"__name__", "up"}, {"instance", "a:9100j"}, {"ob", "node"}}, {{1, 1}});
  EXPECT_NE(key_of(plain.str(), kV2), key_of(joined.str(), kV2));
}

TEST(RemoteWriteReader, SymbolsMayComeAfterTheSeriesThatUseThem) {
  const auto series = Proto().bytes(1, std::string("\x01\x02", 2)).message(2, sample(1, 1));
  const auto body = Proto().message(5, series).bytes(4, "").bytes(4, "__name__").bytes(4, "up").str();
  RemoteWriteReader reader;
  EXPECT_EQ(difference(reader, kV2, body), "");
  EXPECT_EQ(to_string(*reader.labels(0)), "up");
}

TEST(RemoteWriteReader, LabelsAreSortedAndEmptyOnesLeftOut) {
  RemoteWriteReader reader;
  BodyV1 body;
  body.series({{"job", "node"}, {"__name__", "up"}, {"empty", ""}, {"instance", "a:9100"}}, {{1, 1}});
  ASSERT_TRUE(reader.read(kV1, body.str()));
  EXPECT_EQ(*reader.labels(0), Labels({{"__name__", "up"}, {"instance", "a:9100"}, {"job", "node"}}));
}

TEST(RemoteWriteReader, EveryFaultOfLabelsIsTold) {
  const auto fault = [](const Pairs& pairs) {
    RemoteWriteReader reader;
    BodyV1 body;
    EXPECT_EQ(difference(reader, kV1, body.series(pairs, {{1, 1}}).str()), "");
    auto labels = reader.labels(0);
    return labels ? "none" : labels.error().message;
  };
  EXPECT_EQ(fault({{"job", "x"}}), R"(no __name__ in {job="x"})");
  EXPECT_EQ(fault({{"__name__", ""}}), "no __name__ in {}");
  EXPECT_EQ(fault({{"__name__", "a"}, {"b", "1"}, {"b", ""}}), "label b twice");
  EXPECT_EQ(fault({{"__name__", "a"}, {"", "1"}}), "a label without a name");
  EXPECT_EQ(fault({{"__name__", "a\xff"}}), "a label that is not UTF-8");
  Pairs many{{"__name__", "a"}};
  for (int i = 0; i < 256; ++i) many.emplace_back("l" + std::to_string(i), "x");
  EXPECT_EQ(fault(many), "more than 256 labels, a fixed limit of the wire");
  many.pop_back();
  EXPECT_EQ(fault(many), "none");
}

TEST(RemoteWriteReader, AReferenceToNothingSpoilsItsSeriesAlone) {
  BodyV2 body;
  body.add(Proto().bytes(1, "\x01\x63").message(2, sample(1, 1)));
  body.add(Proto().bytes(1, "\x01").message(2, sample(1, 1)));
  body.series(kUp, {{1, 1}});
  const auto bytes = body.str();
  RemoteWriteReader reader;
  EXPECT_EQ(difference(reader, kV2, bytes), "");
  EXPECT_EQ(reader.labels(0).error().message, "a reference to symbol 99 of 7");
  EXPECT_EQ(reader.labels(1).error().message, "1 label references, an odd number");
  EXPECT_EQ(reader.keys()[0], storage::SeriesKey{});
  EXPECT_TRUE(reader.labels(2));
}

TEST(RemoteWriteReader, CountsWhatItDoesNotRead) {
  RemoteWriteReader reader;
  const auto series = Proto().message(1, label("__name__", "h")).bytes(3, "exemplar").bytes(4, "h").bytes(4, "h");
  const auto body = Proto().message(1, series).bytes(3, "metadata").number(77, 5).real(78, 1).str();
  EXPECT_EQ(difference(reader, kV1, body), "");
  EXPECT_EQ(reader.exemplars(), 1u);
  EXPECT_EQ(reader.histograms(), 2u);
  EXPECT_EQ(reader.metadata(), 1u);
}

TEST(RemoteWriteReader, ReadsExemplarsOfBothVersions) {
  const Proto v1 = Proto().message(1, label("trace", "x")).real(2, 0.5).number(3, 1000);
  BodyV1 one;
  one.series(kUp, {{1, 1}});
  one.add(Proto().message(1, label("__name__", "h")).message(3, v1).bytes(3, "\xff"));
  BodyV2 two;
  two.series(kUp, {{1, 1}});
  two.add(two.labels({{"__name__", "h"}})
              .message(4, two.labels({{"trace", "x"}}).real(2, 0.5).number(3, 1000))
              .bytes(4, "\xff"));
  RemoteWriteReader reader;
  for (const auto& [version, body] : {std::pair(kV1, one.str()), std::pair(kV2, two.str())}) {
    ASSERT_TRUE(reader.read(version, body));
    ASSERT_EQ(reader.exemplars(), 2u);
    EXPECT_EQ(reader.series_of_exemplar(0), 1u);
    const auto exemplar = reader.exemplar(0);
    ASSERT_TRUE(exemplar) << exemplar.error().message;
    EXPECT_EQ(*exemplar, (storage::Exemplar{Labels{{"trace", "x"}}, 0.5, from_ms(1000)}));
    EXPECT_FALSE(reader.exemplar(1));
  }
}

TEST(RemoteWriteReader, RefusesMoreThanItsLimits) {
  RemoteWriteReader reader({.series = 1, .samples = 2, .symbols = 3});
  const auto code = [&](RemoteWriteVersion version, const std::string& body) {
    const auto status = reader.read(version, body);
    return status ? "" : std::string(name(status.error().code)) + ": " + status.error().message;
  };
  EXPECT_EQ(code(kV1, BodyV1().series(kUp, {{1, 1}, {2, 1}}).str()), "");
  EXPECT_EQ(code(kV1, BodyV1().series(kUp, {{1, 1}, {2, 1}, {3, 1}}).str()),
            "too_large: the body holds more than 2 samples");
  EXPECT_EQ(code(kV1, BodyV1().series(kUp, {}).series(kUp, {}).str()), "too_large: the body holds more than 1 series");
  EXPECT_EQ(code(kV2, BodyV2().series({{"a", "b"}}, {{1, 1}}).str()), "");
  EXPECT_EQ(code(kV2, BodyV2().series({{"a", "c"}, {"b", "d"}}, {}).str()),
            "too_large: the body holds more than 3 symbols");
}

TEST(RemoteWriteReader, AgreesWithThePlainDecoderOnDamagedBodies) {
  std::mt19937_64 random(20261122);
  const auto v1 = BodyV1().series(kUp, {{1'700'000'000'000, 1.5}}).series({{"__name__", "x"}}, {{1, 2}, {2, 3}}).str();
  BodyV2 second;
  second.series(kUp, {{1'700'000'000'000, 1.5}}).series({{"__name__", "x"}, {"job", "node"}}, {{1, 2}});
  const auto v2 = second.str();
  RemoteWriteReader reader;
  std::size_t taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto version = round % 2 == 0 ? kV1 : kV2;
    auto body = version == kV1 ? v1 : v2;
    for (auto changes = 1 + random() % 3; changes > 0; --changes)
      body[random() % body.size()] = static_cast<char>(random());
    if (random() % 4 == 0) body.resize(random() % body.size());
    ASSERT_EQ(difference(reader, version, body), "") << "round " << round;
    if (reader.read(version, body)) ++taken;
  }
  EXPECT_GT(taken, 1000u);
}

class RemoteWriterTest : public ::testing::Test {
 protected:
  RemoteWriterTest() {
    stores_.commit_at_once = true;
    stores_.keep_first = true;
  }
  Result<RemoteWritten> write(const std::string& body, RemoteWriteVersion version = kV1) {
    return write_packed(tenant_, version, io::snappy_compress(body));
  }
  Result<RemoteWritten> write_packed(const TenantId& tenant, RemoteWriteVersion version, const std::string& body) {
    std::promise<Result<RemoteWritten>> written;
    writer_.write(tenant, version, body, [&](Result<RemoteWritten> what) { written.set_value(std::move(what)); });
    return written.get_future().get();
  }
  double metric(const std::string& line) {
    const auto text = metrics_.expose();
    const auto at = text.find("\n" + line + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
  }

  const TenantId tenant_{"default"};
  telemetry::Registry metrics_;
  StoresForTests stores_;
  RemoteWriter writer_{stores_, stores_, metrics_};
};

TEST_F(RemoteWriterTest, WritesSamplesOfBothVersionsToTheSameSeries) {
  EXPECT_EQ(write(BodyV1().series(kUp, {{1000, 1}}).str())->samples, 1u);
  EXPECT_EQ(write(BodyV2().series(kUp, {{2000, 0}}).str(), kV2)->samples, 1u);
  const auto* const name = R"(up{instance="a:9100", job="node"})";
  EXPECT_EQ(stores_.samples,
            (std::vector<StoresForTests::StoredSample>{{name, from_ms(1000), 1}, {name, from_ms(2000), 0}}));
}

TEST_F(RemoteWriterTest, ReadsTheLabelsOfASeriesOnce) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(write(BodyV1().series(kUp, {{1000 * i, 1}}).str())->samples, 1u);
  EXPECT_EQ(stores_.resolved, 1u);
  for (int i = 5; i < 9; ++i) EXPECT_EQ(write(BodyV2().series(kUp, {{1000 * i, 1}}).str(), kV2)->samples, 1u);
  EXPECT_EQ(stores_.resolved, 2u);
  EXPECT_EQ(metric("atalaya_remote_write_parsed_series_total"), 2);
}

TEST_F(RemoteWriterTest, TenantsDoNotShareWhatIsKnown) {
  const auto body = io::snappy_compress(BodyV1().series(kUp, {{1000, 1}}).str());
  EXPECT_TRUE(write_packed(TenantId{"a"}, kV1, body));
  EXPECT_TRUE(write_packed(TenantId{"b"}, kV1, body));
  EXPECT_EQ(stores_.resolved, 2u);
}

TEST_F(RemoteWriterTest, WhatIsRefusedIsNamedAndTheRestIsWritten) {
  stores_.oldest = from_ms(1'000);
  stores_.newest = from_ms(9'000);
  stores_.refuse_metric = "one_too_many";
  EXPECT_TRUE(write(BodyV1().series({{"__name__", "there"}}, {{2000, 1}}).str()));
  BodyV1 body;
  body.series({{"__name__", "old"}}, {{999, 1}, {2000, 1}}).series({{"__name__", "new"}}, {{9001, 1}});
  body.series({{"__name__", "there"}}, {{2000, 2}}).series({{"__name__", "there"}}, {{2000, 1}});
  body.series({{"job", "nameless"}}, {{2000, 1}}).series({{"__name__", "one_too_many"}}, {{2000, 1}, {3000, 1}});
  const auto written = write(body.str());
  ASSERT_TRUE(written);
  EXPECT_EQ(written->samples, 2u) << "the good one, and the one that was there already with that value";
  EXPECT_EQ(written->to_string(),
            "2 of 8 samples were written; refused: 1 with another value at a time that has one, 1 too old, 1 from a "
            "clock that is ahead, 1 with labels that do not hold, 2 of series beyond a limit; first: series 5 of the "
            "body: no __name__ in {job=\"nameless\"}; too many series: one_too_many; old at 1970-01-01T00:00:00.999Z: "
            "too old; new at 1970-01-01T00:00:09.001Z: from a clock that is ahead; there at 1970-01-01T00:00:02.000Z: "
            "another value is there at that time");
  EXPECT_EQ(metric(R"(atalaya_remote_write_refused_samples_total{reason="limits"})"), 2);
}

TEST_F(RemoteWriterTest, ARefusalOfLongLabelsBeginsWithTheReasonAndTheLimit) {
  const Pairs huge{{"__name__", "huge"}, {"a", std::string(5000, 'v')}};
  for (const auto& [message, shown] : std::vector<std::pair<std::string, std::string>>{
           {"value of label a has 5000 bytes; the fixed limit of a value is 4096",
            "value of label a has 5000 bytes; the fixed limit of a value is 4096: huge{a=\"vvv"},
           {"65 labels; the fixed limit of labels is 64", "65 labels; the fixed limit of labels is 64: huge{a=\"vvv"},
           {"label name of 300 bytes; the fixed limit of a name is 256",
            "label name of 300 bytes; the fixed limit of a name is 256: huge{a=\"vvv"}}) {
    stores_.refuse_labels = message;
    const auto text = write(BodyV1().series(huge, {{1, 1}}).str())->to_string();
    EXPECT_NE(text.find("; first: " + shown), std::string::npos) << text;
    EXPECT_LT(text.size(), 500u);
  }
  stores_.refuse_labels.clear();
  stores_.oldest = from_ms(2);
  const auto text = write(BodyV1().series(huge, {{1, 1}}).str())->to_string();
  EXPECT_TRUE(text.ends_with("… at 1970-01-01T00:00:00.001Z: too old")) << text;
}

TEST_F(RemoteWriterTest, ABodyOfTheOtherVersionIsRefused) {
  const auto first = write(BodyV2().series(kUp, {{1, 1}}).str(), kV1);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().message, "the body has no field of 1.0, as which it came; is it of 2.0?");
  const auto second = write(BodyV1().series(kUp, {{1, 1}}).str(), kV2);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "the body has no field of 2.0, as which it came; is it of 1.0?");
  EXPECT_TRUE(write("", kV1));
  EXPECT_TRUE(write("", kV2));
}

TEST_F(RemoteWriterTest, HistogramsAreRefusedAndExemplarsDropped) {
  Proto series;
  series.message(1, label("__name__", "h")).message(2, sample(1, 1)).bytes(3, "").bytes(4, "").bytes(4, "");
  const auto written = write(BodyV1().add(series).str());
  ASSERT_TRUE(written);
  EXPECT_EQ(written->samples, 1u);
  EXPECT_EQ(written->histograms, 2u);
  EXPECT_EQ(written->exemplars, 1u);
  EXPECT_EQ(written->refused(), 2u);
  EXPECT_EQ(written->to_string(),
            "1 of 1 samples were written; refused: 2 native histograms, which are not stored yet");
}

TEST_F(RemoteWriterTest, ASeriesWithoutSamplesMakesNone) {
  EXPECT_TRUE(write(BodyV1().series(kUp, {}).str()));
  EXPECT_EQ(stores_.resolved, 0u);
  EXPECT_EQ(stores_.series_appends, 0u);
  EXPECT_TRUE(write(""));
}

TEST_F(RemoteWriterTest, WhatTheStoreCannotTakeAsAWholeIsAnError) {
  stores_.refuse_appends = ErrorCode::kUnavailable;
  EXPECT_EQ(write(BodyV1().series(kUp, {{1, 1}}).str()).error().code, ErrorCode::kUnavailable);
  stores_.refuse_appends = ErrorCode::kResourceExhausted;
  EXPECT_EQ(write(BodyV1().series(kUp, {{1, 1}}).str()).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(metric("atalaya_remote_write_requests_total"), 0);
}

TEST_F(RemoteWriterTest, ABodyThatIsNoneIsTheSendersFault) {
  EXPECT_EQ(write_packed(tenant_, kV1, "\xff").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(write("\x0a\x05").error().code, ErrorCode::kInvalidArgument);
  std::string huge;
  ByteWriter(huge).varint((64 << 20) + 1);
  EXPECT_EQ(write_packed(tenant_, kV1, huge + std::string(4 << 20, 'x')).error().code, ErrorCode::kTooLarge);
}

TEST_F(RemoteWriterTest, ManyWriteAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const auto written = write(BodyV1().series(kUp, {{t * 1000 + i, 1}}).str());
        EXPECT_EQ(written->samples, 1u);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<Time> times;
  for (const auto& one : stores_.samples) times.insert(one.time);
  EXPECT_EQ(times.size(), 800u);
}

}  // namespace
}  // namespace atalaya::ingest
