#include "app/local_agent.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "agent/agent.h"
#include "agent/identity.h"
#include "app/version.h"
#include "telemetry/log.h"

namespace atalaya::app {

Result<std::string> agent_executable() {
  std::array<char, 4096> path;
  const auto size = readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return fail(ErrorCode::kInternal, "cannot tell where this program is");
  std::string own(path.data(), static_cast<std::size_t>(size));
  auto agent = own.substr(0, own.rfind('/') + 1) + "atalaya-agent";
  if (access(agent.c_str(), X_OK) != 0) {
    return fail(ErrorCode::kNotFound, fmt::format("{} is missing", agent),
                "install or build atalaya-agent beside atalaya");
  }
  return agent;
}

Status give_identity(const IdentityParts& parts, const std::string& folder) {
  if (auto identity = agent::load_identity(parts.files, folder)) {
    if (parts.hosts.find(AgentId{identity->agent_id})) {
      identity->server = parts.url;
      identity->pinned_sha256 = parts.pin == "-" ? "" : parts.pin;
      return agent::save_identity(parts.files, folder, *identity);
    }
  }
  AT_TRY(auto enrolment, parts.auth.create_enrolment(default_tenant(), parts.pin));
  agent::EnrolRequest request;
  request.server = parts.url;
  request.token = enrolment.token;
  request.name = agent::host_name();
  request.version = kVersion;
  // It is this machine: an agent of the same name that is up is one whose identity was lost.
  request.replace = true;
  AT_TRY(auto identity, agent::enrol(request));
  AT_TRY(parts.files.create_directories(folder));
  return agent::save_identity(parts.files, folder, identity);
}

Status LocalAgent::start() {
  std::vector<char*> arguments;
  for (auto& argument : command_) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return fail(ErrorCode::kUnavailable, fmt::format("cannot start the agent: {}", std::strerror(errno)));
  if (child == 0) {
    // Between fork and exec only what is safe in a copy of a threaded process.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  pid_ = child;
  started_ = clock_.steady();
  return {};
}

void LocalAgent::look_after() {
  if (pid_ > 0) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return;
    telemetry::log_warn("up", "the agent ended and is started again",
                        {{"code", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)}});
    pid_ = -1;
  }
  if (clock_.steady() - started_ < std::chrono::seconds{1}) return;
  if (auto started = start(); !started) {
    telemetry::log_error("up", "the agent does not start", {{"reason", to_string(started.error())}});
  }
}

void LocalAgent::stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const auto deadline = clock_.steady() + std::chrono::seconds{10};
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (clock_.steady() > deadline) {
      kill(pid_, SIGKILL);
      waitpid(pid_, &status, 0);
      break;
    }
    const timespec step{0, 100'000'000};
    sigtimedwait(&child, nullptr, &step);
  }
  pid_ = -1;
}

}  // namespace atalaya::app
