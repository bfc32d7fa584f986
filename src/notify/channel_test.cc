#include "notify/channel.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "notify/payload.h"

namespace atalaya::notify {
namespace {

namespace json = boost::json;

/// Answers what it is told and remembers what it was asked.
class FakeTransport final : public Transport {
 public:
  Result<net::curl::HttpResponse> http(const net::curl::HttpRequest& request) override {
    requests.push_back(request);
    if (error) return std::unexpected(*error);
    return response;
  }
  Result<net::curl::SmtpAnswer> mail(const net::curl::SmtpServer& server, const std::string& from,
                                     const std::vector<std::string>& to, const std::string& message) override {
    servers.push_back(server);
    mails.push_back(from + " > " + to.front() + "\n" + message);
    if (error) return std::unexpected(*error);
    return net::curl::SmtpAnswer{"250 2.0.0 Ok: queued as 4F2"};
  }
  Result<std::string> secret_file(const std::string& path) override {
    if (path == "/missing") return fail(ErrorCode::kUnavailable, "/missing cannot be read");
    return "secret of " + path;
  }

  net::curl::HttpResponse response{.status = 200};
  std::optional<Error> error;
  std::vector<net::curl::HttpRequest> requests;
  std::vector<net::curl::SmtpServer> servers;
  std::vector<std::string> mails;
};

std::string shipped(const std::string& name) {
  // The source folder: tests run from the build tree or anywhere.
  const auto root = std::filesystem::path(AT_SOURCE_DIR);
  std::ifstream file(root / "packages/base/channels" / (name + ".yaml"));
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

class ChannelTest : public testing::Test {
 protected:
  ChannelTest()
      : book_(types(), {browser_channel([this](const TenantId&, const json::object& n) {
                pushed_.push_back(n);
                return browsers_;
              })}) {}

  std::vector<std::unique_ptr<ChannelType>> types() {
    std::vector<std::unique_ptr<ChannelType>> out;
    for (const auto* name : {"webhook", "slack"}) {
      auto type = parse_http_channel_type(shipped(name), std::string(name) + ".yaml", transport_);
      EXPECT_TRUE(type) << (type ? "" : to_string(type.error()));
      if (type) out.push_back(std::move(*type));
    }
    out.push_back(email_channel_type(transport_));
    return out;
  }
  std::vector<std::string> set(std::string id, std::string type, std::string_view settings) {
    std::vector<std::string> errors;
    const ChannelConfig config{std::move(id), std::move(type), json::parse(settings).as_object(), {"ops.yaml", 3, 5}};
    for (const auto& error : book_.set_channels(default_tenant(), {config})) errors.push_back(to_string(error));
    return errors;
  }
  AttemptResult send(const std::string& id, alerts::State state = alerts::State::kFiring) {
    const auto channel = book_.find(default_tenant(), id);
    if (!channel) return {.answer = "no such channel"};
    alerts::Transition t;
    t.alert.id = AlertId{"00ff00ff00ff00ff"};
    t.alert.name = "filling";
    t.alert.transitions = 3;
    t.alert.rule = "host/disk/filling";
    t.alert.labels = Labels{{"alertname", "filling"}, {"instance", "web1"}, {"path", "/va\"r"}};
    t.alert.annotations = annotations_;
    t.alert.severity = alerts::Severity::kCritical;
    t.alert.state = state;
    t.alert.started = from_ms(1'700'000'000'000);
    if (state == alerts::State::kResolved) t.alert.resolved = from_ms(1'700'000'060'000);
    t.first_told = true;
    Message message;
    message.tenant = default_tenant();
    message.key = "00ff00ff00ff00ff:3:" + id;
    message.thread = "00ff00ff00ff00ff";
    message.created = from_ms(1'700'000'000'000);
    message.data = make_payload(t, id, "https://atalaya.example.org");
    return channel->send(message, now_);
  }
  json::value body() { return json::parse(transport_.requests.back().body); }
  std::string header(std::string_view name) {
    for (const auto& [key, value] : transport_.requests.back().headers) {
      if (key == name) return value;
    }
    return "";
  }
  using Lines = std::vector<std::string>;

  FakeTransport transport_;
  std::vector<json::object> pushed_;
  std::size_t browsers_ = 0;
  std::map<std::string, std::string> annotations_{{"summary", "/var has 7% left\nonly"}};
  Time now_ = from_ms(784'111'777'000);  // Sun, 06 Nov 1994 08:49:37 GMT
  ChannelBook book_;
};

constexpr std::string_view kHook = R"({"url": "https://ana:pw@hooks.example.org/in?token=secret"})";

TEST_F(ChannelTest, TheWebhookPostsAlertmanagersVersion4) {
  ASSERT_EQ(set("ops/hook", "webhook", kHook), Lines{});
  EXPECT_TRUE(send("ops/hook").ok);
  EXPECT_EQ(transport_.requests.back().method, "POST");
  EXPECT_EQ(header("Content-Type"), "application/json");
  EXPECT_EQ(header("Idempotency-Key"), "00ff00ff00ff00ff:3:ops/hook");
  const auto data = body();
  EXPECT_EQ(data.at("version"), "4");
  EXPECT_EQ(data.at("status"), "firing");
  EXPECT_EQ(data.at("receiver"), "ops/hook");
  EXPECT_EQ(data.at("truncatedAlerts"), 0);
  EXPECT_EQ(data.at("groupKey"), R"({}:{alertname="filling", instance="web1", path="/va\"r"})");
  EXPECT_EQ(data.at("commonLabels").at("severity"), "critical");
  EXPECT_EQ(data.at("commonAnnotations").at("summary"), "/var has 7% left\nonly");
  EXPECT_EQ(data.at("externalURL"), "https://atalaya.example.org");
  EXPECT_EQ(data.at("notification_reason"), "first notification");
  const auto& alert = data.at("alerts").at(0);
  EXPECT_EQ(alert.at("startsAt"), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(alert.at("endsAt"), "0001-01-01T00:00:00Z");
  EXPECT_EQ(alert.at("fingerprint"), "00ff00ff00ff00ff");
  EXPECT_EQ(alert.at("generatorURL"), "https://atalaya.example.org/#/alerts/00ff00ff00ff00ff");
}

TEST_F(ChannelTest, AResolvedAlertSaysWhenItEnded) {
  ASSERT_EQ(set("ops/hook", "webhook", kHook), Lines{});
  send("ops/hook", alerts::State::kResolved);
  EXPECT_EQ(body().at("status"), "resolved");
  EXPECT_EQ(body().at("alerts").at(0).at("endsAt"), "2023-11-14T22:14:20.000Z");
}

TEST_F(ChannelTest, NoDataIsFiringToOthersAndNamedForOurs) {
  ASSERT_EQ(set("ops/hook", "webhook", kHook), Lines{});
  send("ops/hook", alerts::State::kNoData);
  EXPECT_EQ(body().at("status"), "firing");
  EXPECT_EQ(body().at("alerts").at(0).at("atalaya").at("state"), "no_data");
}

TEST_F(ChannelTest, AddsTheHeadersOfTheSettings) {
  ASSERT_EQ(set("ops/hook", "webhook", R"({"url": "http://h/", "headers": {"Authorization": "Bearer t"}})"), Lines{});
  send("ops/hook");
  EXPECT_EQ(header("Authorization"), "Bearer t");
}

TEST_F(ChannelTest, StatusesDecideWhetherToTryAgain) {
  ASSERT_EQ(set("ops/hook", "webhook", kHook), Lines{});
  const auto result = [&](int status) {
    transport_.response.status = status;
    const auto r = send("ops/hook");
    return r.ok ? "ok" : r.permanent ? "permanent" : "again";
  };
  EXPECT_STREQ(result(204), "ok");
  EXPECT_STREQ(result(302), "again");
  EXPECT_STREQ(result(400), "permanent");
  EXPECT_STREQ(result(404), "permanent");
  EXPECT_STREQ(result(408), "again");
  EXPECT_STREQ(result(429), "again");
  EXPECT_STREQ(result(503), "again");
}

TEST_F(ChannelTest, ReadsRetryAfterInSecondsAndAsADate) {
  ASSERT_EQ(set("ops/hook", "webhook", kHook), Lines{});
  transport_.response.status = 429;
  transport_.response.headers = {{"Retry-After", "30"}};
  EXPECT_EQ(send("ops/hook").retry_after, Duration{30'000});
  transport_.response.headers = {{"Retry-After", "Sun, 06 Nov 1994 08:50:37 GMT"}};
  EXPECT_EQ(send("ops/hook").retry_after, Duration{60'000});
  transport_.response.headers = {{"Retry-After", "soon"}};
  EXPECT_EQ(send("ops/hook").retry_after, std::nullopt);
}

TEST_F(ChannelTest, AnUnreachableServerIsTriedAgain) {
  ASSERT_EQ(set("ops/hook", "webhook", kHook), Lines{});
  transport_.error = Error{ErrorCode::kUnavailable, "connection refused", {}, {}};
  const auto result = send("ops/hook");
  EXPECT_FALSE(result.ok);
  EXPECT_FALSE(result.permanent);
  EXPECT_EQ(result.answer, "connection refused");
}

TEST_F(ChannelTest, SlackSucceedsOnlyWithTheWordOk) {
  ASSERT_EQ(set("ops/chat", "slack", R"({"url": "https://hooks.slack.com/services/T/B/secret"})"), Lines{});
  transport_.response.body = "ok";
  EXPECT_TRUE(send("ops/chat").ok);
  transport_.response.body = "<html>captive portal</html>";
  EXPECT_FALSE(send("ops/chat").ok);
}

TEST_F(ChannelTest, SlackMessagesAreJsonWhateverTheTexts) {
  ASSERT_EQ(set("ops/chat", "slack", R"({"url": "https://hooks.slack.com/services/T/B/secret"})"), Lines{});
  send("ops/chat");
  EXPECT_EQ(body().at("text"), "[CRITICAL] filling on web1");
  const auto attachment = body().at("attachments").at(0);
  EXPECT_EQ(attachment.at("color"), "danger");
  EXPECT_EQ(attachment.at("text"), "/var has 7% left\nonly");
  EXPECT_EQ(attachment.at("fields").at(2).at("value"), "/va\"r");
  send("ops/chat", alerts::State::kResolved);
  EXPECT_EQ(body().at("text"), "[RESOLVED] filling on web1");
  send("ops/chat", alerts::State::kNoData);
  EXPECT_EQ(body().at("text"), "[NO DATA] filling on web1");
}

TEST_F(ChannelTest, SlackTextsMeanNothingToSlack) {
  ASSERT_EQ(set("ops/chat", "slack", R"({"url": "https://hooks.slack.com/services/T/B/secret"})"), Lines{});
  annotations_ = {{"title", "5 < 6 & <!channel>"}, {"summary", "<@U1> 7 > 6"}};
  send("ops/chat");
  EXPECT_EQ(body().at("text"), "[CRITICAL] 5 &lt; 6 &amp; &lt;!channel&gt; on web1");
  const auto attachment = body().at("attachments").at(0);
  EXPECT_EQ(attachment.at("title"), body().at("text"));
  EXPECT_EQ(attachment.at("text"), "&lt;@U1&gt; 7 &gt; 6");
  EXPECT_EQ(attachment.at("fields").at(2).at("value"), "/va\"r");
}

TEST_F(ChannelTest, WhatWentWrongIsToldWithoutTheSecretAddress) {
  const std::string url = "https://hooks.slack.com/services/T/B/secret";
  ASSERT_EQ(set("ops/chat", "slack", R"({"url": "https://hooks.slack.com/services/T/B/secret"})"), Lines{});
  transport_.error = Error{ErrorCode::kUnavailable, "POST " + url + ": Connection refused", {}, {}};
  EXPECT_EQ(send("ops/chat").answer, "POST https://hooks.slack.com/…: Connection refused");
  transport_.error.reset();
  transport_.response.status = 404;
  transport_.response.body = "Cannot POST /services/T/B/secret";
  EXPECT_EQ(send("ops/chat").answer, "Cannot POST …");

  ASSERT_EQ(set("ops/hook", "webhook", kHook), Lines{});
  transport_.response.body = "no: /in?token=secret, user ana:pw";
  EXPECT_EQ(send("ops/hook").answer, "no: …, user ana:pw");
  transport_.error = Error{ErrorCode::kUnavailable, "POST https://hooks.example.org/in: timed out", {}, {}};
  EXPECT_EQ(send("ops/hook").answer, "POST https://hooks.example.org/…: timed out");

  ASSERT_EQ(set("ops/hook", "webhook", R"({"url": "http://h/"})"), Lines{});
  transport_.error->message = "POST http://h/: refused";
  EXPECT_EQ(send("ops/hook").answer, "POST http://h/…: refused");
}

TEST_F(ChannelTest, ListsHideSecrets) {
  const auto target = [&](std::string type, std::string_view settings) {
    EXPECT_EQ(set("ops/x", std::move(type), settings), Lines{});
    return book_.list(default_tenant()).back().target;
  };
  EXPECT_EQ(target("webhook", kHook), "https://hooks.example.org/…");
  EXPECT_EQ(target("slack", R"({"url": "https://hooks.slack.com/services/T/B/secret"})"), "https://hooks.slack.com/…");
  EXPECT_EQ(target("email", R"({"smtp": "smtp://m", "from": "a@b.c", "to": ["x@y.z", "u@v.w"], "password": "p"})"),
            "x@y.z, u@v.w");
}

constexpr std::string_view kMail = R"({"smtp": "smtp://mail:587", "from": "Atalaya <atalaya@example.org>",
  "to": ["ana@example.org"], "user": "u", "password_file": "/run/pw", "starttls": "required"})";

TEST_F(ChannelTest, MailsThreadByAlertAndIdentifyTheDelivery) {
  ASSERT_EQ(set("ops/mail", "email", kMail), Lines{});
  const auto result = send("ops/mail");
  EXPECT_TRUE(result.ok) << result.answer;
  EXPECT_EQ(result.answer, "250 2.0.0 Ok: queued as 4F2");
  const auto& server = transport_.servers.back();
  EXPECT_EQ(server.url, "smtp://mail:587");
  EXPECT_EQ(server.password, "secret of /run/pw");
  const auto mail = transport_.mails.back();
  EXPECT_NE(mail.find("Subject: [critical] filling on web1"), std::string::npos) << mail;
  const auto id = mail.find("Message-ID: <00ff00ff00ff00ff-3-ops-mail.");
  EXPECT_NE(id, std::string::npos) << mail;
  EXPECT_NE(mail.find("References: <00ff00ff00ff00ff.thread."), std::string::npos) << mail;
  EXPECT_NE(mail.find("X-Atalaya-Key: 00ff00ff00ff00ff:3:ops/mail"), std::string::npos) << mail;
  send("ops/mail");
  EXPECT_EQ(transport_.mails.back(), mail);
}

TEST_F(ChannelTest, ARefusedMailIsNotRepeatedAndALostServerIs) {
  ASSERT_EQ(set("ops/mail", "email", kMail), Lines{});
  transport_.error = Error{ErrorCode::kInvalidArgument, "550 no such user", {}, {}};
  EXPECT_TRUE(send("ops/mail").permanent);
  transport_.error = Error{ErrorCode::kUnavailable, "451 later", {}, {}};
  EXPECT_FALSE(send("ops/mail").permanent);
}

TEST_F(ChannelTest, AMissingPasswordFileIsTriedAgainAndSaid) {
  ASSERT_EQ(set("ops/mail", "email",
                R"({"smtp": "smtp://m", "from": "a@b.c", "to": ["x@y.z"], "password_file": "/missing"})"),
            Lines{});
  const auto result = send("ops/mail");
  EXPECT_FALSE(result.ok || result.permanent);
  EXPECT_EQ(result.answer, "/missing cannot be read");
}

TEST_F(ChannelTest, TheBrowserPushCountsReceiversAndSucceedsWithoutAny) {
  EXPECT_EQ(send("browser").answer, "0 open browsers");
  browsers_ = 1;
  const auto result = send("browser");
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(result.answer, "1 open browser");
  const auto& push = pushed_.back();
  EXPECT_EQ(push.at("id"), "00ff00ff00ff00ff:3:browser");
  EXPECT_EQ(push.at("title"), "filling");
  EXPECT_EQ(push.at("text"), "/var has 7% left\nonly");
  EXPECT_EQ(push.at("severity"), "critical");
  EXPECT_EQ(push.at("state"), "firing");
  EXPECT_EQ(push.at("alert_id"), "00ff00ff00ff00ff");
}

TEST_F(ChannelTest, MistakesInSettingsNamePlaceAndRemedy) {
  EXPECT_EQ(set("ops/x", "pigeon", "{}"),
            Lines{"ops.yaml:3:5: channel ops/x: there is no type 'pigeon' (use one of email, slack, webhook)"});
  EXPECT_EQ(set("ops/x", "webhook", "{}"), Lines{"ops.yaml:3:5: channel ops/x: url is missing (add url: …)"});
  EXPECT_EQ(set("ops/x", "webhook", R"({"url": "http://h", "ulr": 1})"),
            Lines{"ops.yaml:3:5: channel ops/x: ulr is unknown (known: headers, url)"});
  EXPECT_EQ(set("ops/x", "webhook", R"({"url": "ftp://h"})"),
            Lines{"ops.yaml:3:5: channel ops/x: the URL must begin with http:// or https://"});
  EXPECT_EQ(set("ops/x", "email", R"({"smtp": "mail", "from": "a@b.c", "to": "x@y.z"})").size(), 1u);
  EXPECT_EQ(set("ops/x", "email", R"({"smtp": "smtp://m", "from": "a@b.c", "to": []})").size(), 1u);
  EXPECT_EQ(
      set("ops/x", "email", R"({"smtp": "smtp://m", "from": "a@b.c", "to": "x@y.z", "text": "{{ nope }}"})").size(),
      1u);
  EXPECT_EQ(set("browser", "webhook", kHook).size(), 1u);
}

TEST_F(ChannelTest, AWrongSetChangesNothing) {
  ASSERT_EQ(set("ops/hook", "webhook", kHook), Lines{});
  EXPECT_FALSE(
      book_.set_channels(default_tenant(), {{"a", "webhook", {{"url", "http://h"}}, {}}, {"b", "nope", {}, {}}})
          .empty());
  EXPECT_TRUE(book_.find(default_tenant(), "ops/hook"));
  EXPECT_FALSE(book_.find(default_tenant(), "a"));
}

TEST_F(ChannelTest, AnotherTenantHasOnlyTheBrowser) {
  ASSERT_EQ(set("ops/hook", "webhook", kHook), Lines{});
  ASSERT_EQ(book_.list(TenantId{"other"}).size(), 1u);
  EXPECT_EQ(book_.list(TenantId{"other"}).front().id, "browser");
}

TEST_F(ChannelTest, ADeclarationWithAMistakeNamesThePlace) {
  const auto place = [&](std::string_view yaml) {
    const auto type = parse_http_channel_type(yaml, "t.yaml", transport_);
    return type ? "no error" : type.error().place ? to_string(*type.error().place) : "no place";
  };
  EXPECT_EQ(place("package: base\nversion: 1.0.0\nchannel_types:\n  x:\n    url: 'u'\n    body: '{{ nope }}'\n"
                  "    success: {status: [200]}\n"),
            "t.yaml:6:11");
  EXPECT_EQ(place("package: base\nversion: 1.0.0\nchannel_types:\n  x:\n    url: 'u'\n    body: 'b'\n"
                  "    success: {status: [often]}\n"),
            "t.yaml:7:23");
}

TEST_F(ChannelTest, ATenantsOwnTypeTakesThePlaceOfTheCommonOne) {
  auto own = parse_http_channel_type(
      "package: base\nversion: 1.0.0\nchannel_types:\n  webhook:\n    settings: {url: {required: true}}\n"
      "    url: '{{ $settings.url }}'\n    body: 'mine'\n    success: {status: [200]}\n",
      "webhook.yaml", transport_);
  ASSERT_TRUE(own);
  book_.set_types(default_tenant(), {std::shared_ptr<const ChannelType>(std::move(*own))});
  ASSERT_EQ(set("ops/hook", "webhook", kHook), Lines{});
  send("ops/hook");
  EXPECT_EQ(transport_.requests.back().body, "mine");
  const TenantId other{"other"};
  ASSERT_TRUE(book_.set_channels(other, {{"ops/hook", "webhook", {{"url", "http://h"}}, {}}}).empty());
  ASSERT_TRUE(book_.find(other, "ops/hook")->send({}, now_).ok);
  EXPECT_NE(transport_.requests.back().body, "mine");
}

}  // namespace
}  // namespace atalaya::notify
