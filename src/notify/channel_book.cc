#include <fmt/format.h>

#include <utility>

#include "notify/channel.h"

namespace atalaya::notify {

ChannelBook::ChannelBook(std::vector<std::unique_ptr<ChannelType>> types, std::vector<ChannelPtr> everywhere) {
  for (auto& type : types) {
    auto name = type->name();
    types_.emplace(std::move(name), std::move(type));
  }
  for (auto& channel : everywhere) everywhere_.emplace(channel->info().id, channel);
}

ChannelBook::TypesByName ChannelBook::with(const Types& own) const {
  auto types = types_;
  for (const auto& type : own) types[type->name()] = type;
  return types;
}

void ChannelBook::set_types(const TenantId& tenant, const Types& types) {
  auto all = with(types);
  const std::lock_guard lock(mutex_);
  own_types_[tenant] = std::move(all);
}

std::vector<Error> ChannelBook::build(const TypesByName& types, const std::vector<ChannelConfig>& configs,
                                      Set& out) const {
  std::vector<Error> errors;
  const auto complain = [&](const ChannelConfig& config, std::string message, std::string remedy) {
    errors.push_back({ErrorCode::kInvalidArgument, std::move(message), config.place, std::move(remedy)});
  };
  for (const auto& config : configs) {
    const auto type = types.find(config.type);
    if (type == types.end()) {
      std::string known;
      for (const auto& [name, unused] : types) known += (known.empty() ? "" : ", ") + name;
      complain(config, fmt::format("channel {}: there is no type '{}'", config.id, config.type), "use one of " + known);
      continue;
    }
    auto channel = type->second->make(config);
    if (!channel) {
      errors.push_back(std::move(channel).error());
    } else if (everywhere_.contains(config.id) || !out.emplace(config.id, std::move(*channel)).second) {
      complain(config, fmt::format("channel {}: the name is taken", config.id), "choose another name");
    }
  }
  return errors;
}

std::vector<Error> ChannelBook::check(const std::vector<ChannelConfig>& configs, const Types& own) const {
  Set unused;
  return build(with(own), configs, unused);
}

std::vector<Error> ChannelBook::set_channels(const TenantId& tenant, const std::vector<ChannelConfig>& configs) {
  auto types = types_;
  {
    const std::lock_guard lock(mutex_);
    if (const auto own = own_types_.find(tenant); own != own_types_.end()) types = own->second;
  }
  Set set;
  auto errors = build(types, configs, set);
  if (!errors.empty()) return errors;
  const std::lock_guard lock(mutex_);
  sets_[tenant] = std::move(set);
  return errors;
}

std::vector<Error> ChannelBook::set_receivers(const TenantId& tenant, const std::vector<ChannelConfig>& configs) {
  auto types = types_;
  {
    const std::lock_guard lock(mutex_);
    if (const auto own = own_types_.find(tenant); own != own_types_.end()) types = own->second;
  }
  Set set;
  auto errors = build(types, configs, set);
  const std::lock_guard lock(mutex_);
  receivers_[tenant] = std::move(set);
  return errors;
}

bool ChannelBook::has_channels(const TenantId& tenant) const {
  const std::lock_guard lock(mutex_);
  return sets_.contains(tenant);
}

std::vector<ChannelPtr> ChannelBook::channels(const TenantId& tenant) const {
  Set all = everywhere_;
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = sets_.find(tenant); it != sets_.end()) all.insert(it->second.begin(), it->second.end());
  }
  std::vector<ChannelPtr> out;
  for (auto& [id, channel] : all) out.push_back(std::move(channel));
  return out;
}

ChannelPtr ChannelBook::find(const TenantId& tenant, const std::string& id) const {
  if (const auto it = everywhere_.find(id); it != everywhere_.end()) return it->second;
  const std::lock_guard lock(mutex_);
  for (const auto* sets : {&sets_, &receivers_}) {
    const auto set = sets->find(tenant);
    if (set == sets->end()) continue;
    if (const auto it = set->second.find(id); it != set->second.end()) return it->second;
  }
  return nullptr;
}

std::vector<ChannelInfo> ChannelBook::list(const TenantId& tenant) const {
  std::vector<ChannelInfo> out;
  for (const auto& channel : channels(tenant)) out.push_back(channel->info());
  const std::lock_guard lock(mutex_);
  if (const auto set = receivers_.find(tenant); set != receivers_.end()) {
    for (const auto& [id, channel] : set->second) out.push_back(channel->info());
  }
  return out;
}

}  // namespace atalaya::notify
