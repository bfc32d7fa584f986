// What Prometheus' clients ask a server about itself.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "api/doors.h"
#include "base/time.h"
#include "storage/series.h"

namespace atalaya::api {

struct StatusServices {
  const storage::SeriesQuerier& series;
  const Clock& clock;
  std::string version;                       ///< of Atalaya
  std::string revision;                      ///< commit that it was built from
  std::map<std::string, std::string> flags;  ///< options by name, as they are in effect; no secrets
  std::string configuration;                 ///< YAML of the options that somebody gave
  std::string retention;                     ///< "15d"
  Time started;
  std::uint64_t damaged = 0;  ///< files with damage that the start found
  std::function<std::int64_t()> threads;
  struct Reload {
    bool success = true;
    Time time;                ///< of the last good one
    Time failed_at = Time{};  ///< of the last one, where that failed
  };
  std::function<Reload()> reload;  ///< the last reading of the configuration
  std::function<Status()> ready;   ///< the error says what keeps the server from its work
  std::string_view api_document;   ///< openapi.yaml; lives as long as the program
};

/// The Prometheus whose API this is: clients choose by it what they may ask.
constexpr std::string_view kSpokenVersion = "3.7.0";

/// status/{config,flags,runtimeinfo,buildinfo,walreplay}, features, alertmanagers, notifications and openapi.yaml below
/// /api/v1.
/// config and flags tell of the machine, so they are for the tenant `default`.
void add_prometheus_status_routes(Doors& doors, StatusServices services);

}  // namespace atalaya::api
