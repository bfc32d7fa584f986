#include "app/channels.h"

#include "app/web_files.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

std::vector<notify::ChannelConfig> configs_of(const std::vector<packages::ChannelItem>& items) {
  std::vector<notify::ChannelConfig> configs;
  for (const auto& item : items) configs.push_back({item.id, item.type, item.fields, item.origin});
  return configs;
}

}  // namespace

Result<std::unique_ptr<Channels>> Channels::make(notify::PushToBrowsers push) {
  std::unique_ptr<Channels> channels(new Channels());
  channels->transport_ = notify::curl_transport();
  std::vector<std::unique_ptr<notify::ChannelType>> types;
  for (const auto& file : shipped_packages()) {
    if (!file.path.starts_with("base/channels/") || !file.path.ends_with(".yaml")) continue;
    AT_TRY(auto type, notify::parse_http_channel_type(file.bytes, std::string(file.path), *channels->transport_));
    types.push_back(std::move(type));
  }
  types.push_back(notify::email_channel_type(*channels->transport_));
  channels->book_ = std::make_unique<notify::ChannelBook>(
      std::move(types), std::vector<notify::ChannelPtr>{notify::browser_channel(std::move(push))});
  return channels;
}

std::vector<Error> Channels::check(const std::vector<packages::ChannelItem>& items) const {
  return book_->check(configs_of(items));
}

void Channels::set(const TenantId& tenant, const std::vector<packages::ChannelItem>& items) {
  for (const auto& error : book_->set_channels(tenant, configs_of(items))) {
    telemetry::log_error("channels", to_string(error), {{"tenant", tenant.value()}});
  }
}

}  // namespace atalaya::app
