#include "collect/ping/ping.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <map>

namespace atalaya::collect::ping {
namespace {

/// A network whose answers the test writes.
struct Network {
  std::function<void(const Echo&)> on_send = [](const Echo&) {};
  std::deque<Result<std::optional<Echo>>> answers;
  std::function<void()> readable;
  Status sending = {};
  std::vector<Echo> sent;
  std::string interface;

  void answer(Result<std::optional<Echo>> what, net::EventLoop& loop) {
    answers.push_back(std::move(what));
    loop.post([this] {
      if (readable) readable();
    });
  }
};

class WrittenSocket final : public EchoSocket {
 public:
  explicit WrittenSocket(Network& network) : network_(network) {}
  ~WrittenSocket() override { network_.readable = nullptr; }
  Status send(const Echo& echo) override {
    network_.sent.push_back(echo);
    network_.on_send(echo);
    return network_.sending;
  }
  Result<std::optional<Echo>> receive() override {
    if (network_.answers.empty()) return std::nullopt;
    auto answer = std::move(network_.answers.front());
    network_.answers.pop_front();
    return answer;
  }

 private:
  Network& network_;
};

class PingTest : public testing::Test {
 protected:
  OpenEcho open() {
    return [this](const net::SocketAddress&, const std::string& interface,
                  std::function<void()> readable) -> Result<std::unique_ptr<EchoSocket>> {
      network_.readable = std::move(readable);
      network_.interface = interface;
      return std::make_unique<WrittenSocket>(network_);
    };
  }
  check::Verdict look(check::Probe& probe) {
    check::Verdict out;
    probe.look([&](check::Verdict verdict) {
      out = std::move(verdict);
      loop_.stop();
    });
    loop_.run();
    return out;
  }
  check::Verdict look(PingSpec spec, Duration timeout = kLong) {
    const auto probe = make_ping_probe(spec, timeout, loop_, clock_, open());
    return look(*probe);
  }

  /// Never reached: the answer comes first.
  static constexpr Duration kLong{60'000};
  /// For looks that end by it.
  static constexpr Duration kShort{2};

  net::EventLoop loop_;
  ManualClock clock_{from_ms(0)};
  Network network_;
};

TEST_F(PingTest, ARoundThatIsAnsweredIsUpWithItsTime) {
  network_.on_send = [this](const Echo& echo) {
    clock_.advance(Duration{4});
    network_.answer(echo, loop_);
  };
  const auto verdict = look({.host = "127.0.0.1", .count = 2, .interface = "eth1"});
  EXPECT_TRUE(verdict.up);
  EXPECT_EQ(verdict.text, "127.0.0.1 answers");
  ASSERT_EQ(verdict.values.size(), 2u);
  EXPECT_DOUBLE_EQ(verdict.values[0], 0.004);
  EXPECT_EQ(verdict.values[1], 0);
  EXPECT_EQ(network_.sent.size(), 2u);
  EXPECT_EQ(network_.interface, "eth1");
}

TEST_F(PingTest, NoAnswerWithinTheTimeoutIsDown) {
  const auto verdict = look({.host = "127.0.0.1", .count = 1}, kShort);
  EXPECT_FALSE(verdict.up);
  EXPECT_EQ(verdict.text, "127.0.0.1: no answer within 2ms");
  EXPECT_TRUE(std::isnan(verdict.values[0]));
  EXPECT_EQ(verdict.values[1], 1);
}

TEST_F(PingTest, WhatTheNetworkSaysIsInTheText) {
  network_.on_send = [this](const Echo&) { network_.answer(fail(ErrorCode::kUnavailable, "No route to host"), loop_); };
  const auto verdict = look({.host = "127.0.0.1", .count = 1}, Duration{300});
  EXPECT_FALSE(verdict.up);
  EXPECT_EQ(verdict.text, "127.0.0.1: no answer: No route to host");
}

TEST_F(PingTest, WhereNothingCanBeSentNobodyWaits) {
  network_.sending = fail(ErrorCode::kUnavailable, "Network is unreachable");
  EXPECT_EQ(look({.host = "127.0.0.1", .count = 2}).text, "127.0.0.1: no answer: Network is unreachable");
}

TEST_F(PingTest, AnAnswerAfterATroubleIsStillAnAnswer) {
  network_.on_send = [this](const Echo& echo) {
    network_.answer(fail(ErrorCode::kUnavailable, "No route to host"), loop_);
    network_.answer(echo, loop_);
  };
  EXPECT_TRUE(look({.host = "127.0.0.1", .count = 1}).up);
}

TEST_F(PingTest, OtherPeoplesAnswersAndThoseOfEarlierRoundsAreNotTaken) {
  const auto probe = make_ping_probe({.host = "127.0.0.1", .count = 1}, Duration{20}, loop_, clock_, open());
  network_.on_send = [this](const Echo& echo) { network_.answer(Echo{echo.sequence, echo.cookie + 1}, loop_); };
  EXPECT_FALSE(look(*probe).up);
  network_.on_send = [this](const Echo& echo) {
    network_.answer(Echo{static_cast<std::uint16_t>(echo.sequence - 1), echo.cookie}, loop_);
  };
  EXPECT_FALSE(look(*probe).up);
  network_.on_send = [this](const Echo& echo) { network_.answer(echo, loop_); };
  EXPECT_TRUE(look(*probe).up);
}

TEST_F(PingTest, ANameThatIsNotKnownIsDown) {
  const auto verdict = look({.host = "no name at all"});
  EXPECT_FALSE(verdict.up);
  EXPECT_NE(verdict.text.find("resolve no name at all"), std::string::npos) << verdict.text;
  EXPECT_EQ(verdict.values[1], 1);
}

TEST_F(PingTest, DestroyedWhileItLooksItSaysNothing) {
  bool said = false;
  auto probe = make_ping_probe({.host = "127.0.0.1"}, kLong, loop_, clock_, open());
  probe->look([&](const check::Verdict&) { said = true; });
  network_.on_send = [&](const Echo&) {
    loop_.post([&] {
      probe.reset();
      loop_.stop();
    });
  };
  loop_.run();
  EXPECT_FALSE(said);
}

TEST_F(PingTest, WhatCannotWorkIsRefused) {
  for (const auto& spec : {PingSpec{.host = "http://x"}, PingSpec{.host = "x", .interface = std::string(16, 'e')}}) {
    const auto made = make_ping_probe(spec, kLong, loop_, clock_);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  }
}

/// This machine's own addresses, by the system's sockets.
class RealPing : public testing::TestWithParam<std::string> {};

TEST_P(RealPing, IsACheckWithRoundTripAndLoss) {
  net::EventLoop loop;
  const SystemClock clock;
  if (!may_ping()) GTEST_SKIP() << "this user may not ping: " << to_string(may_ping().error());
  LabelsTable labels;
  CollectorSpec spec;
  spec.id = "p/checks/it";
  spec.timeout = Duration{60'000};
  spec.what = PingSpec{.host = GetParam(), .count = 2};
  auto made = check::Check::make(
      spec, {.instance = "web1", .labels = labels, .loop = loop, .clock = clock, .wake = [&] { loop.stop(); }});
  ASSERT_TRUE(made) << to_string(made.error());
  Batch batch;
  ASSERT_TRUE((*made)->collect(clock.now(), batch));
  EXPECT_TRUE(batch.empty());
  loop.run();
  ASSERT_TRUE((*made)->collect(clock.now(), batch));
  std::map<std::string, double> values;
  for (const auto& sample : batch.samples()) {
    const auto& of = labels.at(sample.series);
    EXPECT_EQ(of.get("type"), "ping");
    EXPECT_EQ(of.get("check"), "it");
    EXPECT_EQ(of.get("job"), "check");
    EXPECT_EQ(of.get("instance"), "web1");
    EXPECT_EQ(of.get("target"), GetParam());
    values[std::string(of.get(kMetricName))] = sample.value;
  }
  ASSERT_EQ(batch.logs().size(), 1u);
  if (GetParam() == "::1" && values.at("check_up") == 0)
    GTEST_SKIP() << "no IPv6 here: " << batch.line(batch.logs()[0]);
  EXPECT_EQ(batch.line(batch.logs()[0]), GetParam() + " answers");
  EXPECT_EQ(values.at("check_up"), 1);
  EXPECT_EQ(values.at("ping_loss_ratio"), 0);
  EXPECT_GT(values.at("ping_rtt_seconds"), 0);
  EXPECT_GE(values.at("check_duration_seconds"), values.at("ping_rtt_seconds"));
}

INSTANTIATE_TEST_SUITE_P(Addresses, RealPing, testing::Values("127.0.0.1", "::1"),
                         [](const auto& address) { return address.param == "::1" ? "V6" : "V4"; });

}  // namespace
}  // namespace atalaya::collect::ping
