// The routing that acts, as Alertmanager's API shows it.
#pragma once

#include <functional>

#include "api/alertmanager.h"
#include "dispatch/machine.h"
#include "notify/channel.h"

namespace atalaya::app {

/// Of a tenant without a configuration: every channel hears of every alert at once. Thread-safe; all outlive it.
class ActingRouting final : public api::AlertRouting {
 public:
  using OriginOf = std::function<api::RoutingOrigin(const TenantId&)>;
  ActingRouting(const notify::ChannelBook& channels, const dispatch::Machine& dispatch, const Clock& clock,
                OriginOf origin_of)
      : channels_(channels), dispatch_(dispatch), clock_(clock), origin_of_(std::move(origin_of)) {}

  std::vector<std::string> receivers(const TenantId& tenant) const override;
  std::vector<std::string> receivers_of(const TenantId& tenant, const Labels& seen) const override;
  api::AlertMutes mutes(const TenantId& tenant, const Labels& seen) const override;
  /// Of the built-in route each alert alone, once a channel.
  std::vector<api::AlertGroup> groups(const TenantId& tenant, const std::vector<alerts::Alert>& alerts) const override;
  Duration resolve_timeout(const TenantId& tenant) const override;
  std::string configuration(const TenantId& tenant) const override;
  api::ActingRoutes acting(const TenantId& tenant) const override;

 private:
  std::vector<std::string> channels_of(const TenantId& tenant) const;
  std::string built_in(const TenantId& tenant) const;
  /// The same as a tree.
  routing::ConfigPtr built_in_tree(const TenantId& tenant) const;

  const notify::ChannelBook& channels_;
  const dispatch::Machine& dispatch_;
  const Clock& clock_;
  const OriginOf origin_of_;
};

}  // namespace atalaya::app
