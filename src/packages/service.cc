#include "packages/service.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/suggest.h"
#include "packages/agent_configuration.h"
#include "packages/ondemand.h"
#include "packages/service_impl.h"
#include "telemetry/log.h"

namespace atalaya::packages {

Service::Service(io::FileSystem& files, registry::Items& items, const Clock& clock, Options options)
    : impl_(std::make_unique<Impl>(files, items, clock, std::move(options))) {}
Service::~Service() = default;

void Service::subscribe(Listeners listeners) { impl_->listeners.push_back(std::move(listeners)); }

Status Service::load_all() {
  auto& impl = *impl_;
  Impl::News news;
  const std::lock_guard change(impl.change_mutex);
  AT_TRY(impl.files.create_directories(impl.options.root));
  AT_TRY(auto tenants, impl.find_tenants());
  for (const auto& tenant : tenants) {
    AT_TRY(impl.open_tenant(tenant));
    impl.load_tenant(tenant, Impl::Look::kAll, news);
    for (const auto& [name, rounds] : impl.waiting[tenant]) impl.found_at_start[tenant].insert(name);
  }
  impl.tell(news);
  return {};
}

std::vector<Error> Service::reload() {
  auto& impl = *impl_;
  const auto end = impl.clock.steady() + kTimeOfChange;
  Impl::News news;
  news.everything = true;
  std::vector<TypeQuestion> open;
  {
    const std::lock_guard change(impl.change_mutex);
    auto tenants = impl.find_tenants();
    if (!tenants) return {tenants.error()};
    for (const auto& tenant : *tenants)
      for (auto& one : impl.load_tenant(tenant, Impl::Look::kAll, news)) open.push_back(std::move(one));
  }
  impl.ask_and_look_again(std::move(open), end, news, false);
  const std::lock_guard change(impl.change_mutex);
  std::vector<Error> errors;
  for (const auto& [id, tenant] : impl.tenants) {
    for (const auto& [name, slot] : tenant->world.slots()) {
      errors.insert(errors.end(), slot.told.begin(), slot.told.end());
    }
  }
  impl.tell(news);
  return errors;
}

bool Service::scan() {
  auto& impl = *impl_;
  Impl::News news;
  const std::lock_guard change(impl.change_mutex);
  const auto tenants = impl.find_tenants();
  if (!tenants) return false;
  for (const auto& tenant : *tenants) {
    if (!impl.tenants.contains(tenant)) impl.install_for_new(tenant);
    impl.load_tenant(tenant, Impl::Look::kChanged, news);
  }
  if (news.packages.empty()) return false;
  impl.tell(news);
  return true;
}

bool Service::ask_programs() {
  auto& impl = *impl_;
  const auto end = impl.clock.steady() + kTimeOfLook;
  Impl::News news;
  return impl.ask_and_look_again(impl.look_at_waiting(news), end, news, true);
}

void Service::welcome(const std::vector<TenantId>& wanted) {
  auto& impl = *impl_;
  const std::lock_guard change(impl.change_mutex);
  Impl::News news;
  bool any = false;
  for (const auto& tenant : wanted) {
    if (impl.tenants.contains(tenant) || !is_valid(tenant)) continue;
    impl.install_for_new(tenant);
    impl.load_tenant(tenant, Impl::Look::kAll, news);
    any = true;
  }
  if (any) impl.tell(news);
}

std::vector<TenantId> Service::tenants() const {
  const std::shared_lock lock(impl_->mutex);
  std::vector<TenantId> out;
  for (const auto& [id, tenant] : impl_->tenants) out.push_back(id);
  return out;
}

const World* Service::Impl::find_world(const TenantId& tenant) const {
  const auto found = tenants.find(tenant);
  return found == tenants.end() ? nullptr : &found->second->world;
}

std::unexpected<Error> Service::Impl::no_package(const TenantId& tenant, const std::string& package) const {
  std::vector<std::string> names;
  {
    const std::shared_lock lock(mutex);
    if (const auto* world = find_world(tenant)) {
      for (const auto& [name, slot] : world->slots()) names.push_back(name);
    }
  }
  return fail(ErrorCode::kNotFound, fmt::format("there is no package {}", package), config::suggestion(package, names));
}

std::vector<rules::RuleSpec> Service::rules() const {
  const std::shared_lock lock(impl_->mutex);
  std::vector<rules::RuleSpec> out;
  for (const auto& [id, tenant] : impl_->tenants) {
    const auto of_tenant = impl_->gather(id, &Package::rules);
    out.insert(out.end(), of_tenant.begin(), of_tenant.end());
  }
  return out;
}
std::vector<CollectorItem> Service::collectors(const TenantId& tenant) const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->gather(tenant, &Package::collectors);
}
std::vector<ChannelItem> Service::channels(const TenantId& tenant) const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->gather(tenant, &Package::channels);
}
std::vector<ChannelTypeFile> Service::channel_types(const TenantId& tenant) const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->gather(tenant, &Package::channel_types);
}

std::vector<FoundInPackage> Service::items(const TenantId& tenant, std::string_view section) const {
  const std::shared_lock lock(impl_->mutex);
  std::vector<FoundInPackage> out;
  const auto* world = impl_->find_world(tenant);
  if (world == nullptr) return out;
  for (const auto& [name, slot] : world->slots()) {
    if (!slot.running || slot.running->specification) continue;
    const auto& items = slot.running->items;  // by section
    auto item = std::ranges::lower_bound(items, section, std::ranges::less{}, &Item::section);
    for (; item != items.end() && item->section == section; ++item) out.push_back({slot.running, &*item});
  }
  return out;
}

std::optional<FoundInPackage> Service::find(const TenantId& tenant, std::string_view section,
                                            std::string_view id) const {
  const std::shared_lock lock(impl_->mutex);
  const auto* world = impl_->find_world(tenant);
  if (world == nullptr) return std::nullopt;
  const auto slot = world->slots().find(std::string(id.substr(0, id.find('/'))));
  if (slot == world->slots().end() || !slot->second.running || slot->second.running->specification) return std::nullopt;
  const auto* item = slot->second.running->find(section, id);
  if (item == nullptr) return std::nullopt;
  return FoundInPackage{slot->second.running, item};
}

std::optional<FoundInPackage> Service::find_with_fallbacks(const TenantId& tenant, std::string_view section,
                                                           const std::string& package, std::string_view path) const {
  std::vector<std::string> wanted{package};
  std::set<std::string> seen;
  for (std::size_t i = 0; i < wanted.size() && i < 64; ++i) {
    const auto name = wanted[i];
    if (!seen.insert(name).second) continue;
    if (auto found = find(tenant, section, fmt::format("{}/{}", name, path))) return found;
    for (auto& fallback : fallbacks(tenant, name)) wanted.push_back(std::move(fallback));
  }
  return std::nullopt;
}

std::vector<std::string> Service::fallbacks(const TenantId& tenant, const std::string& package) const {
  const std::shared_lock lock(impl_->mutex);
  std::vector<std::string> out;
  const auto* world = impl_->find_world(tenant);
  const auto slot = world == nullptr ? Slots::const_iterator{} : world->slots().find(package);
  if (world == nullptr || slot == world->slots().end()) return out;
  for (const auto& fallback : slot->second.manifest.fallbacks) out.push_back(fallback.package);
  return out;
}

std::shared_ptr<const schema::SchemaSet> Service::schemas(const TenantId& tenant, const std::string& package) const {
  const std::shared_lock lock(impl_->mutex);
  const auto* world = impl_->find_world(tenant);
  return world == nullptr ? nullptr : world->schemas_of(package);
}

std::uint64_t Service::configuration_revision() const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->revision;
}

std::string Service::agent_configuration(const TenantId& tenant, std::string_view host) const {
  const std::shared_lock lock(impl_->mutex);
  static const Slots kNone;
  const auto* world = impl_->find_world(tenant);
  return packages::agent_configuration(world == nullptr ? kNone : world->slots(), host, impl_->revision);
}

Result<CollectorItem> Service::add_check(const TenantId& tenant, const NewCheck& check, const std::string& author) {
  auto& impl = *impl_;
  const std::string package(kOndemand);
  const auto listed = list_files(impl.files, impl.folder(tenant, package));
  const auto taken = [&](const std::string& slug) {
    return listed && std::any_of(listed->begin(), listed->end(),
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
  const auto add = [&] {
    return impl.carry_out(tenant, {{package + "/" + file.name, std::nullopt, file.text}}, author,
                          fmt::format("check {} added", slug), false);
  };
  AT_TRY(auto result, impl.when_answered(add));
  if (!result.errors.empty()) {
    auto error = result.errors.front();
    if (error.place && !error.place->file.ends_with("/" + file.name)) {
      return fail(ErrorCode::kConflict,
                  fmt::format("another file of package {} is broken: {}", package, to_string(error)),
                  "see the list of packages for its errors");
    }
    error.place.reset();  // of a file that nobody has seen
    return std::unexpected(std::move(error));
  }
  const auto id = fmt::format("{}/checks/{}", package, slug);
  for (auto& item : collectors(tenant)) {
    if (item.id == id) return item;
  }
  return fail(ErrorCode::kInternal, fmt::format("{} is stored and does not run", id));
}

Status Service::remove_item(const TenantId& tenant, std::string_view id, const std::string& author) {
  auto& impl = *impl_;
  std::optional<registry::Item> found;
  std::size_t in_file = 0;
  const auto all = impl.items.list(tenant);
  for (const auto& item : all) {
    if (item.id == id) found = item;
  }
  if (!found) return fail(ErrorCode::kNotFound, fmt::format("there is no item {}", id));
  const auto& file = found->origin.place.file;
  if (found->package != kOndemand) {
    return fail(ErrorCode::kPermissionDenied, fmt::format("{} is declared in {}", id, file),
                "remove it from that file: the change is noticed at once");
  }
  for (const auto& item : all) in_file += item.origin.place.file == file ? 1 : 0;
  if (in_file != 1) {
    return fail(ErrorCode::kConflict, fmt::format("{} holds {} items", file, in_file), "remove it from that file");
  }
  const auto remove = [&]() -> Result<ChangeResult> {
    AT_TRY(auto text, io::read_file(impl.files, impl.folder(tenant, file), kMaxPackageFile));
    return impl.carry_out(tenant,
                          {{fmt::format("{}/{}", kOndemand, file.substr(file.rfind('/') + 1)), text, std::nullopt}},
                          author, fmt::format("{} removed", id), false);
  };
  AT_TRY(auto result, impl.when_answered(remove));
  if (!result.errors.empty()) return std::unexpected(result.errors.front());
  return {};
}

}  // namespace atalaya::packages
