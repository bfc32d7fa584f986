// Our names and labels beside those of Debian's node_exporter on this very machine.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "collect/host/host_collector.h"
#include "net/client.h"

namespace atalaya::collect::host {
namespace {

constexpr const char* kProgram = "/usr/bin/prometheus-node-exporter";

/// Label sets (values that are empty left out) by metric name.
using Series = std::map<std::string, std::vector<std::map<std::string, std::string>>>;

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

/// Runs node_exporter while it lives.
class Exporter {
 public:
  explicit Exporter(std::uint16_t port) {
    const auto listen = "--web.listen-address=127.0.0.1:" + std::to_string(port);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::execl(kProgram, kProgram, listen.c_str(), "--log.level=error", nullptr);
      ::_exit(127);
    }
  }
  ~Exporter() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

std::string scrape(std::uint16_t port) {
  net::EventLoop loop;
  net::HttpClient http(loop, {});
  std::string body;
  int attempts = 0;
  net::Timer again;
  std::function<void()> attempt = [&] {
    net::ClientRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(port) + "/metrics";
    http.send(std::move(request), [&](Result<net::ClientResponse> answer) {
      if (answer && answer->status == 200) {
        body = std::move(answer->body);
        loop.stop();
      } else if (++attempts > 200) {
        loop.stop();
      } else {
        again = loop.after(Duration{50}, [&] { attempt(); });  // it has not opened its port yet
      }
    });
  };
  attempt();
  loop.run();
  return body;
}

Series parse(const std::string& text) {
  Series out;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = text.find('\n', at);
    const auto line = text.substr(at, end - at);
    at = end == std::string::npos ? text.size() : end + 1;
    if (line.empty() || line[0] == '#') continue;
    const auto name_end = line.find_first_of("{ ");
    std::map<std::string, std::string> labels;
    auto i = name_end + 1;
    while (line[name_end] == '{' && line[i - 1] != '}' && line[i] != '}') {
      const auto equals = line.find('=', i);
      std::string value;
      auto v = equals + 2;
      for (; line[v] != '"'; ++v) {
        if (line[v] == '\\') ++v;
        value += line[v];
      }
      if (!value.empty()) labels[line.substr(i, equals - i)] = value;
      i = v + 2;
    }
    out[line.substr(0, name_end)].push_back(std::move(labels));
  }
  return out;
}

std::set<std::string> names(const std::map<std::string, std::string>& labels) {
  std::set<std::string> out;
  for (const auto& [name, value] : labels) out.insert(name);
  return out;
}

TEST(NodeExporter, EveryMetricThatWeShareHasTheSameLabelsAndWeShareMostOfThem) {
  if (::access(kProgram, X_OK) != 0) GTEST_SKIP() << kProgram << " is not installed";
  const auto port = free_port();
  const Exporter exporter(port);
  const auto text = scrape(port);
  ASSERT_FALSE(text.empty());
  const auto theirs = parse(text);

  LabelsTable table;
  HostCollector collector({.root = "/", .instance = "here"}, table);
  Batch batch;
  const SystemClock clock;
  ASSERT_TRUE(collector.collect(clock.now(), batch));
  Series ours;
  for (const auto& sample : batch.samples()) {
    std::map<std::string, std::string> labels;
    for (const auto& [name, value] : table.at(sample.series))
      if (name != kMetricName && name != "instance" && name != "job") labels.emplace(name, value);
    ours[std::string{table.at(sample.series).get(kMetricName)}].push_back(std::move(labels));
  }

  std::size_t shared = 0;
  for (const auto& [name, sets] : ours) {
    const auto found = theirs.find(name);
    if (found == theirs.end()) continue;
    ++shared;
    std::set<std::set<std::string>> expected;
    for (const auto& labels : found->second) expected.insert(names(labels));
    for (const auto& labels : sets) EXPECT_TRUE(expected.contains(names(labels))) << name;
  }
  // What stands still must be the very same series.
  for (const auto* name : {"node_uname_info", "node_os_info", "node_disk_info", "node_filesystem_size_bytes",
                           "node_cpu_seconds_total", "node_memory_MemTotal_bytes", "node_network_mtu_bytes"}) {
    const auto sorted = [](std::vector<std::map<std::string, std::string>> sets) {
      return std::set<std::map<std::string, std::string>>(sets.begin(), sets.end());
    };
    if (!theirs.contains(name)) continue;
    EXPECT_EQ(sorted(ours[name]), sorted(theirs.at(name))) << name;
  }
  std::size_t node = 0;
  for (const auto& [name, sets] : theirs) node += name.starts_with("node_") && !name.starts_with("node_scrape_");
  RecordProperty("shared", static_cast<int>(shared));
  std::printf("%zu of node_exporter's %zu metrics are ours too\n", shared, node);
  EXPECT_GE(shared * 100, node * 75);
}

}  // namespace
}  // namespace atalaya::collect::host
