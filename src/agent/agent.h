// The agent: collectors → spool → one connection to the server, on one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/identity.h"
#include "base/result.h"
#include "base/time.h"
#include "io/file_system.h"
#include "net/event_loop.h"
#include "telemetry/metrics.h"

namespace atalaya::agent {

/// What a person may say about an agent; `app` makes flags of it.
struct AgentOptions {
  std::string data_dir = "atalaya-agent-data";
  /// Only for enrolment in the same call (`server` and `token` given, no identity yet).
  std::string server;
  std::string token;
  std::string name;  ///< "" is the machine's host name
  std::string version = "0.0.0";

  std::string proxy;                ///< http://[user[:password]@]host:port
  std::string proxy_password_file;  ///< its first line is the password
  std::string ca_file;

  std::uint64_t spool_bytes = 512ull << 20;
  bool spool_sync = false;  ///< fdatasync after every record: survives power cuts, costs one write a second

  Duration host_period{1000};
  bool host_metrics = true;
  bool scripts = true;  ///< run programs that the server sends: procedures, and collectors of type script
  std::vector<std::string> publish_allow;  ///< networks that sensors that run here may publish to
  std::string root = "/";                  ///< where /proc and /sys hang (containers mount the host's elsewhere)
};

/// Proxy, password file and authorities as the network wants them.
Result<net::ConnectOptions> connect_options(const AgentOptions& options);
/// The machine's host name.
std::string host_name();

/// Runs the collectors and the uplink on `loop`. Thread-compatible; `start` and `stop` are called
/// on the loop's thread or while it does not run. The arguments outlive it. After `start` it never
/// fails: a server that is away, a full disk and a bad collector are states that it reports.
class Agent {
 public:
  /// `identity.name` becomes the label `instance`.
  Agent(AgentOptions options, Identity identity, net::EventLoop& loop, io::FileSystem& files, const Clock& clock,
        telemetry::Registry& registry);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Opens the spool (error: data directory not usable, or in use by another agent) and begins.
  Status start();
  /// Closes the connection and the spool; what is not acknowledged stays on the disk. No series
  /// ends: a restart is no disappearance. Idempotent.
  void stop();

  bool connected() const;
  std::size_t in_flight() const;  ///< batches sent and not yet acknowledged

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// An agent with a thread of its own inside a process that does other things as well (`atalaya up`).
class AgentThread {
 public:
  AgentThread(AgentOptions options, Identity identity, io::FileSystem& files, const Clock& clock);
  ~AgentThread();  ///< stops
  Status start();
  void stop();  ///< idempotent

 private:
  net::EventLoop loop_;
  telemetry::Registry registry_;
  std::unique_ptr<Agent> agent_;
};

/// The whole program `atalaya-agent`: enrols if told so, runs until SIGTERM or SIGINT, returns the
/// exit code. Problems at the start are one sentence on standard error.
int run_agent(const AgentOptions& options);

}  // namespace atalaya::agent
