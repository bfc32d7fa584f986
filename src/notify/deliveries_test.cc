#include "notify/deliveries.h"

#include <gtest/gtest.h>

namespace atalaya::notify {
namespace {

constexpr Time kStart = from_ms(1'000'000'000);
const AttemptResult kOk{.ok = true};
const AttemptResult kDown{.answer = "connection refused"};

Delivery make(std::string key, std::string channel = "hook", std::string alert = "") {
  Delivery d;
  d.tenant = default_tenant();
  d.key = std::move(key);
  d.alert = AlertId{std::move(alert)};
  d.channel = std::move(channel);
  d.created = kStart;
  return d;
}

std::string take(Deliveries& deliveries, Time now = kStart) {
  const auto taken = deliveries.take(now);
  return taken ? taken->key : "";
}

TEST(Deliveries, TriesAtOnceAndForgetsWhatIsSent) {
  Deliveries deliveries;
  deliveries.add(make("a"));
  EXPECT_EQ(deliveries.next_due(), kStart);
  EXPECT_EQ(take(deliveries), "a");
  EXPECT_EQ(take(deliveries), "");
  EXPECT_EQ(deliveries.finish(default_tenant(), "a", kOk, kStart).state, DeliveryState::kSent);
  EXPECT_EQ(deliveries.pending(), 0u);
}

TEST(Deliveries, AKnownKeyIsIgnored) {
  Deliveries deliveries;
  deliveries.add(make("a"));
  deliveries.add(make("a"));
  EXPECT_EQ(take(deliveries), "a");
  EXPECT_EQ(take(deliveries), "");
}

TEST(Deliveries, BacksOffExponentiallyWithJitterUpToTheCapAndGivesUpAfterADay) {
  Deliveries deliveries;
  deliveries.add(make("a"));
  auto now = kStart;
  std::vector<double> waits;
  for (;;) {
    ASSERT_EQ(take(deliveries, now), "a");
    const auto decision = deliveries.finish(default_tenant(), "a", kDown, now);
    if (decision.state == DeliveryState::kFailed) break;
    ASSERT_EQ(decision.state, DeliveryState::kRetrying);
    EXPECT_EQ(take(deliveries, *decision.next_attempt - Duration{1}), "");
    waits.push_back(to_seconds(Duration{*decision.next_attempt - now}));
    now = *decision.next_attempt;
  }
  ASSERT_GT(waits.size(), 280u);
  double expected = 1;
  std::set<double> capped;
  for (const auto wait : waits) {
    EXPECT_GE(wait, expected * 0.8);
    EXPECT_LE(wait, expected * 1.2);
    if (expected == 300) capped.insert(wait);
    expected = std::min(expected * 2, 300.0);
  }
  EXPECT_GT(capped.size(), 20u);
  EXPECT_LE(now - kStart, Duration{std::chrono::hours{24}});
  EXPECT_EQ(deliveries.pending(), 0u);
}

TEST(Deliveries, ARefusalForGoodIsNotRepeated) {
  Deliveries deliveries;
  deliveries.add(make("a"));
  take(deliveries);
  const auto decision = deliveries.finish(default_tenant(), "a", {.permanent = true, .status = 404}, kStart);
  EXPECT_EQ(decision.state, DeliveryState::kFailed);
  EXPECT_EQ(decision.next_attempt, std::nullopt);
}

TEST(Deliveries, HonoursRetryAfterForTheWholeChannel) {
  Deliveries deliveries;
  deliveries.add(make("a"));
  deliveries.add(make("b"));
  take(deliveries);
  const auto decision =
      deliveries.finish(default_tenant(), "a", {.status = 429, .retry_after = Duration{60'000}}, kStart);
  EXPECT_GE(*decision.next_attempt, kStart + Duration{60'000});
  EXPECT_EQ(take(deliveries, kStart + Duration{59'999}), "");
  EXPECT_NE(take(deliveries, kStart + Duration{60'000}), "");
}

TEST(Deliveries, KeepsTheOrderOfOneAlertAndLetsOtherAlertsPass) {
  Deliveries deliveries;
  deliveries.add(make("x1", "hook", "x"));
  deliveries.add(make("x2", "hook", "x"));
  deliveries.add(make("y1", "hook", "y"));
  EXPECT_EQ(take(deliveries), "x1");
  EXPECT_EQ(take(deliveries), "y1");
  EXPECT_EQ(take(deliveries), "");
  deliveries.finish(default_tenant(), "y1", kOk, kStart);
  EXPECT_EQ(take(deliveries), "");
  deliveries.finish(default_tenant(), "x1", kOk, kStart);
  EXPECT_EQ(take(deliveries), "x2");
}

TEST(Deliveries, DeadChannelsNeverTakeThePlaceOfLivingOnes) {
  Deliveries deliveries({.lane_width = 2, .max_running = 4, .max_suspects = 2});
  // Six channels have failed once.
  for (int i = 0; i < 6; ++i) {
    const auto key = "dead" + std::to_string(i);
    deliveries.add(make(key, key));
    ASSERT_EQ(take(deliveries), key);
    deliveries.finish(default_tenant(), key, kDown, kStart);
  }
  const auto later = kStart + Duration{10'000};
  EXPECT_NE(take(deliveries, later), "");
  EXPECT_NE(take(deliveries, later), "");
  EXPECT_EQ(take(deliveries, later), "");  // the suspects' share is used up
  deliveries.add(make("alive", "alive"));
  EXPECT_EQ(take(deliveries, later), "alive");
}

TEST(Deliveries, AHealthyChannelGoesBeforeASuspectThatWaitsLonger) {
  Deliveries deliveries;
  deliveries.add(make("dead", "dead"));
  take(deliveries);
  deliveries.finish(default_tenant(), "dead", kDown, kStart);
  auto fresh = make("alive", "alive");
  fresh.created = kStart + Duration{5'000};
  deliveries.add(fresh);
  EXPECT_EQ(take(deliveries, kStart + Duration{6'000}), "alive");
}

TEST(Deliveries, ASuspectIsTriedByOneAndAfterASuccessByMore) {
  Deliveries deliveries({.lane_width = 3, .max_running = 8, .max_suspects = 8});
  for (const auto* key : {"a", "b", "c", "d"}) deliveries.add(make(key));
  take(deliveries);
  deliveries.finish(default_tenant(), "a", kDown, kStart);
  EXPECT_EQ(take(deliveries), "b");
  EXPECT_EQ(take(deliveries), "");
  deliveries.finish(default_tenant(), "b", kOk, kStart);
  EXPECT_EQ(take(deliveries), "c");
  EXPECT_EQ(take(deliveries), "d");
}

TEST(Deliveries, AfterARestartGoesOnWhereTheRowSays) {
  Deliveries deliveries;
  auto d = make("a");
  d.attempts = 5;
  d.next_attempt = kStart + Duration{16'000};
  d.state = DeliveryState::kRetrying;
  deliveries.add(d);
  EXPECT_EQ(take(deliveries, kStart + Duration{15'999}), "");
  EXPECT_EQ(take(deliveries, kStart + Duration{16'000}), "a");
  EXPECT_EQ(deliveries.finish(default_tenant(), "a", kOk, kStart + Duration{16'000}).attempt, 6u);
}

}  // namespace
}  // namespace atalaya::notify
