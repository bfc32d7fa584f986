// What the server sees of OCCI's entities: agents that are connected, interfaces and filesystems that they report.

#include <fmt/format.h>

#include <algorithm>

#include "api/json.h"
#include "api/occi.h"
#include "auth/digest.h"
#include "base/random.h"
#include "occi/monitoring.h"
#include "telemetry/log.h"

namespace atalaya::api {
namespace {

using occi::Attributes;
using occi::Entity;

constexpr std::string_view kInfrastructure = "http://schemas.ogf.org/occi/infrastructure#";
constexpr std::string_view kScripts = "scripts/";
constexpr std::string_view kHostname = "occi.compute.hostname";
constexpr std::string_view kToken = "atalaya.enrolment.token";

bool is(const Entity& entity, std::string_view term) {
  return entity.kind.starts_with(kInfrastructure) &&
         std::string_view(entity.kind).substr(kInfrastructure.size()) == term;
}

struct Seen {
  std::string state, message;
};

using HostOf = std::function<std::string(const Entity&)>;

/// Asks the registry and the store, each time anew.
class Look {
 public:
  Look(const OcciServices& with, const TenantId& tenant, const occi::World& world, HostOf host_of)
      : with_(with), tenant_(tenant), world_(world), host_of_(std::move(host_of)) {}

  Attributes operator()(const Entity& entity) const {
    const auto* kind = world_.model().kind(entity.kind);
    const auto* states = kind == nullptr ? nullptr : world_.model().with_states(*kind);
    if (states == nullptr) return {};
    const auto wanted = world_.wanted_state(entity);
    if (wanted != states->initial_state)
      return attributes(states->state_attribute, {wanted, fmt::format("asked for: {}", wanted)});
    if (entity.kind == occi::kSensor || entity.kind == occi::kCollector) {
      const auto seen = with_.sensors ? with_.sensors(tenant_, entity) : std::nullopt;
      return seen ? attributes(states->state_attribute, {seen->state, seen->message}) : Attributes{};
    }
    if (is(entity, "compute")) return attributes(states->state_attribute, compute(entity));
    if (is(entity, "networkinterface")) return attributes(states->state_attribute, interface(entity));
    if (is(entity, "storagelink")) return attributes(states->state_attribute, filesystem(entity));
    if (is(entity, "network")) return attributes(states->state_attribute, network(entity));
    if (is(entity, "storage")) return attributes(states->state_attribute, storage(entity));
    return {};
  }

 private:
  static Attributes attributes(const std::string& name, const Seen& seen) {
    Attributes out{{name, seen.state}};
    if (!seen.message.empty()) out.emplace(name + ".message", seen.message);
    return out;
  }

  Seen compute(const Entity& entity) const {
    const auto name = host_of_(entity);
    if (name.empty()) {
      return {"inactive", entity.attributes.contains(kToken) ? "the agent with its enrolment token has not come yet"
                                                             : "it is bound to no agent yet"};
    }
    const auto host = with_.hosts.find_by_name(tenant_, name);
    if (!host) return {"inactive", fmt::format("no agent has enrolled as {} yet", name)};
    switch (host->state) {
      case registry::HostState::kUp: return {"active", fmt::format("the agent of {} is connected", name)};
      case registry::HostState::kNever: return {"inactive", fmt::format("the agent of {} was not heard of yet", name)};
      case registry::HostState::kDown: break;
    }
    const auto since = host->last_seen ? std::string(rfc3339(*host->last_seen)) : std::string("its start");
    return {"inactive", fmt::format("the agent of {} was last heard of at {}", name, since)};
  }

  std::string host_of(const Entity& link) const {
    const auto* compute = world_.find(link.text(occi::kSource));
    return compute == nullptr ? std::string() : host_of_(*compute);
  }

  std::optional<double> newest(std::string_view metric, const std::string& host, std::string_view label,
                               const std::string& value) const {
    const auto now = with_.clock.now();
    const Matchers matchers{Matcher::equal("__name__", std::string(metric)), Matcher::equal("instance", host),
                            Matcher::equal(std::string(label), value)};
    auto selected =
        with_.series.select(tenant_, matchers, {now - std::chrono::minutes{5}, now + std::chrono::minutes{1}});
    if (!selected) return std::nullopt;
    std::optional<double> out;
    for (auto& series : *selected) {
      Sample sample;
      while (series.samples->next(sample)) {
        out.reset();
        if (!is_stale(sample.value)) out = sample.value;
      }
    }
    return out;
  }

  /// Nothing is known of what has no name, or whose machine has no agent.
  Seen interface(const Entity& link) const {
    const auto host = host_of(link);
    const auto name = link.text("occi.networkinterface.interface");
    if (host.empty() || name.empty())
      return {"inactive", "no agent reports it: its compute's host name or its interface is missing"};
    const auto up = newest("node_network_up", host, "device", name);
    if (!up) return {"inactive", fmt::format("the agent of {} reports no interface {}", host, name)};
    return {*up > 0 ? "active" : "inactive",
            fmt::format("the agent of {} reports {} as {}", host, name, *up > 0 ? "up" : "down")};
  }

  Seen filesystem(const Entity& link) const {
    const auto host = host_of(link);
    const auto mount = link.text("occi.storagelink.mountpoint");
    const auto device = link.text("occi.storagelink.deviceid");
    if (host.empty() || (mount.empty() && device.empty()))
      return {"inactive", "no agent reports it: its compute's host name, or its mount point and device are missing"};
    const auto& name = mount.empty() ? device : mount;
    const auto size = newest("node_filesystem_size_bytes", host, mount.empty() ? "device" : "mountpoint", name);
    if (!size) return {"inactive", fmt::format("the agent of {} reports no filesystem {}", host, name)};
    return {"active", fmt::format("the agent of {} reports {} with {:.1f} GiB", host, name, *size / (1 << 30))};
  }

  /// Of what joins it to machines, one is enough.
  Seen network(const Entity& entity) const {
    return joined(entity, "networkinterface", "active", "inactive", "interface");
  }
  Seen storage(const Entity& entity) const { return joined(entity, "storagelink", "online", "offline", "filesystem"); }
  Seen joined(const Entity& entity, std::string_view kind, const char* good, const char* bad,
              std::string_view what) const {
    std::size_t links = 0, active = 0;
    for (const auto* link : world_.links_of(entity.id)) {
      if (!is(*link, kind) || link->text(occi::kTarget) != entity.id) continue;
      const bool wanted = world_.wanted_state(*link) == "active";
      ++links;
      active += wanted && (kind == "storagelink" ? filesystem(*link) : interface(*link)).state == "active" ? 1 : 0;
    }
    if (links == 0) return {good, fmt::format("no {} of a compute is linked to it", what)};
    return {active > 0 ? good : bad, fmt::format("{} of {} linked {}s are reported", active, links, what)};
  }

  const OcciServices& with_;
  const TenantId tenant_;
  const occi::World& world_;
  const HostOf host_of_;
};

/// One agent watches one compute.
Status check_compute(const occi::World& world, Entity& entity, const Entity*, std::vector<std::string>&) {
  const auto host = entity.text(kHostname);
  const auto token = entity.text(kToken);
  if (host.empty() && token.empty()) return {};
  for (const auto* other : world.members(world.model().kind(entity.kind))) {
    if (other->id == entity.id) continue;
    if (!host.empty() && other->text(kHostname) == host)
      return fail(ErrorCode::kConflict,
                  fmt::format("attribute {}: {} is the compute of {} already", kHostname, other->id, host));
    if (!token.empty() && host.empty() && other->text(kToken) == token && other->text(kHostname).empty())
      return fail(ErrorCode::kConflict,
                  fmt::format("attribute {}: {} waits for that token already", kToken, other->id));
  }
  return {};
}

}  // namespace

occi::Sight Occi::sight(const TenantId& tenant, const OcciWorld& world) const {
  return [world, look = Look(with_, tenant, *world, host_of(tenant, world))](const Entity& entity) {
    return look(entity);
  };
}

HostOf Occi::host_of(const TenantId& tenant, const OcciWorld& world) const {
  const auto taken = [world](const std::string& host) {
    const auto computes = world->members(world->model().kind(std::string(kInfrastructure) + "compute"));
    return std::any_of(computes.begin(), computes.end(), [&](const auto* one) { return one->text(kHostname) == host; });
  };
  return [world, taken, tenant, &hosts = with_.hosts](const Entity& compute) -> std::string {
    if (auto name = compute.text(kHostname); !name.empty()) return name;
    if (compute.attributes.contains(kToken) || !hosts.find_by_name(tenant, compute.id) || taken(compute.id)) return {};
    return compute.id;
  };
}

occi::Rules Occi::rules(const TenantId& tenant, const OcciWorld& world) const {
  occi::Rules out;
  out.behaviours[std::string(kInfrastructure) + "compute"] = {check_compute};
  out.behaviours[std::string(occi::kSensor)] = {[now = with_.clock.now()](const occi::World&, Entity& entity,
                                                                          const Entity* before,
                                                                          std::vector<std::string>& warnings) {
    return occi::check_sensor(entity, before, now, warnings);
  }};
  out.program_named = [this, tenant](const std::string& term) { return program_named(tenant, term); };
  out.whole = [quota = with_.quota, read = programs(tenant)](const occi::World& now, occi::Change& change) -> Status {
    AT_TRY(occi::check_wiring(now, change));
    AT_TRY(occi::check_programs(now, change, read));
    return occi::check_quota(now, change, quota);
  };
  out.sight = sight(tenant, world);
  // A token is compared; what publishers show to others must be read again.
  out.seal = [&sealer = with_.sealer](const occi::Attribute& attribute, std::string_view text) {
    return attribute.name == kToken ? auth::hash_secret(text) : sealer.seal(text);
  };
  out.new_id = [] { return random_uuid(); };
  return out;
}

occi::ReadProgram Occi::programs(const TenantId& tenant) const {
  return [tenant, &packages = with_.packages](const std::string& program) -> Result<std::string> {
    const auto slash = program.find('/');
    const auto file = slash == std::string::npos ? std::string() : program.substr(slash + 1);
    auto found = file.starts_with(kScripts) ? packages.file(tenant, program.substr(0, slash), file)
                                            : fail(ErrorCode::kNotFound, "");
    if (found) return std::move(found->text);
    return fail(ErrorCode::kNotFound, fmt::format("there is no program {}", program),
                "name it as package/scripts/file, of a package of this tenant");
  };
}

Result<std::string> Occi::program_named(const TenantId& tenant, const std::string& term) const {
  std::vector<std::string> found;
  for (const auto& package : with_.packages.list(tenant)) {
    const auto view = with_.packages.view(tenant, package.name);
    if (!view || package.instance) continue;
    for (const auto& one : view->files) {
      if (!one.file.starts_with(kScripts)) continue;
      const auto name = std::string_view(one.file).substr(kScripts.size());
      if (name.substr(0, name.rfind('.')) == term) found.push_back(fmt::format("{}/{}", package.name, one.file));
    }
  }
  if (found.size() == 1) return found.front();
  if (found.empty())
    return fail(ErrorCode::kInvalidArgument, fmt::format("no package has a program scripts/{}", term),
                "a user's metric is measured by the program that is called as its term: add that to a package first");
  return fail(ErrorCode::kInvalidArgument, fmt::format("{} are called {}", fmt::join(found, " and "), term),
              "write the mixin into a package, with the one that is meant as its program");
}

void Occi::enrolled(const TenantId& tenant, std::string_view token, const std::string& host) {
  const auto hash = auth::hash_secret(token);
  const auto waits = [&](const occi::World& world) -> const Entity* {
    for (const auto* one : world.members(nullptr)) {
      if (one->text(kToken) == hash && one->text(kHostname).empty()) return one;
    }
    return nullptr;
  };
  const auto world = entities_.world(tenant);
  if (waits(*world) == nullptr) return;
  const auto bound = entities_.change(
      tenant, {"agent " + host, false}, fmt::format("{} has enrolled", host),
      [&](const occi::World& now) -> Result<occi::Change> {
        const auto* compute = waits(now);
        if (compute == nullptr) return occi::Change{};
        occi::Draft draft;
        draft.attributes.emplace_back(std::string(kHostname), host);
        return occi::Engine(now, rules(tenant, entities_.world(tenant))).update(compute->id, draft, false);
      });
  if (!bound) {
    telemetry::log_warn("occi", "a compute was not bound to its agent",
                        {{"host", host}, {"reason", to_string(bound.error())}});
  }
}

}  // namespace atalaya::api
