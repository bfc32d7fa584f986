#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "model/sample.h"
#include "sense/publish/testing.h"

namespace atalaya::sense::publish {
namespace {

using ::testing::HasSubstr;
using testing::Inbox;
using testing::kTime;
using testing::Publishers;
using testing::Receiver;
using testing::value;

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
