#include "app/channels.h"

#include <fmt/format.h>

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

notify::ChannelBook::Types Channels::parse(const std::vector<packages::ChannelTypeFile>& files,
                                           std::vector<Error>& errors) const {
  notify::ChannelBook::Types types;
  for (const auto& file : files) {
    auto type = notify::parse_http_channel_type(file.text, file.path, *transport_);
    if (!type) {
      errors.push_back(std::move(type).error());
    } else if ((*type)->name() != file.name) {
      errors.push_back({ErrorCode::kInvalidArgument,
                        fmt::format("the channel type \"{}\" stands in the file {}.yaml", (*type)->name(), file.name),
                        Place{file.path, 0, 0}, fmt::format("rename the file to {}.yaml", (*type)->name())});
    } else {
      types.push_back(std::move(*type));
    }
  }
  return types;
}

std::vector<Error> Channels::check(const std::vector<packages::ChannelItem>& items,
                                   const std::vector<packages::ChannelTypeFile>& types) const {
  std::vector<Error> errors;
  const auto own = parse(types, errors);
  // Without a sound type, complaints about its channels would only hide its own.
  return errors.empty() ? book_->check(configs_of(items), own) : errors;
}

void Channels::set(const TenantId& tenant, const std::vector<packages::ChannelItem>& items,
                   const std::vector<packages::ChannelTypeFile>& types) {
  std::vector<Error> errors;
  const auto own = parse(types, errors);
  book_->set_types(tenant, own);
  auto configs = configs_of(items);
  const auto wrong = book_->set_channels(tenant, configs);
  errors.insert(errors.end(), wrong.begin(), wrong.end());
  for (const auto& error : errors) {
    telemetry::log_error("channels", to_string(error), {{"tenant", tenant.value()}});
  }
  if (wrong.empty() || book_->has_channels(tenant)) return;
  std::erase_if(configs, [&](const auto& config) { return !book_->check({config}, own).empty(); });
  book_->set_channels(tenant, configs);
}

}  // namespace atalaya::app
