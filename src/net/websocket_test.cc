#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "net/client.h"
#include "net/testing.h"

namespace atalaya::net {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;
using testing::kPatience;
using testing::RawClient;
using testing::TestCertificate;
using testing::TestLoop;
using testing::TestServer;

/// Something that one thread sets and another waits for.
template <typename T>
class Slot {
 public:
  void set(T value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    ready_.notify_all();
  }
  std::optional<T> wait() {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, kPatience, [this] { return value_.has_value(); });
    return std::exchange(value_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::optional<T> value_;
};

void fill_echo(Router& router) {
  router.add_websocket("/echo", [](const Request& request) -> Result<WebSocketOpened> {
    if (request.headers.get("Authorization") == "Bearer bad") return fail(ErrorCode::kUnauthenticated, "bad token");
    return [greeting = std::string(request.query.get("greeting"))](const std::shared_ptr<WebSocket>& socket) {
      if (!greeting.empty()) socket->send(greeting);
      WebSocketEvents events;
      events.message = [socket](std::string message, bool binary) {
        if (message == "close")
          socket->close(4001, "as you wish");
        else
          socket->send(std::move(message), binary);
      };
      events.closed = [] {};
      return events;
    };
  });
}

/// A client and what happened to it.
struct Peer {
  Peer(TestLoop& l, WebSocketClientOptions options) : loop(l) {
    WebSocketClientEvents events;
    events.opened = [this] { opened.set(true); };
    events.message = [this](std::string text, bool binary) { message.set({std::move(text), binary}); };
    events.closed = [this](WebSocketEnd end) { closed.set(std::move(end)); };
    client = std::make_unique<WebSocketClient>(*loop, std::move(options), std::move(events));
    client->open();
  }
  ~Peer() {
    loop.run([this] { client.reset(); });
  }

  TestLoop& loop;
  Slot<bool> opened;
  Slot<std::pair<std::string, bool>> message;
  Slot<WebSocketEnd> closed;
  std::unique_ptr<WebSocketClient> client;
};

TEST(WebSocket, EchoesTextAndBinary) {
  TestServer server(fill_echo);
  TestLoop loop;
  Peer peer(loop, {.url = server.url("ws", "/echo")});
  ASSERT_TRUE(peer.opened.wait());
  EXPECT_TRUE(peer.client->send("text", false));
  EXPECT_EQ(peer.message.wait(), std::pair(std::string("text"), false));
  EXPECT_TRUE(peer.client->send(std::string("\0\xff", 2)));
  EXPECT_EQ(peer.message.wait(), std::pair(std::string("\0\xff", 2), true));
}

TEST(WebSocket, TheServerMaySpeakFirst) {
  TestServer server(fill_echo);
  TestLoop loop;
  Peer peer(loop, {.url = server.url("ws", "/echo?greeting=hello")});
  EXPECT_EQ(peer.message.wait(), std::pair(std::string("hello"), false));
}

TEST(WebSocket, PassesThroughTlsWithAPin) {
  const TestCertificate certificate;
  TestServer server(fill_echo, {.tls = certificate.files});
  TestLoop loop;
  WebSocketClientOptions options{.url = server.url("wss", "/echo")};
  options.connect.tls.pinned_sha256 = certificate.fingerprint;
  Peer peer(loop, options);
  ASSERT_TRUE(peer.opened.wait());
  const std::string large(1 << 20, 'x');
  EXPECT_TRUE(peer.client->send(large));
  EXPECT_EQ(peer.message.wait()->first, large);
  options.connect.tls.pinned_sha256 = TestCertificate().fingerprint;
  Peer refused(loop, options);
  EXPECT_EQ(refused.closed.wait()->error.code, ErrorCode::kPermissionDenied);
}

TEST(WebSocket, ARefusedUpgradeTellsTheStatus) {
  TestServer server(fill_echo);
  TestLoop loop;
  WebSocketClientOptions options{.url = server.url("ws", "/echo")};
  options.headers.add("Authorization", "Bearer bad");
  Peer peer(loop, options);
  const auto end = peer.closed.wait();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->http_status, 401);
  EXPECT_EQ(end->error.code, ErrorCode::kUnauthenticated);
  EXPECT_FALSE(peer.client->send("x"));
  Peer lost(loop, {.url = server.url("ws", "/nothing")});
  EXPECT_EQ(lost.closed.wait()->http_status, 404);
}

TEST(WebSocket, APlainRequestIsToldToUpgradeAndAnUpgradeElsewhereIs404) {
  TestServer server(fill_echo);
  RawClient client(server.port());
  EXPECT_THAT(client.ask(testing::get("/echo")), StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(client.ask(testing::get("/nothing", "Connection: Upgrade\r\nUpgrade: websocket\r\n")),
              StartsWith("HTTP/1.1 404 "));
}

TEST(WebSocket, TheClosingCodeReachesThePeer) {
  TestServer server(fill_echo);
  TestLoop loop;
  Peer peer(loop, {.url = server.url("ws", "/echo")});
  ASSERT_TRUE(peer.opened.wait());
  peer.client->send("close");
  const auto end = peer.closed.wait();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->close_code, 4001);
  EXPECT_THAT(end->error.message, HasSubstr("as you wish"));
  EXPECT_FALSE(peer.client->send("x"));
}

TEST(WebSocket, TheClientMayCloseAfterItsLastMessage) {
  Slot<std::string> received;
  Slot<bool> ended;
  TestServer server([&](Router& router) {
    router.add_websocket("/in", [&](const Request&) -> Result<WebSocketOpened> {
      return [&](const std::shared_ptr<WebSocket>&) {
        WebSocketEvents events;
        events.message = [&](std::string message, bool) { received.set(std::move(message)); };
        events.closed = [&] { ended.set(true); };
        return events;
      };
    });
  });
  TestLoop loop;
  Peer peer(loop, {.url = server.url("ws", "/in")});
  ASSERT_TRUE(peer.opened.wait());
  peer.client->send("last");
  peer.client->close(1000, "bye");
  EXPECT_EQ(received.wait(), "last");
  EXPECT_TRUE(ended.wait());
  EXPECT_EQ(peer.closed.wait()->error.code, ErrorCode::kCancelled);
}

TEST(WebSocket, AMessageOverTheServersBoundEndsItWith1009) {
  TestServer server(fill_echo, {.websocket_max_message_bytes = 1000});
  TestLoop loop;
  Peer peer(loop, {.url = server.url("ws", "/echo")});
  ASSERT_TRUE(peer.opened.wait());
  peer.client->send(std::string(1000, 'x'));
  EXPECT_EQ(peer.message.wait()->first.size(), 1000u);
  peer.client->send(std::string(1001, 'x'));
  EXPECT_EQ(peer.closed.wait()->close_code, 1009);
}

TEST(WebSocket, AMessageOverTheClientsBoundEndsIt) {
  TestServer server(fill_echo);
  TestLoop loop;
  Peer peer(loop, {.url = server.url("ws", "/echo?greeting=" + std::string(100, 'x')), .max_message_bytes = 50});
  EXPECT_EQ(peer.closed.wait()->error.code, ErrorCode::kTooLarge);
}

TEST(WebSocket, AReaderTooSlowIsClosedWith1013) {
  Slot<std::shared_ptr<WebSocket>> opened;
  Slot<bool> ended;
  TestServer server(
      [&](Router& router) {
        router.add_websocket("/out", [&](const Request&) -> Result<WebSocketOpened> {
          return [&](std::shared_ptr<WebSocket> socket) {
            opened.set(std::move(socket));
            WebSocketEvents events;
            events.closed = [&] { ended.set(true); };
            return events;
          };
        });
      },
      {.drain_timeout = Duration{200}, .websocket_max_queue_bytes = 1 << 20});
  RawClient client(server.port(), 4096);  // reads nothing after the upgrade
  client.send(testing::get("/out",
                           "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  const auto socket = *opened.wait();
  const std::string message(100'000, 'x');
  int sent = 0;
  while (sent < 100'000 && socket->send(message)) ++sent;
  EXPECT_LT(sent, 100'000);
  EXPECT_LE(socket->queued_bytes(), 1u << 20);
  EXPECT_FALSE(socket->send("more"));
  EXPECT_TRUE(ended.wait());
}

TEST(WebSocket, TheClientsFullQueueRefusesAndKeepsTheConnection) {
  TestServer server(fill_echo);
  TestLoop loop;
  Peer peer(loop, {.url = server.url("ws", "/echo"), .max_queue_bytes = 100});
  ASSERT_TRUE(peer.opened.wait());
  EXPECT_FALSE(peer.client->send(std::string(101, 'x')));
  EXPECT_TRUE(peer.client->send(std::string(100, 'x')));
  EXPECT_EQ(peer.message.wait()->first.size(), 100u);
}

TEST(WebSocket, APeerThatFallsSilentIsGivenUp) {
  // A listener that accepts the upgrade and then says nothing, not even to pings.
  TestServer server(fill_echo);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address);
  listen(listener, 1);
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  Slot<bool> end_of_test;
  std::thread silent([&] {
    RawClient upstream(server.port());
    const int fd = accept(listener, nullptr, nullptr);
    char head[4096];
    const auto length = recv(fd, head, sizeof head, 0);  // the key of its upgrade needs a true answer
    const auto answer = upstream.ask({head, static_cast<std::size_t>(length)});
    send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    end_of_test.wait();
    close(fd);
  });
  TestLoop loop;
  {
    Peer peer(loop,
              {.url = "ws://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/echo", .idle_timeout = 200ms});
    EXPECT_TRUE(peer.opened.wait());
    const auto end = peer.closed.wait();
    EXPECT_EQ(end.value_or(WebSocketEnd()).error.code, ErrorCode::kDeadlineExceeded);
  }
  end_of_test.set(true);
  silent.join();
  close(listener);
}

TEST(WebSocket, PingsKeepAQuietConnectionOpen) {
  TestServer server(fill_echo, {.websocket_idle_timeout = 1s});
  TestLoop loop;
  Peer peer(loop, {.url = server.url("ws", "/echo")});
  ASSERT_TRUE(peer.opened.wait());
  Slot<bool> later;
  const auto timer = (*loop).after(2200ms, [&] { later.set(true); });
  later.wait();
  EXPECT_TRUE(peer.client->send("still here"));
  EXPECT_EQ(peer.message.wait()->first, "still here");
}

TEST(WebSocket, StopSaysGoodbyeWith1001) {
  TestServer server(fill_echo);
  TestLoop loop;
  Peer peer(loop, {.url = server.url("ws", "/echo")});
  ASSERT_TRUE(peer.opened.wait());
  server->stop();
  EXPECT_EQ(peer.closed.wait()->close_code, 1001);
}

TEST(WebSocket, AHandleMayOutliveTheServer) {
  Slot<std::shared_ptr<WebSocket>> opened;
  TestLoop loop;
  std::shared_ptr<WebSocket> kept;
  {
    TestServer server([&](Router& router) {
      router.add_websocket("/x", [&](const Request&) -> Result<WebSocketOpened> {
        return [&](std::shared_ptr<WebSocket> socket) {
          opened.set(std::move(socket));
          return WebSocketEvents();
        };
      });
    });
    Peer peer(loop, {.url = server.url("ws", "/x")});
    kept = *opened.wait();
    EXPECT_TRUE(kept->send("x"));
    server->stop();
  }
  EXPECT_FALSE(kept->send("x"));
  kept->close(1000, "");
}

TEST(WebSocket, TheClientMayBeDestroyedInsideItsOwnEvent) {
  TestServer server(fill_echo);
  TestLoop loop;
  Slot<bool> gone;
  std::unique_ptr<WebSocketClient> client;
  WebSocketClientEvents events;
  events.opened = [&] { client->send("x"); };
  events.message = [&](const std::string&, bool) {
    client.reset();
    gone.set(true);
  };
  events.closed = [](const WebSocketEnd&) { ADD_FAILURE() << "an event after the destructor"; };
  loop.run([&] {
    client = std::make_unique<WebSocketClient>(*loop, WebSocketClientOptions{.url = server.url("ws", "/echo")},
                                               std::move(events));
    client->open();
  });
  EXPECT_TRUE(gone.wait());
  server->stop();
  loop.run([] {});
}

}  // namespace
}  // namespace atalaya::net
