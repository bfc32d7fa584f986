// The built-in route as Alertmanager's API shows it: every channel hears of every alert at once.
#pragma once

#include "api/alertmanager.h"
#include "notify/channel.h"

namespace atalaya::app {

/// Thread-safe. `channels` outlives it.
class BuiltInRouting final : public api::AlertRouting {
 public:
  explicit BuiltInRouting(const notify::ChannelBook& channels) : channels_(channels) {}

  std::vector<std::string> receivers(const TenantId& tenant) const override;
  std::vector<std::string> receivers_of(const TenantId& tenant, const Labels& seen) const override;
  api::AlertMutes mutes(const TenantId& tenant, const Labels& seen) const override;
  /// Each alert alone, once a channel.
  std::vector<api::AlertGroup> groups(const TenantId& tenant, const std::vector<alerts::Alert>& alerts) const override;
  Duration resolve_timeout(const TenantId& tenant) const override;
  std::string configuration(const TenantId& tenant) const override;

 private:
  const notify::ChannelBook& channels_;
};

}  // namespace atalaya::app
