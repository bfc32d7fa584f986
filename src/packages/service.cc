#include "packages/service.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "packages/ondemand.h"
#include "packages/service_impl.h"
#include "telemetry/log.h"

namespace atalaya::packages {

namespace json = boost::json;

Service::Service(io::FileSystem& files, registry::Items& items, Options options)
    : impl_(std::make_unique<Impl>(files, items, std::move(options))) {}
Service::~Service() = default;

void Service::subscribe(Listeners listeners) { impl_->listeners.push_back(std::move(listeners)); }

Status Service::load_all() {
  auto& impl = *impl_;
  const std::lock_guard change(impl.change_mutex);
  AT_TRY(impl.files.create_directories(impl.options.root));
  AT_TRY(auto tenants, impl.find_tenants());
  bool changed = false;
  for (const auto& tenant : tenants) {
    AT_TRY(impl.files.create_directories(impl.options.root + "/" + tenant.value()));
    AT_TRY(impl.install_shipped(tenant));
    impl.load_tenant(tenant, true, changed);
  }
  impl.tell();
  return {};
}

std::vector<Error> Service::reload() {
  auto& impl = *impl_;
  const std::lock_guard change(impl.change_mutex);
  auto tenants = impl.find_tenants();
  if (!tenants) return {tenants.error()};
  bool changed = false;
  std::vector<Error> errors;
  for (const auto& tenant : *tenants) {
    impl.load_tenant(tenant, true, changed);
    for (const auto& [name, slot] : impl.tenants.at(tenant)) {
      errors.insert(errors.end(), slot.errors.begin(), slot.errors.end());
    }
  }
  impl.tell();
  return errors;
}

bool Service::scan() {
  auto& impl = *impl_;
  const std::lock_guard change(impl.change_mutex);
  const auto tenants = impl.find_tenants();
  if (!tenants) return false;
  bool changed = false;
  for (const auto& tenant : *tenants) {
    bool here = false;
    if (!impl.tenants.contains(tenant)) impl.install_for_new(tenant);
    impl.load_tenant(tenant, false, here);
    if (!here) continue;
    changed = true;
    for (const auto& [name, slot] : impl.tenants.at(tenant)) {
      for (const auto& error : slot.errors) {
        telemetry::log_error("packages", to_string(error), {{"package", name}, {"tenant", tenant.value()}});
      }
    }
  }
  if (changed) impl.tell();
  return changed;
}

void Service::welcome(const std::vector<TenantId>& tenants) {
  auto& impl = *impl_;
  const std::lock_guard change(impl.change_mutex);
  bool changed = false;
  for (const auto& tenant : tenants) {
    if (!is_valid(tenant) || impl.tenants.contains(tenant)) continue;
    impl.install_for_new(tenant);
    impl.load_tenant(tenant, true, changed);
  }
  if (changed) impl.tell();
}

std::vector<TenantId> Service::tenants() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<TenantId> out;
  for (const auto& [tenant, slots] : impl_->tenants) out.push_back(tenant);
  return out;
}

std::vector<PackageState> Service::list(const TenantId& tenant) const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<PackageState> out;
  const auto found = impl_->tenants.find(tenant);
  if (found == impl_->tenants.end()) return out;
  for (const auto& [name, slot] : found->second) {
    out.push_back({.name = name,
                   .version = slot.running ? slot.running->version : "",
                   .broken = slot.broken,
                   .errors = slot.errors,
                   .items = slot.running ? slot.running->items() : 0});
  }
  return out;
}

std::vector<rules::RuleSpec> Service::Impl::all_rules() const {
  std::vector<rules::RuleSpec> out;
  for (const auto& [tenant, slots] : tenants) {
    for (const auto& [name, slot] : slots) {
      if (slot.running) out.insert(out.end(), slot.running->rules.begin(), slot.running->rules.end());
    }
  }
  return out;
}

namespace {

template <typename T, typename Slots>
std::vector<T> gather(const std::map<TenantId, Slots>& tenants, const TenantId& tenant,
                      std::vector<T> Package::* part) {
  std::vector<T> out;
  const auto found = tenants.find(tenant);
  if (found == tenants.end()) return out;
  for (const auto& [name, slot] : found->second) {
    if (slot.running) out.insert(out.end(), ((*slot.running).*part).begin(), ((*slot.running).*part).end());
  }
  return out;
}

}  // namespace

std::vector<CollectorItem> Service::Impl::collectors_of(const TenantId& tenant) const {
  return gather(tenants, tenant, &Package::collectors);
}
std::vector<ChannelItem> Service::Impl::channels_of(const TenantId& tenant) const {
  return gather(tenants, tenant, &Package::channels);
}
std::vector<ChannelTypeFile> Service::Impl::channel_types_of(const TenantId& tenant) const {
  return gather(tenants, tenant, &Package::channel_types);
}

std::vector<rules::RuleSpec> Service::rules() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->all_rules();
}
std::vector<CollectorItem> Service::collectors(const TenantId& tenant) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->collectors_of(tenant);
}
std::vector<ChannelItem> Service::channels(const TenantId& tenant) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->channels_of(tenant);
}
std::vector<ChannelTypeFile> Service::channel_types(const TenantId& tenant) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->channel_types_of(tenant);
}

std::uint64_t Service::configuration_revision() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->revision;
}

std::string Service::agent_configuration(const TenantId& tenant, std::string_view host) const {
  const std::lock_guard lock(impl_->mutex);
  json::array list;
  bool has_host = false;
  for (const auto& item : impl_->collectors_of(tenant)) {
    if (!item.on.matches(host)) continue;
    has_host = has_host || item.type == "host";
    json::object one{{"id", item.id}, {"type", item.type}, {"period", format_duration(item.period)}};
    for (const auto& [key, value] : item.fields) one[key] = value;
    list.push_back(std::move(one));
  }
  if (!has_host) list.insert(list.begin(), json::object{{"id", "host"}, {"type", "host"}, {"period", "1s"}});
  return json::serialize(json::object{{"revision", impl_->revision}, {"collectors", std::move(list)}});
}

Result<CollectorItem> Service::add_check(const TenantId& tenant, const NewCheck& check) {
  auto& impl = *impl_;
  const std::lock_guard change(impl.change_mutex);
  const std::string package(kOndemand);
  const auto path = impl.folder(tenant, package);
  std::vector<SourceFile> sources;
  if (impl.files.exists(path)) sources = read_folder(impl.files, path, path);
  const auto taken = [&](const std::string& slug) {
    return std::any_of(sources.begin(), sources.end(),
                       [&](const auto& file) { return file.name == "check-" + slug + ".yaml"; });
  };
  const auto wanted = check_slug(check);
  auto slug = wanted;
  for (int i = 2; taken(slug); ++i) {
    if (!check.name.empty()) {
      return fail(ErrorCode::kAlreadyExists, fmt::format("there is a check called \"{}\"", check.name),
                  "choose another name");
    }
    slug = fmt::format("{}-{}", wanted, i);
  }
  AT_TRY(auto file, check_file(check, slug));
  file.path = path + "/" + file.name;
  const auto alone = load_package(tenant, package, {file}, {});
  if (!alone.errors.empty()) {
    auto error = alone.errors.front();
    error.place.reset();  // of a file that nobody has seen
    return std::unexpected(std::move(error));
  }
  AT_TRY(impl.files.create_directories(path));
  AT_TRY(io::write_file_atomically(impl.files, file.path, file.text));
  impl.load(tenant, package, read_folder(impl.files, path, path));
  impl.tell();
  const auto id = fmt::format("{}/checks/{}", package, slug);
  for (auto& item : collectors(tenant)) {
    if (item.id == id) return item;
  }
  return fail(ErrorCode::kConflict, fmt::format("{} is stored, but another file of package {} is broken", id, package),
              "see the list of packages for its errors");
}

Status Service::remove_item(const TenantId& tenant, std::string_view id) {
  auto& impl = *impl_;
  const std::lock_guard change(impl.change_mutex);
  std::optional<registry::Item> found;
  std::size_t in_file = 0;
  const auto all = impl.items.list(tenant);
  for (const auto& item : all) {
    if (item.id == id) found = item;
  }
  if (!found) return fail(ErrorCode::kNotFound, fmt::format("there is no item {}", id));
  const auto& file = found->origin.file;
  if (found->package != kOndemand) {
    return fail(ErrorCode::kPermissionDenied, fmt::format("{} is declared in {}", id, file),
                "remove it from that file: the change is noticed at once");
  }
  for (const auto& item : all) in_file += item.origin.file == file ? 1 : 0;
  if (in_file != 1) {
    return fail(ErrorCode::kConflict, fmt::format("{} holds {} items", file, in_file), "remove it from that file");
  }
  AT_TRY(impl.files.remove(file));
  const auto folder = impl.folder(tenant, found->package);
  AT_TRY(impl.files.sync_directory(folder));
  bool changed = false;
  impl.load_tenant(tenant, false, changed);
  impl.tell();
  return {};
}

}  // namespace atalaya::packages
