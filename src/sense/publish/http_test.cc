#include <gmock/gmock.h>

#include "io/compress.h"
#include "sense/publish/testing.h"

namespace atalaya::sense::publish {
namespace {

using net::testing::TestServer;
using ::testing::HasSubstr;
using testing::Inbox;
using testing::kTime;
using testing::Publishers;
using testing::value;

/// Answers with what it is told, in turn; 204 when it is told nothing more.
class HttpReceiver {
 public:
  std::string url() const { return server_.url("http", "/in"); }
  void answer_with(std::vector<int> statuses) {
    const std::lock_guard lock(mutex_);
    answers_.assign(statuses.begin(), statuses.end());
  }
  Inbox<net::Request> requests;

 private:
  int next_answer() {
    const std::lock_guard lock(mutex_);
    if (answers_.empty()) return 204;
    const int out = answers_.front();
    answers_.pop_front();
    return out;
  }

  std::mutex mutex_;
  std::deque<int> answers_;
  void answer(const net::Request& request, const net::Respond& respond) {
    const auto status = next_answer();
    if (status == 0) {
      held_.put(respond);
    } else {
      auto response = net::Response::text("said no\nbecause", status);
      if (status == 429) response.headers.add("Retry-After", "0");
      respond(std::move(response));
    }
    requests.put(request);
  }
  static net::ServerOptions impatient() {
    net::ServerOptions options;
    options.drain_timeout = Duration{10};
    return options;
  }

  Inbox<net::Respond> held_;  ///< requests that are never answered
  TestServer server_{[this](net::Router& router) {
                       router.add("POST", "/in", [this](const net::Request& request, const net::Respond& respond) {
                         answer(request, respond);
                       });
                     },
                     impatient()};
};

TEST_F(Publishers, HttpPostSendsJsonLines) {
  HttpReceiver receiver;
  make({"HTTPPost", {{"input", "c"}, {"url", receiver.url()}, {"token", "s3cr3t"}}});
  publish(value(12.5, {{"host", "x"}}));
  const auto request = receiver.requests.next();
  EXPECT_EQ(request.headers.get("Content-Type"), "application/x-ndjson");
  EXPECT_EQ(request.headers.get("Authorization"), "Bearer s3cr3t");
  EXPECT_EQ(request.body,
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"sensor\":\"urn:uuid:s1111\",\"stream\":\"c\","
            "\"labels\":{\"host\":\"x\"},\"value\":12.5}\n");
  await([](const auto& s) { return s.delivered == 1; });
}

TEST_F(Publishers, HttpPostTriesAgainWhatWasNotTaken) {
  HttpReceiver receiver;
  receiver.answer_with({500, 429});
  make({"HTTPPost", {{"input", "c"}, {"url", receiver.url()}}});
  publish(value(1));
  const auto first = receiver.requests.next().body;
  EXPECT_EQ(receiver.requests.next().body, first);
  EXPECT_EQ(receiver.requests.next().body, first);
  const auto after = await([](const auto& s) { return s.delivered == 1; });
  EXPECT_EQ(after.failures, 2);
  EXPECT_EQ(after.dropped, 0);
  EXPECT_FALSE(after.failing);
  EXPECT_THAT(after.last_error, HasSubstr("answered 429: said no because"));
}

TEST_F(Publishers, HttpPostDropsWhatIsRefused) {
  HttpReceiver receiver;
  receiver.answer_with({400});
  make({"HTTPPost", {{"input", "c"}, {"url", receiver.url()}}});
  publish(value(1));
  receiver.requests.next();
  await([](const auto& s) { return s.dropped == 1; });
  publish(value(2));
  EXPECT_THAT(receiver.requests.next().body, HasSubstr("\"value\":2}"));
  EXPECT_EQ(await([](const auto& s) { return s.delivered == 1; }).queued, 0);
}

TEST_F(Publishers, HttpPostToASlowReceiverKeepsItsBound) {
  HttpReceiver receiver;
  receiver.answer_with({0});
  limits_.max_records = 10;
  limits_.timeout = Duration{100};
  make({"HTTPPost", {{"input", "c"}, {"url", receiver.url()}}});
  publish(value(0));
  receiver.requests.next();
  loop_.run([&] {
    for (int i = 1; i <= 50; ++i) publisher_->publish("c", value(i));
  });
  // The first is under way, ten wait, forty were dropped: the oldest.
  const auto stuck = status();
  EXPECT_EQ(stuck.dropped, 40);
  EXPECT_EQ(stuck.queued, 11);
  EXPECT_THAT(receiver.requests.next().body, HasSubstr("\"value\":0}"));
  EXPECT_THAT(receiver.requests.next().body, HasSubstr("\"value\":41}"));
  EXPECT_EQ(await([](const auto& s) { return s.delivered == 11; }).failures, 1);
}

TEST_F(Publishers, HttpPostToNobodyWaitsAndComesBack) {
  net::testing::Listener nobody;
  const auto port = nobody.port();
  nobody.stop();
  make({"HTTPPost", {{"input", "c"}, {"url", "http://127.0.0.1:" + std::to_string(port) + "/in"}}});
  publish(value(1));
  const auto after = await([](const auto& s) { return s.failures >= 3; });
  EXPECT_THAT(after.last_error, HasSubstr("127.0.0.1:" + std::to_string(port)));
  EXPECT_EQ(after.queued, 1);
  EXPECT_EQ(after.dropped, 0);
}

TEST_F(Publishers, HttpPostReachesNothingThatIsNotAllowed) {
  make({"HTTPPost", {{"input", "c"}, {"url", "http://169.254.169.254/latest"}}});
  publish(value(1));
  EXPECT_THAT(await([](const auto& s) { return s.failures > 0; }).last_error, HasSubstr("not allowed"));
}

TEST_F(Publishers, RemoteWriteSendsSnappyAndNoLines) {
  HttpReceiver receiver;
  make({"RemoteWrite", {{"input", "c"}, {"url", receiver.url()}}});
  publish(Record{kTime, 0, {}, "a line"});
  publish(value(12.5));
  const auto request = receiver.requests.next();
  EXPECT_EQ(request.headers.get("Content-Encoding"), "snappy");
  EXPECT_EQ(request.headers.get("X-Prometheus-Remote-Write-Version"), "0.1.0");
  const auto body = io::snappy_decompress(request.body, 1 << 20);
  ASSERT_TRUE(body);
  EXPECT_THAT(*body, HasSubstr("__name__"));
  EXPECT_EQ(await([](const auto& s) { return s.delivered == 1; }).dropped, 1);
}

}  // namespace
}  // namespace atalaya::sense::publish
