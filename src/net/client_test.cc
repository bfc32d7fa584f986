#include "net/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/bytes.h"
#include "net/testing.h"
#include "net/url.h"

namespace atalaya::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;
using testing::kPatience;
using testing::TestCertificate;
using testing::TestLoop;
using testing::TestServer;

void fill(Router& router) {
  router.add("GET", "/hello", [](const Request& request, const Respond& respond) {
    respond(Response::text(request.tls ? "secret hello" : "hello"));
  });
  router.add("POST", "/echo", [](const Request& request, const Respond& respond) {
    respond(Response::text(std::string(request.headers.get("X-Test")) + " " + request.body));
  });
  router.add("GET", "/moved", [](const Request&, const Respond& respond) {
    auto response = Response::empty(302);
    response.headers.add("Location", "/hello");
    respond(std::move(response));
  });
  router.add("GET", "/large",
             [](const Request&, const Respond& respond) { respond(Response::text(std::string(100'000, 'x'))); });
}

/// An HTTP proxy that knows CONNECT and one password. One thread a connection direction.
class TestProxy {
 public:
  TestProxy() {
    thread_ = std::thread([this] { accept_all(); });
  }
  ~TestProxy() {
    listener_.stop();
    thread_.join();
    for (auto& thread : connections_) thread.join();
  }
  std::string url(const std::string& credentials) const {
    return "http://" + credentials + "127.0.0.1:" + std::to_string(listener_.port());
  }
  int tunnels() const { return tunnels_; }

 private:
  void accept_all() {
    while (true) {
      const int client = listener_.next();
      if (client < 0) return;
      connections_.emplace_back([this, client] { serve(client); });
    }
  }

  static void send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  static void pump(int from, int to) {
    char chunk[4096];
    for (ssize_t size = 0; (size = recv(from, chunk, sizeof chunk, 0)) > 0;)
      send_all(to, {chunk, static_cast<std::size_t>(size)});
    shutdown(to, SHUT_WR);
  }

  void serve(int client) {
    std::string head;
    char chunk[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const auto size = recv(client, chunk, sizeof chunk, 0);
      if (size <= 0) break;
      head.append(chunk, static_cast<std::size_t>(size));
    }
    if (head.find("Proxy-Authorization: Basic " + base64_encode("ana:p@ss") + "\r\n") == std::string::npos) {
      send_all(client, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    } else {
      ++tunnels_;
      const auto colon = head.find(':');
      const int server = testing::connect_to(static_cast<std::uint16_t>(std::stoi(head.substr(colon + 1))));
      send_all(client, "HTTP/1.1 200 Connection established\r\n\r\n");
      std::thread back([&] { pump(server, client); });
      pump(client, server);
      back.join();
      close(server);
    }
    close(client);
  }

  testing::Listener listener_;
  std::atomic<int> tunnels_{0};
  std::vector<std::thread> connections_;
  std::thread thread_;
};

TEST(HttpClient, GetsAndPosts) {
  TestServer server(fill);
  TestLoop loop;
  const auto got = loop.fetch({.url = server.url("http", "/hello")});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "hello");
  EXPECT_EQ(got->headers.get("content-type"), "text/plain; charset=utf-8");
  ClientRequest post{.method = "POST", .url = server.url("http", "/echo"), .body = "body"};
  post.headers.add("X-Test", "head and");
  EXPECT_EQ(loop.fetch(post)->body, "head and body");
}

TEST(HttpClient, RedirectsAndErrorsAreAnswers) {
  TestServer server(fill);
  TestLoop loop;
  EXPECT_EQ(loop.fetch({.url = server.url("http", "/moved")})->status, 302);
  EXPECT_EQ(loop.fetch({.url = server.url("http", "/nothing")})->status, 404);
  EXPECT_EQ(loop.fetch({.method = "HEAD", .url = server.url("http", "/hello")})->body, "");
}

TEST(HttpClient, BoundsTheAnswer) {
  TestServer server(fill);
  TestLoop loop;
  const auto got = loop.fetch({.url = server.url("http", "/large"), .max_response_bytes = 50'000});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTooLarge);
}

TEST(HttpClient, GivesUpWhenNoAnswerComes) {
  std::promise<Respond> kept;
  TestServer server(
      [&](Router& router) {
        router.add("GET", "/never", [&](const Request&, const Respond& respond) { kept.set_value(respond); });
      },
      {.drain_timeout = Duration{50}});
  TestLoop loop;
  const auto got = loop.fetch({.url = server.url("http", "/never?token=secret"), .timeout = 100ms});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(got.error().message, Not(HasSubstr("secret")));
  kept.get_future().wait();
}

TEST(HttpClient, SaysWhatIsWrongWithTheConnection) {
  std::uint16_t free_port = 0;
  {
    TestServer server(fill);
    free_port = server.port();
  }
  TestLoop loop;
  const auto got = loop.fetch({.url = "http://127.0.0.1:" + std::to_string(free_port) + "/"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(got.error().message, HasSubstr("Connection refused"));
}

TEST(HttpClient, RefusesMalformedRequests) {
  TestLoop loop;
  EXPECT_EQ(loop.fetch({.url = "ftp://h/"}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(loop.fetch({.method = "GET /\r\n", .url = "http://127.0.0.1:1/"}).error().code,
            ErrorCode::kInvalidArgument);
  ClientRequest request{.url = "http://127.0.0.1:1/"};
  request.headers.add("X", "a\r\nY: b");
  EXPECT_EQ(loop.fetch(request).error().code, ErrorCode::kInvalidArgument);
}

TEST(HttpClient, TrustsTheAuthorityItWasGiven) {
  const TestCertificate certificate;
  TestServer server(fill, {.tls = certificate.files});
  TestLoop loop;
  ConnectOptions options;
  options.tls.ca_file = certificate.files.cert_file;
  const auto got = loop.fetch({.url = server.url("https", "/hello")}, options);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body, "secret hello");
}

TEST(HttpClient, RefusesAnUnknownAuthorityAndAnotherName) {
  const TestCertificate certificate;
  TestServer server(fill, {.tls = certificate.files});
  TestLoop loop;
  const auto unknown = loop.fetch({.url = server.url("https", "/hello")});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(unknown.error().message, HasSubstr("self-signed"));
  const TestCertificate other({"other.example", "10.0.0.1"});
  TestServer named_otherwise(fill, {.tls = other.files});
  ConnectOptions options;
  options.tls.ca_file = other.files.cert_file;
  const auto refused = loop.fetch({.url = named_otherwise.url("https", "/hello")}, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(refused.error().message, HasSubstr("mismatch"));
}

TEST(HttpClient, TheNameOfACertificateMayBeSaidAndItsCheckLeftOut) {
  const TestCertificate certificate({"other.example"});
  TestServer server(fill, {.tls = certificate.files});
  TestLoop loop;
  ConnectOptions options;
  options.tls.ca_file = certificate.files.cert_file;
  options.tls.server_name = "other.example";
  EXPECT_TRUE(loop.fetch({.url = server.url("https", "/hello")}, options));
  options.tls.server_name = "third.example";
  EXPECT_FALSE(loop.fetch({.url = server.url("https", "/hello")}, options));
  ConnectOptions careless;
  careless.tls.insecure_skip_verify = true;
  EXPECT_TRUE(loop.fetch({.url = server.url("https", "/hello")}, careless));
  ConnectOptions keyless;
  keyless.tls.insecure_skip_verify = true;
  keyless.tls.certificate.file = certificate.files.cert_file;
  keyless.tls.key.file = "/none";
  const auto refused = loop.fetch({.url = server.url("https", "/hello")}, keyless);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, StartsWith("client key /none"));
}

TEST(HttpClient, APinReplacesChainAndName) {
  const TestCertificate certificate;
  const TestCertificate another;
  TestServer server(fill, {.tls = certificate.files});
  TestLoop loop;
  ConnectOptions options;
  options.tls.pinned_sha256 = certificate.fingerprint;
  EXPECT_EQ(loop.fetch({.url = server.url("https", "/hello")}, options)->body, "secret hello");
  options.tls.pinned_sha256 = another.fingerprint;
  const auto refused = loop.fetch({.url = server.url("https", "/hello")}, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(refused.error().message, HasSubstr("not the pinned one"));
}

TEST(HttpClient, MeetsTheNewCertificateAfterAReload) {
  TestCertificate certificate;
  TestServer server(fill, {.tls = certificate.files});
  TestLoop loop;
  certificate.renew();
  ConnectOptions options;
  options.tls.pinned_sha256 = certificate.fingerprint;
  EXPECT_FALSE(loop.fetch({.url = server.url("https", "/hello")}, options));
  ASSERT_TRUE(server->reload_certificate());
  EXPECT_TRUE(loop.fetch({.url = server.url("https", "/hello")}, options));
  std::filesystem::remove(certificate.files.key_file);
  EXPECT_FALSE(server->reload_certificate());
  EXPECT_TRUE(loop.fetch({.url = server.url("https", "/hello")}, options));
}

TEST(HttpClient, LargeBodiesPassThroughTls) {
  const TestCertificate certificate;
  TestServer server(
      [](Router& router) {
        router.add("POST", "/echo",
                   [](Request request, const Respond& respond) { respond(Response::text(std::move(request.body))); },
                   {.max_body_bytes = 8 << 20});
      },
      {.tls = certificate.files});
  TestLoop loop;
  ConnectOptions options;
  options.tls.pinned_sha256 = certificate.fingerprint;
  std::string body;
  for (int i = 0; body.size() < (3u << 20); ++i) body += std::to_string(i);
  const auto got = loop.fetch({.method = "POST", .url = server.url("https", "/echo"), .body = body}, options);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_TRUE(got->body == body);
}

TEST(HttpClient, GoesThroughAProxyWithAPassword) {
  const TestCertificate certificate;
  TestServer server(fill, {.tls = certificate.files});
  TestProxy proxy;
  TestLoop loop;
  ConnectOptions options;
  options.tls.pinned_sha256 = certificate.fingerprint;
  options.proxy = proxy.url("ana:p%40ss@");
  const auto got = loop.fetch({.url = server.url("https", "/hello")}, options);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body, "secret hello");
  EXPECT_EQ(proxy.tunnels(), 1);
}

TEST(HttpClient, AWrongProxyPasswordIsToldAndNotRepeated) {
  TestServer server(fill);
  TestProxy proxy;
  TestLoop loop;
  ConnectOptions options;
  options.proxy = proxy.url("ana:wrong@");
  const auto got = loop.fetch({.url = server.url("http", "/hello")}, options);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kUnauthenticated);
  EXPECT_THAT(got.error().message, Not(HasSubstr("wrong")));
  EXPECT_EQ(proxy.tunnels(), 0);
}

TEST(HttpClient, DestroyedWithARequestUnderWayCallsNobody) {
  std::promise<Respond> kept;
  TestServer server(
      [&](Router& router) {
        router.add("GET", "/never", [&](const Request&, const Respond& respond) { kept.set_value(respond); });
      },
      {.drain_timeout = Duration{50}});
  TestLoop loop;
  std::atomic<bool> called = false;
  auto client = std::make_unique<HttpClient>(*loop, ConnectOptions());
  client->send({.url = server.url("http", "/never")}, [&](const Result<ClientResponse>&) { called = true; });
  const auto respond = kept.get_future().get();
  loop.run([&] { client.reset(); });
  respond(Response::text("x"));
  server->stop();
  loop.run([] {});
  EXPECT_FALSE(called);
}

Status probe(TestLoop& loop, const std::string& host, std::uint16_t port, Duration timeout) {
  std::promise<Status> answer;
  std::unique_ptr<TcpProbe> running;
  loop.run([&] {
    running = std::make_unique<TcpProbe>(*loop, host, port, timeout, [&](Status status) { answer.set_value(status); });
  });
  auto status = answer.get_future().get();
  loop.run([&] { running.reset(); });
  return status;
}

TEST(TcpProbe, TellsOpenFromClosed) {
  TestLoop loop;
  std::uint16_t port = 0;
  {
    TestServer server(fill);
    port = server.port();
    EXPECT_TRUE(probe(loop, "127.0.0.1", port, 10s));
    EXPECT_TRUE(probe(loop, "localhost", port, 10s));
  }
  const auto closed = probe(loop, "127.0.0.1", port, 10s);
  ASSERT_FALSE(closed);
  EXPECT_THAT(closed.error().message, HasSubstr("Connection refused"));
}

TEST(TcpProbe, NamesAHostThatDoesNotExist) {
  TestLoop loop;
  const auto status = probe(loop, "no-such-host.invalid", 80, 20s);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("no-such-host.invalid:80"));
}

TEST(Tls, FingerprintsAreOfTheCertificate) {
  const TestCertificate one;
  EXPECT_EQ(one.fingerprint.size(), 43u);
  EXPECT_EQ(one.fingerprint, *certificate_fingerprint(one.files.cert_file));
  EXPECT_NE(one.fingerprint, TestCertificate().fingerprint);
  EXPECT_FALSE(certificate_fingerprint(one.files.key_file));
  EXPECT_EQ(certificate_fingerprint("/nonexistent").error().code, ErrorCode::kNotFound);
}

TEST(Tls, TheKeyIsForItsOwnerAlone) {
  const TestCertificate certificate;
  const auto mode = std::filesystem::status(certificate.files.key_file).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_FALSE(make_self_signed(certificate.folder / "no/such/cert", certificate.folder / "key", {"a"}));
  EXPECT_FALSE(make_self_signed(certificate.folder / "cert", certificate.folder / "key", {"a,DNS:b"}));
}

TEST(EventLoop, RunsWhatIsPostedAndTimersInOrder) {
  EventLoop loop;
  std::vector<int> order;
  auto late = loop.after(40ms, [&] {
    order.push_back(3);
    loop.stop();
  });
  auto early = loop.after(1ms, [&] { order.push_back(2); });
  loop.post([&] { order.push_back(loop.in_loop() ? 1 : -1); });
  loop.run();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
  EXPECT_FALSE(loop.in_loop());
  EXPECT_FALSE(early.pending());
}

TEST(EventLoop, ACancelledOrDroppedTimerDoesNotRun) {
  EventLoop loop;
  int runs = 0;
  auto cancelled = loop.after(1ms, [&] { ++runs; });
  EXPECT_TRUE(cancelled.pending());
  cancelled.cancel();
  EXPECT_FALSE(cancelled.pending());
  {
    const auto dropped = loop.after(1ms, [&] { ++runs; });
  }
  loop.after(1ms, [&] { runs += 10; }).detach();
  const auto end = loop.after(20ms, [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(runs, 10);
}

TEST(EventLoop, SurvivesWorkThatThrows) {
  EventLoop loop;
  loop.post([] { throw std::runtime_error("no"); });
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_FALSE(loop.in_loop());
}

TEST(EventLoop, StopBeforeRunIsNotLost) {
  EventLoop loop;
  loop.stop();
  loop.run();
  EXPECT_FALSE(loop.in_loop());
}

}  // namespace
}  // namespace atalaya::net
