#include <malloc.h>
#include <pthread.h>
#include <signal.h>

#include <cstdio>

#include "agent/agent.h"
#include "telemetry/log.h"

namespace atalaya::agent {
namespace {

int complain(const Error& error) {
  std::fprintf(stderr, "atalaya-agent: %s\n", to_string(error).c_str());
  return exit_code(error.code);
}

Result<Identity> identity_of(io::FileSystem& files, const AgentOptions& options) {
  auto identity = load_identity(files, options.data_dir);
  if (identity || identity.error().code != ErrorCode::kNotFound || options.token.empty()) return identity;
  EnrolRequest request;
  request.server = options.server;
  request.token = options.token;
  request.name = options.name.empty() ? host_name() : options.name;
  request.version = options.version;
  AT_TRY(request.connect, connect_options(options));
  AT_TRY(auto made, enrol(request));
  AT_TRY(save_identity(files, options.data_dir, made));
  return made;
}

/// One arena: a second one would cost a node memory for nothing.
void keep_memory_small() {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, 256 << 10);
  ::mallopt(M_MMAP_THRESHOLD, 256 << 10);
}

}  // namespace

AgentThread::AgentThread(AgentOptions options, Identity identity, io::FileSystem& files, const Clock& clock)
    : agent_(std::make_unique<Agent>(std::move(options), std::move(identity), loop_, files, clock, registry_)) {}

AgentThread::~AgentThread() { stop(); }

Status AgentThread::start() {
  AT_TRY(agent_->start());
  loop_.start();
  return {};
}

void AgentThread::stop() {
  loop_.stop();
  agent_->stop();
}

int run_agent(const AgentOptions& options) {
  keep_memory_small();
  ::signal(SIGPIPE, SIG_IGN);
  // Before the first thread, so that all have it blocked and this one waits for it.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const auto files = io::real_file_system();
  auto identity = identity_of(*files, options);
  if (!identity) return complain(identity.error());
  telemetry::log_info("agent", "starts",
                      {{"name", identity->name}, {"server", identity->server}, {"version", options.version}});
  const SystemClock clock;
  AgentThread agent(options, std::move(*identity), *files, clock);
  if (auto status = agent.start(); !status) return complain(status.error());
  int received = 0;
  ::sigwait(&signals, &received);
  telemetry::log_info("agent", "stops", {{"signal", received}});
  agent.stop();
  return 0;
}

}  // namespace atalaya::agent
