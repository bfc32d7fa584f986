#include "sense/stream_frame.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/bytes.h"
#include "model/sample.h"

namespace atalaya::sense {
namespace {

using ::testing::HasSubstr;

const Time kTime = from_ms(1'700'000'000'123);

StreamFrame read_one(const std::string& bytes) {
  std::vector<StreamFrame> out;
  const auto status = StreamFrameReader().put(bytes, out);
  if (!status) throw std::runtime_error(status.error().message);
  return out.at(0);
}
std::string error_of(const std::string& bytes) {
  std::vector<StreamFrame> out;
  const auto status = StreamFrameReader().put(bytes, out);
  return status ? "" : status.error().message;
}
/// A frame of a body that no encoder would write.
std::string raw(std::string body) {
  std::string out;
  ByteWriter(out).u32(static_cast<std::uint32_t>(body.size()));
  return out + body;
}

TEST(StreamFrame, RecordsComeBackAsTheyWere) {
  const Labels labels{{"cpu", "0"}, {"host", "x"}};
  const auto frame = read_one(encode(StreamRecords{{{"a", {kTime, 12.5, labels, std::nullopt}},
                                                    {"a", {kTime, stale_marker(), {}, std::nullopt}},
                                                    {"b", {from_ms(-5), NAN, {}, "a line"}}}}));
  const auto& records = std::get<StreamRecords>(frame).records;
  ASSERT_EQ(records.size(), 3);
  EXPECT_EQ(records[0].stream, "a");
  EXPECT_EQ(records[0].record.time, kTime);
  EXPECT_EQ(records[0].record.value, 12.5);
  EXPECT_EQ(records[0].record.labels, labels);
  EXPECT_TRUE(is_stale(records[1].record.value));
  EXPECT_EQ(records[2].record.text, "a line");
  EXPECT_EQ(records[2].record.time, from_ms(-5));
}

TEST(StreamFrame, TheOthersComeBackAsTheyWere) {
  EXPECT_EQ(std::get<StreamHello>(read_one(encode(StreamHello{1, "t0ken"}))).token, "t0ken");
  EXPECT_EQ(std::get<StreamWelcome>(read_one(encode(StreamWelcome{7}))).version, 7);
  EXPECT_EQ(std::get<StreamPipe>(read_one(encode(StreamPipe{"{}"}))).json, "{}");
  EXPECT_TRUE(std::holds_alternative<StreamAsk>(read_one(encode(StreamAsk{}))));
  EXPECT_EQ(std::get<StreamStatus>(read_one(encode(StreamStatus{"{}"}))).json, "{}");
  EXPECT_EQ(std::get<StreamRefused>(read_one(encode(StreamRefused{"a", "b", "c"}))).remedy, "c");
  const auto published =
      std::get<StreamPublished>(read_one(encode(StreamPublished{2, "c", {{kTime, 1, {}, std::nullopt}}})));
  EXPECT_EQ(published.publisher, 2);
  EXPECT_EQ(published.stream, "c");
  EXPECT_EQ(published.records.at(0).value, 1);
}

TEST(StreamFrame, IsLaidOutAsTheFormatSays) {
  EXPECT_EQ(to_hex(encode(StreamRecords{{{"a", {from_ms(1), 1, {{"x", "y"}}, std::nullopt}}}})),
            "1200000003016102040178017900000000000000f03f");
}

TEST(StreamFrame, BytesMayComeInAnyPieces) {
  const auto bytes = encode(StreamHello{}) + encode(StreamAsk{}) + encode(StreamWelcome{});
  StreamFrameReader reader;
  std::vector<StreamFrame> out;
  for (const char byte : bytes) ASSERT_TRUE(reader.put(std::string_view(&byte, 1), out));
  EXPECT_EQ(out.size(), 3);
}

TEST(StreamFrame, UnknownTypesAndFurtherFieldsArePassedOver) {
  EXPECT_EQ(std::get<StreamUnknown>(read_one(raw("\x63whatever"))).type, 0x63);
  EXPECT_EQ(std::get<StreamWelcome>(read_one(raw(std::string("\x02\x01more")))).version, 1);
}

TEST(StreamFrame, RefusesSizesOutOfBounds) {
  EXPECT_THAT(error_of(std::string(4, '\0')), HasSubstr("a frame of 0 bytes"));
  EXPECT_THAT(error_of("\xff\xff\xff\xff"), HasSubstr("a frame of 4294967295 bytes"));
}

TEST(StreamFrame, RefusesWhatEndsWithinAField) {
  const auto good = encode(StreamRecords{{{"a", {kTime, 1, {{"x", "y"}}, std::nullopt}}}});
  for (std::size_t size = 2; size < good.size() - 4; ++size)
    EXPECT_THAT(error_of(raw(good.substr(4, size))), HasSubstr("a malformed frame of type 3")) << size;
}

TEST(StreamFrame, RefusesRecordsOutOfBounds) {
  const auto error = [](std::string stream, Record record) {
    return error_of(encode(StreamRecords{{{std::move(stream), std::move(record)}}}));
  };
  EXPECT_EQ(error("a", {kTime, NAN, {}, std::string(kMaxRecordTextBytes, 'x')}), "");
  EXPECT_NE(error("a", {kTime, NAN, {}, std::string(kMaxRecordTextBytes + 1, 'x')}), "");
  EXPECT_NE(error("a", {kTime, NAN, {}, "\xff"}), "");
  EXPECT_NE(error("", {kTime, 1, {}, std::nullopt}), "");
  EXPECT_NE(error(std::string(kMaxStreamNameBytes + 1, 'a'), {kTime, 1, {}, std::nullopt}), "");
  EXPECT_NE(error("a", {kTime, 1, {{"x", std::string(kMaxRecordLabelsBytes, 'y')}}, std::nullopt}), "");
}

TEST(StreamFrame, NothingIsReadAfterAMistake) {
  StreamFrameReader reader;
  std::vector<StreamFrame> out;
  ASSERT_FALSE(reader.put(std::string(4, '\0'), out));
  EXPECT_FALSE(reader.put(encode(StreamAsk{}), out));
  EXPECT_TRUE(out.empty());
}

TEST(StreamFrame, AHelloOfAnotherProtocolIsRefused) {
  EXPECT_NE(error_of(raw(std::string("\x01\x04HTTP\x01\x00", 8))), "");
}

}  // namespace
}  // namespace atalaya::sense
