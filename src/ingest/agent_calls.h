// Calls of the server to its agents: asked, awaited, answered.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "ingest/agent_frame.h"
#include "telemetry/metrics.h"

namespace atalaya::ingest {

class AgentSession;

/// What a program did on an agent.
struct CallResult {
  int status = 0;
  bool timed_out = false;
  std::string output;  ///< any bytes
  std::string errors;
};

/// Brings questions and answers together. Thread-safe; each caller waits on its own thread, and holds no lock
/// of anybody meanwhile. An answer counts only from the connection that the question went out on; one that
/// nobody waits for any more is dropped and counted.
class AgentCalls {
 public:
  explicit AgentCalls(telemetry::Registry& registry, std::size_t most_per_agent = 4);

  /// The id is ours to choose. Errors: resource_exhausted (too many under way at this agent), unavailable (the
  /// connection is gone, or ends before the answer), unprocessable (an agent from before calls),
  /// deadline_exceeded (no answer within `timeout`; the program may still run, for as long as its own time
  /// says), and whatever the agent answers.
  Result<CallResult> call(const std::shared_ptr<AgentSession>& session, CallFrame call, Duration timeout);

  /// From the session's socket.
  void answered(const AgentSession& session, CallResultFrame frame);
  /// The session has stopped: who waits for it waits no more.
  void gone(const AgentSession& session);
  /// Ends every call, and refuses later ones. Idempotent.
  void stop();

 private:
  struct Waiting {
    const AgentSession* session = nullptr;
    std::condition_variable wake;
    std::optional<Result<CallResult>> answer;
  };

  Result<std::shared_ptr<Waiting>> enter(const std::string& id, const AgentSession& session);

  const std::size_t most_per_agent_;
  const std::string prefix_;  ///< so that answers to a server before this one are nobody's
  telemetry::Counter& calls_;
  telemetry::Counter& late_;

  std::mutex mutex_;
  bool stopped_ = false;
  std::uint64_t next_ = 1;
  std::map<std::string, std::shared_ptr<Waiting>> waiting_;
};

}  // namespace atalaya::ingest
