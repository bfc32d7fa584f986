#include "net/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/gzip.h"
#include "net/percent.h"
#include "net/response_writer.h"
#include "net/router_match.h"
#include "net/url.h"

namespace atalaya::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Router::Match const* find(const Router& router, std::string_view method, std::string_view path, Parameters& captures,
                          std::vector<std::string>* allowed = nullptr) {
  std::vector<std::string> ignored;
  return router.find(method, path, captures, allowed ? *allowed : ignored);
}

void ignore(const Request&, const Respond&) {}

TEST(Headers, CompareNamesWithoutCaseAndSetReplacesAll) {
  Headers headers;
  headers.add("X-A", "1");
  headers.add("x-a", "2");
  EXPECT_EQ(headers.get("X-a"), "1");
  headers.set("X-A", "3");
  EXPECT_EQ(headers.fields().size(), 1u);
  EXPECT_EQ(headers.get("x-a"), "3");
  EXPECT_EQ(headers.get("x-b"), "");
}

TEST(Parameters, DecodeKeepingOrderAndRepeats) {
  const auto parameters = Parameters::parse("match%5B%5D=up%7Ba%3D%22b%22%7D&x=1+2&match[]=z&flag&=v&&");
  EXPECT_THAT(parameters.all("match[]"), ElementsAre("up{a=\"b\"}", "z"));
  EXPECT_EQ(parameters.get("x"), "1 2");
  EXPECT_TRUE(parameters.has("flag"));
  EXPECT_EQ(parameters.get("flag"), "");
  EXPECT_EQ(parameters.get(""), "v");
}

TEST(Parameters, KeepAMalformedEscapeAsItIs) { EXPECT_EQ(Parameters::parse("a=100%").get("a"), "100%"); }

TEST(Response, ErrorNamesPlaceAndRemedy) {
  const auto response =
      Response::error(Error{ErrorCode::kInvalidArgument, "unknown \"key\"", Place{"a.yaml", 3, 7}, "remove it"});
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, R"({"status":"error","errorType":"bad_data","error":"unknown \"key\"",)"
                           R"("place":{"file":"a.yaml","line":3,"column":7},"remedy":"remove it"})");
}

TEST(Response, UnauthenticatedSaysHow) {
  EXPECT_EQ(Response::error(Error{ErrorCode::kUnauthenticated, "no token", {}, {}}).headers.get("www-authenticate"),
            "Bearer");
}

TEST(Router, PrefersLiteralsToCaptures) {
  Router router;
  router.add("GET", "/users/{id}", ignore);
  router.add("GET", "/users/me", ignore);
  Parameters captures;
  EXPECT_EQ(find(router, "GET", "/users/me", captures)->pattern, "/users/me");
  EXPECT_EQ(find(router, "GET", "/users/7", captures)->pattern, "/users/{id}");
  EXPECT_EQ(captures.get("id"), "7");
}

TEST(Router, GoesBackWhenALiteralLeadsNowhere) {
  Router router;
  router.add("GET", "/a/b/c", ignore);
  router.add("GET", "/a/{x}/d", ignore);
  Parameters captures;
  ASSERT_NE(find(router, "GET", "/a/b/d", captures), nullptr);
  EXPECT_EQ(captures.get("x"), "b");
}

TEST(Router, KeepsEachRoutesOwnCaptureNames) {
  Router router;
  router.add("GET", "/x/{one}", ignore);
  router.add("POST", "/x/{two}/y", ignore);
  Parameters captures;
  find(router, "POST", "/x/v/y", captures);
  EXPECT_EQ(captures.get("two"), "v");
}

TEST(Router, DecodesASlashInsideACapture) {
  Router router;
  router.add("POST", "/channels/{id}/test", ignore);
  Parameters captures;
  ASSERT_NE(find(router, "POST", "/channels/base%2Fops%2Fmail/test", captures), nullptr);
  EXPECT_EQ(captures.get("id"), "base/ops/mail");
}

TEST(Router, TakesTheRestOfThePath) {
  Router router;
  router.add("GET", "/files/{path...}", ignore);
  Parameters captures;
  ASSERT_NE(find(router, "GET", "/files/a/b%20c", captures), nullptr);
  EXPECT_EQ(captures.get("path"), "a/b c");
  EXPECT_NE(find(router, "GET", "/files/", captures), nullptr);
}

TEST(Router, HeadFallsBackToGet) {
  Router router;
  router.add("GET", "/-/healthy", ignore);
  Parameters captures;
  EXPECT_NE(find(router, "HEAD", "/-/healthy", captures), nullptr);
}

TEST(Router, TellsTheAllowedMethods) {
  Router router;
  router.add("GET", "/a", ignore);
  router.add("POST", "/a", ignore);
  Parameters captures;
  std::vector<std::string> allowed;
  EXPECT_EQ(find(router, "DELETE", "/a", captures, &allowed), nullptr);
  EXPECT_THAT(allowed, ElementsAre("GET", "HEAD", "POST"));
  EXPECT_EQ(find(router, "DELETE", "/b", captures, &allowed), nullptr);
  EXPECT_THAT(allowed, ElementsAre());
}

TEST(Router, ACatchAllDoesNotMakeUnknownAddressesKnown) {
  Router router;
  router.add("GET", "/{path...}", ignore);
  router.add("GET", "/api/x", ignore);
  Parameters captures;
  std::vector<std::string> allowed;
  EXPECT_EQ(find(router, "POST", "/api/unknown", captures, &allowed), nullptr);
  EXPECT_THAT(allowed, ElementsAre());
  EXPECT_NE(find(router, "GET", "/", captures), nullptr);
}

TEST(Router, ACatchAllDoesNotAnswerForAnAddressThatIsKnownWithOtherMethods) {
  Router router;
  router.add("GET", "/{path...}", ignore);
  router.add("POST", "/-/reload", ignore);
  Parameters captures;
  std::vector<std::string> allowed;
  EXPECT_EQ(find(router, "GET", "/-/reload", captures, &allowed), nullptr);
  EXPECT_THAT(allowed, ElementsAre("POST"));
}

TEST(Router, ListsRoutesSorted) {
  Router router;
  router.add("POST", "/b", ignore);
  router.add_websocket("/a/live", [](const Request&) -> Result<WebSocketOpened> { return WebSocketOpened(); });
  EXPECT_THAT(router.routes(), ElementsAre("GET /a/live", "POST /b"));
}

TEST(Path, IsNormalised) {
  EXPECT_EQ(normalise_path("/a/./b//../c%20d")->decoded, "/a/c d");
  EXPECT_EQ(normalise_path("/a/./b//../c%20d")->encoded, "/a/c%20d");
  EXPECT_EQ(normalise_path("/")->decoded, "/");
  EXPECT_EQ(normalise_path("/a/")->decoded, "/a/");
  EXPECT_EQ(normalise_path("/a/%2e%2E/b")->decoded, "/b");
  EXPECT_EQ(normalise_path("/a%2F..%2Fb")->decoded, "/a%2F..%2Fb");
}

TEST(Path, RefusesWhatWouldLeaveTheRootOrHideBytes) {
  for (const char* bad : {"", "a", "/..", "/a/../..", "/%2e%2e/x", "/%", "/%4", "/%zz", "/%00", "/a%0d%0aX"})
    EXPECT_FALSE(normalise_path(bad)) << bad;
}

TEST(Percent, RoundTripsEveryByte) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
}

TEST(Gzip, RoundTripsAndRefusesDamage) {
  const std::string text(100'000, 'x');
  const auto packed = gzip(text);
  EXPECT_EQ(gunzip(packed, text.size()), text);
  EXPECT_FALSE(gunzip(packed.substr(0, packed.size() - 5), text.size()));
  EXPECT_FALSE(gunzip(packed + "rest", text.size()));
  EXPECT_FALSE(gunzip("", 10));
  EXPECT_EQ(gunzip(gzip("a") + gzip("b"), 2), "ab");
}

TEST(Gzip, StopsAtTheBound) {
  const auto bomb = gzip(std::string(50 << 20, '\0'));
  const auto result = gunzip(bomb, 1 << 20);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(gunzip(gzip("abc"), 2).error().code, ErrorCode::kTooLarge);
}

TEST(AcceptEncoding, HonoursQualities) {
  EXPECT_TRUE(accepts_gzip("deflate, gzip;q=0.5"));
  EXPECT_TRUE(accepts_gzip("*"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0, br"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0.000"));
  EXPECT_FALSE(accepts_gzip("br"));
  EXPECT_FALSE(accepts_gzip(""));
}

TEST(ResponseWriter, NoValueBeginsAHeaderOfItsOwn) {
  Response response = Response::text("x");
  response.headers.add("Location", "/a\r\nSet-Cookie: evil=1");
  const auto head = answer_head(response, {}, {}, Time{});
  EXPECT_THAT(head, Not(HasSubstr("\r\nSet-Cookie")));
  EXPECT_THAT(head, HasSubstr("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
}

TEST(Url, IsTakenApart) {
  const auto url = parse_url("HTTPS://ana:p%40ss@[::1]:8443/a/b?c=d#e");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->user, "ana");
  EXPECT_EQ(url->password, "p@ss");
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target, "/a/b?c=d");
  EXPECT_EQ(url->authority(), "[::1]:8443");
  EXPECT_EQ(url->redacted(), "https://[::1]:8443/a/b");
}

TEST(Url, KnowsTheSchemesPorts) {
  EXPECT_EQ(parse_url("http://h")->authority(), "h");
  EXPECT_EQ(parse_url("http://h")->target, "/");
  EXPECT_EQ(parse_url("wss://h/x")->port, 443);
  EXPECT_EQ(parse_url("http://h?q=1")->target, "/?q=1");
}

TEST(Url, ErrorsNeverRepeatTheText) {
  for (const char* bad :
       {"secret", "ftp://secret@h/", "http://secret:pw@h:99999/", "http:///secret", "http://h:0/secret"}) {
    const auto url = parse_url(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_THAT(url.error().message, Not(HasSubstr("secret")));
  }
}

TEST(HostPort, IsReadAndWritten) {
  EXPECT_EQ(to_string(*parse_host_port("[::1]:2001")), "[::1]:2001");
  EXPECT_EQ(parse_host_port(":80")->host, "");
  for (const char* bad : {"", "host", "host:", "host:70000", "::1:80", "[::1:80", "h:8 0", "h:-1"})
    EXPECT_FALSE(parse_host_port(bad)) << bad;
}

}  // namespace
}  // namespace atalaya::net
