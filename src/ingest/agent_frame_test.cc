#include "ingest/agent_frame.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ingest/agent_payload.h"
#include "model/sample.h"

namespace atalaya::ingest {
namespace {

template <typename Frame>
void expect_round_trip(const Frame& frame) {
  const auto bytes = encode(frame);
  const auto decoded = decode_agent_frame(bytes);
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(std::get<Frame>(*decoded), frame);
  EXPECT_TRUE(decode_agent_frame(bytes + "more")) << "fields of a newer version are passed over";
}

TEST(AgentFrame, EveryTypeComesBackAsItWas) {
  expect_round_trip(HelloFrame{1, "1.2.3", "web1", "ab12", {{"os", "Debian"}, {"kernel", "6.1"}}});
  expect_round_trip(WelcomeFrame{1, 7, 5, 256, 1 << 20, from_ms(1'700'000'000'123), "42", R"({"collectors":[]})"});
  expect_round_trip(AckFrame{std::uint64_t{1} << 40});
  expect_round_trip(ConfigFrame{"43", "{}"});
  HelloFrame able;
  able.abilities = kTakesCalls;
  expect_round_trip(able);
  expect_round_trip(CallFrame{"c1",
                              "script",
                              "#!/bin/sh\n",
                              {"a", "b c"},
                              "input",
                              {{"NAME", "value"}},
                              Duration{2000},
                              64 << 20,
                              1 << 20,
                              true});
  expect_round_trip(
      CallResultFrame{"c1", -1, true, std::string("\xff\0out", 5), "err", "unavailable", "why", "what to do"});
}

TEST(AgentFrame, BatchAndDefinitionsViewTheirBytes) {
  const auto batch = encode(BatchFrame{9, 77, kHasLogs, 100, "packed"});
  const auto decoded = decode_agent_frame(batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<BatchFrame>(*decoded), (BatchFrame{9, 77, kHasLogs, 100, "packed"}));
  const auto definitions = encode(DefinitionsFrame{77, 100, "packed"});
  const auto again = decode_agent_frame(definitions);
  ASSERT_TRUE(again);
  EXPECT_EQ(std::get<DefinitionsFrame>(*again), (DefinitionsFrame{77, 100, "packed"}));
}

TEST(AgentFrame, EveryCutIsMalformedOrShorterData) {
  CallFrame call;
  call.id = "c1";
  call.arguments = {"a"};
  call.environment = {{"A", "b"}};
  for (const auto& bytes : {encode(call), encode(CallResultFrame{"c1", 1, false, "out", "err", "internal", "m", "r"}),
                            encode(WelcomeFrame{1, 7, 5, 256, 1 << 20, from_ms(1), "42", "{}"}), encode(AckFrame{300}),
                            encode(ConfigFrame{"43", "{}"})})
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(decode_agent_frame(std::string_view(bytes).substr(0, size))) << size;
}

TEST(AgentFrame, AHelloFromBeforeCallsHasNoAbilities) {
  const HelloFrame hello{1, "1.2.3", "web1", "ab12", {{"os", "Debian"}}, kTakesCalls};
  const auto bytes = encode(hello);
  const auto older = decode_agent_frame(std::string_view(bytes).substr(0, bytes.size() - 1));
  ASSERT_TRUE(older);
  EXPECT_EQ(std::get<HelloFrame>(*older).abilities, 0u);
  for (std::size_t size = 0; size + 1 < bytes.size(); ++size)
    EXPECT_FALSE(decode_agent_frame(std::string_view(bytes).substr(0, size))) << size;
}

TEST(AgentFrame, BoundsOfCallsAreEnforced) {
  const auto refused = [](auto change) {
    CallFrame call;
    call.id = "c";
    EXPECT_TRUE(decode_agent_frame(encode(call)));
    change(call);
    return !decode_agent_frame(encode(call));
  };
  EXPECT_TRUE(refused([](CallFrame& c) { c.id.clear(); }));
  EXPECT_TRUE(refused([](CallFrame& c) { c.id.assign(kMaxCallIdBytes + 1, 'i'); }));
  EXPECT_TRUE(refused([](CallFrame& c) { c.program.assign(kMaxCallProgramBytes + 1, 'p'); }));
  EXPECT_TRUE(refused([](CallFrame& c) { c.input.assign(kMaxCallInputBytes + 1, 'i'); }));
  EXPECT_TRUE(refused([](CallFrame& c) { c.arguments.resize(kMaxCallTexts + 1); }));
  EXPECT_TRUE(refused([](CallFrame& c) { c.arguments = {std::string(kMaxCallTextsBytes + 1, 'a')}; }));
  EXPECT_TRUE(refused([](CallFrame& c) { c.environment["A"].assign(kMaxCallTextsBytes, 'v'); }));
  EXPECT_TRUE(refused([](CallFrame& c) { c.output_bytes = kMaxCallOutputBytes + 1; }));
  EXPECT_TRUE(refused([](CallFrame& c) { c.time = kMaxCallTime + Duration{1}; }));
  CallResultFrame result;
  EXPECT_FALSE(decode_agent_frame(encode(result))) << "no id";
  result.id = "c";
  EXPECT_TRUE(decode_agent_frame(encode(result)));
  result.output.assign(kMaxCallOutputBytes + 1, 'o');
  EXPECT_FALSE(decode_agent_frame(encode(result)));
  result.output.clear();
  result.errors.assign(kMaxCallErrorsBytes + 1, 'e');
  EXPECT_FALSE(decode_agent_frame(encode(result)));
}

TEST(AgentFrame, AnUnknownTypeIsToBeIgnored) {
  const auto decoded = decode_agent_frame("\x63whatever");
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<UnknownFrame>(*decoded).type, 0x63);
}

TEST(AgentFrame, BoundsAreEnforced) {
  EXPECT_FALSE(decode_agent_frame(std::string(kMaxFrameBytes + 1, '\x05')));
  EXPECT_FALSE(decode_agent_frame(encode(BatchFrame{1, 1, 1, kMaxPayloadBytes + 1, "x"})));
  EXPECT_FALSE(decode_agent_frame(encode(BatchFrame{0, 1, 1, 1, "x"})));
  EXPECT_FALSE(decode_agent_frame(encode(ConfigFrame{"1", std::string(kMaxConfigBytes + 1, ' ')})));
  HelloFrame hello;
  hello.facts.resize(kMaxFacts + 1);
  EXPECT_FALSE(decode_agent_frame(encode(hello)));
}

const Labels kUp{{"__name__", "up"}, {"job", "node"}};
const Labels kLoad{{"__name__", "load"}};

TEST(AgentPayload, SamplesComeBackExactly) {
  const auto infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> values = {
      0,         -0.0,           1,           -1, 0.5, 1e300, 9007199254740992.0, -9007199254740993.0, 1e15, infinity,
      -infinity, stale_marker(), std::nan("")};
  PayloadWriter writer;
  writer.define(kUp.packed());
  writer.define(kLoad.packed());
  const auto at = from_ms(1'700'000'000'000);
  for (std::size_t i = 0; i < values.size(); ++i)
    writer.sample(i % 2, at + Duration{static_cast<std::int64_t>(i) * 7 - 20}, values[i]);
  Payload payload;
  ASSERT_TRUE(decode_payload(writer.take(), 0, payload));
  EXPECT_EQ(payload.definitions, (std::vector<Labels>{kUp, kLoad}));
  ASSERT_EQ(payload.samples.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(payload.samples[i].ref, i % 2);
    EXPECT_EQ(payload.samples[i].time, at + Duration{static_cast<std::int64_t>(i) * 7 - 20});
    EXPECT_EQ(std::bit_cast<std::uint64_t>(payload.samples[i].value), std::bit_cast<std::uint64_t>(values[i]));
  }
}

TEST(AgentPayload, LaterPayloadsOfAScopeDefineOnlyWhatIsNew) {
  PayloadWriter writer;
  writer.define(kUp.packed());
  writer.take();
  EXPECT_EQ(writer.define(kLoad.packed()), 1u);
  writer.sample(0, from_ms(5), 1);
  writer.log(1, from_ms(6), "ñandú");
  const std::string raw{writer.take()};
  Payload payload;
  ASSERT_TRUE(decode_payload(raw, 1, payload));
  EXPECT_EQ(payload.definitions, std::vector<Labels>{kLoad});
  EXPECT_EQ(payload.logs.at(0).line, "ñandú");
  EXPECT_EQ(payload.logs.at(0).time, from_ms(6));
  EXPECT_FALSE(decode_payload(raw, 0, payload)) << "a number that nobody defined";
  EXPECT_EQ(payload_definitions(raw)->at(0), kLoad.packed());
}

TEST(AgentPayload, HostileBytesAreRefused) {
  Payload payload;
  EXPECT_FALSE(decode_payload("", 0, payload));
  EXPECT_FALSE(decode_payload(std::string("\xff\xff\xff\xff\x7f", 5), 0, payload)) << "four billion definitions";
  PayloadWriter writer;
  writer.define("not labels");
  EXPECT_FALSE(decode_payload(writer.take(), 0, payload));
  writer.start_scope();
  writer.define(kUp.packed());
  writer.log(0, from_ms(1), "\xff");
  EXPECT_FALSE(decode_payload(writer.take(), 0, payload)) << "a line that is not UTF-8";
}

TEST(AgentPayload, ASteadyPayloadIsSmall) {
  PayloadWriter writer;
  for (int i = 0; i < 400; ++i) writer.define(kUp.with("n", std::to_string(i)).packed());
  writer.take();
  for (std::uint32_t i = 0; i < 400; ++i) writer.sample(i, from_ms(1), i * 1000.0);
  EXPECT_LT(writer.take().size(), 400u * 5);
}

}  // namespace
}  // namespace atalaya::ingest
