#include "ingest/agent_calls.h"

#include <gtest/gtest.h>

#include <future>

#include "ingest/agent_hub.h"
#include "ingest/stores_for_tests.h"

namespace atalaya::ingest {
namespace {

using namespace std::chrono_literals;

/// Far longer than anything takes: it bounds a broken test, not a working one.
constexpr Duration kPatience{60'000};

class Directory final : public AgentDirectory {
 public:
  AgentConfig config_for(const AgentPeer&) override { return {}; }
  void connected(const AgentPeer&, const HelloFrame&) override {}
  void heard(const AgentPeer&) override {}
  void disconnected(const AgentPeer&) override {}
};

/// A hub with agents that are this test.
class AgentCallsTest : public testing::Test {
 protected:
  struct Agent {
    std::shared_ptr<AgentSession> session;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<CallFrame> calls;

    CallFrame call(std::size_t index) {
      std::unique_lock lock(mutex);
      EXPECT_TRUE(changed.wait_for(lock, 60s, [&] { return calls.size() > index; }));
      return calls.at(index);
    }
    void answer(const CallResultFrame& frame) { session->on_frame(encode(frame)); }
  };

  std::shared_ptr<Agent> connect(const std::string& id, std::uint64_t abilities = kTakesCalls) {
    auto agent = std::make_shared<Agent>();
    agent->session = hub.open(
        {default_tenant(), AgentId{id}, id},
        [agent = agent.get()](std::string bytes) {
          auto frame = decode_agent_frame(bytes);
          ASSERT_TRUE(frame);
          if (auto* call = std::get_if<CallFrame>(&*frame)) {
            const std::lock_guard lock(agent->mutex);
            agent->calls.push_back(std::move(*call));
            agent->changed.notify_all();
          }
        },
        [](std::uint16_t, const std::string&) {});
    agents.push_back(agent);
    agent->session->on_frame(encode(HelloFrame{1, "1.0", id, "5b001", {}, abilities}));
    return agent;
  }
  std::future<Result<CallResult>> call(const std::string& agent, const std::string& program,
                                       Duration timeout = kPatience) {
    return std::async(std::launch::async, [this, agent, program, timeout] {
      CallFrame frame;
      frame.program = program;
      return hub.call(default_tenant(), AgentId{agent}, frame, timeout);
    });
  }
  ~AgentCallsTest() override { hub.stop(); }

  StoresForTests stores;
  telemetry::Registry registry;
  ManualClock clock{from_ms(1)};
  Directory directory;
  std::vector<std::shared_ptr<Agent>> agents;
  AgentHub hub{stores.series(), stores.logs(), registry, clock, directory};
  telemetry::Counter& late{registry.counter("atalaya_agent_calls_late_total", "")};
};

TEST_F(AgentCallsTest, AnAnswerFindsItsCallWhateverTheOrder) {
  const auto agent = connect("a");
  auto one = call("a", "one");
  const auto first = agent->call(0);
  auto two = call("a", "two");
  const auto second = agent->call(1);
  EXPECT_NE(first.id, second.id);
  agent->answer({second.id, 2, false, "out 2", "err 2", "", "", ""});
  agent->answer({first.id, 0, true, first.program, "", "", "", ""});
  const auto got_two = two.get().value();
  EXPECT_EQ(got_two.status, 2);
  EXPECT_EQ(got_two.output, "out 2");
  EXPECT_EQ(got_two.errors, "err 2");
  const auto got_one = one.get().value();
  EXPECT_EQ(got_one.output, "one");
  EXPECT_TRUE(got_one.timed_out);
}

TEST_F(AgentCallsTest, AnErrorOfTheAgentIsTheCallers) {
  const auto agent = connect("a");
  auto answer = call("a", "");
  agent->answer({agent->call(0).id, 0, false, "", "", "permission_denied", "no scripts here", "allow them"});
  const auto error = answer.get().error();
  EXPECT_EQ(error.code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(error.message, "no scripts here");
  EXPECT_EQ(error.remedy, "allow them");
}

TEST_F(AgentCallsTest, WhoIsNotConnectedIsUnavailableAndWhoIsTooOldIsToldSo) {
  EXPECT_EQ(call("nobody", "").get().error().code, ErrorCode::kUnavailable);
  connect("old", 0);
  EXPECT_EQ(call("old", "").get().error().code, ErrorCode::kUnprocessable);
}

TEST_F(AgentCallsTest, WhenTheConnectionEndsTheCallerLearnsAtOnce) {
  for (const int way : {0, 1, 2, 3}) {
    const auto agent = connect("a");
    auto answer = call("a", "");
    agent->call(0);
    if (way == 0) hub.closed(agent->session);
    if (way == 1) connect("a");
    if (way == 2) hub.remove(default_tenant(), AgentId{"a"});
    if (way == 3) hub.stop();
    EXPECT_EQ(answer.get().error().code, ErrorCode::kUnavailable) << way;
  }
}

TEST_F(AgentCallsTest, ALateAnswerIsDroppedAndCounted) {
  const auto agent = connect("a");
  EXPECT_EQ(call("a", "", Duration{1}).get().error().code, ErrorCode::kDeadlineExceeded);
  agent->answer({agent->call(0).id, 0, false, "", "", "", "", ""});
  EXPECT_EQ(late.value(), 1u);
  EXPECT_TRUE(hub.is_connected(default_tenant(), AgentId{"a"})) << "it did nothing wrong";
}

TEST_F(AgentCallsTest, NobodyAnswersForAnother) {
  const auto agent = connect("a");
  const auto liar = connect("b");
  auto answer = call("a", "");
  const auto id = agent->call(0).id;
  liar->answer({id, 0, false, "lie", "", "", "", ""});
  EXPECT_EQ(late.value(), 1u);
  agent->answer({id, 0, false, "truth", "", "", "", ""});
  EXPECT_EQ(answer.get().value().output, "truth");
}

TEST_F(AgentCallsTest, AFifthCallToOneAgentIsRefusedAndAnotherAgentIsFree) {
  const auto agent = connect("a");
  const auto other = connect("b");
  std::vector<std::future<Result<CallResult>>> answers;
  for (std::size_t i = 0; i < 4; ++i) {
    answers.push_back(call("a", ""));
    agent->call(i);
  }
  EXPECT_EQ(call("a", "").get().error().code, ErrorCode::kResourceExhausted);
  auto free = call("b", "");
  other->answer({other->call(0).id, 0, false, "", "", "", "", ""});
  EXPECT_TRUE(free.get());
  for (std::size_t i = 0; i < 4; ++i) agent->answer({agent->call(i).id, 0, false, "", "", "", "", ""});
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  auto again = call("a", "");
  agent->answer({agent->call(4).id, 0, false, "", "", "", "", ""});
  EXPECT_TRUE(again.get());
}

TEST_F(AgentCallsTest, ACallBeyondTheBoundsNeverReachesTheAgent) {
  const auto agent = connect("a");
  EXPECT_EQ(call("a", std::string(kMaxCallProgramBytes + 1, 'p')).get().error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(agent->calls.empty());
}

}  // namespace
}  // namespace atalaya::ingest
