// The threads, the real transports and real peers: an HTTP server and an SMTP server in Python.
#include "notify/dispatcher.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "control/loop.h"
#include "control/runner.h"
#include "notify/queries.h"

namespace atalaya::notify {
namespace {

constexpr Duration kLong{30'000};

/// test/support/notify_peers.py: prints its ports, then one line of JSON a message that arrived.
class Peers {
 public:
  Peers() {
    std::array<int, 2> pipe_ends{};
    if (pipe(pipe_ends.data()) != 0) return;
    const auto script = std::string(AT_SOURCE_DIR) + "/test/support/notify_peers.py";
    child_ = fork();
    if (child_ == 0) {
      dup2(pipe_ends[1], STDOUT_FILENO);
      close(pipe_ends[0]);
      execl("/usr/bin/python3", "python3", script.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    close(pipe_ends[1]);
    out_ = fdopen(pipe_ends[0], "r");
    const auto ports = next();
    if (!ports.is_object()) return;
    http = std::to_string(ports.at("http").to_number<int>());
    if (ports.as_object().contains("smtp")) smtp = std::to_string(ports.at("smtp").to_number<int>());
  }
  ~Peers() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    if (out_ != nullptr) fclose(out_);
  }
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// The next message; null when the peers have ended.
  boost::json::value next() {
    std::string line;
    for (int c = 0; (c = fgetc(out_)) != EOF && c != '\n';) line += static_cast<char>(c);
    boost::system::error_code failed;
    auto value = boost::json::parse(line, failed);
    return failed ? boost::json::value(nullptr) : value;
  }

  std::string http;
  std::string smtp;

 private:
  pid_t child_ = -1;
  FILE* out_ = nullptr;
};

std::string shipped(const std::string& name) {
  std::ifstream file(std::filesystem::path(AT_SOURCE_DIR) / "packages/base/channels" / (name + ".yaml"));
  return {std::istreambuf_iterator<char>(file), {}};
}

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() : database_(std::move(*db::open_sqlite(":memory:"))), transport_(curl_transport()) {
    auto migrations = control::Loop::migrations();
    for (auto& m : Outbox::migrations()) migrations.push_back(m);
    EXPECT_TRUE(database_->migrate(migrations));
    std::vector<std::unique_ptr<ChannelType>> types;
    auto webhook = parse_http_channel_type(shipped("webhook"), "webhook.yaml", *transport_);
    EXPECT_TRUE(webhook);
    types.push_back(std::move(*webhook));
    types.push_back(email_channel_type(*transport_));
    book_ = std::make_unique<ChannelBook>(std::move(types), std::vector<ChannelPtr>{});
    outbox_ = std::make_unique<Outbox>(*book_);
    loop_ = std::make_unique<control::Loop>(*database_, std::vector<control::Machine*>{outbox_.get()});
    loop_->listen<DeliveryQueued>(
        [this](const TenantId&, const DeliveryQueued& queued) { dispatcher_->submit(queued.delivery); });
    EXPECT_TRUE(loop_->restore());
    runner_ = std::make_unique<control::Runner>(*loop_, clock_, metrics_);
    dispatcher_ = std::make_unique<Dispatcher>(
        *database_, *book_, [this](control::Event e) { return runner_->post_wait(std::move(e)); }, clock_, metrics_);
  }
  ~DispatcherTest() override {
    // As at the end of the server: first no more attempts, then no more events.
    dispatcher_->stop();
    runner_->stop();
  }

  void channel(std::string id, std::string type, boost::json::object settings) {
    configs_.push_back({std::move(id), std::move(type), std::move(settings), {}});
    const auto errors = book_->set_channels(default_tenant(), configs_);
    for (const auto& error : errors) ADD_FAILURE() << to_string(error);
  }
  void start() {
    ASSERT_TRUE(dispatcher_->start());
    runner_->start();
  }
  Status test(std::string id, std::string nonce = "n") {
    return runner_->run(default_tenant(), TestChannel{std::move(id), std::move(nonce), "ana"});
  }
  /// Once the outbox holds its last attempt; each turn of the loop is a chance.
  DeliveryDetails finished(const std::string& key) {
    for (int i = 0; i < 100'000; ++i) {
      EXPECT_TRUE(runner_->wait_cycle(kLong));
      auto details = Queries(*database_).get(default_tenant(), key);
      if (details && details->delivery.attempts > 0) return *details;
    }
    ADD_FAILURE() << "no attempt of " << key;
    return {};
  }

  SystemClock clock_;
  telemetry::Registry metrics_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<ChannelBook> book_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<control::Loop> loop_;
  std::unique_ptr<control::Runner> runner_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::vector<ChannelConfig> configs_;
};

TEST_F(DispatcherTest, ATestOfAWebhookArrivesAndItsAnswerIsStored) {
  Peers peers;
  ASSERT_FALSE(peers.http.empty());
  channel("ops/hook", "webhook", {{"url", "http://127.0.0.1:" + peers.http + "/in"}});
  start();
  ASSERT_TRUE(test("ops/hook"));
  const auto got = peers.next();
  EXPECT_EQ(got.at("path"), "/in");
  EXPECT_EQ(got.at("headers").at("Idempotency-Key"), "test-n:1:ops/hook");
  const auto data = boost::json::parse(got.at("body").as_string());
  EXPECT_EQ(data.at("version"), "4");
  EXPECT_EQ(data.at("alerts").at(0).at("labels").at("alertname"), "Test notification");
  const auto details = finished("test-n:1:ops/hook");
  EXPECT_EQ(details.delivery.state, DeliveryState::kSent);
  ASSERT_EQ(details.attempts.size(), 1u);
  EXPECT_EQ(details.attempts[0].status, 200);
  EXPECT_EQ(details.attempts[0].answer, "thanks");
}

TEST_F(DispatcherTest, AMailArrivesAtItsServer) {
  Peers peers;
  if (peers.smtp.empty()) GTEST_SKIP() << "python3-aiosmtpd is not installed";
  channel("ops/mail", "email",
          {{"smtp", "smtp://127.0.0.1:" + peers.smtp},
           {"from", "Atalaya <atalaya@example.org>"},
           {"to", boost::json::array{"ana@example.org"}},
           {"starttls", "never"}});
  start();
  ASSERT_TRUE(test("ops/mail"));
  const auto got = peers.next();
  EXPECT_EQ(got.at("to").at(0), "ana@example.org");
  EXPECT_NE(std::string(got.at("mail").as_string()).find("Auto-Submitted: auto-generated"), std::string::npos);
  EXPECT_EQ(finished("test-n:1:ops/mail").delivery.state, DeliveryState::kSent);
}

TEST_F(DispatcherTest, ADeadChannelIsRetriedAndDelaysNobody) {
  Peers peers;
  ASSERT_FALSE(peers.http.empty());
  channel("ops/dead", "webhook", {{"url", "http://127.0.0.1:1/"}});
  channel("ops/hook", "webhook", {{"url", "http://127.0.0.1:" + peers.http + "/in"}});
  start();
  ASSERT_TRUE(test("ops/dead"));
  ASSERT_TRUE(test("ops/hook"));
  EXPECT_EQ(peers.next().at("path"), "/in");
  const auto dead = finished("test-n:1:ops/dead");
  EXPECT_EQ(dead.delivery.state, DeliveryState::kRetrying);
  EXPECT_TRUE(dead.delivery.next_attempt);
  EXPECT_FALSE(dead.attempts[0].ok);
  EXPECT_FALSE(dead.attempts[0].answer.empty());
}

TEST_F(DispatcherTest, WhatAnEarlierProcessLeftIsDeliveredAtTheStart) {
  Peers peers;
  ASSERT_FALSE(peers.http.empty());
  channel("ops/hook", "webhook", {{"url", "http://127.0.0.1:" + peers.http + "/in"}});
  // The earlier process died between the commit and the attempt: a dispatcher that never ran.
  runner_->start();
  dispatcher_->stop();
  ASSERT_TRUE(test("ops/hook", "left"));
  dispatcher_ = std::make_unique<Dispatcher>(
      *database_, *book_, [this](control::Event e) { return runner_->post_wait(std::move(e)); }, clock_, metrics_);
  ASSERT_TRUE(dispatcher_->start());
  EXPECT_EQ(peers.next().at("headers").at("Idempotency-Key"), "test-left:1:ops/hook");
  EXPECT_EQ(finished("test-left:1:ops/hook").delivery.state, DeliveryState::kSent);
}

TEST_F(DispatcherTest, ADeliveryWhoseChannelIsGoneFailsVisibly) {
  channel("ops/hook", "webhook", {{"url", "http://127.0.0.1:1/"}});
  runner_->start();
  dispatcher_->stop();
  ASSERT_TRUE(test("ops/hook"));
  ASSERT_TRUE(book_->set_channels(default_tenant(), {}).empty());
  dispatcher_ = std::make_unique<Dispatcher>(
      *database_, *book_, [this](control::Event e) { return runner_->post_wait(std::move(e)); }, clock_, metrics_);
  ASSERT_TRUE(dispatcher_->start());
  const auto details = finished("test-n:1:ops/hook");
  EXPECT_EQ(details.delivery.state, DeliveryState::kFailed);
  EXPECT_EQ(details.attempts[0].answer, "the channel was removed");
}

TEST_F(DispatcherTest, ATestOfAnUnknownChannelIsRefused) {
  start();
  EXPECT_EQ(test("ops/nope").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace atalaya::notify
