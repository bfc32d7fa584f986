#include "ingest/agent_hub.h"

#include <fmt/format.h>

#include "telemetry/log.h"

namespace atalaya::ingest {
namespace {

constexpr std::uint16_t kCloseGoingAway = 1001;

}  // namespace

AgentHub::AgentHub(storage::SeriesAppender& series, storage::LogAppender& logs, telemetry::Registry& registry,
                   const Clock& clock, AgentDirectory& directory, AgentSessionLimits limits)
    : series_(series),
      logs_(logs),
      clock_(clock),
      directory_(directory),
      limits_(limits),
      metrics_(registry),
      calls_(registry) {}

AgentHub::~AgentHub() { stop(); }

std::shared_ptr<AgentSession> AgentHub::open(AgentPeer peer, std::function<void(std::string)> send,
                                             std::function<void(std::uint16_t, std::string)> close) {
  AgentSession::Callbacks callbacks;
  callbacks.send = std::move(send);
  callbacks.close = close;
  callbacks.config = [this, peer] { return directory_.config_for(peer); };
  callbacks.hello = [this, peer](const HelloFrame& hello) { directory_.connected(peer, hello); };
  callbacks.heard = [this, peer](std::uint64_t) { directory_.heard(peer); };
  callbacks.answered = [this](const AgentSession& from, CallResultFrame frame) {
    calls_.answered(from, std::move(frame));
  };
  callbacks.measured = [this, peer](const std::string& source, std::uint64_t sequence,
                                    std::vector<SensorValue> values) {
    directory_.measured(peer, source, sequence, std::move(values));
  };
  auto session = std::make_shared<AgentSession>(peer, series_, logs_, metrics_, clock_, std::move(callbacks), limits_);

  Entry older;
  bool refuse = false;
  {
    const std::lock_guard lock(mutex_);
    refuse = stopped_;
    if (!refuse) {
      auto& entry = agents_[{peer.tenant, peer.agent}];
      older = std::exchange(entry, Entry{session, close});
      if (older.session) older.session->stop();
      metrics_.connected.set(static_cast<double>(agents_.size()));
    }
  }
  if (refuse) {
    session->stop();
    close(kCloseGoingAway, "server stops");
  }
  if (older.session) {
    // After a cut that only the agent noticed this is usual; again and again it means a copied identity.
    calls_.gone(*older.session);
    metrics_.replaced.add();
    telemetry::log_warn("ingest", "a newer connection of an agent ended the older one",
                        {{"agent", peer.agent.value()}, {"name", peer.name}});
  }
  if (older.close) older.close(kCloseReplaced, "a newer connection of this agent");
  return session;
}

void AgentHub::closed(const std::shared_ptr<AgentSession>& session) {
  session->stop();
  calls_.gone(*session);
  {
    const std::lock_guard lock(mutex_);
    const auto found = agents_.find({session->peer().tenant, session->peer().agent});
    if (found == agents_.end() || found->second.session != session) return;
    agents_.erase(found);
    metrics_.connected.set(static_cast<double>(agents_.size()));
  }
  directory_.disconnected(session->peer());
}

void AgentHub::push_configs(const TenantId& tenant) {
  std::vector<std::shared_ptr<AgentSession>> sessions;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, entry] : agents_)
      if (key.first == tenant) sessions.push_back(entry.session);
  }
  for (const auto& session : sessions) session->push_config(directory_.config_for(session->peer()));
}

void AgentHub::push_config(const TenantId& tenant, const AgentId& agent) {
  std::shared_ptr<AgentSession> session;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = agents_.find({tenant, agent}); found != agents_.end()) session = found->second.session;
  }
  if (session) session->push_config(directory_.config_for(session->peer()));
}

void AgentHub::remove(const TenantId& tenant, const AgentId& agent) {
  Entry entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = agents_.find({tenant, agent});
    if (found == agents_.end()) return;
    entry = std::move(found->second);
    agents_.erase(found);
    metrics_.connected.set(static_cast<double>(agents_.size()));
  }
  entry.session->stop();
  calls_.gone(*entry.session);
  entry.close(kCloseRemoved, "the agent was removed");
}

Result<CallResult> AgentHub::call(const TenantId& tenant, const AgentId& agent, CallFrame call, Duration timeout) {
  std::shared_ptr<AgentSession> session;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = agents_.find({tenant, agent}); found != agents_.end()) session = found->second.session;
  }
  if (!session)
    return fail(ErrorCode::kUnavailable, fmt::format("agent {} is not connected", agent.value()),
                "start the agent of that host");
  return calls_.call(session, std::move(call), timeout);
}

bool AgentHub::is_connected(const TenantId& tenant, const AgentId& agent) const {
  const std::lock_guard lock(mutex_);
  return agents_.contains({tenant, agent});
}

std::size_t AgentHub::connected() const {
  const std::lock_guard lock(mutex_);
  return agents_.size();
}

void AgentHub::stop() {
  std::map<Key, Entry> agents;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    agents.swap(agents_);
    metrics_.connected.set(0);
  }
  calls_.stop();
  for (auto& [key, entry] : agents) {
    entry.session->stop();
    entry.close(kCloseGoingAway, "server stops");
    directory_.disconnected(entry.session->peer());
  }
}

}  // namespace atalaya::ingest
