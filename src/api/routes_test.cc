#include "api/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "alerts/machine.h"
#include "alerts/rows.h"
#include "alerts/silence_rows.h"
#include "io/memory_file_system.h"
#include "net/router_match.h"
#include "routing/matchers.h"

namespace atalaya::api {
namespace {

using testing::HasSubstr;
using testing::Not;

namespace json = boost::json;

// 2026-11-23 is a Monday.
const Time kMonday = parse_time("2026-11-23T09:30:00Z").value();

constexpr std::string_view kConfig = R"(
route:
  receiver: ops
  group_by: [cluster]
  routes:
  - matchers: [team="dba"]
    receiver: dba
    continue: true
    group_wait: 0s
    mute_time_intervals: [office]
  - matchers: [team=~"dba|web"]
    receiver: web
    group_by: ['...']
    active_time_intervals: [nights]
receivers:
- name: ops
  webhook_configs: [{url: 'http://user:hunter2@ops/secret', send_resolved: false}]
- name: dba
- name: web
  pushover_configs: [{user_key: hunter2, token: hunter2}]
inhibit_rules:
- source_matchers: [alertname="down"]
  target_matchers: [severity!="critical"]
  equal: [cluster]
time_intervals:
- name: office
  time_intervals: [{weekdays: ['monday:friday'], times: [{start_time: '09:00', end_time: '17:00'}]}]
- name: nights
  time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]
)";

/// What acts, and one alert that inhibits everything of its cluster.
class Fixed final : public AlertRouting {
 public:
  std::vector<std::string> receivers(const TenantId&) const override { return {}; }
  std::vector<std::string> receivers_of(const TenantId&, const Labels&) const override { return {}; }
  AlertMutes mutes(const TenantId&, const Labels& seen) const override {
    if (inhibitor.get("cluster").empty() || seen.get("cluster") != inhibitor.get("cluster")) return {};
    return {{inhibitor}, {}};
  }
  std::vector<AlertGroup> groups(const TenantId&, const std::vector<alerts::Alert>&) const override { return {}; }
  Duration resolve_timeout(const TenantId&) const override { return Duration{1000}; }
  std::string configuration(const TenantId&) const override { return ""; }
  ActingRoutes acting(const TenantId&) const override { return routes; }

  ActingRoutes routes;
  Labels inhibitor;
};

class RoutesTest : public testing::Test {
 protected:
  RoutesTest() {
    EXPECT_TRUE(database_->migrate(alerts::Machine::migrations()));
    config::Errors errors;
    auto& routes = routing_.routes;
    routes.config = routing::read_config_text(std::string(kConfig), "am.yml", errors, routes.warnings);
    EXPECT_TRUE(errors.empty());
    routes.origin.file = "am.yml";
    routes.integrations = {{"ops", "webhook", "ops", false, true, {"am.yml", 18, 5}},
                           {"web", "pushover", "", true, false, {}}};
    auth_ = auth::Service::open(*database_, files_, clock_, "/data").value();
    Doors doors(router_, *auth_,
                auth::Principal{.tenant = default_tenant(), .name = "eve", .role = auth::Role::kViewer});
    add_routing_routes(doors, {alerts_, silences_, routing_, clock_});
  }
  void open(const std::string& id, const Labels& labels, alerts::Severity severity = alerts::Severity::kWarning) {
    alerts::StoredAlert stored;
    stored.alert.id = AlertId{id};
    stored.alert.name = std::string(labels.get("alertname"));
    stored.alert.labels = labels;
    stored.alert.state = alerts::State::kFiring;
    stored.alert.severity = severity;
    stored.alert.started = stored.alert.updated = kMonday;
    ASSERT_TRUE(
        database_->write([&](db::Session& session) { return alerts::store_alert(session, default_tenant(), stored); }));
  }
  json::object send(const std::string& method, const std::string& path, const std::string& body = "") {
    net::Request request{.method = method, .path = "/api/atalaya/v1/" + path, .body = body};
    std::vector<std::string> allowed;
    const auto* match = router_.find(method, request.path, request.captures, allowed);
    if (match == nullptr) return {{"status", "no route"}};
    auto answer = std::make_shared<std::promise<net::Response>>();
    auto got = answer->get_future();
    match->handler(std::move(request), [answer](net::Response response) { answer->set_value(std::move(response)); });
    text_ = got.get().body;
    return json::parse(text_).as_object();
  }
  json::object ask(const std::string& labels) {
    return send("POST", "routes/test", json::serialize(json::object{{"text", labels}}));
  }
  static std::string at(const json::value& value, const std::string& pointer) {
    return json::serialize(value.at_pointer(pointer));
  }

  ManualClock clock_{kMonday};
  io::MemoryFileSystem files_;
  std::unique_ptr<db::Database> database_ = db::open_sqlite(":memory:").value();
  alerts::Queries alerts_{*database_, &clock_};
  alerts::SilenceQueries silences_{*database_};
  Fixed routing_;
  std::unique_ptr<auth::Service> auth_;
  net::Router router_;
  std::string text_;
};

TEST_F(RoutesTest, TheTreeSaysWhatEachRouteDoesAndHowManyAlertsItHas) {
  open("a", {{"alertname", "slow"}, {"team", "dba"}});
  open("b", {{"alertname", "slow"}, {"team", "web"}});
  open("c", {{"alertname", "slow"}});
  const auto tree = send("GET", "routes");
  EXPECT_EQ(at(tree, "/built_in") + at(tree, "/file") + at(tree, "/open"), R"(false"am.yml"3)");
  EXPECT_EQ(at(tree, "/route/alerts") + at(tree, "/route/told"), "31");
  const auto& dba = tree.at("route").at("routes").at(0);
  EXPECT_EQ(at(dba, "/matchers") + at(dba, "/receiver") + at(dba, "/continue"), R"(["team=\"dba\""]"dba"true)");
  EXPECT_EQ(at(dba, "/group_wait") + at(dba, "/group_by") + at(dba, "/told"), R"("0s"["cluster"]1)");
  EXPECT_EQ(at(dba, "/muted_by"), R"(["office"])") << "on a Monday at half past nine";
  const auto& web = tree.at("route").at("routes").at(1);
  EXPECT_EQ(at(web, "/group_by") + at(web, "/told") + at(web, "/muted_by"), R"(["..."]2["nights"])");
  EXPECT_EQ(at(tree, "/time_intervals/1/name") + at(tree, "/time_intervals/1/within"), R"("office"true)");
  EXPECT_EQ(at(tree, "/time_intervals/1/times"), R"(["Monday to Friday, 09:00–17:00 UTC"])");
  EXPECT_EQ(at(tree, "/inhibit_rules/0/target") + at(tree, "/inhibit_rules/0/equal"),
            R"(["severity!=\"critical\""]["cluster"])");
  EXPECT_EQ(at(dba, "/place"), R"("am.yml:6:5")");
}

TEST_F(RoutesTest, ReceiversSayHowTheyAreToldAndNoSecret) {
  const auto tree = send("GET", "routes");
  EXPECT_EQ(at(tree, "/receivers/0/name") + at(tree, "/receivers/0/integrations"), R"("dba"[])");
  EXPECT_EQ(at(tree, "/receivers/1/integrations/0"),
            R"({"type":"webhook","target":"ops","send_resolved":false,"carried_out":true,"place":"am.yml:18:5"})");
  EXPECT_EQ(at(tree, "/receivers/2/integrations/0/carried_out"), "false");
  EXPECT_THAT(at(tree, "/warnings/0/message"), HasSubstr("pushover"));
  EXPECT_THAT(text_, Not(HasSubstr("hunter2")));
}

TEST_F(RoutesTest, AConfigurationOfAPackageNamesThePackageAndNoLinesOfATextThatNobodyWrote) {
  routing_.routes.origin = {"/data/packages/ops/package.yaml", "ops", {"shop"}};
  const auto tree = send("GET", "routes");
  EXPECT_EQ(at(tree, "/package") + at(tree, "/idle_packages"), R"("ops"["shop"])");
  EXPECT_THAT(text_, Not(HasSubstr("\"place\"")));
}

TEST_F(RoutesTest, LabelsFindTheirWayToReceiversAndGroups) {
  const auto found = ask(R"(team="dba", cluster=c1)");
  EXPECT_EQ(at(found, "/receivers"), R"(["dba","web"])");
  EXPECT_EQ(at(found, "/path/0"), R"({"route":"{}","takes":true,"ends":false})");
  EXPECT_EQ(at(found, "/routes/0/group_key"), R"("{}/{team=\"dba\"}:{cluster=\"c1\"}")");
  EXPECT_EQ(at(found, "/routes/0/muted_by"), R"(["office"])");
  EXPECT_EQ(at(found, "/routes/1/group_labels"), R"({"cluster":"c1","team":"dba"})");
  EXPECT_EQ(at(found, "/muted"), "true") << "both are told at other times";
  const auto root = ask("team=net");
  EXPECT_EQ(at(root, "/receivers") + at(root, "/muted"), R"(["ops"]false)");
  EXPECT_EQ(at(root, "/path/1/refuses"), R"("team=\"dba\"")");
  EXPECT_EQ(at(ask(""), "/receivers"), R"(["ops"])");
  const auto object = send("POST", "routes/test", R"({"labels":{"team":"web"}})");
  EXPECT_EQ(at(object, "/receivers"), R"(["web"])");
}

TEST_F(RoutesTest, WhatKeepsAnAlertQuietIsNamed) {
  routing_.inhibitor = Labels{{"alertname", "down"}, {"cluster", "c1"}};
  open("down1", routing_.inhibitor, alerts::Severity::kCritical);
  open("slow1", {{"alertname", "slow"}, {"cluster", "c1"}});
  alerts::Silence silence;
  silence.id = "s1";
  silence.matchers = routing::parse_matchers("alertname=slow").value();
  silence.starts = kMonday - std::chrono::hours{1};
  silence.ends = kMonday + std::chrono::hours{1};
  silence.comment = "works";
  ASSERT_TRUE(database_->write(
      [&](db::Session& session) { return alerts::store_silence(session, default_tenant(), silence); }));
  const auto found = send("POST", "routes/test", R"({"alert":"slow1"})");
  EXPECT_EQ(at(found, "/labels"), R"({"alertname":"slow","cluster":"c1","severity":"warning"})");
  EXPECT_EQ(at(found, "/alert/id") + at(found, "/muted"), R"("slow1"true)");
  EXPECT_EQ(at(found, "/silences/0/id") + at(found, "/silences/0/comment"), R"("s1""works")");
  EXPECT_EQ(at(found, "/inhibited_by/0/alert") + at(found, "/inhibited_by/0/rule"), R"("down1"0)");
  clock_.advance(std::chrono::hours{2});
  EXPECT_EQ(at(ask("alertname=slow"), "/silences") + at(ask("alertname=slow"), "/muted"), "[]false");
}

TEST_F(RoutesTest, QuestionsThatAreNoneAreRefusedInWords) {
  EXPECT_THAT(at(ask("team=~dba"), "/error"), HasSubstr("is no label"));
  EXPECT_THAT(at(ask("team=dba, x"), "/error"), HasSubstr("text"));
  EXPECT_THAT(at(send("POST", "routes/test", R"({"alert":"none"})"), "/error"), HasSubstr("there is no alert none"));
  EXPECT_THAT(at(send("POST", "routes/test", R"({"alert":"a","text":"b=c"})"), "/error"), HasSubstr("say the same"));
  EXPECT_THAT(at(send("POST", "routes/test", R"({"labels":{"a":1}})"), "/error"), HasSubstr("is no label"));
}

}  // namespace
}  // namespace atalaya::api
