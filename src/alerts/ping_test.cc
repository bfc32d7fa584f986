#include "alerts/ping.h"

#include <gtest/gtest.h>

#include "alerts/machine_test_support.h"

namespace atalaya::alerts {
namespace {

class PingTest : public MachineTest {
 protected:
  PingTest() {
    PingCheck check;
    check.id = "backup-id";
    check.name = "backup";
    check.period = 60 * kMinute;
    check.grace = 10 * kMinute;
    EXPECT_TRUE(post(SetPing{check}));
  }
  Status ping(PingKind kind = PingKind::kSuccess, std::optional<int> exit = {}) {
    PingLine line;
    line.kind = kind;
    line.exit = exit;
    return post(Pinged{"backup-id", line});
  }
  std::pair<PingCheck, std::vector<PingLine>> get() const {
    return *PingQueries(*database_).get(default_tenant(), "backup-id");
  }
  std::string state() const { return std::string(to_json(get().first, now()).at("state").as_string()); }
  Alert its_alert() const {
    const Labels labels{{"alertname", "backup"}, {"severity", "critical"}};
    return Queries(*database_).get(default_tenant(), identity(default_tenant(), "", labels))->alert;
  }
};

TEST_F(PingTest, ANewOneWaitsForItsFirstPing) {
  pass(1000 * kMinute);
  EXPECT_EQ(state(), "new");
  EXPECT_TRUE(told_.lines.empty());
}

TEST_F(PingTest, IsLateAfterItsPeriodAndDownAfterTheGrace) {
  ASSERT_TRUE(ping());
  pass(59 * kMinute);
  EXPECT_EQ(state(), "up");
  pass(1 * kMinute);
  EXPECT_EQ(state(), "late");
  EXPECT_TRUE(told_.lines.empty());
  pass(10 * kMinute);
  EXPECT_EQ(state(), "down");
  EXPECT_EQ(told_.lines, Lines{"firing backup first"});
  EXPECT_EQ(its_alert().door, "ping");
  EXPECT_FALSE(its_alert().ends);
  pass(1000 * kMinute);
  EXPECT_EQ(its_alert().state, State::kFiring);
  ASSERT_TRUE(ping());
  EXPECT_EQ(state(), "up");
  EXPECT_EQ(told_.lines.back(), "resolved backup");
}

TEST_F(PingTest, AFailureIsAnAlertAtOnce) {
  ASSERT_TRUE(ping(PingKind::kFail, 3));
  EXPECT_EQ(told_.lines, Lines{"firing backup first"});
  EXPECT_NE(its_alert().text.find("exit status 3"), std::string::npos);
  ASSERT_TRUE(ping(PingKind::kFail));
  EXPECT_EQ(its_alert().count, 2u);
}

TEST_F(PingTest, ARunThatBeginsMustEndWithinTheGrace) {
  ASSERT_TRUE(ping(PingKind::kStart));
  EXPECT_EQ(state(), "started");
  pass(4 * kMinute);
  ASSERT_TRUE(ping());
  EXPECT_EQ(get().first.took, 4 * kMinute);
  ASSERT_TRUE(ping(PingKind::kStart));
  pass(10 * kMinute);
  EXPECT_EQ(state(), "down");
}

TEST_F(PingTest, ALogLineChangesNothing) {
  ASSERT_TRUE(ping());
  const auto due = get().first.due;
  clock_.advance(kMinute);
  ASSERT_TRUE(ping(PingKind::kLog));
  EXPECT_EQ(get().first.due, due);
  EXPECT_EQ(get().second.size(), 2u);
  EXPECT_EQ(get().second.front().kind, PingKind::kLog);
}

TEST_F(PingTest, KeepsItsNewestLines) {
  for (std::uint64_t i = 0; i < kKeptPings + 5; ++i) ASSERT_TRUE(ping());
  EXPECT_EQ(get().second.size(), kKeptPings);
  EXPECT_EQ(get().second.front().number, kKeptPings + 5);
}

TEST_F(PingTest, RemovingItEndsItsAlert) {
  ASSERT_TRUE(ping(PingKind::kFail));
  ASSERT_TRUE(post(RemovePing{"backup-id"}));
  EXPECT_EQ(told_.lines.back(), "resolved backup");
  EXPECT_EQ(ping().error().code, ErrorCode::kNotFound);
  EXPECT_EQ(PingQueries(*database_).tenant_of("backup-id").error().code, ErrorCode::kNotFound);
}

TEST_F(PingTest, TwoOfOneNameAreRefused) {
  auto second = get().first;
  second.id = "other";
  EXPECT_EQ(post(SetPing{second}).error().code, ErrorCode::kAlreadyExists);
  second.name = "other";
  second.grace = Duration{0};
  EXPECT_EQ(post(SetPing{second}).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace atalaya::alerts
