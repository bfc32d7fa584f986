#include "collect/scrape/token_source.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>

#include "base/bytes.h"
#include "collect/scrape/fetch.h"
#include "io/memory_file_system.h"
#include "net/test_loop.h"
#include "net/testing.h"

namespace atalaya::collect::scrape {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Token, IsReadAsItIsWritten) {
  const auto read = read_token(200, R"({"access_token":"abc","token_type":"bearer","expires_in":60})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->header, "Bearer abc");
  EXPECT_EQ(read->lifetime, std::chrono::seconds{60});
  EXPECT_EQ(read_token(200, R"({"access_token":"abc","token_type":"Own","expires_in":"5"})")->header, "Own abc");
  EXPECT_FALSE(read_token(200, R"({"access_token":"abc"})")->lifetime);
}

TEST(Token, WhatIsNoneSaysWhy) {
  EXPECT_THAT(read_token(401, R"({"error":"invalid_client","error_description":"who?"})").error().message,
              HasSubstr("HTTP status 401, invalid_client: who?"));
  EXPECT_THAT(read_token(500, "<html>").error().message, HasSubstr("HTTP status 500"));
  EXPECT_FALSE(read_token(200, "{}"));
  EXPECT_FALSE(read_token(200, R"({"access_token":"a\r\nX: y"})"));
}

/// A place of tokens and a target that wants one.
class TokenSourceTest : public testing::Test {
 protected:
  TokenSourceTest() {
    settings.oauth2 = OAuth2{.client_id = "me:",
                             .client_secret = {"s 1", ""},
                             .scopes = {"a", "b"},
                             .token_url = "",
                             .params = {},
                             .tls = {},
                             .proxy = {},
                             .no_proxy = {}};
    settings.oauth2->token_url = server.url("http", "/token");
    settings.oauth2->params["audience"] = "x&y";
  }
  std::string ask() {
    std::promise<Result<Fetched>> answered;
    loop.run([&] {
      if (!fetcher) fetcher = std::make_unique<Fetcher>(*loop, files, clock, settings);
      fetcher->get({.url = server.url("http", "/metrics"), .timeout = std::chrono::seconds{30}, .most_bytes = 1000},
                   [&](Result<Fetched> got) { answered.set_value(std::move(got)); });
    });
    auto got = answered.get_future().get();
    return got ? got->body : got.error().message;
  }
  ~TokenSourceTest() override {
    loop.run([this] { fetcher.reset(); });
    loop.stop();
  }

  std::mutex mutex;
  std::vector<std::string> asked;  ///< of the place of tokens: header and body
  bool takes_headers = true;
  int tokens = 0;
  net::testing::TestServer server{[this](net::Router& router) {
    router.add("POST", "/token", [this](const net::Request& request, const net::Respond& respond) {
      const std::lock_guard lock(mutex);
      asked.push_back(std::string(request.headers.get("Authorization")) + "|" + request.body);
      if (!takes_headers && !request.headers.get("Authorization").empty())
        return respond(net::Response::json(R"({"error":"invalid_client"})", 401));
      respond(net::Response::json(fmt::format(R"({{"access_token":"t{}","expires_in":3600}})", ++tokens)));
    });
    router.add("GET", "/metrics", [](const net::Request& request, const net::Respond& respond) {
      respond(net::Response::text(std::string(request.headers.get("Authorization"))));
    });
  }};
  io::MemoryFileSystem files;
  ManualClock clock{from_ms(1'000'000)};
  net::testing::TestLoop loop;
  HttpSettings settings;
  std::unique_ptr<Fetcher> fetcher;
};

TEST_F(TokenSourceTest, ATokenIsFetchedOnceUntilItEnds) {
  EXPECT_EQ(ask(), "Bearer t1");
  clock.advance(std::chrono::seconds{3589});
  EXPECT_EQ(ask(), "Bearer t1");
  clock.advance(std::chrono::seconds{1});
  EXPECT_EQ(ask(), "Bearer t2");
  const std::lock_guard lock(mutex);
  const auto want =
      "Basic " + base64_encode("me%3A:s%201") + "|grant_type=client_credentials&scope=a%20b&audience=x%26y";
  EXPECT_THAT(asked, ElementsAre(want, want));
}

TEST_F(TokenSourceTest, WhereTheHeaderIsNotTakenTheBodyTellsWhoAsks) {
  takes_headers = false;
  EXPECT_EQ(ask(), "Bearer t1");
  clock.advance(std::chrono::hours{1});
  EXPECT_EQ(ask(), "Bearer t2");
  const std::lock_guard lock(mutex);
  const std::string in_body =
      "|grant_type=client_credentials&scope=a%20b&audience=x%26y&client_id=me%3A&client_secret=s%201";
  ASSERT_EQ(asked.size(), 3u) << "it is known afterwards";
  EXPECT_EQ(asked[1], in_body);
  EXPECT_EQ(asked[2], in_body);
}

TEST_F(TokenSourceTest, ASecretThatCannotBeReadIsTheAnswer) {
  settings.oauth2->client_secret = {"", "/none"};
  EXPECT_THAT(ask(), HasSubstr("/none"));
}

}  // namespace
}  // namespace atalaya::collect::scrape
