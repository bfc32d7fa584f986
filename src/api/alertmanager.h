// Alertmanager's API v2, as its OpenAPI document describes it: senders and amtool work with it unchanged.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "alerts/queries.h"
#include "alerts/silence.h"
#include "api/doors.h"
#include "control/runner.h"
#include "routing/config.h"

namespace atalaya::api {

/// What keeps an alert quiet beside silences.
struct AlertMutes {
  std::vector<Labels> inhibited_by;    ///< labels of alerts
  std::vector<std::string> intervals;  ///< names of time intervals
};

/// Alerts that are told together.
struct AlertGroup {
  Labels labels;
  std::string receiver;
  std::vector<const alerts::Alert*> alerts;  ///< of those that were asked about
};

/// Whose configuration of routing acts.
struct RoutingOrigin {
  std::string file;               ///< where it stands; "" for the built-in route
  std::string package;            ///< that has it; "" for a file of its own
  std::vector<std::string> idle;  ///< packages whose configuration does not act beside it
};

/// One way in which a receiver is told.
struct IntegrationSeen {
  std::string receiver;
  std::string type;
  std::string target;  ///< redacted address; "" where there is no channel for it
  bool send_resolved = true;
  bool carried_out = true;
  Place place;
};

/// The configuration that acts.
struct ActingRoutes {
  routing::ConfigPtr config;  ///< never null
  bool built_in = false;      ///< nothing is configured: every channel hears of every alert at once
  RoutingOrigin origin;
  std::vector<IntegrationSeen> integrations;  ///< by receivers' names
  config::Errors warnings;                    ///< what is taken but does not act
};

/// Who is told of which alerts: the notifier as this API sees it. Thread-safe.
class AlertRouting {
 public:
  virtual ~AlertRouting() = default;
  virtual std::vector<std::string> receivers(const TenantId& tenant) const = 0;
  /// Of an alert with these labels; never twice the same.
  virtual std::vector<std::string> receivers_of(const TenantId& tenant, const Labels& seen) const = 0;
  virtual AlertMutes mutes(const TenantId& tenant, const Labels& seen) const = 0;
  virtual std::vector<AlertGroup> groups(const TenantId& tenant, const std::vector<alerts::Alert>& alerts) const = 0;
  /// After which an alert ends whose sender names no end.
  virtual Duration resolve_timeout(const TenantId& tenant) const = 0;
  /// What is in force in Alertmanager's notation, without secrets.
  virtual std::string configuration(const TenantId& tenant) const = 0;
  virtual ActingRoutes acting(const TenantId& tenant) const = 0;
};

struct AlertmanagerServices {
  alerts::Queries& alerts;
  alerts::SilenceQueries& silences;
  const AlertRouting& routing;
  control::Runner& control;
  net::WorkerPool& senders;  ///< threads on which posted alerts wait for their commit
  const Clock& clock;
  std::string external_url;
  std::string version;   ///< of Atalaya
  std::string revision;  ///< commit that it was built from
  Time started;
};

/// The Alertmanager whose API this is: clients choose by it what they may ask.
constexpr std::string_view kSpokenAlertmanager = "0.28.1";

/// /api/v2: status, receivers, alerts, alerts/groups, silences, silence/{id}. Errors are JSON strings.
void add_alertmanager_routes(Doors& doors, AlertmanagerServices services);

}  // namespace atalaya::api
