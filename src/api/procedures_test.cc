#include "api/procedures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "api/audit.h"
#include "io/memory_file_system.h"
#include "net/router_match.h"

namespace atalaya::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

namespace json = boost::json;

const Time kNow = from_ms(1'767'225'600'000);

auth::Principal person(auth::Role role) {
  return {.tenant = default_tenant(), .subject = "u1", .name = "ana", .role = role};
}

/// Two hosts, one procedure, and an agent that is this test.
class ProceduresTest : public testing::Test {
 protected:
  ProceduresTest() {
    database_ = db::open_sqlite(":memory:").value();
    hosts_ = registry::Hosts::open(*database_).value();
    audit_ = registry::Audit::open(*database_).value();
    enrol("a1", "web1");
    enrol("a2", "web2");
    procedure_.id = "shop/queues/empty";
    procedure_.package = "shop";
    procedure_.title = "Empty a queue";
    procedure_.on = "web*";
    procedure_.program = "#!/bin/sh\n";
    procedure_.timeout = Duration{3000};
    procedure_.arguments = {json::object{{"name", "queue"}, {"kind", "text"}},
                            json::object{{"name", "key"}, {"kind", "secret"}}};
    procedures_ = std::make_unique<Procedures>(ProcedureServices{
        .list = [this](const TenantId&) { return std::vector{procedure_}; },
        .find = [this](const TenantId&, const std::string& package, const std::string& name) -> Result<Procedure> {
          if (package + "/" + name != procedure_.id) return fail(ErrorCode::kNotFound, "no such procedure");
          return procedure_;
        },
        .check_arguments = [](const TenantId&, const Procedure&,
                              const json::object& given) -> Result<CheckedArguments> {
          CheckedArguments out{given, {}};
          if (given.contains("bad")) out.wrong.push_back({"bad", "bad is no argument", "leave it out"});
          if (given.contains("worse")) out.wrong.push_back({"worse", "worse is none either", ""});
          out.values.emplace("limit", 10);
          return out;
        },
        .call =
            [this](const TenantId&, const AgentId& agent, ingest::CallFrame frame, Duration timeout) {
              agent_ = agent.value();
              frame_ = std::move(frame);
              timeout_ = timeout;
              clock_.advance(Duration{25});
              return answer_;
            },
        .hosts = *hosts_,
        .audit = *audit_,
        .clock = clock_});
  }
  void enrol(const std::string& id, const std::string& name) {
    ASSERT_TRUE(hosts_->enrolled(default_tenant(), AgentId{id}, name, "1.0", kNow));
  }
  Result<json::object> call(json::object arguments = {}, const std::string& on = "web1",
                            auth::Role role = auth::Role::kOperator) {
    AT_TRY(auto outcome, procedures_->call(person(role), "shop", "queues/empty", arguments, on));
    if (!outcome.wrong.empty()) return fail(ErrorCode::kInvalidArgument, outcome.wrong.front().message);
    return std::move(outcome.answer);
  }
  /// `who action object: detail`, the oldest first.
  std::vector<std::string> audited() {
    std::vector<std::string> out;
    const auto entries = audit_->list(default_tenant(), 100).value();
    for (const auto& e : entries) out.insert(out.begin(), e.who + " " + e.action + " " + e.object + ": " + e.detail);
    return out;
  }

  std::unique_ptr<db::Database> database_;
  std::unique_ptr<registry::Hosts> hosts_;
  std::unique_ptr<registry::Audit> audit_;
  ManualClock clock_{kNow};
  Procedure procedure_;
  Result<ingest::CallResult> answer_ = ingest::CallResult{3, false, "out\xff", "err"};
  std::string agent_;
  ingest::CallFrame frame_;
  Duration timeout_{};
  std::unique_ptr<Procedures> procedures_;
};

TEST_F(ProceduresTest, TheProgramGetsItsArgumentsAndTheCallerItsAnswer) {
  const auto answer = call({{"queue", "orders"}}, "web2");
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(json::serialize(*answer),
            "{\"status\":3,\"timed_out\":false,\"output\":\"out\uFFFD\",\"errors\":\"err\",\"duration_ms\":25,"
            "\"host\":\"web2\"}");
  EXPECT_EQ(agent_, "a2");
  EXPECT_EQ(frame_.program, "#!/bin/sh\n");
  EXPECT_EQ(frame_.input, R"({"queue":"orders","limit":10})");
  EXPECT_EQ(frame_.environment.at("ATALAYA_PROCEDURE"), "shop/queues/empty");
  EXPECT_EQ(frame_.environment.at("ATALAYA_HOST"), "web2");
  EXPECT_EQ(frame_.environment.at("ATALAYA_CALLER"), "ana");
  EXPECT_EQ(frame_.time, Duration{3000});
  EXPECT_EQ(frame_.output_bytes, 1u << 20);
  EXPECT_GT(timeout_, Duration{3000});
}

TEST_F(ProceduresTest, EveryCallStandsInTheAuditLogBeforeAndAfterWithoutSecrets) {
  call({{"queue", "orders"}, {"key", "hunter2"}}).value();
  answer_ = fail(ErrorCode::kUnavailable, "web1 is not connected");
  EXPECT_EQ(call().error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(
      audited(),
      ElementsAre("ana procedure.call shop/queues/empty: on web1: {\"queue\":\"orders\",\"key\":\"•••\",\"limit\":10}",
                  "ana procedure.end shop/queues/empty: on web1: exit code 3, 25 ms",
                  "ana procedure.call shop/queues/empty: on web1: {\"limit\":10}",
                  "ana procedure.end shop/queues/empty: on web1: web1 is not connected"));
}

TEST_F(ProceduresTest, WhoHasNotTheRoleIsRefusedAndThatIsNoted) {
  procedure_.role = auth::Role::kAdmin;
  EXPECT_EQ(call().error().code, ErrorCode::kPermissionDenied);
  EXPECT_TRUE(agent_.empty());
  EXPECT_THAT(audited(), ElementsAre(HasSubstr("ana procedure.refused shop/queues/empty: this needs the role admin")));
  EXPECT_TRUE(call({}, "web1", auth::Role::kAdmin));
}

TEST_F(ProceduresTest, WrongArgumentsReachNoHost) {
  EXPECT_EQ(call({{"bad", 1}}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(procedures_->call(person(auth::Role::kAdmin), "shop", "other", {}, "").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(agent_.empty());
  EXPECT_TRUE(audited().empty());
}

TEST_F(ProceduresTest, TheHostIsTheProceduresOrTheCallersChoiceWithinIt) {
  EXPECT_EQ(call({}, "").error().code, ErrorCode::kInvalidArgument) << "web1 or web2?";
  EXPECT_EQ(call({}, "db1").error().code, ErrorCode::kInvalidArgument) << "not of the pattern";
  EXPECT_EQ(call({}, "web9").error().code, ErrorCode::kNotFound);
  procedure_.on = "web2";
  EXPECT_EQ(call({}, "").value().at("host"), "web2");
  procedure_.on = "";
  EXPECT_EQ(call({}, "").error().code, ErrorCode::kInvalidArgument) << "nobody named one";
  EXPECT_EQ(call({}, "web1").value().at("host"), "web1");
}

TEST_F(ProceduresTest, BoundsOfTheProtocolHold) {
  procedure_.output_limit = 16 << 20;
  procedure_.timeout = std::chrono::hours{5};
  EXPECT_TRUE(call());
  EXPECT_EQ(frame_.output_bytes, ingest::kMaxCallOutputBytes);
  EXPECT_EQ(frame_.time, ingest::kMaxCallTime);
}

/// The routes, with everybody an administrator.
class ProcedureRoutesTest : public ProceduresTest {
 protected:
  ProcedureRoutesTest() {
    auth_ = auth::Service::open(*database_, files_, clock_, "/data").value();
    Doors doors(router_, *auth_, person(auth::Role::kAdmin));
    add_procedure_routes(doors, *procedures_, workers_);
    add_audit_routes(doors, *audit_);
  }
  ~ProcedureRoutesTest() override { workers_.stop(); }

  std::string send(const std::string& method, const std::string& path, const std::string& query = "",
                   const std::string& body = "") {
    net::Request request{.method = method, .path = path, .query = net::Parameters::parse(query), .body = body};
    std::vector<std::string> allowed;
    const auto* match = router_.find(method, path, request.captures, allowed);
    if (match == nullptr) return "no route";
    auto answer = std::make_shared<std::promise<net::Response>>();
    auto got = answer->get_future();
    match->handler(std::move(request), [answer](net::Response response) { answer->set_value(std::move(response)); });
    auto response = got.get();
    return std::to_string(response.status) + " " + response.body;
  }

  io::MemoryFileSystem files_;
  std::unique_ptr<auth::Service> auth_;
  net::Router router_;
  net::WorkerPool workers_{1, 1};
};

TEST_F(ProcedureRoutesTest, AProcedureIsListedCalledAndAudited) {
  EXPECT_EQ(
      send("GET", "/api/atalaya/v1/procedures"),
      R"(200 {"procedures":[{"id":"shop/queues/empty","package":"shop","title":"Empty a queue","help":"",)"
      R"("role":"operator","on":"web*","arguments":[{"name":"queue","kind":"text"},{"name":"key","kind":"secret"}]}]})");
  EXPECT_THAT(send("POST", "/api/atalaya/v1/rpc/shop/queues/empty", "", R"({"arguments":{"queue":"a"},"on":"web1"})"),
              HasSubstr(R"(200 {"status":3,"timed_out":false)"));
  EXPECT_EQ(frame_.input, R"({"queue":"a","limit":10})");
  EXPECT_THAT(
      send("GET", "/api/atalaya/v1/audit", "limit=1"),
      HasSubstr(R"(200 {"entries":[{"id":2,"at":"2026-01-01T00:00:00.025Z","who":"ana","action":"procedure.end")"));
  EXPECT_THAT(send("GET", "/api/atalaya/v1/audit", "before=2"), HasSubstr("procedure.call"));
  EXPECT_THAT(send("GET", "/api/atalaya/v1/audit", "before=2"), Not(HasSubstr("procedure.end")));
}

TEST_F(ProcedureRoutesTest, EveryWrongArgumentIsToldByItsName) {
  const std::string body = R"({"arguments":{"bad":1,"worse":2},"on":"web1"})";
  const std::string told =
      R"-(400 {"status":"error","errorType":"bad_data","error":"bad is no argument (and 1 more)",)-"
      R"-("remedy":"leave it out","errors":[{"field":"bad","message":"bad is no argument","remedy":"leave it out"},)-"
      R"-({"field":"worse","message":"worse is none either","remedy":""}]})-";
  EXPECT_EQ(send("POST", "/api/atalaya/v1/rpc/shop/queues/empty", "", body), told);
  EXPECT_TRUE(agent_.empty());
}

TEST_F(ProcedureRoutesTest, WrongBodiesAndParametersAreToldSo) {
  const std::string path = "/api/atalaya/v1/rpc/shop/queues/empty";
  EXPECT_THAT(send("POST", path, "", R"({"arguments":[1]})"), HasSubstr("field \\\"arguments\\\" must be an object"));
  EXPECT_THAT(send("POST", path, "", R"({"argument":{}})"), HasSubstr("unknown field"));
  EXPECT_THAT(send("GET", "/api/atalaya/v1/audit", "before=x"), HasSubstr("400 "));
  EXPECT_THAT(send("GET", "/api/atalaya/v1/audit", "limit=0"), HasSubstr("400 "));
}

TEST_F(ProcedureRoutesTest, MoreCallsThanWaitAreRefusedNotQueued) {
  workers_.stop();
  EXPECT_THAT(send("POST", "/api/atalaya/v1/rpc/shop/queues/empty"), HasSubstr("429 "));
}

}  // namespace
}  // namespace atalaya::api
