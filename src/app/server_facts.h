// What the server tells of itself by Prometheus' API.
#pragma once

#include <mutex>

#include "api/prometheus_status.h"
#include "app/server.h"
#include "config/options.h"
#include "telemetry/metrics.h"

namespace atalaya::app {

/// The options of the chosen command by name, as they are in effect, without secrets.
std::map<std::string, std::string> flags_of(const config::Options& options);
/// Those that somebody gave, as a file for --config would hold them.
std::string given_options(const config::Options& options);

/// The last reading of the configuration. Thread-safe.
class LastReload {
 public:
  explicit LastReload(Time started) : last_{true, started, Time{}} {}
  void note(bool success, Time now) {
    const std::lock_guard lock(mutex_);
    last_.success = success;
    (success ? last_.time : last_.failed_at) = now;
  }
  api::StatusServices::Reload get() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  mutable std::mutex mutex_;
  api::StatusServices::Reload last_;  ///< guarded by mutex_
};

/// unavailable where a store cannot be written, as its metric says.
Status stores_take_data(telemetry::Registry& metrics);

/// All references outlive what is returned.
api::StatusServices server_facts(const ServerOptions& options, const tsdb::Store& series, const Clock& clock,
                                 const LastReload& reload, std::function<Status()> ready);

}  // namespace atalaya::app
