#include "net/curl/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing.h"

namespace atalaya::net::curl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;
using net::testing::TestCertificate;
using net::testing::TestServer;

void fill(Router& router) {
  router.add("POST", "/hook", [](const Request& request, const Respond& respond) {
    auto response = Response::text(std::string(request.headers.get("Idempotency-Key")) + "|" + request.body, 201);
    response.headers.add("X-Answer", "yes");
    respond(std::move(response));
  });
  router.add("PUT", "/hook",
             [](const Request& request, const Respond& respond) { respond(Response::text(request.body)); });
  router.add("GET", "/moved", [](const Request&, const Respond& respond) {
    auto response = Response::empty(302);
    response.headers.add("Location", "/hello");
    respond(std::move(response));
  });
  router.add("GET", "/hello", [](const Request&, const Respond& respond) { respond(Response::text("hello")); });
  router.add("GET", "/large",
             [](const Request&, const Respond& respond) { respond(Response::text(std::string(1 << 20, 'x'))); });
}

TEST(CurlHttp, PostsAndReturnsWhatTheServerSaid) {
  TestServer server(fill);
  const HttpClient client;
  const auto answer = client.send(
      {.url = server.url("http", "/hook"), .headers = {{"Idempotency-Key", "k1"}}, .body = std::string("a\0b", 3)});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, std::string("k1|a\0b", 6));
  EXPECT_EQ(answer->header("x-answer"), "yes");
  EXPECT_EQ(client.send({.method = "PUT", .url = server.url("http", "/hook"), .body = "p"})->body, "p");
  EXPECT_EQ(client.send({.url = server.url("http", "/nothing")})->status, 404);
}

TEST(CurlHttp, ARedirectIsAnAnswerUnlessAllowed) {
  TestServer server(fill);
  const HttpClient client;
  EXPECT_EQ(client.send({.method = "GET", .url = server.url("http", "/moved")})->status, 302);
  EXPECT_EQ(client.send({.method = "GET", .url = server.url("http", "/moved"), .max_redirects = 1})->body, "hello");
}

TEST(CurlHttp, CutsALargeAnswer) {
  TestServer server(fill);
  const auto answer =
      HttpClient().send({.method = "GET", .url = server.url("http", "/large"), .max_response_bytes = 1000});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body.size(), 1000u);
  EXPECT_TRUE(answer->truncated);
}

TEST(CurlHttp, GivesUpInTimeAndNamesNoSecret) {
  std::promise<Respond> kept;
  TestServer server(
      [&](Router& router) {
        router.add("POST", "/slow", [&](const Request&, const Respond& respond) { kept.set_value(respond); });
      },
      {.drain_timeout = Duration{50}});
  const auto answer = HttpClient().send(
      {.url = "http://ana:hidden@127.0.0.1:" + std::to_string(server.port()) + "/slow?key=hidden", .timeout = 200ms});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(answer.error().message, HasSubstr("127.0.0.1"));
  EXPECT_THAT(answer.error().message, Not(HasSubstr("hidden")));
  kept.get_future().wait();
}

TEST(CurlHttp, SaysWhyThereIsNoConnection) {
  std::uint16_t port = 0;
  {
    TestServer server(fill);
    port = server.port();
  }
  const auto answer = HttpClient().send({.url = "http://127.0.0.1:" + std::to_string(port) + "/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("connect"));
}

TEST(CurlHttp, RefusesMalformedRequests) {
  const HttpClient client;
  const auto refused = [&](const HttpRequest& request) {
    const auto answer = client.send(request);
    return !answer && answer.error().code == ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused({.url = "file:///etc/passwd"}));
  EXPECT_TRUE(refused({.url = "nonsense"}));
  EXPECT_TRUE(refused({.url = "http://127.0.0.1:1/", .headers = {{"A", "b\r\nC: d"}}}));
  EXPECT_TRUE(refused({.url = "http://127.0.0.1:1/", .headers = {{"A: b", "c"}}}));
  EXPECT_TRUE(refused({.method = "PO ST", .url = "http://127.0.0.1:1/"}));
}

TEST(CurlHttp, VerifiesCertificates) {
  const TestCertificate certificate;
  TestServer server(fill, {.tls = certificate.files});
  const auto refused = HttpClient().send({.method = "GET", .url = server.url("https", "/hello")});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("certificate"));
  const auto answer = HttpClient({.proxy = "", .ca_file = certificate.files.cert_file})
                          .send({.method = "GET", .url = server.url("https", "/hello")});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "hello");
}

}  // namespace
}  // namespace atalaya::net::curl
