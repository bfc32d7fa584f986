#include "net/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <latch>
#include <thread>

#include "net/gzip.h"
#include "net/testing.h"

namespace atalaya::net {
namespace {

using ::testing::AllOf;
using testing::body_of;
using ::testing::EndsWith;
using testing::get;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawClient;
using ::testing::StartsWith;
using testing::TestServer;

void echo(const Request& request, const Respond& respond) {
  respond(Response::text(request.method + " " + request.path + " " + request.body));
}

void fill(Router& router) {
  router.add("GET", "/echo/{x}", echo);
  router.add("POST", "/echo", echo, {.max_body_bytes = 1000});
  router.add("GET", "/-/healthy", [](const Request&, const Respond& respond) { respond(Response::text("ok")); });
  router.add("GET", "/big", [](const Request&, const Respond& respond) {
    respond(Response::json("[\"" + std::string(100'000, 'x') + "\"]"));
  });
  router.add("GET", "/throw", [](const Request&, const Respond&) { throw std::runtime_error("no"); });
  router.add("GET", "/forget", [](const Request&, const Respond&) {});
}

std::string post(std::string_view body, std::string_view headers = {}) {
  return "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

TEST(HttpServer, AnswersWithTheSecurityHeaders) {
  TestServer server(fill, {.content_security_policy = "default-src 'self'"});
  RawClient client(server.port());
  const auto answer = client.ask(get("/-/healthy"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(answer, HasSubstr("Referrer-Policy: "));
  EXPECT_THAT(answer, HasSubstr("Content-Security-Policy: default-src 'self'\r\n"));
  EXPECT_EQ(body_of(answer), "ok");
}

TEST(HttpServer, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  TestServer server(fill);
  RawClient client(server.port());
  client.send(get("/echo/1") + post("two") + get("/echo/3"));
  EXPECT_EQ(body_of(client.answer()), "GET /echo/1 ");
  EXPECT_EQ(body_of(client.answer()), "POST /echo two");
  EXPECT_EQ(body_of(client.answer()), "GET /echo/3 ");
}

TEST(HttpServer, ReadsARequestThatComesByteByByte) {
  TestServer server(fill);
  RawClient client(server.port());
  for (const char c : post("slow")) client.send({&c, 1});
  EXPECT_EQ(body_of(client.answer()), "POST /echo slow");
}

TEST(HttpServer, ClosesWhenTheClientAsksForIt) {
  TestServer server(fill);
  RawClient client(server.port());
  client.send(get("/-/healthy", "Connection: close\r\n"));
  EXPECT_THAT(client.rest(), HasSubstr("Connection: close\r\n"));
}

TEST(HttpServer, HeadHasTheLengthAndNoBody) {
  TestServer server(fill);
  RawClient client(server.port());
  client.send("HEAD /-/healthy HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  const auto answer = client.rest();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 2\r\n"));
  EXPECT_EQ(body_of(answer), "");
}

TEST(HttpServer, UnknownAddressIs404AndWrongMethodIs405WithAllow) {
  TestServer server(fill);
  RawClient client(server.port());
  EXPECT_THAT(client.ask(get("/nothing")), StartsWith("HTTP/1.1 404 "));
  const auto answer = client.ask("DELETE /-/healthy HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
  EXPECT_THAT(body_of(answer), HasSubstr("\"status\":\"error\""));
}

TEST(HttpServer, RefusesInALineOfTextWhereThatIsExpected) {
  const auto with_pages = [](Router& router) {
    fill(router);
    router.add("GET", "/{page...}", [](const Request&, const Respond& respond) { respond(Response::text("page")); });
  };
  TestServer server(with_pages, {.plain_refusals = {"/echo"}});
  RawClient client(server.port());
  EXPECT_EQ(body_of(client.ask(get("/echo/1/nothing"))), "404 page not found\n");
  const auto answer = client.ask("DELETE /echo/1 HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("Allow: GET, OPTIONS\r\n"));
  EXPECT_EQ(body_of(answer), "Method Not Allowed\n");
  RawClient head(server.port());
  head.send("HEAD /echo/1 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(head.rest(), AllOf(StartsWith("HTTP/1.1 405 "), EndsWith("\r\n\r\n")));
  EXPECT_EQ(body_of(client.ask(get("/nothing"))), "page");
}

TEST(HttpServer, RefusesABodyOverTheRoutesLimitBeforeReadingIt) {
  TestServer server(fill);
  RawClient client(server.port());
  const auto answer = client.ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(body_of(answer), HasSubstr("the limit is 1000"));
}

TEST(HttpServer, TheAnswerAboutATooLargeBodyReachesAClientThatKeepsSending) {
  TestServer server(fill);
  RawClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 300000\r\n\r\n");
  client.send(std::string(300'000, 'x'));
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServer, RefusesAChunkedBodyOverTheLimit) {
  TestServer server(fill);
  RawClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("800\r\n" + std::string(2048, 'x') + "\r\n");
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServer, JoinsTheChunksOfABody) {
  TestServer server(fill);
  RawClient client(server.port());
  EXPECT_EQ(body_of(client.ask("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")),
            "POST /echo abc");
  EXPECT_EQ(body_of(client.ask(get("/-/healthy"))), "ok");
}

TEST(HttpServer, SendsContinueWhenAskedFirst) {
  TestServer server(fill);
  RawClient client(server.port());
  EXPECT_THAT(client.ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"),
              StartsWith("HTTP/1.1 100 "));
  EXPECT_EQ(body_of(client.ask("ab")), "POST /echo ab");
}

TEST(HttpServer, RefusesMalformedRequests) {
  TestServer server(fill);
  for (const char* bad :
       {"nonsense\r\n\r\n", "GET /a HTTP/1.1\r\n\r\n", "GET /../a HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: t\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: x\r\n\r\n"}) {
    RawClient client(server.port());
    client.send(bad);
    const auto answer = client.rest();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 ")) << bad;
    EXPECT_THAT(body_of(answer), HasSubstr("\"errorType\":\"bad_data\"")) << bad;
  }
}

TEST(HttpServer, RefusesAHeaderOverTheLimitWith431) {
  TestServer server(fill, {.max_header_bytes = 1024});
  RawClient client(server.port());
  client.send(get("/-/healthy", "X: " + std::string(4000, 'x') + "\r\n"));
  EXPECT_THAT(client.rest(), StartsWith("HTTP/1.1 431 "));
}

TEST(HttpServer, RefusesMethodsItDoesNotKnow) {
  TestServer server(fill);
  RawClient client(server.port());
  client.send("WEBSOCKET /-/healthy HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_THAT(client.rest(), StartsWith("HTTP/1.1 501 "));
}

TEST(HttpServer, UnpacksAGzipBodyWithinTheLimit) {
  TestServer server(fill);
  RawClient client(server.port());
  EXPECT_EQ(body_of(client.ask(post(gzip("hello"), "Content-Encoding: gzip\r\n"))), "POST /echo hello");
  EXPECT_THAT(client.ask(post(gzip(std::string(5000, 'x')), "Content-Encoding: gzip\r\n")),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(client.ask(post("no gzip", "Content-Encoding: gzip\r\n")), StartsWith("HTTP/1.1 400 "));
}

TEST(HttpServer, PacksALargeTextForAClientThatAcceptsIt) {
  TestServer server(fill);
  RawClient client(server.port());
  const auto plain = client.ask(get("/big"));
  const auto packed = client.ask(get("/big", "Accept-Encoding: gzip\r\n"));
  EXPECT_THAT(plain, Not(HasSubstr("Content-Encoding")));
  EXPECT_THAT(plain, HasSubstr("Vary: Accept-Encoding"));
  EXPECT_THAT(packed, HasSubstr("Content-Encoding: gzip"));
  EXPECT_LT(packed.size(), 2000u);
  EXPECT_EQ(gunzip(body_of(packed), 1 << 20), body_of(plain));
  EXPECT_THAT(client.ask(get("/-/healthy", "Accept-Encoding: gzip\r\n")), Not(HasSubstr("Content-Encoding")));
}

TEST(HttpServer, AHandlerThatThrowsOrForgetsIs500) {
  TestServer server(fill);
  RawClient client(server.port());
  EXPECT_THAT(client.ask(get("/throw")), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(client.ask(get("/forget")), StartsWith("HTTP/1.1 500 "));
  EXPECT_EQ(body_of(client.ask(get("/-/healthy"))), "ok");
}

TEST(HttpServer, AnAnswerMayComeLaterFromAnotherThreadAndOnlyTheFirstCounts) {
  std::thread later;
  TestServer server([&](Router& router) {
    router.add("GET", "/later", [&](const Request&, const Respond& respond) {
      later = std::thread([respond] {
        respond(Response::text("first"));
        respond(Response::text("second"));
      });
    });
  });
  RawClient client(server.port());
  EXPECT_EQ(body_of(client.ask(get("/later"))), "first");
  later.join();
  EXPECT_THAT(client.ask(get("/nothing")), StartsWith("HTTP/1.1 404 "));
}

TEST(HttpServer, AFullQueueIs503AndCounted) {
  std::latch entered(1);
  std::promise<void> release;
  const auto released = release.get_future().share();
  TestServer server(
      [&](Router& router) {
        router.add("GET", "/block", [&](const Request&, const Respond& respond) {
          entered.count_down();
          released.wait();
          respond(Response::text("done"));
        });
        router.add("GET", "/quick", [](const Request&, const Respond& respond) { respond(Response::text("ok")); });
      },
      {.worker_threads = 1, .worker_queue = 1});
  RawClient running(server.port());
  running.send(get("/block"));
  entered.wait();
  // One more fits into the queue; of two more, one at least is refused.
  RawClient second(server.port());
  RawClient third(server.port());
  second.send(get("/quick"));
  third.send(get("/quick"));
  auto& refused = server.registry.counter("atalaya_http_refused_total", "", {{"what", "request"}});
  while (refused.value() == 0) std::this_thread::yield();
  release.set_value();
  const auto answers = second.answer() + third.answer();
  EXPECT_THAT(answers, HasSubstr("HTTP/1.1 503 "));
  EXPECT_THAT(answers, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(answers, HasSubstr("HTTP/1.1 200 "));
  EXPECT_EQ(body_of(running.answer()), "done");
}

TEST(HttpServer, ClosesAConnectionThatIsIdleOrSlowToAsk) {
  TestServer server(fill, {.header_timeout = Duration{50}, .idle_timeout = Duration{50}});
  RawClient idle(server.port());
  EXPECT_EQ(idle.rest(), "");
  RawClient slow(server.port());
  slow.send("GET / HTTP/1.1\r\n");
  EXPECT_EQ(slow.rest(), "");
}

TEST(HttpServer, ClosesOnAClientThatDoesNotReadItsAnswer) {
  static const std::string large(64 << 20, 'x');
  TestServer server(
      [](Router& router) {
        router.add("GET", "/large", [](const Request&, const Respond& respond) {
          Response response;
          response.static_body = large;
          respond(std::move(response));
        });
      },
      {.write_timeout = Duration{100}});
  RawClient client(server.port(), 4096);
  client.send(get("/large"));
  auto& open = server.registry.gauge("atalaya_http_connections", "");
  while (open.value() == 0) std::this_thread::yield();
  while (open.value() > 0) std::this_thread::yield();
  EXPECT_LT(client.rest().size(), large.size());
}

TEST(HttpServer, BoundsTheNumberOfConnections) {
  TestServer server(fill, {.max_connections = 2});
  RawClient first(server.port());
  RawClient second(server.port());
  EXPECT_EQ(body_of(first.ask(get("/-/healthy"))), "ok");
  EXPECT_EQ(body_of(second.ask(get("/-/healthy"))), "ok");
  RawClient third(server.port());
  third.send(get("/-/healthy"));
  EXPECT_EQ(third.rest(), "");
  EXPECT_EQ(server.registry.counter("atalaya_http_refused_total", "", {{"what", "connection"}}).value(), 1u);
  EXPECT_EQ(body_of(first.ask(get("/-/healthy"))), "ok");
}

TEST(HttpServer, OneAddressDoesNotTakeAllConnections) {
  TestServer server(fill, {.max_connections_per_address = 1, .limit_loopback = true});
  {
    RawClient first(server.port());
    EXPECT_EQ(body_of(first.ask(get("/-/healthy"))), "ok");
    RawClient second(server.port());
    second.send(get("/-/healthy"));
    EXPECT_EQ(second.rest(), "");
    EXPECT_EQ(body_of(first.ask(get("/-/healthy"))), "ok");
    first.send(get("/-/healthy", "Connection: close\r\n"));
    first.rest();
  }
  EXPECT_EQ(server.registry.counter("atalaya_http_refused_total", "", {{"what", "connection"}}).value(), 1u);
}

TEST(HttpServer, ProgramsOfThisMachineAreNotCountedByAddress) {
  TestServer server(fill, {.max_connections_per_address = 1});
  RawClient first(server.port());
  RawClient second(server.port());
  EXPECT_EQ(body_of(first.ask(get("/-/healthy"))), "ok");
  EXPECT_EQ(body_of(second.ask(get("/-/healthy"))), "ok");
}

TEST(HttpServer, KnowsItsPortBeforeItTakesConnections) {
  telemetry::Registry registry;
  SystemClock clock;
  HttpServer server(std::make_shared<Router>(), {.listen = {"127.0.0.1:0"}}, registry, clock);
  ASSERT_TRUE(server.bind());
  const auto port = server.port();
  EXPECT_NE(port, 0);
  ASSERT_TRUE(server.start());
  EXPECT_EQ(server.port(), port);
}

TEST(HttpServer, TellsPagesOfAllowedOriginsThatTheyMayCall) {
  TestServer server(fill, {.cors_origins = {"https://ui.example.org"}});
  RawClient client(server.port());
  const auto preflight = client.ask(
      "OPTIONS /echo HTTP/1.1\r\nHost: t\r\nOrigin: https://ui.example.org\r\n"
      "Access-Control-Request-Method: POST\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(preflight, StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(preflight, HasSubstr("Access-Control-Allow-Origin: https://ui.example.org\r\n"));
  EXPECT_THAT(preflight, HasSubstr("Access-Control-Allow-Headers: Authorization"));
  const auto answer = client.ask(get("/-/healthy", "Origin: https://ui.example.org\r\n"));
  EXPECT_THAT(answer, HasSubstr("Access-Control-Allow-Origin: https://ui.example.org\r\n"));
  EXPECT_THAT(answer, HasSubstr("Access-Control-Expose-Headers: "));
  EXPECT_THAT(answer, HasSubstr("Vary: Origin\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Allow-Credentials")));
  EXPECT_THAT(client.ask(get("/-/healthy", "Origin: https://evil.example\r\n")),
              Not(HasSubstr("Access-Control-Allow-Origin")));
}

TEST(HttpServer, CountsRequestsByCodeMethodAndRoute) {
  TestServer server(fill);
  RawClient client(server.port());
  client.ask(get("/echo/1"));
  client.ask(get("/echo/2"));
  client.ask(get("/nothing"));
  const auto text = server.registry.expose();
  EXPECT_THAT(text, HasSubstr("atalaya_http_requests_total{code=\"200\",method=\"GET\",route=\"/echo/{x}\"} 2"));
  EXPECT_THAT(text, HasSubstr("atalaya_http_requests_total{code=\"404\",method=\"GET\",route=\"none\"} 1"));
  EXPECT_THAT(text, HasSubstr("atalaya_http_request_duration_seconds_count{route=\"/echo/{x}\"} 2"));
}

TEST(HttpServer, StopLetsTheRequestUnderWayFinish) {
  std::latch entered(1);
  std::promise<void> release;
  const auto released = release.get_future().share();
  TestServer server([&](Router& router) {
    router.add("GET", "/block", [&](const Request&, const Respond& respond) {
      entered.count_down();
      released.wait();
      respond(Response::text("done"));
    });
  });
  RawClient idle(server.port());
  RawClient busy(server.port());
  busy.send(get("/block"));
  entered.wait();
  std::thread stopper([&] { server->stop(); });
  EXPECT_EQ(idle.rest(), "");
  release.set_value();
  EXPECT_EQ(body_of(busy.rest()), "done");
  stopper.join();
  server->stop();
}

TEST(HttpServer, AHandlerLearnsThatItsClientHasLeft) {
  std::latch asked(1);
  std::latch left(1);
  TestServer server([&](Router& router) {
    router.add("GET", "/long", [&](const Request& request, const Respond& respond) {
      const std::stop_callback leave(request.gone, [&] { left.count_down(); });
      asked.count_down();
      left.wait();
      respond(Response::text("late"));
    });
  });
  {
    RawClient client(server.port());
    client.send(get("/long"));
    asked.wait();
  }
  left.wait();
  server->stop();
}

TEST(HttpServer, WhoClosesHisOwnDirectionAloneStillGetsTheAnswer) {
  std::latch left(1);
  TestServer server([&](Router& router) {
    router.add("GET", "/long", [&](const Request& request, const Respond& respond) {
      const std::stop_callback leave(request.gone, [&] { left.count_down(); });
      left.wait();
      respond(Response::text("late"));
    });
  });
  RawClient client(server.port());
  client.send(get("/long"));
  client.end();
  EXPECT_EQ(body_of(client.rest()), "late");
}

TEST(HttpServer, WhatComesWhileARequestIsHandledIsTheNextOne) {
  std::latch asked(1);
  std::latch go(1);
  TestServer server([&](Router& router) {
    fill(router);
    router.add("GET", "/long", [&](const Request& request, const Respond& respond) {
      asked.count_down();
      go.wait();
      respond(Response::text(request.gone.stop_requested() ? "gone" : "there"));
    });
  });
  RawClient client(server.port());
  client.send(get("/long"));
  asked.wait();
  client.send(get("/echo/2"));
  go.count_down();
  EXPECT_EQ(body_of(client.answer()), "there");
  EXPECT_EQ(body_of(client.answer()), "GET /echo/2 ");
}

TEST(HttpServer, ARespondMayOutliveTheServer) {
  std::promise<Respond> kept;
  {
    TestServer server(
        [&](Router& router) {
          router.add("GET", "/keep", [&](const Request&, const Respond& respond) { kept.set_value(respond); });
        },
        {.drain_timeout = Duration{50}});
    RawClient client(server.port());
    client.send(get("/keep"));
    auto respond = kept.get_future().get();
    server->stop();
    respond(Response::text("too late"));
    EXPECT_EQ(client.rest(), "");
  }
}

Status start_with(ServerOptions options) {
  telemetry::Registry registry;
  const SystemClock clock;
  HttpServer server(std::make_shared<Router>(), std::move(options), registry, clock);
  return server.start();
}

TEST(HttpServer, APortInUseIsAClearError) {
  TestServer server(fill);
  const auto taken = server->addresses().front();
  const auto status = start_with({.listen = {taken}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(status.error().message, HasSubstr("port in use"));
  EXPECT_THAT(status.error().message, HasSubstr(taken));
}

TEST(HttpServer, RefusesPlainHttpBeyondLoopback) {
  for (const char* address : {"0.0.0.0:0", ":0", "[::]:0"}) {
    const auto status = start_with({.listen = {address}});
    ASSERT_FALSE(status) << address;
    EXPECT_EQ(status.error().code, ErrorCode::kPermissionDenied);
    EXPECT_THAT(status.error().remedy, HasSubstr("--tls-cert"));
  }
  EXPECT_TRUE(start_with({.listen = {"0.0.0.0:0"}, .insecure_http = true}));
  EXPECT_TRUE(start_with({.listen = {"localhost:0"}}));
}

TEST(HttpServer, RefusesAnAddressThatIsNone) {
  for (const char* address : {"nonsense", "127.0.0.1:99999", "256.1.1.1.invalid:1"})
    EXPECT_FALSE(start_with({.listen = {address}})) << address;
}

TEST(HttpServer, NamesTheCertificateItCannotRead) {
  const auto status = start_with({.tls = TlsFiles{"/nonexistent/cert.pem", "/nonexistent/key.pem"}});
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("/nonexistent/cert.pem"));
}

TEST(HttpServer, ListensOnSeveralAddresses) {
  telemetry::Registry registry;
  const SystemClock clock;
  auto router = std::make_shared<Router>();
  fill(*router);
  HttpServer server(router, {.listen = {"127.0.0.1:0", "127.0.0.1:0"}}, registry, clock);
  ASSERT_TRUE(server.start());
  const auto addresses = server.addresses();
  ASSERT_EQ(addresses.size(), 2u);
  for (const auto& address : addresses) {
    RawClient client(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    EXPECT_EQ(body_of(client.ask(get("/-/healthy"))), "ok");
  }
}

}  // namespace
}  // namespace atalaya::net
