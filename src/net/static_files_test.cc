#include "net/static_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/gzip.h"
#include "net/testing.h"

namespace atalaya::net {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kScript(3000, 'j');
const std::string kPackedScript = gzip(kScript);

std::map<std::string, StaticFile> site() {
  return {{"/index.html", {"<html>", "", "text/html; charset=utf-8", false}},
          {"/assets/app.1a2b.js", {kScript, kPackedScript, "text/javascript; charset=utf-8", true}}};
}

Request request_for(std::string path, std::string accept = "text/html") {
  Request request;
  request.method = "GET";
  request.path = std::move(path);
  request.headers.add("Accept", std::move(accept));
  return request;
}

TEST(StaticFiles, HashedNamesAreCachedForAYearAndOthersRevalidated) {
  const StaticFiles files(site());
  EXPECT_THAT(std::string(files.answer(request_for("/assets/app.1a2b.js")).headers.get("Cache-Control")),
              HasSubstr("immutable"));
  EXPECT_EQ(files.answer(request_for("/index.html")).headers.get("Cache-Control"), "no-cache");
}

TEST(StaticFiles, ThePagesOfTheUiAreItsIndex) {
  const StaticFiles files(site());
  EXPECT_EQ(files.answer(request_for("/hosts/web1")).static_body, "<html>");
  EXPECT_EQ(files.answer(request_for("/", "*/*")).static_body, "<html>");
  EXPECT_EQ(files.answer(request_for("/missing.js")).status, 404);
  EXPECT_EQ(files.answer(request_for("/api/unknown", "application/json")).status, 404);
}

TEST(StaticFiles, WithoutAnIndexUnknownPathsAreNotFound) {
  const StaticFiles files(site(), "");
  EXPECT_EQ(files.answer(request_for("/hosts")).status, 404);
}

TEST(StaticFiles, GivesTheCompressedFormToWhoAcceptsIt) {
  const StaticFiles files(site());
  auto request = request_for("/assets/app.1a2b.js");
  const auto plain = files.answer(request);
  EXPECT_EQ(plain.static_body, kScript);
  EXPECT_EQ(plain.headers.get("Vary"), "Accept-Encoding");
  request.headers.add("Accept-Encoding", "gzip, br");
  const auto packed = files.answer(request);
  EXPECT_EQ(packed.static_body, kPackedScript);
  EXPECT_EQ(packed.headers.get("Content-Encoding"), "gzip");
  EXPECT_NE(packed.headers.get("ETag"), plain.headers.get("ETag"));
}

TEST(StaticFiles, AKnownEtagIs304OverTheWire) {
  const StaticFiles files(site());
  testing::TestServer server([&](Router& router) { router.add("GET", "/{path...}", files.handler()); });
  testing::RawClient client(server.port());
  const auto first = client.ask(testing::get("/index.html"));
  const auto at = first.find("ETag: ") + 6;
  const auto etag = first.substr(at, first.find('\r', at) - at);
  const auto second = client.ask(testing::get("/index.html", "If-None-Match: \"other\", W/" + etag + "\r\n"));
  EXPECT_THAT(second, StartsWith("HTTP/1.1 304 "));
  EXPECT_THAT(second, HasSubstr("ETag: " + etag));
  EXPECT_EQ(testing::body_of(second), "");
  EXPECT_THAT(client.ask(testing::get("/index.html", "If-None-Match: \"other\"\r\n")), StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace atalaya::net
