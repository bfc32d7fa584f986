#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <sstream>
#include <thread>

#include "io/compress.h"
#include "io/descriptor.h"
#include "model/sample.h"
#include "net/testing.h"
#include "sense/publish/publisher.h"

namespace atalaya::sense::publish {
namespace {

using net::testing::kPatience;
using net::testing::TestLoop;
using net::testing::TestServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Time kTime = from_ms(1'700'000'000'123);
Record value(double number, Labels labels = {}) { return {kTime, number, std::move(labels), std::nullopt}; }

/// Things that arrive, in order.
template <typename T>
class Inbox {
 public:
  void put(T one) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(one));
    came_.notify_all();
  }
  bool has() {
    const std::lock_guard lock(mutex_);
    return !all_.empty();
  }
  /// Waits for the next one.
  T next() {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, kPatience, [&] { return !all_.empty(); })) throw std::runtime_error("nothing came");
    auto one = std::move(all_.front());
    all_.pop_front();
    return one;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<T> all_;
};

/// A UDP socket on a port of its own.
class Receiver {
 public:
  Receiver() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) throw std::runtime_error("bind");
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    timeval patience{kPatience.count(), 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string next() {
    std::array<char, 65536> bytes;
    const auto size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    return size < 0 ? "nothing came" : std::string(bytes.data(), static_cast<std::size_t>(size));
  }
  void close() { socket_.reset(); }

 private:
  io::Descriptor socket_;
  std::uint16_t port_ = 0;
};

class Publishers : public ::testing::Test {
 protected:
  ~Publishers() override {
    loop_.run([&] { publisher_.reset(); });
  }

  PublisherContext context() {
    PublisherContext out{.loop = *loop_,
                         .clock = clock_,
                         .destinations = *Destinations::make({}),
                         .who = {default_tenant(), "urn:uuid:s1111"},
                         .host = "node1",
                         .log_folder = folder_ / "publish/default"};
    out.platform = platform_;
    out.limits = limits_;
    return out;
  }
  std::string refusal(const Part& part) {
    const auto made = make_publisher(part, context());
    return made ? "" : to_string(made.error());
  }
  void make(const Part& part) {
    loop_.run([&] {
      auto made = make_publisher(part, context());
      if (made) publisher_ = std::move(*made);
      error_ = made ? "" : to_string(made.error());
    });
    ASSERT_EQ(error_, "");
  }
  void publish(const Record& record, const std::string& stream = "c") {
    loop_.run([&] { publisher_->publish(stream, record); });
  }
  PublisherStatus status() {
    PublisherStatus out;
    loop_.run([&] { out = publisher_->status(); });
    return out;
  }
  /// Asks on the loop, again and again, until it is so.
  PublisherStatus await(const std::function<bool(const PublisherStatus&)>& so) {
    auto done = std::make_shared<std::promise<PublisherStatus>>();
    auto future = done->get_future();
    auto ask = std::make_shared<std::function<void()>>();
    *ask = [this, so, done, ask] {
      auto now = publisher_->status();
      if (so(now)) {
        *ask = nullptr;
        done->set_value(std::move(now));
      } else {
        (*loop_).after(Duration{1}, [ask] { (*ask)(); }).detach();
      }
    };
    (*loop_).post([ask] { (*ask)(); });
    if (future.wait_for(kPatience) == std::future_status::ready) return future.get();
    ADD_FAILURE() << "it never came to be; last error: " << status().last_error;
    return {};
  }

  TestLoop loop_;
  ManualClock clock_{kTime};
  net::testing::TemporaryFolder folder_;
  Platform* platform_ = nullptr;
  PublisherLimits limits_{.first_wait = Duration{1}, .longest_wait = Duration{5}, .mail_pause = Duration{1}};
  std::unique_ptr<Publisher> publisher_;
  std::string error_;
};

TEST_F(Publishers, SendUdpSendsOneDatagramAValue) {
  Receiver receiver;
  make({"SendUDP", {{"input", "c"}, {"udpAddr", receiver.address()}}});
  publish(value(12.5));
  publish(value(13));
  EXPECT_EQ(receiver.next(), "Data: 12.5");
  EXPECT_EQ(receiver.next(), "Data: 13");
  EXPECT_EQ(await([](const auto& s) { return s.delivered == 2; }).dropped, 0);
}

TEST_F(Publishers, SendUdpFindsNames) {
  Receiver receiver;
  make({"SendUDP", {{"input", "c"}, {"udpAddr", "localhost:" + std::to_string(receiver.port())}}});
  publish(value(1));
  await([](const auto& s) { return s.delivered == 1 || s.failures > 0; });
  publish(value(2));
  // Where localhost is ::1 first, nobody is there; either way the name was found and is allowed.
  EXPECT_THAT(status().last_error, ::testing::Not(HasSubstr("not allowed")));
}

TEST_F(Publishers, SendUdpToNowhereIsToldAndGoesOn) {
  Receiver receiver;
  const auto address = receiver.address();
  receiver.close();
  make({"SendUDP", {{"input", "c"}, {"udpAddr", address}}});
  publish(value(1));
  await([](const auto& s) { return s.delivered == 1; });
  publish(value(2));
  const auto after = await([](const auto& s) { return s.failures > 0; });
  EXPECT_THAT(after.last_error, HasSubstr("Connection refused"));
  EXPECT_TRUE(after.failing);
  EXPECT_EQ(after.failed_at, kTime);
  EXPECT_EQ(after.queued, 0);
}

TEST_F(Publishers, SendUdpReachesNothingThatIsNotAllowed) {
  limits_.max_records = 3;
  make({"SendUDP", {{"input", "c"}, {"udpAddr", "192.0.2.1:9"}}});
  for (int i = 0; i < 5; ++i) publish(value(i));
  const auto after = await([](const auto& s) { return s.failures > 0; });
  EXPECT_THAT(after.last_error, HasSubstr("publishing to 192.0.2.1 is not allowed"));
  EXPECT_EQ(after.delivered, 0);
  EXPECT_EQ(after.dropped, 2);
  EXPECT_EQ(after.queued, 3);
}

TEST_F(Publishers, SyslogOverUdp) {
  Receiver receiver;
  make({"Syslog", {{"input", "c"}, {"address", "udp://" + receiver.address()}}});
  publish(value(12.5));
  EXPECT_EQ(receiver.next(), "<134>1 2023-11-14T22:13:20.123Z node1 atalaya - - - c 12.5");
}

std::string read_bytes(int fd, std::size_t size) {
  std::string out;
  std::array<char, 4096> chunk;
  while (out.size() < size) {
    const auto got = ::recv(fd, chunk.data(), std::min(chunk.size(), size - out.size()), 0);
    if (got <= 0) break;
    out.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return out;
}

TEST_F(Publishers, SyslogOverTcpCountsOctets) {
  net::testing::Listener listener;
  make({"Syslog", {{"input", "c"}, {"address", "tcp://127.0.0.1:" + std::to_string(listener.port())}}});
  publish(value(12.5));
  const io::Descriptor connection(listener.next());
  const std::string frame = "58 <134>1 2023-11-14T22:13:20.123Z node1 atalaya - - - c 12.5";
  EXPECT_EQ(read_bytes(connection.get(), frame.size()), frame);
  await([](const auto& s) { return s.delivered == 1; });
}

TEST_F(Publishers, SyslogOverTcpConnectsAgainWhenTheReceiverLeft) {
  net::testing::Listener listener;
  make({"Syslog", {{"input", "c"}, {"address", "tcp://127.0.0.1:" + std::to_string(listener.port())}}});
  publish(value(1));
  {
    const io::Descriptor first(listener.next());
    await([](const auto& s) { return s.delivered == 1; });
  }
  Inbox<int> connections;
  std::thread acceptor([&] { connections.put(listener.next()); });
  // What is written before the end is noticed is lost: nobody answers. The first after that arrives.
  bool came = false;
  while (!came) {
    publish(value(2));
    came = connections.has();
  }
  acceptor.join();
  const io::Descriptor second(connections.next());
  EXPECT_THAT(read_bytes(second.get(), 55), HasSubstr("<134>1 2023-11-14T22:13:20.123Z node1 atalaya"));
}

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

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST_F(Publishers, LogWritesBelowTheTenantsFolder) {
  make({"Log", {{"in_msg", "b"}, {"filename", "my/log/file"}}});
  publish(value(1, {{"host", "x"}}), "b");
  publish(value(0), "b");
  EXPECT_EQ(text_of(folder_ / "publish/default/my/log/file"),
            "2023-11-14T22:13:20.123Z b{host=\"x\"} 1\n2023-11-14T22:13:20.123Z b 0\n");
}

TEST_F(Publishers, LogRefusesPathsThatLeaveTheFolder) {
  for (const auto* path : {"/etc/passwd", "../x", "a/../../x", "a//b", "a/", "", ".hidden", "a/./b", ".."}) {
    EXPECT_THAT(refusal({"Log", {{"in_msg", "b"}, {"filename", path}}}), HasSubstr("Log: filename")) << path;
  }
}

TEST_F(Publishers, LogFollowsNoLink) {
  std::filesystem::create_directories(folder_ / "publish/default");
  std::filesystem::create_directories(folder_ / "elsewhere");
  std::filesystem::create_directory_symlink(folder_ / "elsewhere", folder_ / "publish/default/link");
  std::filesystem::create_symlink(folder_ / "elsewhere/file", folder_ / "publish/default/file");
  for (const auto* path : {"link/file", "file"}) {
    make({"Log", {{"in_msg", "b"}, {"filename", path}}});
    publish(value(1), "b");
    EXPECT_EQ(status().dropped, 1) << path;
    EXPECT_THAT(status().last_error, HasSubstr(path));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "elsewhere"));
}

TEST_F(Publishers, LogKeepsItsBound) {
  limits_.max_file_bytes = 100;
  make({"Log", {{"in_msg", "b"}, {"filename", "file"}}});
  for (int i = 0; i < 10; ++i) publish(value(i), "b");
  EXPECT_EQ(status().delivered, 10);
  EXPECT_THAT(text_of(folder_ / "publish/default/file"), ::testing::EndsWith("b 9\n"));
  EXPECT_LE(std::filesystem::file_size(folder_ / "publish/default/file"), 100);
  EXPECT_LE(std::filesystem::file_size(folder_ / "publish/default/file.1"), 100);
}

/// Remembers what it was asked, and answers as it is told.
class TestPlatform final : public Platform {
 public:
  void store(const Who& who, const std::string& metric, std::vector<Item> items, Done done) override {
    put(who.sensor + " store " + metric, items, std::move(done));
  }
  void alert(const Who&, const std::string& name, const std::string& severity, std::vector<Item> items,
             Done done) override {
    put("alert " + name + " " + severity, items, std::move(done));
  }
  void mail(const Who&, const std::string& channel, const std::vector<std::string>& to, const std::string& subject,
            const std::string& text, Done done) override {
    asked.put(channel + "|" + (to.empty() ? "" : to[0]) + "|" + subject + "|" + text);
    done({});
  }
  Inbox<std::string> asked;
  std::atomic<int> failures{0};

 private:
  void put(std::string what, const std::vector<Item>& items, Done done) {
    for (const auto& item : items) what += " " + item.stream + "=" + std::to_string(int(item.record.value));
    asked.put(what);
    if (failures-- > 0) {
      done(fail(ErrorCode::kUnavailable, "not now"));
    } else {
      done({});
    }
  }
};

TEST_F(Publishers, StoreGivesRecordsToTheServerUntilItTakesThem) {
  TestPlatform platform;
  platform.failures = 2;
  platform_ = &platform;
  make({"Store", {{"input", "c"}, {"metric", "load"}}});
  publish(value(7));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(platform.asked.next(), "urn:uuid:s1111 store load c=7");
  EXPECT_EQ(await([](const auto& s) { return s.delivered == 1; }).failures, 2);
}

TEST_F(Publishers, AlertSaysNameAndSeverity) {
  TestPlatform platform;
  platform_ = &platform;
  make({"Alert", {{"input", "c"}, {"alertname", "Hot"}, {"severity", "critical"}}});
  publish(value(1));
  EXPECT_EQ(platform.asked.next(), "alert Hot critical c=1");
}

TEST_F(Publishers, EmailOnAlarmTellsChangesAlone) {
  TestPlatform platform;
  platform_ = &platform;
  make({"EmailOnAlarm", {{"input", "c"}, {"to", "ana@example.org"}}});
  publish(value(0, {{"host", "x"}}));
  publish(value(1, {{"host", "x"}}));
  publish(value(1, {{"host", "x"}}));
  EXPECT_EQ(platform.asked.next(),
            "|ana@example.org|[alarm] c of sensor urn:uuid:s1111|Sensor urn:uuid:s1111\n\n"
            "2023-11-14T22:13:20.123Z  ALARM  c {host=\"x\"}\n");
  publish(value(stale_marker(), {{"host", "x"}}));
  EXPECT_THAT(platform.asked.next(), HasSubstr("[over] c of sensor"));
  EXPECT_EQ(await([](const auto& s) { return s.delivered == 2; }).dropped, 0);
}

TEST_F(Publishers, WhatNeedsTheServerIsRefusedWithoutIt) {
  for (const auto* mixin : {"Store", "Alert"})
    EXPECT_THAT(refusal({mixin, {{"input", "c"}}}), HasSubstr("publishes from the server alone"));
}

TEST_F(Publishers, NamesWhatIsWrongWithAnAddress) {
  EXPECT_THAT(refusal({"SendUDP", {{"input", "c"}, {"udpAddr", "host:99999"}}}), HasSubstr("SendUDP: udpAddr"));
  EXPECT_THAT(refusal({"SendUDP", {{"input", "c"}, {"udpAddr", "host:0"}}}), HasSubstr("SendUDP: udpAddr"));
  EXPECT_THAT(refusal({"Syslog", {{"input", "c"}, {"address", "tcp://host"}}}), HasSubstr("Syslog: address"));
  const auto secret = refusal({"HTTPPost", {{"input", "c"}, {"url", "http://u:s3cr3t@host/"}}});
  EXPECT_THAT(secret, HasSubstr("HTTPPost: url: it holds a user or password"));
  EXPECT_THAT(secret, ::testing::Not(HasSubstr("s3cr3t")));
}

}  // namespace
}  // namespace atalaya::sense::publish
