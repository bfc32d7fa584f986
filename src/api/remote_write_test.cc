#include "api/remote_write.h"

#include <gmock/gmock.h>

#include <future>

#include "ingest/remote_write_for_tests.h"
#include "ingest/stores_for_tests.h"
#include "io/compress.h"
#include "io/memory_file_system.h"
#include "net/router_match.h"

namespace atalaya::api {
namespace {

using ingest::testing::BodyV1;
using ingest::testing::BodyV2;
using ingest::testing::label;
using ingest::testing::Proto;
using ::testing::HasSubstr;

constexpr const char* kV2Type = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
const ingest::testing::Pairs kUp{{"__name__", "up"}};

class RemoteWriteRouteTest : public ::testing::Test {
 protected:
  RemoteWriteRouteTest() {
    database_ = std::move(*db::open_sqlite(":memory:"));
    service_ = std::move(*auth::Service::open(*database_, files_, clock_, "/data"));
    stores_.commit_at_once = true;
    stores_.keep_first = true;
    token_ = token("ingest");
    serve(std::nullopt);
  }

  void serve(std::optional<auth::Principal> everybody) {
    router_ = std::make_unique<net::Router>();
    Doors doors(*router_, *service_, std::move(everybody));
    add_remote_write_routes(doors, writer_, workers_);
  }
  std::string token(const std::string& role) {
    return service_->create_token(TenantId{"blue"}, role, *auth::parse_role(role), std::chrono::hours{1})->token;
  }

  net::Response post(const std::string& body, const net::Headers& more = {}) {
    net::Request request;
    request.method = "POST";
    request.path = "/api/v1/write";
    request.headers = more;
    if (!token_.empty()) request.headers.add("Authorization", "Bearer " + token_);
    request.body = io::snappy_compress(body);
    std::vector<std::string> allowed;
    const auto* const match = router_->find("POST", request.path, request.captures, allowed);
    std::promise<net::Response> answer;
    match->handler(std::move(request), [&](net::Response response) { answer.set_value(std::move(response)); });
    return answer.get_future().get();
  }
  static net::Headers header(std::string name, std::string value) {
    net::Headers out;
    out.add(std::move(name), std::move(value));
    return out;
  }
  static std::string written(const net::Response& response) {
    std::string out;
    for (const auto* kind : {"Samples", "Histograms", "Exemplars"}) {
      out += std::string(response.headers.get(std::string("X-Prometheus-Remote-Write-") + kind + "-Written")) + ".";
    }
    return out;
  }

  ManualClock clock_{from_ms(1'700'000'000'000)};
  io::MemoryFileSystem files_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<auth::Service> service_;
  std::unique_ptr<net::Router> router_;
  telemetry::Registry metrics_;
  ingest::StoresForTests stores_;
  ingest::RemoteWriter writer_{stores_, stores_, metrics_};
  net::WorkerPool workers_{2, 4};
  std::string token_;
};

TEST_F(RemoteWriteRouteTest, EveryOfferedTypeIsTaken) {
  const auto v1 = BodyV1().series(kUp, {{1, 1}}).str();
  EXPECT_EQ(post(v1).status, 204) << "no type at all, as old senders do";
  for (const auto* type : {"application/x-protobuf", "Application/X-Protobuf; proto=prometheus.WriteRequest",
                           "application/x-protobuf;charset=x; proto=\"prometheus.WriteRequest\""}) {
    const auto response = post(v1, header("Content-Type", type));
    EXPECT_EQ(response.status, 204) << type;
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(written(response), "...") << "1.0 has no such headers";
  }
  const auto response = post(BodyV2().series(kUp, {{2, 1}, {3, 1}}).str(), header("Content-Type", kV2Type));
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(written(response), "2.0.0.");
  EXPECT_EQ(stores_.samples.size(), 3u);
}

TEST_F(RemoteWriteRouteTest, OtherTypesAndEncodingsAre415WithWhatIsTaken) {
  for (const auto* type : {"text/plain", "application/x-protobuf;proto=io.prometheus.write.v3.Request"}) {
    const auto response = post("", header("Content-Type", type));
    EXPECT_EQ(response.status, 415) << type;
    EXPECT_THAT(response.body, HasSubstr("io.prometheus.write.v2.Request"));
  }
  EXPECT_EQ(post("", header("Content-Encoding", "zstd")).status, 415);
  EXPECT_EQ(post("", header("Content-Encoding", "identity")).status, 415);
  EXPECT_EQ(post("", header("Content-Encoding", "Snappy")).status, 204);
  EXPECT_TRUE(stores_.samples.empty());
}

TEST_F(RemoteWriteRouteTest, APartlyRefusedBodyIs400AndSaysWhatWasWritten) {
  stores_.oldest = from_ms(2);
  const auto response = post(BodyV2().series(kUp, {{1, 1}, {2, 1}}).str(), header("Content-Type", kV2Type));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(written(response), "1.0.0.");
  EXPECT_THAT(response.body, HasSubstr("1 of 2 samples were written; refused: 1 too old; first: up at 1970"));
  EXPECT_EQ(response.body.find('\n'), std::string::npos) << "senders log the first line";
  EXPECT_EQ(stores_.samples.size(), 1u);
}

TEST_F(RemoteWriteRouteTest, NativeHistogramsAre400AndExemplarsAreNot) {
  BodyV2 body;
  body.add(body.labels(kUp).message(2, ingest::testing::sample(1, 1)).bytes(4, "")).add(body.labels(kUp).bytes(3, ""));
  const auto response = post(body.str(), header("Content-Type", kV2Type));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(written(response), "1.0.0.");
  EXPECT_THAT(response.body, HasSubstr("1 native histograms, which are not stored yet"));
  BodyV2 exemplars;
  exemplars.add(exemplars.labels(kUp).message(2, ingest::testing::sample(2, 1)).bytes(4, ""));
  EXPECT_EQ(post(exemplars.str(), header("Content-Type", kV2Type)).status, 204);
}

TEST_F(RemoteWriteRouteTest, AFullQueueIs429AndAFailingDisk503BothToBeTriedAgain) {
  stores_.refuse_appends = ErrorCode::kResourceExhausted;
  const auto full = post(BodyV2().series(kUp, {{1, 1}}).str(), header("Content-Type", kV2Type));
  EXPECT_EQ(full.status, 429);
  EXPECT_EQ(full.headers.get("Retry-After"), "1");
  EXPECT_EQ(written(full), "0.0.0.");
  stores_.refuse_appends = ErrorCode::kUnavailable;
  const auto failing = post(BodyV1().series(kUp, {{1, 1}}).str());
  EXPECT_EQ(failing.status, 503);
  EXPECT_EQ(failing.headers.get("Retry-After"), "5");
}

TEST_F(RemoteWriteRouteTest, DamageIsTheSendersFault) {
  EXPECT_EQ(post("\x0a\x7f").status, 400);
  const auto response = post("\x2a\x7f", header("Content-Type", kV2Type));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(written(response), "0.0.0.");
}

TEST_F(RemoteWriteRouteTest, ReadersDoNotWriteAndOnlyTheCredentialNamesTheTenant) {
  const auto body = BodyV1().series(kUp, {{1, 1}}).str();
  EXPECT_EQ(post(body, header("X-Scope-OrgID", "blue")).status, 204);
  EXPECT_EQ(post(body, header("X-Scope-OrgID", "red")).status, 403);
  token_ = token("viewer");
  EXPECT_EQ(post(body).status, 403);
  token_ = token("operator");
  EXPECT_EQ(post(body).status, 204);
  token_ = "";
  EXPECT_EQ(post(body).status, 401);
  serve(auth::everybody_is_admin(default_tenant()));
  EXPECT_EQ(post(body).status, 204);
  EXPECT_EQ(post(body, header("X-Scope-OrgID", "red")).status, 403);
}

}  // namespace
}  // namespace atalaya::api
