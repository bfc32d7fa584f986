// The agent that `atalaya up` runs beside the server: a child process that ends with its parent.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "auth/service.h"
#include "base/result.h"
#include "base/time.h"
#include "io/file_system.h"
#include "registry/hosts.h"

namespace atalaya::app {

/// Started, watched and started again by the main thread (a child gets its end-of-parent signal from
/// the thread that made it, so that thread must live on). Thread-compatible.
class LocalAgent {
 public:
  LocalAgent(std::vector<std::string> command, const Clock& clock) : command_(std::move(command)), clock_(clock) {}
  ~LocalAgent() { stop(); }

  Status start();
  /// Collects an ended child and starts another one, at most once a second. Call on SIGCHLD and now
  /// and then.
  void look_after();
  /// SIGTERM, then waits; SIGKILL if it does not end within ten seconds.
  void stop();

 private:
  std::vector<std::string> command_;
  const Clock& clock_;
  pid_t pid_ = -1;
  Steady started_{};
};

/// `atalaya-agent` in the folder of the running executable.
Result<std::string> agent_executable();

/// What an identity for this machine's agent is made from. `pin`: the certificate's fingerprint, "-" for none.
struct IdentityParts {
  io::FileSystem& files;
  registry::Hosts& hosts;
  auth::Service& auth;
  std::string url;
  std::string pin;
};

/// Enrols the agent of this machine, unless the folder holds an identity that this server knows: that one learns the
/// address and the certificate of today.
Status give_identity(const IdentityParts& parts, const std::string& folder);

}  // namespace atalaya::app
