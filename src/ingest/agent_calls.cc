#include "ingest/agent_calls.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "ingest/agent_session.h"

namespace atalaya::ingest {
namespace {

constexpr std::size_t kPrefixBytes = 9;

ErrorCode code_named(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::kInternal); ++i)
    if (const auto code = static_cast<ErrorCode>(i); name(code) == text) return code;
  return ErrorCode::kInternal;
}

Result<CallResult> result_of(CallResultFrame frame) {
  if (!frame.error.empty()) return fail(code_named(frame.error), std::move(frame.message), std::move(frame.remedy));
  return CallResult{static_cast<int>(frame.status), frame.timed_out, std::move(frame.output), std::move(frame.errors)};
}

}  // namespace

AgentCalls::AgentCalls(telemetry::Registry& registry, std::size_t most_per_agent)
    : most_per_agent_(most_per_agent),
      prefix_(random_token(kPrefixBytes)),
      calls_(registry.counter("atalaya_agent_calls_total", "Calls sent to agents.")),
      late_(registry.counter("atalaya_agent_calls_late_total",
                             "Answers of agents dropped because nobody waited for them any more.")) {}

Result<std::shared_ptr<AgentCalls::Waiting>> AgentCalls::enter(const std::string& id, const AgentSession& session) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return fail(ErrorCode::kUnavailable, "the server stops");
  const auto busy =
      std::ranges::count_if(waiting_, [&](const auto& entry) { return entry.second->session == &session; });
  if (static_cast<std::size_t>(busy) >= most_per_agent_)
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("{} calls are under way on {} already", busy, session.peer().name),
                "try again when one of them has ended");
  auto waiting = std::make_shared<Waiting>();
  waiting->session = &session;
  waiting_.emplace(id, waiting);
  return waiting;
}

Result<CallResult> AgentCalls::call(const std::shared_ptr<AgentSession>& session, CallFrame call, Duration timeout) {
  {
    const std::lock_guard lock(mutex_);
    call.id = fmt::format("{}.{}", prefix_, next_++);
  }
  AT_TRY(const auto waiting, enter(call.id, *session));
  auto sent = session->send_call(call);
  calls_.add();
  std::unique_lock lock(mutex_);
  if (sent) waiting->wake.wait_for(lock, timeout, [&] { return waiting->answer.has_value(); });
  waiting_.erase(call.id);
  if (!sent) return std::unexpected(std::move(sent).error());
  if (!waiting->answer)
    return fail(ErrorCode::kDeadlineExceeded,
                fmt::format("{} did not answer within {}", session->peer().name, format_duration(timeout)));
  return std::move(*waiting->answer);
}

void AgentCalls::answered(const AgentSession& session, CallResultFrame frame) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(frame.id);
  if (found == waiting_.end() || found->second->session != &session || found->second->answer) return late_.add();
  found->second->answer = result_of(std::move(frame));
  found->second->wake.notify_all();
}

void AgentCalls::gone(const AgentSession& session) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, waiting] : waiting_) {
    if (waiting->session != &session || waiting->answer) continue;
    waiting->answer = fail(ErrorCode::kUnavailable, fmt::format("the connection to {} ended", session.peer().name));
    waiting->wake.notify_all();
  }
}

void AgentCalls::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  for (auto& [id, waiting] : waiting_) {
    if (!waiting->answer) waiting->answer = fail(ErrorCode::kUnavailable, "the server stops");
    waiting->wake.notify_all();
  }
}

}  // namespace atalaya::ingest
