// The WebSocket of the UI: standing queries, alerts, hosts, logs and notifications as they happen.
// Messages are described in docs/formats/live.md.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/live_queries.h"
#include "auth/principal.h"
#include "base/ids.h"
#include "base/time.h"
#include "net/http.h"
#include "storage/logs.h"
#include "storage/series.h"
#include "telemetry/metrics.h"

namespace atalaya::api {

/// Owned by the server; start → stop. One thread evaluates queries and fans out; feeds only put
/// work on its queue, which drops the oldest entry (counted) when full, because a live view catches
/// up by asking again. Thread-safe.
class LiveHub {
 public:
  /// `lookback` is how old a sample may be for standing queries that do not say.
  LiveHub(const storage::SeriesQuerier& series, const Clock& clock, telemetry::Registry& metrics, Duration lookback);
  ~LiveHub();
  void start();
  void stop();

  /// A new socket of `who`, who sees the data of their tenant.
  net::WebSocketEvents open(const auth::Principal& who, std::shared_ptr<net::WebSocket> socket);
  /// Closes (1008) the sockets of those for whom `still_valid` says no: a socket outlives the short
  /// token behind it, but not the revocation of its owner. Call about every half minute.
  void recheck(const std::function<Status(const auth::Principal&)>& still_valid);

  void on_samples(const storage::CommittedSamples& committed);
  void on_logs(const storage::CommittedLogs& committed);
  /// `topic` is "alerts", "incidents", "silences", "routes", "hosts", "notifications", "packages" or "items"; `field`
  /// and `json` become one member of the message. Returns how many sockets it goes to.
  std::size_t publish(const TenantId& tenant, const std::string& topic, const std::string& field,
                      const std::string& json);
  /// Whether anybody would get it: what to say need not be made for nobody.
  bool has_listeners(const TenantId& tenant, const std::string& topic);

 private:
  struct LogFilter {
    Matchers matchers;
    std::string text;
  };
  struct Session {
    std::uint64_t number = 0;
    auth::Principal who;
    std::shared_ptr<net::WebSocket> socket;
    std::map<std::string, std::string> topics;  ///< subscription id → topic, without queries
    std::map<std::string, LogFilter> logs;      ///< subscription id → filter
    std::size_t queries = 0;
  };
  /// What one commit brought: samples or log lines.
  struct Arrival {
    TenantId tenant;
    std::vector<SeriesId> series;
    Time newest = kMinTime;
    std::vector<LogRecord> logs;
  };

  void message(const std::shared_ptr<Session>& session, const std::string& text);
  Status subscribe(const std::shared_ptr<Session>& session, const std::string& id, const std::string& text);
  void unsubscribe(const std::shared_ptr<Session>& session, const std::string& id);
  void closed(const std::shared_ptr<Session>& session);
  void enqueue(Arrival arrival);
  void fan_out_logs(const Arrival& arrival);
  void run();
  std::vector<std::shared_ptr<Session>> sessions_of(const TenantId& tenant);

  LiveQueries queries_;
  const Clock& clock_;
  const Duration lookback_;
  telemetry::Counter& dropped_;
  telemetry::Gauge& open_;

  std::mutex sessions_mutex_;
  std::map<std::uint64_t, std::shared_ptr<Session>> sessions_;  // guarded by sessions_mutex_, as are their members
  std::uint64_t next_number_ = 1;
  std::atomic<std::size_t> log_views_{0};  ///< subscriptions to logs in all sessions

  std::mutex queue_mutex_;
  std::condition_variable queue_changed_;
  std::deque<Arrival> queue_;  // guarded by queue_mutex_
  bool stopping_ = false;      // guarded by queue_mutex_
  std::thread thread_;
};

}  // namespace atalaya::api
