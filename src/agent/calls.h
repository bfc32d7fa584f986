// Programs that the server asks this agent to run now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "ingest/agent_frame.h"
#include "io/descriptor.h"
#include "io/sandbox.h"
#include "net/event_loop.h"
#include "net/worker_pool.h"

namespace atalaya::agent {

struct CallsOptions {
  bool allowed = true;  ///< false: every program is refused, with the remedy
  std::size_t at_once = 4;
  /// What the agent itself answers at once, by kind: nothing runs for it.
  std::map<std::string, std::function<std::string()>> questions = {};
};

/// Runs calls on threads of their own, so that measuring never waits for a script; one more than `at_once` is
/// refused. The answer goes to whatever connection there is when it comes; without one it is dropped (the
/// server gave up when the connection ended). Strand-bound: used and destroyed on the loop's thread or while
/// the loop does not run. The threads come with the first call.
class Calls {
 public:
  using Send = std::function<bool(std::string frame)>;
  using Run = std::function<Result<io::SandboxResult>(const io::SandboxRequest&)>;

  /// `run` is called on the threads.
  Calls(net::EventLoop& loop, CallsOptions options, Send send, Run run = io::run_sandboxed);
  ~Calls();  ///< ends what runs
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  void on_call(ingest::CallFrame call);
  std::size_t running() const { return running_; }
  std::uint64_t accepted() const { return accepted_; }

 private:
  Status accept(const ingest::CallFrame& call);
  void answer(ingest::CallResultFrame frame);

  net::EventLoop& loop_;
  const CallsOptions options_;
  const Send send_;
  const Run run_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  io::Descriptor cancel_;
  std::size_t running_ = 0;
  std::uint64_t accepted_ = 0;
  std::unique_ptr<net::WorkerPool> pool_;
};

}  // namespace atalaya::agent
