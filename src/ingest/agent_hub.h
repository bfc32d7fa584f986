// All agents that are connected to this server.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ingest/agent_calls.h"
#include "ingest/agent_session.h"

namespace atalaya::ingest {

/// What the hub asks and tells about agents; implemented by whoever keeps them. Called from socket
/// and commit threads: thread-safe and short.
class AgentDirectory {
 public:
  virtual ~AgentDirectory() = default;
  virtual AgentConfig config_for(const AgentPeer& peer) = 0;
  virtual void connected(const AgentPeer& peer, const HelloFrame& hello) = 0;
  /// Something of this agent became durable.
  virtual void heard(const AgentPeer& peer) = 0;
  /// Values for sensors, in the order in which they were measured. An agent that did not hear its acknowledgement sends
  /// a batch once more, with the same source and sequence; sequences of a source ascend.
  virtual void measured(const AgentPeer& peer, const std::string& source, std::uint64_t sequence,
                        std::vector<SensorValue> values) {
    static_cast<void>(peer), static_cast<void>(source), static_cast<void>(sequence), static_cast<void>(values);
  }
  /// The connection ended and no newer one took its place.
  virtual void disconnected(const AgentPeer& peer) = 0;
};

/// Keeps one session per agent: a newer connection ends the older one before it may append, so two
/// never interleave. Thread-safe; outlives its sessions' connections.
///
/// Wiring of a socket (net::WebSocketOpened):
///   auto session = hub.open(peer, [ws](std::string f) { ws->send(std::move(f), true); },
///                           [ws](std::uint16_t c, std::string r) { ws->close(c, std::move(r)); });
///   return {.message = [session](std::string m, bool binary) { session->on_message(m, binary); },
///           .closed = [&hub, session] { hub.closed(session); }};
class AgentHub {
 public:
  AgentHub(storage::SeriesAppender& series, storage::LogAppender& logs, telemetry::Registry& registry,
           const Clock& clock, AgentDirectory& directory, AgentSessionLimits limits = {});
  ~AgentHub();

  std::shared_ptr<AgentSession> open(AgentPeer peer, std::function<void(std::string)> send,
                                     std::function<void(std::uint16_t, std::string)> close);
  void closed(const std::shared_ptr<AgentSession>& session);

  /// Asks the directory again for every connected agent of the tenant and sends what changed.
  void push_configs(const TenantId& tenant);
  /// The same for one agent; nothing where it is not connected.
  void push_config(const TenantId& tenant, const AgentId& agent);
  /// Ends the connection of a removed agent (close code 4003).
  void remove(const TenantId& tenant, const AgentId& agent);
  bool is_connected(const TenantId& tenant, const AgentId& agent) const;
  std::size_t connected() const;
  /// Runs a program on an agent and waits for the answer, at most `timeout` (give the program's own time and
  /// some seconds for the way); blocks the calling thread. Errors: as AgentCalls::call; unavailable when the
  /// agent is not connected.
  Result<CallResult> call(const TenantId& tenant, const AgentId& agent, CallFrame call, Duration timeout);
  /// Closes every connection with 1001 and stops every session. Idempotent.
  void stop();

 private:
  struct Entry {
    std::shared_ptr<AgentSession> session;
    std::function<void(std::uint16_t, std::string)> close;
  };
  using Key = std::pair<TenantId, AgentId>;

  storage::SeriesAppender& series_;
  storage::LogAppender& logs_;
  const Clock& clock_;
  AgentDirectory& directory_;
  const AgentSessionLimits limits_;
  AgentSessionMetrics metrics_;
  AgentCalls calls_;

  mutable std::mutex mutex_;
  bool stopped_ = false;
  std::map<Key, Entry> agents_;
};

}  // namespace atalaya::ingest
