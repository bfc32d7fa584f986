// `atalaya demo occi`: monitoring on demand in one run, each step shown.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

#include "agent/agent.h"
#include "app/commands.h"
#include "app/local_agent.h"
#include "app/server.h"
#include "app/tables.h"
#include "auth/folder_token.h"
#include "io/descriptor.h"
#include "net/curl/http_client.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

/// A folder that goes with the demo.
class Folder {
 public:
  static Result<std::unique_ptr<Folder>> make() {
    auto pattern = (std::filesystem::temp_directory_path() / "atalaya-demo-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      return fail(ErrorCode::kUnavailable,
                  fmt::format("no folder can be made in {}: {}", std::filesystem::temp_directory_path().string(),
                              strerror(errno)));
    return std::unique_ptr<Folder>(new Folder(std::move(pattern)));
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit Folder(std::string path) : path_(std::move(path)) {}
  const std::string path_;
};

/// The dashboard's end: datagrams on loopback.
class Datagrams {
 public:
  static Result<Datagrams> open() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    Datagrams out(fd);
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      return fail(ErrorCode::kUnavailable, fmt::format("no UDP socket on loopback: {}", strerror(errno)));
    out.address_ = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
    return out;
  }
  const std::string& address() const { return address_; }

  /// Nothing when none has come within a second.
  std::optional<std::string> next() {
    const timeval second{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
    char bytes[2048];
    const auto got = ::recv(fd_.get(), bytes, sizeof(bytes), 0);
    if (got < 0) return std::nullopt;
    return std::string(bytes, static_cast<std::size_t>(got));
  }

 private:
  explicit Datagrams(int fd) : fd_(fd) {}
  io::Descriptor fd_;
  std::string address_;
};

/// Says each request and what is answered.
class Showing {
 public:
  Showing(std::string url, std::string token) : url_(std::move(url)), token_(std::move(token)) {}

  Status send(const char* method, const std::string& path, const std::string& body = {}) const {
    std::printf("\n> %s %s\n%s%s", method, path.c_str(), body.c_str(), body.empty() ? "" : "\n");
    net::curl::HttpRequest request;
    request.method = method;
    request.url = url_ + path;
    request.headers = {
        {"Authorization", "Bearer " + token_}, {"Content-Type", "application/occi+json"}, {"Accept", "text/plain"}};
    request.body = body;
    AT_TRY(const auto answer, net::curl::HttpClient().send(request));
    std::printf("< %d", answer.status);
    for (const auto& [name, value] : answer.headers) {
      if (strcasecmp(name.c_str(), "location") == 0 || strcasecmp(name.c_str(), "warning") == 0)
        std::printf("  %s: %s", name.c_str(), value.c_str());
    }
    std::printf("\n");
    std::fflush(stdout);
    if (answer.status >= 300)
      return fail(ErrorCode::kInternal,
                  fmt::format("{} {} was answered {}: {}", method, path, answer.status, answer.body));
    return {};
  }

 private:
  const std::string url_;
  const std::string token_;
};

std::string compute_document(const std::string& host) {
  return fmt::format(R"({{"id": "urn:uuid:c2222", "kind": "http://schemas.ogf.org/occi/infrastructure#compute",
 "attributes": {{"occi": {{"compute": {{"hostname": "{}"}}}}}}}})",
                     host);
}

std::string sensor_document(const std::string& udp) {
  return fmt::format(R"({{"id": "urn:uuid:s1111", "kind": "http://schemas.ogf.org/occi/monitoring#sensor",
 "mixins": ["http://example.com/occi/monitoring/aggregator#EWMA", "http://example.com/occi/monitoring/publisher#SendUDP"],
 "attributes": {{"com": {{"example": {{"occi": {{"monitoring": {{
  "EWMA": {{"gain": 4, "instream": "a", "outstream": "c"}},
  "SendUDP": {{"udpAddr": "{}", "input": "c"}}}}}}}}}}}}}})",
                     udp);
}

std::string collector_document(std::int64_t period) {
  return fmt::format(R"({{"id": "urn:uuid:2345", "kind": "http://schemas.ogf.org/occi/monitoring#collector",
 "mixins": ["http://example.com/occi/monitoring/metric#CPUPercent"],
 "attributes": {{"occi": {{"collector": {{"period": {}}}}},
  "com": {{"example": {{"occi": {{"monitoring": {{"CPUPercent": {{"out": "a"}}}}}}}}}}}},
 "source": "urn:uuid:c2222", "target": "urn:uuid:s1111"}})",
                     period);
}

bool asked_to_end(const sigset_t& signals) {
  const timespec now{0, 0};
  const int number = sigtimedwait(&signals, nullptr, &now);
  return number == SIGINT || number == SIGTERM;
}

Status run_demo(const config::Options& options, const sigset_t& signals) {
  AT_TRY(const auto folder, Folder::make());
  ServerOptions given;
  given.data = folder->path() + "/data";
  given.listen = {"127.0.0.1:0"};
  AT_TRY(const auto server, Server::start(given));
  SystemClock clock;
  AT_TRY(auto executable, agent_executable());
  const auto agent_folder = folder->path() + "/agent";
  AT_TRY(server->prepare_local_agent(agent_folder));
  LocalAgent agent({std::move(executable), "--log-level", "error", "run", "--data", agent_folder}, clock);
  AT_TRY(agent.start());
  AT_TRY(auto dashboard, Datagrams::open());
  const auto files = io::real_file_system();
  AT_TRY(auto token, auth::folder_token(*files, clock.now(), given.data, default_tenant(), "demo"));
  std::printf("A server is at %s, the agent of %s runs, a dashboard listens on udp://%s.\n", server->url().c_str(),
              agent::host_name().c_str(), dashboard.address().c_str());

  const Showing occi(server->url(), std::move(token));
  std::printf("\n1. The machine that is watched: a compute, bound to the agent by its host name.");
  AT_TRY(occi.send("POST", "/occi/compute/", compute_document(agent::host_name())));
  std::printf("\n2. A sensor: what comes by the stream a is averaged into c, and c is sent to the dashboard.");
  AT_TRY(occi.send("POST", "/occi/sensor/", sensor_document(dashboard.address())));
  std::printf("\n3. A collector from the machine to the sensor: its processor time flows into a.");
  AT_TRY(occi.send("POST", "/occi/collector/", collector_document(options.integer("period"))));

  std::printf("\n4. What the dashboard gets:\n");
  std::fflush(stdout);
  const auto wanted = options.integer("count");
  for (std::int64_t count = 0; wanted == 0 || count < wanted;) {
    if (asked_to_end(signals)) break;
    agent.look_after();
    if (const auto text = dashboard.next()) {
      std::printf("%s\n", text->c_str());
      std::fflush(stdout);
      ++count;
    }
  }
  std::printf("\n5. The sensor goes, and its collector with it; nothing is left behind.");
  AT_TRY(occi.send("DELETE", "/occi/sensor/s1111"));
  agent.stop();
  server->stop();
  return {};
}

}  // namespace

int demo(const config::Options& options) {
  // What is shown is the log.
  telemetry::configure_log(telemetry::Level::kWarn, telemetry::LogFormat::kLogfmt);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  if (auto done = run_demo(options, signals); !done) return complain(done.error());
  return 0;
}

}  // namespace atalaya::app
