// Connections that requests leave open for others.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "net/client.h"
#include "net/testing.h"

namespace atalaya::net {
namespace {

using testing::TestLoop;

/// Answers so many requests of a connection, one after the other, and then closes it without a word.
class CountingServer {
 public:
  explicit CountingServer(int most) : most_(most) {
    thread_ = std::thread([this] { serve(); });
  }
  ~CountingServer() {
    listener_.stop();
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(listener_.port()) + "/"; }
  int connections() const { return connections_; }

 private:
  void serve() {
    for (int fd = 0; (fd = listener_.next()) >= 0; close(fd)) {
      ++connections_;
      for (int i = 0; i < most_ && answer(fd); ++i) {
      }
    }
  }
  static bool answer(int fd) {
    std::string request;
    char byte = 0;
    while (!request.ends_with("\r\n\r\n")) {
      if (recv(fd, &byte, 1, 0) != 1) return false;
      request += byte;
    }
    const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    return send(fd, text.data(), text.size(), MSG_NOSIGNAL) > 0 &&
           request.find("Connection: close") == std::string::npos;
  }

  const int most_;
  testing::Listener listener_;
  std::atomic<int> connections_{0};
  std::thread thread_;
};

/// Three requests of one client after each other: their bodies.
std::string ask_three_times(const std::string& url, bool keep_alive) {
  TestLoop loop;
  std::unique_ptr<HttpClient> client;
  loop.run([&] { client = std::make_unique<HttpClient>(*loop, ConnectOptions{}); });
  std::string out;
  for (int i = 0; i < 3; ++i) {
    std::promise<Result<ClientResponse>> answer;
    client->send({.url = url, .keep_alive = keep_alive},
                 [&](Result<ClientResponse> got) { answer.set_value(std::move(got)); });
    const auto got = answer.get_future().get();
    out += got ? got->body : got.error().message;
  }
  loop.run([&] { client.reset(); });
  return out;
}

TEST(HttpClient, AConnectionIsUsedAgainWhereThatIsAsked) {
  CountingServer server(100);
  EXPECT_EQ(ask_three_times(server.url(), true), "okokok");
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(ask_three_times(server.url(), false), "okokok");
  EXPECT_EQ(server.connections(), 4);
}

TEST(HttpClient, AConnectionThatWasClosedMeanwhileIsReplaced) {
  CountingServer server(1);
  EXPECT_EQ(ask_three_times(server.url(), true), "okokok");
  EXPECT_EQ(server.connections(), 3);
}

}  // namespace
}  // namespace atalaya::net
