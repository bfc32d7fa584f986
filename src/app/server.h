// The server: every library put together, started in order and stopped in reverse.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/prometheus.h"
#include "base/result.h"
#include "base/time.h"
#include "model/labels.h"
#include "occi/monitoring.h"
#include "tsdb/store.h"

namespace atalaya::app {

struct ServerOptions {
  std::string data = "./atalaya-data";
  std::vector<std::string> listen{"127.0.0.1:2001"};
  std::string tls_cert;
  std::string tls_key;
  bool insecure_http = false;
  bool insecure_no_auth = false;
  std::string external_url;  ///< for links in notifications; "" is the first address, a wildcard being this host's name
  Labels external_labels;    ///< in notifications and /federate, where a series or an alert has no such label
  std::size_t connections_per_address = 256;  ///< 0: no limit; loopback is never limited
  std::vector<std::string> cors_origins;
  std::vector<std::string> scrape_configs;         ///< files: Prometheus configurations whose scrapes run here
  std::vector<std::string> rule_files;             ///< patterns of Prometheus' rule files, for the default tenant
  bool rules_on_arrival = true;                    ///< alerting rules of groups may start before their tick
  Duration alert_timeout{std::chrono::hours{24}};  ///< of alerts that Alerta's clients report without one
  std::string alertmanager_config;                 ///< a file: it routes the default tenant's alerts; "" for none
  std::vector<std::string> package_keys;           ///< files with public keys (PEM); none: archives need no signature
  std::vector<std::string> publish_allow;          ///< networks that sensors may publish to
  occi::Quota sensors;                             ///< of each tenant
  tsdb::Options series;                            ///< `directory` is below `data`
  std::uint64_t memory_bytes = 0;                  ///< of the process; 0: four fifths of the machine's
  std::uint64_t logs_max_bytes = 2ULL << 30;
  Duration logs_max_age{std::chrono::hours{24 * 14}};
  Duration late_after{std::chrono::seconds{30}};
  Duration down_after{std::chrono::seconds{15}};
  api::QueryOptions queries;
  std::size_t query_concurrency = 20;        ///< at once; the others wait
  std::size_t most_exemplars = 100'000;      ///< of all tenants, in memory
  std::map<std::string, std::string> flags;  ///< what status/flags tells
  std::string configuration;                 ///< and status/config
};

/// One per process. `start` either brings everything up or says in one sentence what prevents it, and
/// undoes what it began. Calls from one thread, except `url`.
class Server {
 public:
  static Result<std::unique_ptr<Server>> start(ServerOptions options);
  ~Server();  ///< stops

  /// Drains: no new connections, what was acknowledged is on disk. Idempotent.
  void stop();
  /// Reads packages and the certificate again; every error found (the running state then stays).
  std::vector<Error> reload();

  /// `METHOD pattern` of every route, sorted.
  std::vector<std::string> routes() const;
  /// `http://127.0.0.1:2001`.
  std::string url() const;
  /// Address that signs the first administrator in, once, within ten minutes.
  Result<std::string> sign_in_link();
  /// Enrols the agent of this machine, unless the folder holds a valid identity of this server.
  Status prepare_local_agent(const std::string& folder);

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace atalaya::app
