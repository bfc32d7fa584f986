// An agent and a server's door in one process, over real sockets and TLS.
#include "agent/agent.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <set>

#include "collect/scrape/targets_text.h"
#include "ingest/agent_hub.h"
#include "ingest/stores_for_tests.h"
#include "model/sample.h"
#include "net/server.h"
#include "net/tls.h"
#include "net/url.h"

namespace atalaya::agent {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

/// Far longer than anything takes: it bounds a broken test, not a working one.
constexpr auto kPatience = 60s;

class Directory final : public ingest::AgentDirectory {
 public:
  ingest::AgentConfig config_for(const ingest::AgentPeer&) override {
    const std::lock_guard lock(mutex);
    return config;
  }
  void connected(const ingest::AgentPeer&, const ingest::HelloFrame& hello) override {
    const std::lock_guard lock(mutex);
    hellos.push_back(hello);
    changed.notify_all();
  }
  void heard(const ingest::AgentPeer&) override {
    const std::lock_guard lock(mutex);
    changed.notify_all();
  }
  void disconnected(const ingest::AgentPeer&) override {}

  std::mutex mutex;
  std::condition_variable changed;
  ingest::AgentConfig config{"1", "{}"};
  std::vector<ingest::HelloFrame> hellos;
};

class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    std::string pattern = testing::TempDir() + "/agent_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    stores_.commit_at_once = true;
    options_.data_dir = directory_ + "/data";
    options_.version = "9.9";
    options_.host_period = Duration{100};
    start_server();
  }
  ~AgentTest() override {
    agent_.reset();
    hub_.stop();
    server_->stop();
    std::filesystem::remove_all(directory_);
  }

  void start_server() {
    const auto cert = directory_ + "/cert.pem";
    const auto key = directory_ + "/key.pem";
    EXPECT_TRUE(net::make_self_signed(cert, key, {"localhost", "127.0.0.1"}));
    fingerprint_ = *net::certificate_fingerprint(cert);
    auto router = std::make_shared<net::Router>();
    router->add("POST", "/api/atalaya/v1/agents/enroll", [](const net::Request& request, const net::Respond& respond) {
      const auto body = json::parse(request.body).as_object();
      if (!body.at("token").as_string().starts_with("good."))
        return respond(net::Response::error({ErrorCode::kUnauthenticated, "unknown token", {}, {}}));
      respond(net::Response::json(R"({"agent_id":"id-1","secret":"s3cret","tenant":"default"})", 201));
    });
    router->add("POST", "/api/atalaya/v1/agents/token",
                [this](const net::Request& request, const net::Respond& respond) {
                  const auto body = json::parse(request.body).as_object();
                  if (body.at("agent_id").as_string() != "id-1" || body.at("secret").as_string() != "s3cret")
                    return respond(net::Response::error({ErrorCode::kUnauthenticated, "no", {}, {}}));
                  ++tokens_;
                  respond(net::Response::json(R"({"access_token":"jwt-1","expires_in":900})"));
                });
    router->add_websocket(
        "/api/atalaya/v1/agents/connect", [this](const net::Request& request) -> Result<net::WebSocketOpened> {
          if (request.headers.get("Authorization") != "Bearer jwt-1") return fail(ErrorCode::kUnauthenticated, "no");
          return [this](std::shared_ptr<net::WebSocket> socket) -> net::WebSocketEvents {
            last_socket_ = socket;
            auto session = hub_.open(
                {default_tenant(), AgentId{"id-1"}, "web1"},
                [socket](std::string frame) { socket->send(std::move(frame), true); },
                [socket](std::uint16_t code, std::string why) { socket->close(code, std::move(why)); });
            return {[session](const std::string& m, bool binary) { session->on_message(m, binary); },
                    [this, session] { hub_.closed(session); }};
          };
        });
    net::ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    options.tls = net::TlsFiles{cert, key};
    server_ = std::make_unique<net::HttpServer>(router, options, registry_, clock_);
    ASSERT_TRUE(server_->start());
  }

  std::string url() const { return "https://127.0.0.1:" + std::to_string(server_->port()); }
  Result<Identity> enrol_with(const std::string& token) { return enrol({url(), token, "web1", "9.9", false, {}}); }

  void start_agent() {
    const auto identity = enrol_with("good." + fingerprint_);
    ASSERT_TRUE(identity) << to_string(identity.error());
    agent_ = std::make_unique<AgentThread>(options_, *identity, *files_, clock_);
    const auto started = agent_->start();
    ASSERT_TRUE(started) << to_string(started.error());
  }
  void configure(const std::string& text) {
    {
      const std::lock_guard lock(hub_directory_.mutex);
      hub_directory_.config = {std::to_string(++revision_), text};
    }
    hub_.push_configs(default_tenant());
  }

  /// Waits for acknowledged batches until `ready` holds.
  bool until(const std::function<bool()>& ready) {
    std::unique_lock lock(hub_directory_.mutex);
    return hub_directory_.changed.wait_for(lock, kPatience, ready);
  }
  bool has_sample(const std::string& series, double value) const {
    return std::ranges::any_of(stores_.samples, [&](const auto& s) { return s.series == series && s.value == value; });
  }
  std::vector<std::string> lines(std::string_view label, std::string_view value) const {
    std::vector<std::string> out;
    for (const auto& record : stores_.lines)
      if (record.labels.get(label) == value) out.push_back(record.line);
    return out;
  }

  std::string directory_;
  SystemClock clock_;
  std::unique_ptr<io::FileSystem> files_ = io::real_file_system();
  telemetry::Registry registry_;
  ingest::StoresForTests stores_;
  Directory hub_directory_;
  ingest::AgentHub hub_{stores_.series(), stores_.logs(), registry_, clock_, hub_directory_};
  std::unique_ptr<net::HttpServer> server_;
  std::shared_ptr<net::WebSocket> last_socket_;
  std::string fingerprint_;
  std::atomic<int> tokens_{0};
  int revision_ = 1;
  AgentOptions options_;
  std::unique_ptr<AgentThread> agent_;
};

TEST_F(AgentTest, EnrolmentBelievesOnlyTheCertificateThatTheTokenNames) {
  const auto identity = enrol_with("good." + fingerprint_);
  ASSERT_TRUE(identity) << to_string(identity.error());
  EXPECT_EQ(*identity, (Identity{url(), "id-1", "s3cret", "default", "web1", fingerprint_}));
  const auto other = enrol_with("good.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kPermissionDenied);
  const auto refused = enrol_with("bad." + fingerprint_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("unknown token"), std::string::npos) << refused.error().message;
  EXPECT_FALSE(enrol_with("no-dot"));
}

TEST_F(AgentTest, MeasuresItsMachineAndSaysSoOverTls) {
  start_agent();
  EXPECT_TRUE(until([&] { return has_sample(R"(up{instance="web1", job="node"})", 1); }));
  EXPECT_TRUE(until([&] { return has_sample(R"(up{instance="web1", job="agent"})", 1); }));
  const std::lock_guard lock(hub_directory_.mutex);
  EXPECT_EQ(hub_directory_.hellos.at(0).version, "9.9");
}

TEST_F(AgentTest, FollowsAFileThatTheConfigurationNames) {
  const auto path = directory_ + "/app.log";
  std::ofstream(path) << "";
  start_agent();
  EXPECT_TRUE(until([&] { return !hub_directory_.hellos.empty(); }));
  configure(R"({"collectors":[{"id":"p/files/app","type":"log","period":"1s","path":")" + path +
            R"(","from_start":true}]})");
  std::ofstream(path, std::ios::app) << "one\nERROR two\n";
  EXPECT_TRUE(until([&] { return lines("file", path).size() == 2; }));
  EXPECT_EQ(lines("level", "error"), std::vector<std::string>{"ERROR two"});

  agent_.reset();
  std::ofstream(path, std::ios::app) << "three\n";
  start_agent();
  EXPECT_TRUE(until([&] { return lines("file", path).size() >= 3; }));
  EXPECT_EQ(lines("file", path), (std::vector<std::string>{"one", "ERROR two", "three"}));
}

TEST_F(AgentTest, ABrokenCollectorReportsItselfAndTheOthersRun) {
  start_agent();
  EXPECT_TRUE(until([&] { return !hub_directory_.hellos.empty(); }));
  configure(R"({"collectors":[{"id":"p/c/bad","type":"process","regex":"("},{"id":"p/c/odd","type":"magic"},)"
            R"({"id":"p/c/here","type":"process","name":"no-such-process","period":"100ms"}]})");
  EXPECT_TRUE(until([&] {
    return lines("collector", "p/c/bad").size() == 1 && lines("collector", "p/c/odd").size() == 1 &&
           lines("check", "here").size() == 1;
  }));
  EXPECT_TRUE(until([&] {
    return has_sample(R"(atalaya_agent_collector_up{collector="p/c/bad", instance="web1", job="agent"})", 0) &&
           has_sample(R"(atalaya_agent_collector_up{collector="p/c/here", instance="web1", job="agent"})", 1);
  }));
}

TEST_F(AgentTest, ChecksTellUpAndDownWithAText) {
  start_agent();
  EXPECT_TRUE(until([&] { return !hub_directory_.hellos.empty(); }));
  const auto port = std::to_string(server_->port());
  configure(R"({"collectors":[{"id":"p/checks/open","type":"tcp","address":"127.0.0.1:)" + port +
            R"(","period":"100ms"},{"id":"p/checks/shut","type":"tcp","address":"127.0.0.1:1","period":"100ms"}]})");
  const auto series = [](const std::string& check, const std::string& target) {
    return "check_up{check=\"" + check + "\", instance=\"web1\", job=\"check\", target=\"" + target +
           "\", type=\"tcp\"}";
  };
  EXPECT_TRUE(until([&] {
    return has_sample(series("open", "127.0.0.1:" + port), 1) && has_sample(series("shut", "127.0.0.1:1"), 0);
  }));
  EXPECT_TRUE(until([&] { return lines("check", "shut").size() == 1 && lines("check", "open").size() == 1; }));
}

TEST_F(AgentTest, ComesBackAfterTheConnectionBroke) {
  start_agent();
  EXPECT_TRUE(until([&] { return has_sample(R"(up{instance="web1", job="node"})", 1); }));
  last_socket_->close(1011, "test");
  EXPECT_TRUE(until([&] { return hub_directory_.hellos.size() >= 2; }));
  std::size_t before = 0;
  EXPECT_TRUE(until([&] {
    if (before == 0) before = stores_.samples.size();
    return stores_.samples.size() > before;
  }));
  // No instant is there twice.
  std::set<std::pair<std::string, std::int64_t>> seen;
  const std::lock_guard lock(hub_directory_.mutex);
  for (const auto& sample : stores_.samples)
    EXPECT_TRUE(seen.insert({sample.series, to_ms(sample.time)}).second) << sample.series;
}

TEST_F(AgentTest, RunsAProgramForTheServerAndAnswers) {
  start_agent();
  EXPECT_TRUE(until([&] { return has_sample(R"(up{instance="web1", job="agent"})", 1); }));
  ingest::CallFrame call;
  call.program = "#!/bin/sh\necho \"$1 $NAME\"; cat; echo oh >&2; exit 4";
  call.arguments = {"a b"};
  call.input = "in";
  call.environment = {{"NAME", "n"}};
  call.time = kPatience;
  const auto result = hub_.call(default_tenant(), AgentId{"id-1"}, call, kPatience);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->output, "a b n\nin");
  EXPECT_EQ(result->errors, "oh\n");
  EXPECT_EQ(result->status, 4);
  call.program = "no script";
  EXPECT_EQ(hub_.call(default_tenant(), AgentId{"id-1"}, call, kPatience).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(AgentTest, MeasuresWhileACallRunsAndEndsItWithItself) {
  start_agent();
  EXPECT_TRUE(until([&] { return has_sample(R"(up{instance="web1", job="agent"})", 1); }));
  ingest::CallFrame call;
  call.program = "#!/bin/sh\nsleep 100000";
  call.time = ingest::kMaxCallTime;
  auto answer = std::async(std::launch::async,
                           [&] { return hub_.call(default_tenant(), AgentId{"id-1"}, call, ingest::kMaxCallTime); });
  auto& calls = registry_.counter("atalaya_agent_calls_total", "");
  EXPECT_TRUE(until([&] { return calls.value() == 1; }));
  const auto count = [&] {
    return std::ranges::count_if(stores_.samples, [](const auto& s) { return s.series.starts_with("up{"); });
  };
  const auto before = count();
  EXPECT_TRUE(until([&] { return count() > before + 10; }));
  agent_.reset();
  EXPECT_EQ(answer.get().error().code, ErrorCode::kUnavailable);
}

TEST_F(AgentTest, WithoutScriptsItRefusesCallsAndScriptCollectors) {
  options_.scripts = false;
  start_agent();
  EXPECT_TRUE(until([&] { return has_sample(R"(up{instance="web1", job="agent"})", 1); }));
  ingest::CallFrame call;
  call.program = "#!/bin/sh\n";
  const auto error = hub_.call(default_tenant(), AgentId{"id-1"}, call, kPatience).error();
  EXPECT_EQ(error.code, ErrorCode::kPermissionDenied);
  EXPECT_NE(error.remedy.find("--scripts"), std::string::npos);
  configure(R"({"collectors":[{"id":"p/c/s","type":"script","program":"#!/bin/sh\n"}]})");
  EXPECT_TRUE(until([&] { return lines("collector", "p/c/s").size() == 1; }));
}

TEST_F(AgentTest, AScriptOfThePackageMeasures) {
  start_agent();
  EXPECT_TRUE(until([&] { return !hub_directory_.hellos.empty(); }));
  configure(R"({"collectors":[{"id":"p/c/sizes","type":"script","period":"200ms","timeout":"60s",)"
            R"("program":"#!/bin/sh\necho \"size{of=\\\"$1\\\"} 7\"\n","arguments":["it"]}]})");
  EXPECT_TRUE(until([&] {
    return has_sample(R"(size{instance="web1", job="sizes", of="it"})", 7) &&
           has_sample(R"(script_up{instance="web1", job="sizes", script="sizes"})", 1);
  }));
}

/// A program whose metrics are scraped.
class Exporter {
 public:
  explicit Exporter(const Clock& clock) {
    auto router = std::make_shared<net::Router>();
    router->add("GET", "/metrics", [this](const net::Request&, const net::Respond& respond) {
      const std::lock_guard lock(mutex_);
      respond(body_.empty() ? net::Response::error({ErrorCode::kInternal, "broken", {}, {}})
                            : net::Response::text(body_));
    });
    net::ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    server_ = std::make_unique<net::HttpServer>(router, options, registry_, clock);
    EXPECT_TRUE(server_->start());
  }
  ~Exporter() { server_->stop(); }
  void answer(std::string body) {
    const std::lock_guard lock(mutex_);
    body_ = std::move(body);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(server_->port()); }

 private:
  std::mutex mutex_;
  std::string body_ = "a 7\nb 2\n";
  telemetry::Registry registry_;
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(AgentTest, ScrapesWhatTheConfigurationSaysAndEndsWhatItNoLongerSays) {
  Exporter exporter(clock_);
  const auto job = [&](const std::string& more) {
    return R"({"collectors":[{"id":"p/shop","type":"scrape","period":"1s","config":{"job_name":"shop",)"
           R"("scrape_interval":100,"scrape_timeout":100,"static_configs":[{"targets":[")" +
           exporter.address() + R"("]}])" + more + "}}]}";
  };
  const auto series = [&](const std::string& name) {
    return name + R"({exported_instance=")" + exporter.address() + R"(", instance="web1", job="shop"})";
  };
  const auto ended = [&](const std::string& name) {
    return std::ranges::any_of(stores_.samples,
                               [&](const auto& s) { return s.series == series(name) && is_stale(s.value); });
  };
  start_agent();
  EXPECT_TRUE(until([&] { return !hub_directory_.hellos.empty(); }));
  configure(job(""));
  EXPECT_TRUE(until([&] { return has_sample(series("a"), 7) && has_sample(series("up"), 1); }));
  ingest::CallFrame question;
  question.kind = "targets";
  const auto answer = hub_.call(default_tenant(), AgentId{"id-1"}, question, std::chrono::minutes{1});
  ASSERT_TRUE(answer) << to_string(answer.error());
  const auto view = collect::scrape::read_targets_text(answer->output);
  ASSERT_TRUE(view) << to_string(view.error());
  ASSERT_EQ(view->active.size(), 1u);
  EXPECT_EQ(view->active[0].health, "up");
  EXPECT_EQ(view->active[0].discovered.get("__meta_atalaya_host"), "web1");

  configure(job(R"(,"metric_relabel_configs":[{"source_labels":["__name__"],"regex":"b","action":"drop"}])"));
  EXPECT_TRUE(until([&] { return ended("b"); }));
  {
    const std::lock_guard lock(hub_directory_.mutex);
    EXPECT_FALSE(ended("a")) << "a job that changes goes on";
    EXPECT_FALSE(ended("up"));
  }
  exporter.answer("");
  EXPECT_TRUE(until([&] { return has_sample(series("up"), 0) && ended("a"); }));
  configure("{}");
  EXPECT_TRUE(until([&] { return ended("up"); }));
}

TEST_F(AgentTest, AScrapeThatItCannotDoIsReportedByItsField) {
  start_agent();
  EXPECT_TRUE(until([&] { return !hub_directory_.hellos.empty(); }));
  configure(R"({"collectors":[{"id":"p/shop","type":"scrape","config":{"job_name":"shop","dns_sd_configs":[{}]}}]})");
  EXPECT_TRUE(until([&] { return lines("collector", "p/shop").size() == 1; }));
  const std::lock_guard lock(hub_directory_.mutex);
  EXPECT_NE(lines("collector", "p/shop")[0].find("collector p/shop: dns_sd_configs: "), std::string::npos);
}

TEST(Identity, IsKeptForItsOwnerOnly) {
  std::string pattern = testing::TempDir() + "/identity_XXXXXX";
  const std::string directory = ::mkdtemp(pattern.data());
  const auto files = io::real_file_system();
  EXPECT_EQ(load_identity(*files, directory).error().code, ErrorCode::kNotFound);
  const Identity identity{"https://a:1", "id", "secret", "default", "web1", "pin"};
  ASSERT_TRUE(save_identity(*files, directory, identity));
  struct stat status{};
  ASSERT_EQ(::stat(identity_path(directory).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(load_identity(*files, directory).value(), identity);

  ::chmod(identity_path(directory).c_str(), 0644);
  EXPECT_EQ(load_identity(*files, directory).error().code, ErrorCode::kPermissionDenied);
  ::chmod(identity_path(directory).c_str(), 0600);
  std::ofstream(identity_path(directory)) << "{}";
  EXPECT_EQ(load_identity(*files, directory).error().code, ErrorCode::kCorruption);
  std::filesystem::remove_all(directory);
}

TEST(ConnectOptions, ThePasswordFileJoinsTheProxy) {
  const auto path = testing::TempDir() + "/proxy_password";
  std::ofstream(path) << "p@ss:w/rd\nignored\n";
  AgentOptions options;
  options.proxy = "http://user@proxy:3128";
  options.proxy_password_file = path;
  const auto connect = connect_options(options);
  ASSERT_TRUE(connect);
  const auto url = net::parse_url(connect->proxy);
  ASSERT_TRUE(url);
  EXPECT_EQ(url->user, "user");
  EXPECT_EQ(url->password, "p@ss:w/rd");
  EXPECT_EQ(url->port, 3128);
  options.proxy.clear();
  EXPECT_FALSE(connect_options(options));
}

}  // namespace
}  // namespace atalaya::agent
