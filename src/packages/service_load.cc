// From folders to what runs.

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "config/reader.h"
#include "packages/ondemand.h"
#include "packages/service_impl.h"
#include "telemetry/log.h"

namespace atalaya::packages {
namespace {

std::set<std::string> names_of(const std::vector<ChannelTypeFile>& types) {
  std::set<std::string> names;
  for (const auto& type : types) names.insert(type.name);
  return names;
}

}  // namespace

Result<std::vector<TenantId>> Service::Impl::find_tenants() {
  std::vector<TenantId> out = options.tenants;
  AT_TRY(auto folders, list_folders(files, options.root));
  for (auto& name : folders) {
    TenantId tenant{std::move(name)};
    if (!is_valid(tenant)) {
      if (odd_folders.insert(tenant.value()).second) {
        telemetry::log_warn("packages", "a folder is ignored: its name is no tenant's",
                            {{"path", options.root + "/" + tenant.value()}});
      }
      continue;
    }
    if (std::find(out.begin(), out.end(), tenant) == out.end()) out.push_back(std::move(tenant));
  }
  return out;
}

Status Service::Impl::install_shipped(const TenantId& tenant) {
  std::map<std::string, std::vector<SourceFile>> by_package;
  for (const auto& file : options.shipped) {
    const auto slash = file.path.find('/');
    if (slash == std::string_view::npos) continue;
    by_package[std::string(file.path.substr(0, slash))].push_back(
        {"", std::string(file.path.substr(slash + 1)), std::string(file.bytes), std::nullopt});
  }
  for (const auto& [name, sources] : by_package) {
    if (files.exists(folder(tenant, name))) continue;
    // Under another name first, so that a crash in between leaves no half package.
    const auto temporary = folder(tenant, "." + name + ".new");
    if (files.exists(temporary)) {
      AT_TRY(files.remove_all(temporary));
    }
    AT_TRY(write_folder(files, temporary, sources));
    AT_TRY(files.rename(temporary, folder(tenant, name)));
    AT_TRY(files.sync_directory(options.root + "/" + tenant.value()));
  }
  return {};
}

void Service::Impl::install_for_new(const TenantId& tenant) {
  auto installed = files.create_directories(options.root + "/" + tenant.value());
  if (installed) installed = install_shipped(tenant);
  if (!installed) {
    telemetry::log_warn("packages", "shipped packages not installed",
                        {{"tenant", tenant.value()}, {"reason", to_string(installed.error())}});
  }
}

void Service::Impl::load_tenant(const TenantId& tenant, bool all, bool& changed) {
  {
    const std::lock_guard lock(mutex);  // who reads meanwhile must not see the map grow
    tenants.try_emplace(tenant);
  }
  const auto root = options.root + "/" + tenant.value();
  auto names = list_folders(files, root);
  if (!names) {
    telemetry::log_warn("packages", "folder not read", {{"path", root}, {"reason", to_string(names.error())}});
    return;
  }
  // Packages that define channel types come first: others name those types.
  std::stable_partition(names->begin(), names->end(),
                        [&](const auto& name) { return files.exists(folder(tenant, name) + "/channels"); });
  std::vector<std::string> gone;
  for (const auto& [name, slot] : tenants[tenant]) {
    if (std::find(names->begin(), names->end(), name) == names->end()) gone.push_back(name);
  }
  for (const auto& name : gone) {
    forget(tenant, name);
    changed = true;
  }
  for (const auto& name : *names) {
    const auto sources = read_folder(files, folder(tenant, name), folder(tenant, name));
    if (sources.empty() && name == kOndemand) {  // its last entity was removed
      if (tenants[tenant].contains(name)) {
        forget(tenant, name);
        changed = true;
      }
      continue;
    }
    const auto known = tenants[tenant].find(name);
    if (!all && known != tenants[tenant].end() && known->second.seen == fingerprint(sources)) continue;
    load(tenant, name, sources);
    changed = true;
  }
}

void Service::Impl::load(const TenantId& tenant, const std::string& name, const std::vector<SourceFile>& sources) {
  Loaded loaded;
  if (is_item_name(name)) {
    loaded = load_package(tenant, name, sources, names_of(channel_types_except(tenant, name)));
  } else {
    loaded.errors.push_back({ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no name of a package", name),
                             Place{folder(tenant, name), 0, 0},
                             "letters, digits, _, - and . ; a letter or digit first; at most 64"});
  }
  if (options.check_channels) {
    auto types = channel_types_except(tenant, name);
    types.insert(types.end(), loaded.package.channel_types.begin(), loaded.package.channel_types.end());
    const auto more = options.check_channels(loaded.package.channels, types);
    loaded.errors.insert(loaded.errors.end(), more.begin(), more.end());
    config::sort_by_place(loaded.errors);
  }
  const bool good = loaded.errors.empty();
  if (good) keep_last_good(tenant, name, sources);
  std::optional<std::vector<registry::Item>> index;
  {
    const std::lock_guard lock(mutex);
    auto& slot = tenants[tenant][name];
    slot.seen = fingerprint(sources);
    slot.broken = !good;
    slot.errors = std::move(loaded.errors);
    if (good) slot.running = std::move(loaded.package);
    if (!good && !slot.running) run_last_good(tenant, name, slot);
    if (slot.running) index = slot.running->index;
  }
  if (index) items.replace_package(tenant, name, std::move(*index));
}

void Service::Impl::run_last_good(const TenantId& tenant, const std::string& name, Slot& slot) {
  if (options.last_good.empty() || !files.exists(good_folder(tenant, name))) return;
  // Shown under the path of the files that are the truth.
  const auto sources = read_folder(files, good_folder(tenant, name), folder(tenant, name));
  auto loaded = load_package(tenant, name, sources, names_of(channel_types_except(tenant, name)));
  if (loaded.errors.empty()) slot.running = std::move(loaded.package);
}

void Service::Impl::keep_last_good(const TenantId& tenant, const std::string& name,
                                   const std::vector<SourceFile>& sources) {
  if (options.last_good.empty()) return;
  const auto path = good_folder(tenant, name);
  if (files.exists(path) && fingerprint(read_folder(files, path, "")) == fingerprint(sources)) return;
  if (auto kept = write_folder(files, path, sources); !kept) {
    telemetry::log_warn("packages", "last good version not kept",
                        {{"package", name}, {"reason", to_string(kept.error())}});
  }
}

void Service::Impl::forget(const TenantId& tenant, const std::string& name) {
  {
    const std::lock_guard lock(mutex);
    tenants[tenant].erase(name);
  }
  items.replace_package(tenant, name, {});
  if (options.last_good.empty() || !files.exists(good_folder(tenant, name))) return;
  if (auto removed = files.remove_all(good_folder(tenant, name)); !removed) {
    telemetry::log_warn("packages", "last good version not removed",
                        {{"package", name}, {"reason", to_string(removed.error())}});
  }
}

std::vector<ChannelTypeFile> Service::Impl::channel_types_except(const TenantId& tenant,
                                                                 const std::string& name) const {
  std::vector<ChannelTypeFile> out;
  const auto found = tenants.find(tenant);
  if (found == tenants.end()) return out;
  for (const auto& [other, slot] : found->second) {
    if (other == name || !slot.running) continue;
    out.insert(out.end(), slot.running->channel_types.begin(), slot.running->channel_types.end());
  }
  return out;
}

namespace {

bool same_rules(const std::vector<rules::RuleSpec>& a, const std::vector<rules::RuleSpec>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.same_content(y) && x.origin == y.origin; });
}

std::uint64_t hash_of(std::string_view text) {
  SourceFile file;
  file.text = text;
  return fingerprint({file});
}

}  // namespace

void Service::Impl::tell() {
  std::vector<rules::RuleSpec> rules;
  std::vector<CollectorItem> collectors;
  decltype(told.channels) channels;
  {
    const std::lock_guard lock(mutex);
    rules = all_rules();
    for (const auto& [tenant, slots] : tenants) {
      const auto of_tenant = collectors_of(tenant);
      collectors.insert(collectors.end(), of_tenant.begin(), of_tenant.end());
      channels[tenant] = {channels_of(tenant), channel_types_of(tenant)};
    }
  }
  const bool first = !std::exchange(told.once, true);
  const bool new_rules = first || !same_rules(rules, told.rules);
  const bool new_collectors = first || collectors != told.collectors;
  if (new_collectors) renew_revision(collectors);
  const auto before = std::exchange(told.channels, channels);
  told.rules = std::move(rules);
  told.collectors = std::move(collectors);
  for (const auto& listener : listeners) {
    if (new_rules && listener.rules) listener.rules(told.rules);
    if (new_collectors && listener.collectors) listener.collectors(revision);
    for (const auto& [tenant, set] : channels) {
      const auto old = before.find(tenant);
      if (!first && old != before.end() && old->second == set) continue;
      if (listener.channels) listener.channels(tenant, set.first, set.second);
    }
  }
}

/// The number must differ from every earlier one that stood for something else, also across restarts:
/// it is kept beside the last good files with a hash of what it stands for.
void Service::Impl::renew_revision(const std::vector<CollectorItem>& all) {
  std::string content;
  for (const auto& item : all) {
    content += fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n", item.tenant.value(), item.id, item.type, item.period.count(),
                           fmt::join(item.on.patterns, "\n"), boost::json::serialize(item.fields));
  }
  const auto hash = hash_of(content);
  const auto path = options.last_good + "/collectors.json";
  std::uint64_t next = revision + 1;
  if (revision == 0 && !options.last_good.empty()) {
    boost::system::error_code error;
    const auto text = io::read_file(files, path, 4096);
    const auto kept = text ? boost::json::parse(*text, error) : boost::json::value();
    if (text && !error && kept.is_object()) {
      const auto* number = kept.get_object().if_contains("revision");
      const auto* stands_for = kept.get_object().if_contains("hash");
      if (number != nullptr && number->is_int64() && number->get_int64() > 0) {
        next = static_cast<std::uint64_t>(number->get_int64()) + 1;
        if (stands_for != nullptr && *stands_for == boost::json::value(fmt::format("{:016x}", hash))) --next;
      }
    }
  }
  {
    const std::lock_guard lock(mutex);
    revision = next;
  }
  if (options.last_good.empty()) return;
  const auto text =
      boost::json::serialize(boost::json::object{{"revision", next}, {"hash", fmt::format("{:016x}", hash)}});
  auto kept = files.create_directories(options.last_good);
  if (kept) kept = io::write_file_atomically(files, path, text);
  if (!kept) telemetry::log_warn("packages", "revision not kept", {{"reason", to_string(kept.error())}});
}

}  // namespace atalaya::packages
