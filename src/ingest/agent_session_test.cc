#include "ingest/agent_session.h"

#include <gtest/gtest.h>

#include "ingest/agent_hub.h"
#include "ingest/stores_for_tests.h"

namespace atalaya::ingest {
namespace {

const Labels kUp{{"__name__", "up"}, {"instance", "web1"}};
const Labels kLine{{"file", "/var/log/a"}, {"instance", "web1"}};
constexpr Time kNow = from_ms(1'700'000'000'000);

/// The other end of a session: what an agent sends, and what it hears.
class AgentSessionTest : public testing::Test {
 protected:
  AgentSessionTest() { connect(); }

  void connect() {
    AgentSession::Callbacks callbacks;
    callbacks.send = [this](std::string frame) { sent.push_back(std::move(frame)); };
    callbacks.close = [this](std::uint16_t code, std::string reason) { closed = code, why = std::move(reason); };
    callbacks.config = [this] { return config; };
    callbacks.measured = [this](const std::string& source, std::uint64_t sequence, std::vector<SensorValue> values) {
      measured_source = source;
      measured_sequence = sequence;
      measured.insert(measured.end(), values.begin(), values.end());
    };
    session = std::make_shared<AgentSession>(AgentPeer{default_tenant(), AgentId{"a1"}, "web1"}, stores.series(),
                                             stores.logs(), metrics, clock, std::move(callbacks), limits);
    writer.start_scope();
    ++scope;
    sent.clear();
    closed = 0;
  }
  void hello() { session->on_frame(encode(HelloFrame{1, "1.0", "web1", "5b001", {}})); }

  void sample(std::uint64_t sequence, double value, const Labels& labels = kUp) {
    const auto ref = writer.define(labels.packed());
    writer.sample(ref, kNow + Duration{static_cast<std::int64_t>(sequence)}, value);
    batch(sequence, kHasSamples);
  }
  void line(std::uint64_t sequence, const std::string& text) {
    const auto ref = writer.define(kLine.packed());
    writer.log(ref, kNow, text);
    batch(sequence, kHasLogs);
  }
  void batch(std::uint64_t sequence, std::uint8_t contents) {
    const auto raw = writer.take();
    const auto packed = compressor.compress(raw);
    session->on_frame(encode(BatchFrame{sequence, scope, contents, raw.size(), packed}));
  }
  std::vector<std::uint64_t> acks() const {
    std::vector<std::uint64_t> out;
    for (const auto& bytes : sent)
      if (const auto frame = decode_agent_frame(bytes); frame && std::holds_alternative<AckFrame>(*frame))
        out.push_back(std::get<AckFrame>(*frame).sequence);
    return out;
  }
  WelcomeFrame welcome() const { return std::get<WelcomeFrame>(*decode_agent_frame(sent.at(0))); }

  StoresForTests stores;
  telemetry::Registry registry;
  AgentSessionMetrics metrics{registry};
  ManualClock clock{kNow};
  AgentConfig config{"7", R"({"collectors":[]})"};
  AgentSessionLimits limits;
  std::shared_ptr<AgentSession> session;
  PayloadWriter writer;
  io::ZstdCompressor compressor;
  std::uint64_t scope = 0;
  std::vector<std::string> sent;
  std::uint16_t closed = 0;
  std::string why;
  std::vector<SensorValue> measured;
  std::string measured_source;
  std::uint64_t measured_sequence = 0;
};

TEST_F(AgentSessionTest, HelloIsAnsweredWithWhatTheStoresHaveAndTheConfiguration) {
  hello();
  EXPECT_EQ(welcome().series_sequence, 0u);
  EXPECT_EQ(welcome().config_revision, "7");
  EXPECT_EQ(welcome().config_json, R"({"collectors":[]})");
  EXPECT_EQ(welcome().window_batches, limits.window_batches);
}

TEST_F(AgentSessionTest, ABatchIsAcknowledgedWhenItIsDurableNotBefore) {
  hello();
  sample(1, 42);
  EXPECT_TRUE(acks().empty());
  stores.commit_all();
  EXPECT_EQ(acks(), std::vector<std::uint64_t>{1});
  ASSERT_EQ(stores.samples.size(), 1u);
  EXPECT_EQ(stores.samples[0].value, 42);
}

TEST_F(AgentSessionTest, AcknowledgesInOrderWhenOneStoreIsAhead) {
  hello();
  line(1, "one");
  sample(2, 2);
  while (stores.commit_series()) {
  }
  EXPECT_TRUE(acks().empty()) << "the line of batch 1 is not durable";
  stores.commit_all();
  EXPECT_EQ(acks(), std::vector<std::uint64_t>{2});
}

TEST_F(AgentSessionTest, WhatComesDuringAnAppendIsJoinedIntoTheNextOne) {
  hello();
  for (std::uint64_t i = 1; i <= 10; ++i) sample(i, static_cast<double>(i));
  stores.commit_all();
  EXPECT_EQ(stores.series_appends, 2u);
  EXPECT_EQ(stores.samples.size(), 10u);
  EXPECT_EQ(acks(), (std::vector<std::uint64_t>{1, 10}));
}

TEST_F(AgentSessionTest, ABatchWithoutContentsIsAcknowledgedAtOnce) {
  hello();
  batch(1, 0);
  EXPECT_EQ(acks(), std::vector<std::uint64_t>{1});
}

TEST_F(AgentSessionTest, WelcomeTellsAReturningAgentWhatIsDurable) {
  hello();
  line(1, "one");
  sample(2, 2);
  stores.commit_all();
  connect();
  hello();
  EXPECT_EQ(welcome().series_sequence, 2u);
  EXPECT_EQ(welcome().logs_sequence, 1u);
}

TEST_F(AgentSessionTest, ABatchSentAgainIsAcknowledgedAndStoredOnce) {
  hello();
  sample(1, 1);
  line(2, "two");
  stores.commit_all();
  connect();
  hello();
  sample(1, 1);
  line(2, "two");
  stores.commit_all();
  EXPECT_EQ(acks().back(), 2u);
  EXPECT_EQ(stores.samples.size(), 1u);
  EXPECT_EQ(stores.lines.size(), 1u);
}

TEST_F(AgentSessionTest, InstanceIsTheRegisteredNameWhateverTheAgentSays) {
  hello();
  sample(1, 1, kUp.with("instance", "bank"));
  stores.commit_all();
  EXPECT_EQ(stores.samples.at(0).series, R"(up{instance="web1"})");
  EXPECT_EQ(metrics.renamed.value(), 1u);
}

TEST_F(AgentSessionTest, OneSeriesBeyondALimitDoesNotHoldUpTheOthers) {
  stores.refuse_metric = "greedy";
  hello();
  sample(1, 1, kUp.with("__name__", "greedy"));
  sample(2, 2);
  stores.commit_all();
  EXPECT_EQ(acks().back(), 2u);
  EXPECT_EQ(stores.samples.size(), 1u);
  EXPECT_EQ(metrics.series_refused.value(), 1u);
}

TEST_F(AgentSessionTest, AStoreThatRefusesEndsTheConnectionAndNothingMoreIsAppended) {
  hello();
  sample(1, 1);
  sample(2, 2);
  stores.commit_series(true);
  EXPECT_EQ(closed, kCloseTryLater);
  stores.commit_all();
  EXPECT_TRUE(stores.samples.empty()) << "batch 2 without batch 1 would lose batch 1 for good";
  EXPECT_TRUE(acks().empty());
}

TEST_F(AgentSessionTest, AnAgentBeyondTheWindowIsClosed) {
  limits.window_batches = 3;
  connect();
  hello();
  for (std::uint64_t i = 1; i <= 3; ++i) sample(i, 1);
  EXPECT_EQ(closed, 0);
  sample(4, 1);
  EXPECT_EQ(closed, kClosePolicy);
}

TEST_F(AgentSessionTest, FramesOutOfOrderAreRefused) {
  sample(1, 1);
  EXPECT_EQ(closed, kClosePolicy) << "before hello";
  connect();
  hello();
  sample(5, 1);
  sample(5, 1);
  EXPECT_EQ(closed, kClosePolicy) << "not ascending";
}

TEST_F(AgentSessionTest, MalformedFramesCloseAndAreCounted) {
  for (const auto& frame : {std::string("\x01"), std::string("\x04\x01short"), encode(AckFrame{1})}) {
    connect();
    hello();
    session->on_frame(frame);
    EXPECT_EQ(closed, kCloseMalformed);
  }
  connect();
  session->on_message("text", false);
  EXPECT_EQ(closed, kCloseMalformed);
  EXPECT_EQ(metrics.malformed.value(), 4u);
}

TEST_F(AgentSessionTest, ABatchThatLiesAboutItsContentsIsMalformed) {
  hello();
  const auto ref = writer.define(kUp.packed());
  writer.sample(ref, kNow, 1);
  batch(1, kHasLogs);
  EXPECT_EQ(closed, kCloseMalformed);
}

TEST_F(AgentSessionTest, ABombIsRefused) {
  hello();
  const auto packed = compressor.compress(std::string(32 << 20, 'x'));
  session->on_frame(encode(BatchFrame{1, 1, kHasSamples, 1000, packed}));
  EXPECT_EQ(closed, kCloseMalformed);
}

TEST_F(AgentSessionTest, AnUnknownFrameIsIgnored) {
  hello();
  session->on_frame("\x77_future");
  sample(1, 1);
  stores.commit_all();
  EXPECT_EQ(closed, 0);
  EXPECT_EQ(acks(), std::vector<std::uint64_t>{1});
}

TEST_F(AgentSessionTest, ConfigurationIsPushedWhenItsRevisionChanges) {
  session->push_config({"8", "{}"});
  EXPECT_TRUE(sent.empty()) << "before hello: welcome will carry it";
  hello();
  session->push_config({"7", "ignored"});
  EXPECT_EQ(sent.size(), 1u);
  session->push_config({"8", "{}"});
  EXPECT_EQ(std::get<ConfigFrame>(*decode_agent_frame(sent.at(1))), (ConfigFrame{"8", "{}"}));
}

TEST_F(AgentSessionTest, AConfigurationThatNoAgentTakesIsCountedAndNotSent) {
  config = {"7", std::string(kMaxConfigBytes + 1, ' ')};
  hello();
  EXPECT_EQ(welcome().config_revision, "");
  EXPECT_EQ(welcome().config_json, "");
  EXPECT_EQ(metrics.config_refused.value(), 1u) << "once a revision";
  session->push_config({"8", config.json});
  EXPECT_EQ(sent.size(), 1u);
  EXPECT_EQ(metrics.config_refused.value(), 2u);
  session->push_config({"9", std::string(kMaxConfigBytes, ' ')});
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_TRUE(decode_agent_frame(sent[1]));
  EXPECT_EQ(closed, 0);
}

TEST_F(AgentSessionTest, DefinitionsOfAResumedScopeComeFirst) {
  hello();
  writer.define(kUp.packed());
  const auto raw = writer.take();
  session->on_frame(encode(DefinitionsFrame{scope, raw.size(), compressor.compress(raw)}));
  writer.sample(0, kNow, 3);
  batch(9, kHasSamples);
  stores.commit_all();
  EXPECT_EQ(acks(), std::vector<std::uint64_t>{9});
  EXPECT_EQ(stores.samples.at(0).value, 3);
}

class DirectoryForTests final : public AgentDirectory {
 public:
  AgentConfig config_for(const AgentPeer&) override { return config; }
  void connected(const AgentPeer&, const HelloFrame&) override { ++connects; }
  void heard(const AgentPeer&) override { ++heards; }
  void disconnected(const AgentPeer&) override { ++disconnects; }
  AgentConfig config{"1", "{}"};
  int connects = 0;
  int heards = 0;
  int disconnects = 0;
};

TEST(AgentHub, ANewerConnectionEndsTheOlderOne) {
  StoresForTests stores;
  telemetry::Registry registry;
  ManualClock clock(kNow);
  DirectoryForTests directory;
  AgentHub hub(stores.series(), stores.logs(), registry, clock, directory);
  const AgentPeer peer{default_tenant(), AgentId{"a1"}, "web1"};
  std::uint16_t first_closed = 0;
  const auto first = hub.open(peer, [](std::string) {}, [&](std::uint16_t code, std::string) { first_closed = code; });
  std::vector<std::string> sent;
  const auto second =
      hub.open(peer, [&](std::string frame) { sent.push_back(std::move(frame)); }, [](std::uint16_t, std::string) {});
  EXPECT_EQ(first_closed, kCloseReplaced);
  hub.closed(first);
  EXPECT_EQ(directory.disconnects, 0) << "the newer one is there";
  EXPECT_TRUE(hub.is_connected(peer.tenant, peer.agent));

  second->on_frame(encode(HelloFrame{1, "1.0", "web1", "ab", {}}));
  EXPECT_EQ(directory.connects, 1);
  directory.config = {"2", "{}"};
  hub.push_configs(default_tenant());
  EXPECT_EQ(sent.size(), 2u);
  hub.closed(second);
  EXPECT_EQ(directory.disconnects, 1);
  EXPECT_EQ(hub.connected(), 0u);
}

TEST(AgentHub, ARemovedAgentIsClosed) {
  StoresForTests stores;
  telemetry::Registry registry;
  ManualClock clock(kNow);
  DirectoryForTests directory;
  AgentHub hub(stores.series(), stores.logs(), registry, clock, directory);
  std::uint16_t closed = 0;
  hub.open(
      {default_tenant(), AgentId{"a1"}, "web1"}, [](std::string) {},
      [&](std::uint16_t code, std::string) { closed = code; });
  hub.remove(default_tenant(), AgentId{"a1"});
  EXPECT_EQ(closed, kCloseRemoved);
}

TEST_F(AgentSessionTest, WhatBelongsToASensorIsItsAloneAndAcknowledgedWithTheRest) {
  stores.commit_at_once = true;
  hello();
  const Labels cpu{{"__collector__", "c1"}, {"__name__", "CPUPercent"}, {"device", "x"}, {"instance", "somebody"}};
  const auto ref = writer.define(cpu.packed());
  const auto up = writer.define(kUp.packed());
  const auto trouble = writer.define(cpu.without("device").with("level", "warning").packed());
  const auto well = writer.define(cpu.without("device").with("level", "info").packed());
  writer.sample(ref, kNow, 12.5);
  writer.sample(up, kNow, 1);
  writer.log(trouble, kNow, "no such thing");
  writer.log(well, kNow, "runs");
  batch(1, kHasSamples | kHasLogs);
  ASSERT_EQ(measured.size(), 3u);
  EXPECT_EQ(measured[0].of->collector, "c1");
  EXPECT_EQ(measured[0].of->metric, "CPUPercent");
  EXPECT_EQ(measured[0].of->labels, (Labels{{"device", "x"}, {"instance", "web1"}})) << "whose it is, the server says";
  EXPECT_EQ(measured[0].value, 12.5);
  EXPECT_FALSE(measured[0].problem);
  EXPECT_EQ(measured[1].problem, "no such thing");
  EXPECT_EQ(measured[2].problem, "");
  EXPECT_EQ(measured_source, "agent:a1/5b001");
  EXPECT_EQ(measured_sequence, 1u);
  EXPECT_EQ(acks(), std::vector<std::uint64_t>{1});
  // The store has heard of `up` alone.
  EXPECT_EQ(stores.samples.size(), 1u);
  EXPECT_TRUE(stores.lines.empty());
  writer.sample(ref, kNow + Duration{1}, 13);
  batch(2, kHasSamples);
  EXPECT_EQ(acks(), (std::vector<std::uint64_t>{1, 2})) << "nothing of it has to become durable";
}

}  // namespace
}  // namespace atalaya::ingest
