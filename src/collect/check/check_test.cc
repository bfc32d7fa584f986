#include "collect/check/check.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "net/server.h"

namespace atalaya::collect::check {
namespace {

class CheckTest : public testing::Test {
 protected:
  CheckTest() {
    std::string pattern = testing::TempDir() + "/check_XXXXXX";
    root_ = std::string(::mkdtemp(pattern.data())) + "/";
    std::filesystem::create_directories(root_ + "proc/self");
  }
  ~CheckTest() override { std::filesystem::remove_all(root_); }

  void process(int pid, const std::string& name, const std::string& command, char state = 'S') {
    const auto directory = root_ + "proc/" + std::to_string(pid);
    std::filesystem::create_directories(directory);
    std::ofstream(directory + "/stat") << pid << " (" << name << ") " << state << " 1 1 1";
    std::ofstream(directory + "/cmdline", std::ios::binary) << command;
  }
  void end_process(int pid) { std::filesystem::remove_all(root_ + "proc/" + std::to_string(pid)); }

  std::unique_ptr<Check> make(CollectorSpec spec) {
    spec.id = "p/checks/it";
    auto made = Check::make(
        spec, {.instance = "web1", .root = root_, .labels = labels_, .loop = loop_, .clock = clock_, .wake = [this] {
                 loop_.stop();
               }});
    EXPECT_TRUE(made) << to_string(made.error());
    return std::move(*made);
  }

  struct Seen {
    double up = -1;
    std::string line;
    std::string level;
    std::string target;
  };
  Seen look(Check& check) {
    clock_.advance(check.period());
    Batch batch;
    EXPECT_TRUE(check.collect(clock_.now(), batch));
    // The answer of a socket comes later and wakes the loop.
    if (batch.empty()) {
      loop_.run();
      EXPECT_TRUE(check.collect(clock_.now(), batch));
    }
    Seen seen;
    for (const auto& sample : batch.samples()) {
      const auto& labels = labels_.at(sample.series);
      EXPECT_EQ(labels.get("check"), "it");
      EXPECT_EQ(labels.get("job"), "check");
      EXPECT_EQ(labels.get("instance"), "web1");
      seen.target = labels.get("target");
      if (labels.get(kMetricName) == "check_up") seen.up = sample.value;
    }
    for (const auto& log : batch.logs()) {
      seen.line = batch.line(log);
      seen.level = labels_.at(log.stream).get("level");
    }
    return seen;
  }

  CollectorSpec process_spec(ProcessSpec process) {
    CollectorSpec spec;
    spec.what = std::move(process);
    return spec;
  }

  std::string root_;
  LabelsTable labels_;
  net::EventLoop loop_;
  ManualClock clock_{from_ms(1'700'000'000'000)};
};

TEST_F(CheckTest, AProcessByNameIsUpWhileItRuns) {
  process(10, "sshd", std::string("/usr/sbin/sshd\0-D\0", 18));
  const auto check = make(process_spec({.name = "sshd"}));
  auto seen = look(*check);
  EXPECT_EQ(seen.up, 1);
  EXPECT_EQ(seen.line, "sshd runs");
  EXPECT_EQ(seen.level, "info");
  EXPECT_EQ(seen.target, "sshd");
  end_process(10);
  seen = look(*check);
  EXPECT_EQ(seen.up, 0);
  EXPECT_EQ(seen.line, "no process sshd runs");
  EXPECT_EQ(seen.level, "error");
}

TEST_F(CheckTest, TheTextIsToldOnlyWhenItChanges) {
  process(10, "sshd", "sshd");
  const auto check = make(process_spec({.name = "sshd"}));
  EXPECT_EQ(look(*check).line, "sshd runs");
  process(11, "sshd", "sshd");
  EXPECT_EQ(look(*check).line, "");
  end_process(10);
  end_process(11);
  EXPECT_EQ(look(*check).line, "no process sshd runs");
  EXPECT_EQ(look(*check).line, "");
}

TEST_F(CheckTest, CountsBoundsZombiesAndLongNames) {
  process(10, "worker", "worker");
  process(11, "worker", "worker", 'Z');
  process(12, "a) b (c", "x");
  process(13, "neutron-openvsw", std::string("/usr/bin/neutron-openvswitch-agent\0-v\0", 38));
  EXPECT_EQ(look(*make(process_spec({.name = "worker", .at_least = 2}))).line, "1 of at least 2 processes worker run");
  EXPECT_EQ(look(*make(process_spec({.name = "worker", .at_least = 0, .at_most = 0}))).up, 0);
  EXPECT_EQ(look(*make(process_spec({.name = "a) b (c"}))).up, 1);
  EXPECT_EQ(look(*make(process_spec({.name = "neutron-openvswitch-agent"}))).up, 1);
  EXPECT_EQ(look(*make(process_spec({.name = "neutron-openvsw-other"}))).up, 0);
}

TEST_F(CheckTest, ARegexLooksAtTheWholeCommand) {
  process(10, "python3", std::string("python3\0/usr/bin/nova-compute\0--debug\0", 38));
  EXPECT_EQ(look(*make(process_spec({.regex = "nova-compute.*--debug"}))).up, 1);
  EXPECT_EQ(look(*make(process_spec({.regex = "nova-api"}))).up, 0);
}

TEST_F(CheckTest, ACheckThatCannotWorkIsRefusedWithTheReason) {
  const auto refused = [&](auto what) {
    CollectorSpec spec;
    spec.id = "p/checks/it";
    spec.what = std::move(what);
    return !Check::make(
                spec,
                {.instance = "web1", .root = root_, .labels = labels_, .loop = loop_, .clock = clock_, .wake = {}})
                .has_value();
  };
  EXPECT_TRUE(refused(ProcessSpec{.regex = "("}));
  EXPECT_TRUE(refused(TcpSpec{"no-port"}));
  EXPECT_TRUE(refused(HttpSpec{.url = "ftp://x/"}));
  EXPECT_TRUE(refused(LogSpec{}));
}

TEST_F(CheckTest, HttpAndTcpAgainstARealServer) {
  auto router = std::make_shared<net::Router>();
  router->add("GET", "/ok",
              [](const net::Request&, const net::Respond& respond) { respond(net::Response::text("all is well")); });
  std::atomic<bool> broken = false;
  router->add("GET", "/turns", [&](const net::Request&, const net::Respond& respond) {
    respond(net::Response::text("x", broken ? 500 : 200));
  });
  telemetry::Registry registry;
  const SystemClock clock;
  net::ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  net::HttpServer server(router, options, registry, clock);
  ASSERT_TRUE(server.start());
  const auto base = "http://127.0.0.1:" + std::to_string(server.port());
  const auto http = [&](HttpSpec what) {
    CollectorSpec spec;
    spec.what = std::move(what);
    return make(std::move(spec));
  };
  EXPECT_EQ(look(*http({.url = base + "/ok", .expect_text = "well"})).line, "status 200");
  EXPECT_EQ(look(*http({.url = base + "/ok", .expect_text = "bad"})).line,
            "status 200, but the text \"bad\" is not there");
  EXPECT_EQ(look(*http({.url = base + "/ok", .expect_status = 204})).line, "status 200, expected 204");
  EXPECT_EQ(look(*http({.url = base + "/none"})).up, 0);
  const auto turns = http({.url = base + "/turns"});
  EXPECT_EQ(look(*turns).up, 1);
  broken = true;
  EXPECT_EQ(look(*turns).line, "status 500");

  CollectorSpec tcp;
  tcp.what = TcpSpec{"127.0.0.1:" + std::to_string(server.port())};
  const auto port = make(std::move(tcp));
  EXPECT_EQ(look(*port).up, 1);
  server.stop();
  const auto down = look(*port);
  EXPECT_EQ(down.up, 0);
  EXPECT_FALSE(down.line.empty());
}

TEST_F(CheckTest, FinishEndsItsSeries) {
  process(10, "sshd", "sshd");
  const auto check = make(process_spec({.name = "sshd"}));
  look(*check);
  Batch batch;
  check->finish(clock_.now(), batch);
  EXPECT_EQ(batch.samples().size(), 2u);
  for (const auto& sample : batch.samples()) EXPECT_TRUE(is_stale(sample.value));
}

}  // namespace
}  // namespace atalaya::collect::check
