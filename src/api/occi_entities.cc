#include "api/occi_entities.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/occi_items.h"
#include "telemetry/log.h"

namespace atalaya::api {
namespace {

using packages::Operation;

constexpr std::string_view kOndemand = "ondemand";

packages::ItemAddress address_of(const std::string& section, const std::string& item) {
  packages::ItemAddress out;
  out.section = section;
  auto rest = std::string_view(item);
  const auto next = [&] {
    const auto slash = rest.find('/');
    auto part = std::string(rest.substr(0, slash));
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    return part;
  };
  out.package = next();
  while (!rest.empty()) out.path.push_back(next());
  return out;
}

/// What OCCI makes stands in one group where a section has groups.
constexpr std::string_view kGroup = "occi";

Operation create(const std::string& section, std::vector<std::string> path, config::YamlValue value) {
  Operation out;
  out.what = Operation::What::kCreate;
  out.file = fmt::format("{}-{}.yaml", section, path.back());
  out.at = {std::string(kOndemand), section, std::move(path)};
  out.value = std::move(value);
  return out;
}

/// Only what differs is touched, so that comments and what OCCI does not know stay.
void replace(std::vector<Operation>& out, const packages::ItemAddress& at, const config::YamlValue& before,
             const config::YamlValue& after) {
  for (const auto& [field, value] : before.entries) {
    if (after.get(field) != nullptr) continue;
    Operation one;
    one.what = Operation::What::kUnset;
    one.at = at;
    one.field = {field};
    out.push_back(std::move(one));
  }
  for (const auto& [field, value] : after.entries) {
    const auto* was = before.get(field);
    if (was != nullptr && *was == value) continue;
    Operation one;
    one.what = Operation::What::kSet;
    one.at = at;
    one.field = {field};
    one.value = value;
    out.push_back(std::move(one));
  }
}

Error first_error(const packages::ChangeResult& result) {
  Error out = result.errors.front();
  const bool ours = out.place && out.place->file.starts_with(std::string(kOndemand) + "/");
  if (!ours && out.place) {
    out.code = ErrorCode::kConflict;
    out.message = fmt::format("{}: {}", to_string(*out.place), out.message);
  }
  out.place.reset();
  return out;
}

}  // namespace

OcciEntities::OcciEntities(packages::Service& packages)
    : packages_(packages), shipped_(std::make_shared<const occi::Model>(occi::Model::shipped())) {
  packages::Listeners listeners;
  listeners.packages = [this](const TenantId& tenant, const std::set<std::string>&) { renew(tenant); };
  packages.subscribe(std::move(listeners));
}

OcciWorld OcciEntities::kept(const TenantId& tenant) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(tenant);
  return found == kept_.end() ? nullptr : found->second;
}

OcciWorld OcciEntities::world(const TenantId& tenant) {
  if (auto known = kept(tenant)) return known;
  const std::lock_guard turn(making_mutex_);
  if (auto known = kept(tenant)) return known;
  return make(tenant);
}

/// By who changes packages, before the change is answered: who reads never waits for it, and sees it from then on.
void OcciEntities::renew(const TenantId& tenant) {
  const std::lock_guard turn(making_mutex_);
  if (kept(tenant)) make(tenant);  // else nobody has asked for it yet
}

OcciWorld OcciEntities::make(const TenantId& tenant) {
  auto& maker = makers_.try_emplace(tenant, shipped_).first->second;
  auto made = maker.make([&](const std::string& section) { return packages_.items(tenant, section); });
  const std::lock_guard lock(mutex_);
  kept_[tenant] = made;
  return made;
}

Operation OcciEntities::remove(const TenantId& tenant, const std::string& section, const std::string& item) const {
  Operation out;
  out.at = address_of(section, item);
  out.what = Operation::What::kRemove;
  const auto found = packages_.find(tenant, section, item);
  const auto own = fmt::format("{}/{}-{}.yaml", kOndemand, section, out.at.path.back());
  if (!found || out.at.package != kOndemand || !found->item->origin.file.ends_with(own)) return out;
  const auto& items = found->package->items;
  const auto beside = std::count_if(items.begin(), items.end(),
                                    [&](const auto& one) { return one.origin.file == found->item->origin.file; });
  if (beside != 1) return out;
  out.what = Operation::What::kRemoveFile;
  out.file = fmt::format("{}-{}.yaml", section, out.at.path.back());
  return out;
}

Result<std::vector<Operation>> OcciEntities::operations(const TenantId& tenant, const occi::World& world,
                                                        const occi::Change& change) const {
  std::vector<Operation> out;
  const auto& model = world.model();
  const bool makes = !change.defined.empty() || std::any_of(change.put.begin(), change.put.end(),
                                                            [](const auto& one) { return one.item.empty(); });
  const auto is_there = [&] {
    const auto list = packages_.list(tenant);
    return std::ranges::any_of(list, [](const auto& one) { return one.name == kOndemand; });
  };
  if (makes && !is_there()) {
    Operation package;
    package.what = Operation::What::kCreatePackage;
    package.at.package = kOndemand;
    package.text = "1.0.0";
    package.value = config::YamlValue("Made on demand");
    out.push_back(std::move(package));
  }
  const auto path_in = [&](const std::string& section, std::string id) {
    const auto schemas = packages_.schemas(tenant, "base");
    const auto* known = schemas ? schemas->section(section) : nullptr;
    std::vector<std::string> path;
    if (known != nullptr && known->indexes.size() > 1) path.emplace_back(kGroup);
    path.push_back(std::move(id));
    return path;
  };
  const auto item_of_id = [&](std::string_view id) {
    const auto* entity = world.find(id);
    if (entity != nullptr) return entity->item;
    const auto made = std::find_if(change.put.begin(), change.put.end(), [&](const auto& one) { return one.id == id; });
    const auto section = made == change.put.end() ? std::string() : model.section_of(*model.kind(made->kind));
    return fmt::format("{}/{}", kOndemand, fmt::join(path_in(section, std::string(id)), "/"));
  };
  for (const auto& mixin : change.defined) {
    auto name = mixin.term;
    for (int i = 2; packages_.find(tenant, kOcciMixins, fmt::format("{}/{}", kOndemand, name)); ++i)
      name = fmt::format("{}-{}", mixin.term, i);
    out.push_back(create(std::string(kOcciMixins), {name}, item_of(mixin)));
  }
  for (const auto& entity : change.put) {
    const auto* kind = model.kind(entity.kind);
    const auto section = model.section_of(*kind);
    auto value = item_of(model, entity, item_of_id);
    const auto* before = world.find(entity.id);
    if (before == nullptr)
      out.push_back(create(section, path_in(section, entity.id), std::move(value)));
    else
      replace(out, address_of(section, before->item), item_of(model, *before, item_of_id), value);
  }
  for (const auto& id : change.removed) {
    const auto* entity = world.find(id);
    out.push_back(remove(tenant, model.section_of(*model.kind(entity->kind)), entity->item));
  }
  for (const auto& id : change.forgotten) out.push_back(remove(tenant, std::string(kOcciMixins), model.find(id)->item));
  return out;
}

Result<occi::Change> OcciEntities::change(const TenantId& tenant, const By& by, const std::string& reason,
                                          const std::function<Result<occi::Change>(const occi::World&)>& decide) {
  const std::lock_guard turn(change_mutex_);
  // A tenant whose first token is new has no packages yet.
  if (const auto tenants = packages_.tenants(); std::find(tenants.begin(), tenants.end(), tenant) == tenants.end())
    packages_.welcome({tenant});
  const auto now = world(tenant);
  AT_TRY(auto decided, decide(*now));
  packages::ChangeRequest request;
  AT_TRY(request.operations, operations(tenant, *now, decided));
  if (request.operations.empty()) return decided;
  request.author = by.author;
  request.reason = reason;
  request.privileged = by.privileged;
  AT_TRY(const auto result, packages_.change(tenant, request));
  if (!result.errors.empty()) return std::unexpected(first_error(result));
  if (!result.conflicts.empty())
    return fail(ErrorCode::kConflict, "a file of the package has changed meanwhile", "try again");
  return decided;
}

}  // namespace atalaya::api
