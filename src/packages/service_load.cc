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

namespace json = boost::json;

const std::string kBase = "base";

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

std::uint64_t print_of(const std::vector<CollectorItem>& collectors) {
  std::uint64_t print = 0;
  for (const auto& item : collectors) {
    print += hash_of(fmt::format("{}\n{}\n{}\n{}\n{}", item.id, item.type, item.period.count(),
                                 fmt::join(item.on.patterns, "\n"), boost::json::serialize(item.fields)));
  }
  return print;
}

bool same_rules(const std::vector<rules::RuleSpec>& a, const std::vector<rules::RuleSpec>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.same_content(y) && x.origin == y.origin; });
}

std::vector<registry::Item> index_of(const Package& package) {
  std::vector<registry::Item> out;
  if (package.specification) return out;
  out.reserve(package.items.size());
  for (const auto& item : package.items) {
    auto links = item.links;
    // A procedure of one host depends on it, whose id is its name.
    const auto* on = item.section == "rpc" ? item.fields.if_contains("on") : nullptr;
    if (on != nullptr && on->is_string() && on->get_string().find_first_of("*?[") == json::string::npos) {
      links.emplace_back(on->get_string());
    }
    out.push_back({.id = item.id,
                   .tenant = package.tenant,
                   .kind = item.section,
                   .package = package.name,
                   .title = item.title,
                   .links = std::move(links),
                   .origin = {.place = item.origin}});
  }
  return out;
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

Service::Impl::Tenant& Service::Impl::tenant_of(const TenantId& id) {
  if (const auto found = tenants.find(id); found != tenants.end()) return *found->second;
  WorldOptions world;
  world.tenant = id;
  world.base = shipped_files(kBase);
  if (options.type_scripts != nullptr) {
    world.run = [this](const std::string& program, std::string_view verb, const std::string& input) {
      return ask_later(program, verb, input);
    };
  }
  world.check_channels = options.check_channels;
  world.check_items = options.check_items;
  auto made = std::make_unique<Tenant>(std::move(world));
  if (!options.history.empty()) {
    made->history =
        std::make_unique<History>(files, options.history + "/" + id.value(), options.root + "/" + id.value());
  }
  const std::unique_lock lock(mutex);  // who reads meanwhile must not see the map grow
  return *tenants.emplace(id, std::move(made)).first->second;
}

/// A tenant's folder, with what a crash interrupted finished and the shipped packages in it.
Status Service::Impl::open_tenant(const TenantId& id) {
  AT_TRY(files.create_directories(options.root + "/" + id.value()));
  auto& tenant = tenant_of(id);
  if (tenant.history) {
    AT_TRY(tenant.history->recover());
  }
  AT_TRY(install_shipped(id));
  return renew_base(id);
}

Status Service::Impl::install_shipped(const TenantId& tenant) {
  std::set<std::string> names;
  for (const auto& file : options.shipped) names.insert(std::string(file.path.substr(0, file.path.find('/'))));
  for (const auto& name : names) {
    if (files.exists(folder(tenant, name))) continue;
    // Under another name first, so that a crash in between leaves no half package.
    const auto temporary = folder(tenant, "." + name + ".new");
    AT_TRY(files.remove_all(temporary));
    for (const auto& file : shipped_files(name)) {
      const auto path = temporary + "/" + file.name;
      AT_TRY(files.create_directories(io::parent_path(path)));
      AT_TRY(io::write_file_atomically(files, path, file.text));
    }
    AT_TRY(files.rename(temporary, folder(tenant, name)));
    AT_TRY(files.sync_directory(options.root + "/" + tenant.value()));
  }
  return {};
}

/// The base package describes the sections that this program knows: one of an older program is brought up
/// to date, but for channel types, which people adapt. What it was stays in the history.
Status Service::Impl::renew_base(const TenantId& id) {
  const auto shipped = shipped_files(kBase);
  if (shipped.empty() || !tenant_of(id).history) return {};
  const auto version_in = [&](std::vector<SourceFile> sources) {
    config::Errors errors;
    const auto tree = PackageTree::read(kBase, std::move(sources), errors);
    return Version::parse(tree.manifest().version);
  };
  const auto path = folder(id, kBase);
  const auto ours = version_in(shipped);
  const auto theirs = version_in(read_folder(files, path, kBase));
  if (!ours || (theirs && !(*theirs < *ours))) return {};
  Commit commit;
  commit.at = clock.now();
  commit.author = "atalaya";
  commit.reason = "sections and types of this version of the program";
  const auto texts = texts_of(id, {kBase}, true);
  for (const auto& file : shipped) {
    const auto name = kBase + "/" + file.name;
    const auto now = texts.find(name);
    const bool there = now != texts.end();
    if (there && (file.name.starts_with("channels/") || now->second == file.text)) continue;
    commit.files.push_back({name, there ? std::optional(now->second) : std::nullopt, file.text});
  }
  if (commit.files.empty()) return {};
  AT_TRY([[maybe_unused]] const auto done, tenant_of(id).history->commit(std::move(commit)));
  return {};
}

void Service::Impl::install_for_new(const TenantId& tenant) {
  if (auto opened = open_tenant(tenant); !opened) {
    telemetry::log_warn("packages", "shipped packages not installed",
                        {{"tenant", tenant.value()}, {"reason", to_string(opened.error())}});
  }
}

std::vector<TypeQuestion> Service::Impl::load_tenant(const TenantId& id, Look look, News& news) {
  const bool all = look == Look::kAll;
  auto& tenant = tenant_of(id);
  const auto on_disk = disk_files(id);
  std::map<std::string, std::uint64_t> seen;
  for (const auto& name : on_disk.list()) {
    const auto listed = list_files(files, folder(id, name));
    seen[name] = listed ? fingerprint(*listed) : 1;
  }
  std::set<std::string> changed;
  for (const auto& [name, print] : seen) {
    const auto known = tenant.seen.find(name);
    if (known == tenant.seen.end() || known->second != print) changed.insert(name);
  }
  for (const auto& [name, print] : tenant.seen) {
    if (!seen.contains(name)) changed.insert(name);
  }
  tenant.seen = std::move(seen);
  for (const auto& [name, rounds] : waiting[id]) {
    if (look == Look::kWaiting || (look == Look::kGivenUp && rounds > kMostRounds)) changed.insert(name);
  }
  if (all) waiting[id].clear();
  if (!all && changed.empty()) return {};
  waits = look != Look::kGivenUp;
  auto plan = tenant.world.plan(all ? std::nullopt : std::optional(changed), on_disk);
  auto open = std::move(plan.questions);
  note_waiting(id, changed, plan);
  take(id, std::move(plan), news);
  keep_last_good(id, all ? std::set<std::string>{} : changed, true);
  return open;
}

void Service::Impl::take(const TenantId& id, Plan plan, News& news) {
  auto& tenant = tenant_of(id);
  std::vector<std::pair<std::string, PackagePtr>> before;
  const auto note = [&](const std::string& name) {
    const auto found = tenant.world.slots().find(name);
    before.emplace_back(name, found == tenant.world.slots().end() ? nullptr : found->second.running);
  };
  for (const auto& name : plan.removed) note(name);
  for (const auto& [name, slot] : plan.slots) note(name);
  {
    const std::unique_lock lock(mutex);
    tenant.world.take(std::move(plan));
  }
  static const Package kNone;
  for (const auto& [name, old] : before) {
    const auto found = tenant.world.slots().find(name);
    const auto now = found == tenant.world.slots().end() ? nullptr : found->second.running;
    news.packages[id].insert(name);
    if (now == old) continue;
    items.replace(id, name, now ? index_of(*now) : std::vector<registry::Item>{});
    const auto& was = old ? *old : kNone;
    const auto& is = now ? *now : kNone;
    if (!same_rules(was.rules, is.rules)) news.rules[id].insert(name);
    if (was.channels != is.channels || was.channel_types != is.channel_types) news.channels.insert(id);
    if (was.collectors != is.collectors) {
      news.collectors = true;
      collector_prints[id.value() + "/" + name] = print_of(is.collectors);
    }
  }
}

void Service::Impl::tell(const News& news) {
  const bool first = !std::exchange(told, true);
  if (first || news.collectors) renew_revision();
  std::vector<rules::RuleSpec> all_rules;
  const bool everything = first || (news.everything && !news.rules.empty());
  std::map<TenantId, std::vector<rules::RuleSpec>> some_rules;
  {
    const std::shared_lock lock(mutex);
    for (const auto& [id, tenant] : tenants) {
      const auto wanted = news.rules.find(id);
      for (const auto& [name, slot] : tenant->world.slots()) {
        if (!slot.running) continue;
        const auto& own = slot.running->rules;
        if (everything) {
          all_rules.insert(all_rules.end(), own.begin(), own.end());
        } else if (wanted != news.rules.end() && wanted->second.contains(name)) {
          some_rules[id].insert(some_rules[id].end(), own.begin(), own.end());
        }
      }
    }
  }
  for (const auto& listener : listeners) {
    if (everything && listener.rules) listener.rules(all_rules);
    if (!everything && listener.package_rules) {
      for (const auto& [id, names] : news.rules) listener.package_rules(id, names, some_rules[id]);
    }
    if ((first || news.collectors) && listener.collectors) listener.collectors(revision);
    if (listener.packages) {
      for (const auto& [id, names] : news.packages) listener.packages(id, names);
    }
    for (const auto& [id, tenant] : tenants) {
      if (!listener.channels || (!first && !news.channels.contains(id))) continue;
      listener.channels(id, gather(id, &Package::channels), gather(id, &Package::channel_types));
    }
  }
}

/// The number must differ from every earlier one that stood for something else, also across restarts:
/// it is kept beside the last good files with a hash of what it stands for.
void Service::Impl::renew_revision() {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const auto& [name, print] : collector_prints) {
    if (print != 0) hash = (hash ^ hash_of(name) ^ print) * 0x100000001b3ULL;
  }
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
    const std::unique_lock lock(mutex);
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
