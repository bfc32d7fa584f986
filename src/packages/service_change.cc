// Changes: computed as a whole, tried, decided, carried out, told.

#include <fmt/format.h>

#include <algorithm>

#include "packages/agent_configuration.h"
#include "packages/composer.h"
#include "packages/edit_items.h"
#include "packages/effects.h"
#include "packages/explain.h"
#include "packages/service_impl.h"
#include "telemetry/log.h"

namespace atalaya::packages {
namespace {

std::string package_of(const std::string& file) { return file.substr(0, file.find('/')); }

bool touches_every_file(const Operation& operation) {
  using enum Operation::What;
  return operation.what == kRemovePackage || operation.what == kWriteFile || operation.what == kRemoveFile;
}

constexpr std::size_t kMaxFolders = 8;

/// What the next look at the folder would refuse must not get there.
void check_files(io::FileSystem& files, const std::string& root, const std::vector<FileChange>& changes,
                 std::vector<PackageError>& errors) {
  std::map<std::string, std::size_t> counts;
  for (const auto& change : changes) {
    const auto package = package_of(change.file);
    const auto name = change.file.substr(std::min(change.file.size(), package.size() + 1));
    if (auto inside = check_inside(files, root + "/" + package, name); !inside) {
      auto error = std::move(inside).error();
      error.place = Place{change.file, 0, 0};
      errors.push_back({std::move(error)});
      continue;
    }
    if (!change.after) continue;
    const auto complain = [&](std::string message, std::string remedy) {
      errors.push_back({{ErrorCode::kTooLarge, std::move(message), Place{change.file, 0, 0}, std::move(remedy)}});
    };
    if (change.after->size() > kMaxPackageFile) {
      complain(fmt::format("{} bytes, more than a package's file may hold ({} MiB)", change.after->size(),
                           kMaxPackageFile >> 20),
               "split it");
    }
    if (std::count(name.begin(), name.end(), '/') > static_cast<std::ptrdiff_t>(kMaxFolders)) {
      complain(fmt::format("folders deeper than {}", kMaxFolders), "keep a package's files nearer to its top");
    }
    if (change.before) continue;
    if (!counts.contains(package)) {
      const auto listed = list_files(files, root + "/" + package);
      counts[package] = listed ? listed->size() : 0;
    }
    if (++counts[package] == kMaxPackageFiles + 1) {
      errors.push_back({{ErrorCode::kResourceExhausted,
                         fmt::format("the package {} would hold more than {} files, the most a package may hold",
                                     package, kMaxPackageFiles),
                         Place{change.file, 0, 0}, "remove what nobody needs, or move some of it to another package"}});
    }
  }
}

/// What answers show in a secret's place is nobody's value.
bool holds_mask(const config::YamlValue& value) {
  return value.scalar == kHiddenSecret || std::any_of(value.items.begin(), value.items.end(), holds_mask) ||
         std::any_of(value.entries.begin(), value.entries.end(),
                     [](const auto& entry) { return holds_mask(entry.second); });
}

/// The text of this name, whose first parts may be said once by a mapping; "" where there is none.
std::string text_at(const boost::json::object& object, std::string_view name) {
  for (const auto& [key, value] : object) {
    const std::string_view said = key;
    if (said == name) return value.is_string() ? std::string(value.get_string()) : std::string();
    if (!value.is_object() || !name.starts_with(said) || name.size() <= said.size() || name[said.size()] != '.')
      continue;
    if (auto found = text_at(value.get_object(), name.substr(said.size() + 1)); !found.empty()) return found;
  }
  return {};
}

/// What an item has agents run, as `<package>/<file>`: a mixin that is a metric, or a sensor's collector; "" of others.
std::string program_of_item(const Item& item) {
  if (item.section == "mixins") return text_at(item.fields, "program");
  const auto* attributes = item.section == "collectors" ? item.fields.if_contains("attributes") : nullptr;
  if (attributes == nullptr || !attributes->is_object()) return {};
  return text_at(attributes->get_object(), "com.example.occi.monitoring.Script.program");
}

/// What only administrators change: by it one decides over others, or has programs run.
Status may_change(const World& world, const Plan& plan, const std::vector<FileChange>& changes) {
  static const Package kNone;
  const auto refuse = [](const std::string& what) {
    return fail(ErrorCode::kPermissionDenied, fmt::format("{} is changed by administrators", what), "ask one of them");
  };
  for (const auto& change : changes) {
    if (!is_source(change.file.substr(change.file.find('/') + 1))) return refuse(change.file);
  }
  for (const auto& [name, slot] : plan.slots) {
    const auto old = world.slots().find(name);
    const auto& was = old == world.slots().end() || !old->second.running ? kNone : *old->second.running;
    const auto& is = slot.running ? *slot.running : kNone;
    for (const auto* section : {"schemas", "types", "rpc"}) {
      const auto contents = [&](const Package& package) {
        std::vector<std::pair<std::string, std::uint64_t>> out;
        for (const auto& item : package.items) {
          if (item.section == section) out.emplace_back(item.id, item.content);
        }
        return out;
      };
      if (contents(was) != contents(is)) return refuse(fmt::format("the section {} of {}", section, name));
    }
    for (const auto& collector : is.collectors) {
      if (collector.type != "script") continue;
      if (std::find(was.collectors.begin(), was.collectors.end(), collector) == was.collectors.end()) {
        return refuse(fmt::format("the script collector {}", collector.id));
      }
    }
    for (const auto& item : is.items) {
      const auto program = program_of_item(item);
      if (program.empty()) continue;
      const auto* before = was.find(item.section, item.id);
      if (before == nullptr || program_of_item(*before) != program) {
        return refuse(fmt::format("the program of {} {}", item.section, item.id));
      }
    }
  }
  return {};
}

/// The program works with the sections and types of its base: a tenant's own may add to them.
std::optional<Error> lacks_of_base(const std::vector<SourceFile>& shipped, const Files& tried) {
  const std::string base = "base";
  const auto names = tried.list();
  if (shipped.empty()) return std::nullopt;
  if (!std::binary_search(names.begin(), names.end(), base)) {
    return Error{ErrorCode::kInvalidArgument, "base belongs to the program and is not removed", Place{base, 0, 0},
                 "what was added to it can be taken away"};
  }
  config::Errors told;  // by the plan
  const auto ours = PackageTree::read(base, shipped, told);
  const auto theirs = PackageTree::read(base, tried.read(base), told);
  std::vector<std::string> missing;
  for (const auto* section : {"schemas", "types"}) {
    const auto needed = ours.whole_section(section, told);
    const auto there = theirs.whole_section(section, told);
    if (!needed) continue;
    for (const auto& entry : needed->node->entries()) {
      if (!there || there->node->get(entry.key->text()) == nullptr) missing.push_back(entry.key->text());
    }
  }
  if (missing.empty()) return std::nullopt;
  const auto count = missing.size();
  missing.resize(std::min<std::size_t>(count, 5));
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("base lacks what the program needs: {}{}", fmt::join(missing, ", "),
                           count > missing.size() ? fmt::format(" and {} more", count - missing.size()) : ""),
               Place{base + "/package.yaml", 0, 0},
               "leave its sections and types; fields, sections and types can be added"};
}

}  // namespace

std::string text_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return fmt::format("{:016x}", hash ^ text.size());
}

Result<ChangeResult> Service::change(const TenantId& id, const ChangeRequest& request) {
  welcome({id});  // its first token may be younger than the last look for tenants
  return impl_->when_answered([&] { return impl_->change(id, request); });
}

Result<ChangeResult> Service::Impl::change(const TenantId& id, const ChangeRequest& request) {
  auto& impl = *this;
  impl.take_up_disk(id);
  std::set<std::string> packages;
  bool all_files = false;
  for (const auto& operation : request.operations) {
    for (const auto* name : {&operation.at.package, &operation.to.package}) {
      if (name->empty()) continue;
      if (!is_item_name(*name)) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no name of a package", *name),
                    name->find('@') == std::string::npos
                        ? std::string(kItemNameRemedy)
                        : "an instance's items stand in its specification; its values where it is declared");
      }
      packages.insert(*name);
    }
    all_files = all_files || touches_every_file(operation);
  }
  const auto texts = impl.texts_of(id, packages, all_files);
  ChangeResult result;
  for (const auto& [file, hash] : request.base) {
    const auto now = texts.find(file);
    const auto text = now == texts.end() ? std::string() : now->second;
    const auto now_hash = now == texts.end() ? std::string() : text_hash(text);
    if (now_hash != hash) result.conflicts.push_back({file, hash, now_hash, text});
  }
  if (!result.conflicts.empty()) return result;
  const auto& world = impl.tenant_of(id).world;
  const auto find_section = [&](std::string_view name) -> const schema::Section* {
    for (const auto& package : packages) {
      const auto schemas = world.schemas_of(package);
      const auto* section = schemas ? schemas->section(name) : nullptr;
      if (section != nullptr) return section;
    }
    return nullptr;
  };
  for (const auto& operation : request.operations) {
    if (!holds_mask(operation.value)) continue;
    const auto field = fmt::format("{}", fmt::join(operation.field, "."));
    result.errors.push_back(
        {{ErrorCode::kInvalidArgument, fmt::format("\"{}\" would become the dots that stand for a secret", field),
          std::nullopt, "leave the field alone, or give the secret itself"},
         operation.at.package,
         operation.at.section,
         operation.at.path,
         field});
    return result;
  }
  std::vector<std::string> notes;
  auto changes = apply(texts, request.operations, find_section, notes, impl.serialise_by_programs(id, result.errors));
  if (!questions.empty() || !result.errors.empty()) return result;
  if (!changes) {
    // Which sections and packages there are is known here alone.
    if (changes.error().code == ErrorCode::kNotFound && changes.error().remedy.empty()) {
      for (const auto& operation : request.operations) {
        const auto& at = operation.at;
        if (changes.error().message == fmt::format("there is no package \"{}\"", at.package)) {
          return impl.no_package(id, at.package);
        }
        const auto schemas = world.schemas_of(at.package);
        if (schemas && !at.section.empty() && find_section(at.section) == nullptr) {
          return no_section(*schemas, at.section);
        }
      }
    }
    // What an edit refuses is told like everything else that is wrong with a change.
    if (changes.error().code == ErrorCode::kNotFound || changes.error().code == ErrorCode::kAlreadyExists) {
      return std::unexpected(std::move(changes).error());
    }
    result.errors.push_back({std::move(changes).error()});
    return result;
  }
  impl.import_sections(id, request.operations, *changes, notes);
  const IdChanges ids(request.operations, find_section);
  if (ids.renames()) impl.follow_references(id, ids, *changes, notes);
  if (!questions.empty()) return result;
  AT_TRY(auto done,
         impl.carry_out(id, std::move(*changes), request.author, request.reason, request.preview, request.privileged));
  say_who_refers(done.errors, ids);
  if (done.errors.empty()) done.effects.insert(done.effects.end(), notes.begin(), notes.end());
  return done;
}

/// What somebody changed by hand comes first: a change tells its own effects, not theirs.
void Service::Impl::take_up_disk(const TenantId& id) {
  News news;
  const bool in_time = waits;
  load_tenant(id, Look::kChanged, news);  // who waits for programs is looked at by the next scan
  waits = in_time;
  if (!news.packages.empty()) tell(news);
}

Result<ChangeResult> Service::Impl::carry_out(const TenantId& id, std::vector<FileChange> changes,
                                              const std::string& author, const std::string& reason, bool preview,
                                              bool privileged) {
  auto& tenant = tenant_of(id);
  ChangeResult result;
  std::set<std::string> packages;
  for (const auto& change : changes) packages.insert(package_of(change.file));
  check_files(files, options.root + "/" + id.value(), changes, result.errors);
  if (!result.errors.empty()) return result;
  const auto tried = with_changes(disk_files(id), id, changes);
  if (packages.contains("base")) {
    if (auto lacks = lacks_of_base(shipped_files("base"), tried)) {
      result.errors.push_back({std::move(*lacks)});
      return result;
    }
  }
  auto plan = tenant.world.plan(packages, tried);
  questions = std::move(plan.questions);
  if (!questions.empty()) return result;
  // A package that was broken before may be mended step by step; nothing may break that held. What the last good text
  // of a broken one refers to holds up nobody else: it goes on as it was.
  result.errors = new_errors(tenant.world, plan);
  std::erase_if(result.errors, [&](const PackageError& error) {
    const auto owner = error.place ? package_of(error.place->file) : std::string();
    const auto slot = tenant.world.slots().find(owner);
    return slot != tenant.world.slots().end() && slot->second.broken() && !packages.contains(owner);
  });
  if (!result.errors.empty()) {
    std::stable_sort(result.errors.begin(), result.errors.end(), config::stands_before);
    return result;
  }
  const auto hosts = options.host_names ? options.host_names(id) : std::vector<std::string>();
  if (auto too_long = too_long_for_agents(tenant.world, plan, hosts, options.most_agent_configuration_bytes)) {
    result.errors.push_back(std::move(*too_long));
    return result;
  }
  if (!privileged) {
    AT_TRY(may_change(tenant.world, plan, changes));
  }
  const auto count_hosts = [&](const HostSelector& on) {
    return static_cast<std::size_t>(
        std::count_if(hosts.begin(), hosts.end(), [&](const auto& host) { return on.matches(host); }));
  };
  result.effects =
      packages::effects_of(tenant.world, plan,
                           options.host_names ? std::function<std::size_t(const HostSelector&)>(count_hosts)
                                              : std::function<std::size_t(const HostSelector&)>());
  for (const auto& change : changes) {
    if (change.after) result.hashes[change.file] = text_hash(*change.after);
  }
  result.files = changes;
  if (preview || changes.empty()) return result;
  if (!tenant.history) return fail(ErrorCode::kUnavailable, "this service keeps no history, so it changes nothing");
  Commit commit;
  commit.at = clock.now();
  commit.author = author;
  commit.reason = reason;
  commit.files = std::move(changes);
  AT_TRY(result.commit, tenant.history->commit(std::move(commit)));
  for (const auto& name : packages) {
    const auto listed = list_files(files, folder(id, name));
    if (listed && !listed->empty())
      tenant.seen[name] = fingerprint(*listed);
    else
      tenant.seen.erase(name);
  }
  News news;
  take(id, std::move(plan), news);
  tell(news);
  keep_last_good(id, packages, false);
  return result;
}

Result<std::vector<Commit>> Service::history(const TenantId& id, const std::string& package, std::uint64_t before,
                                             std::size_t limit) const {
  bool known = package.empty();
  std::vector<Commit> out;
  {
    const std::shared_lock lock(impl_->mutex);
    const auto found = impl_->tenants.find(id);
    if (found != impl_->tenants.end()) known = known || found->second->world.slots().contains(package);
    if (found != impl_->tenants.end() && found->second->history) {
      AT_TRY(out, found->second->history->list(package, before, limit));
    }
  }
  // One that was removed has its history; of one that never was there is none.
  if (out.empty() && !known && before == 0) return impl_->no_package(id, package);
  return out;
}

Result<Commit> Service::commit(const TenantId& id, std::uint64_t commit) const {
  const std::shared_lock lock(impl_->mutex);
  const auto found = impl_->tenants.find(id);
  if (found == impl_->tenants.end() || !found->second->history) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no change {}", commit));
  }
  return found->second->history->read(commit);
}

Result<ChangeResult> Service::revert(const TenantId& id, std::uint64_t number, const std::string& author,
                                     const std::string& reason, bool preview, bool privileged) {
  return impl_->when_answered([&] { return impl_->revert(id, number, author, reason, preview, privileged); });
}

Result<ChangeResult> Service::Impl::revert(const TenantId& id, std::uint64_t number, const std::string& author,
                                           const std::string& reason, bool preview, bool privileged) {
  auto& impl = *this;
  impl.take_up_disk(id);
  auto& tenant = impl.tenant_of(id);
  if (!tenant.history) return fail(ErrorCode::kNotFound, fmt::format("there is no change {}", number));
  AT_TRY(const auto commit, tenant.history->read(number));
  std::set<std::string> packages;
  for (const auto& file : commit.files) packages.insert(package_of(file.file));
  AT_TRY(auto changes, tenant.history->inverse(number, impl.texts_of(id, packages, true)));
  if (changes.empty()) {
    return fail(ErrorCode::kConflict, fmt::format("nothing of change {} is left to take back", number),
                "its files are already as they were before it");
  }
  return impl.carry_out(id, std::move(changes), author,
                        reason.empty() ? fmt::format("change {} taken back", number) : reason, preview, privileged);
}

Result<Archive> Service::pack(const TenantId& id, const std::string& package) const {
  auto& impl = *impl_;
  const std::lock_guard change(impl.change_mutex);
  const auto texts = impl.texts_of(id, {package}, true);
  if (texts.empty()) return impl.no_package(id, package);
  // Whole or not at all: an archive that lacks a file would pass for the package.
  AT_TRY(const auto listed, list_files(impl.files, impl.folder(id, package)));
  for (const auto& file : listed) {
    if (texts.contains(package + "/" + file.name) && file.size_bytes <= kMaxPackageFile) continue;
    auto text = read_package_file(impl.files, impl.folder(id, package), file.name);
    if (!text) return std::unexpected(std::move(text).error());
  }
  Archive out;
  out.package = package;
  const auto* world = impl.find_world(id);
  if (world != nullptr && world->slots().contains(package)) out.version = world->slots().at(package).manifest.version;
  for (const auto& [file, text] : texts) out.files[file.substr(package.size() + 1)] = text;
  return out;
}

Result<ChangeResult> Service::install(const TenantId& id, const Archive& archive, const std::string& author,
                                      bool upgrade, bool preview, const std::string& reason, bool any_version,
                                      const std::string& replaces) {
  welcome({id});
  return impl_->when_answered(
      [&] { return impl_->install(id, archive, author, upgrade, preview, reason, any_version, replaces); });
}

namespace {

/// Of the texts of files by their names.
std::string hash_of_all(const std::map<std::string, std::string>& texts) {
  std::string all;
  for (const auto& [file, text] : texts) all += fmt::format("{} {}\n", file, text_hash(text));
  return text_hash(all);
}

}  // namespace

Result<ChangeResult> Service::Impl::install(const TenantId& id, const Archive& archive, const std::string& author,
                                            bool upgrade, bool preview, const std::string& reason, bool any_version,
                                            const std::string& replaces) {
  auto& impl = *this;
  if (!is_item_name(archive.package)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no name of a package", archive.package),
                std::string(kItemNameRemedy));
  }
  impl.take_up_disk(id);
  const auto& world = impl.tenant_of(id).world;
  const auto texts = impl.texts_of(id, {archive.package}, true);
  const auto slot = world.slots().find(archive.package);
  const auto present = hash_of_all(texts);
  if (!replaces.empty() && replaces != present) {
    const auto now = slot == world.slots().end()
                         ? std::string("it is not there any more")
                         : fmt::format("it is of version {} now", slot->second.manifest.version);
    return fail(ErrorCode::kConflict,
                fmt::format("package {} was changed by somebody else meanwhile: {}", archive.package, now),
                "look again at what this would do, then do it");
  }
  if (!texts.empty() && !upgrade) {
    return fail(ErrorCode::kAlreadyExists, fmt::format("package {} is installed already", archive.package),
                "upgrade it instead");
  }
  if (upgrade && !any_version && slot != world.slots().end()) {
    const auto old = Version::parse(slot->second.manifest.version);
    AT_TRY(const auto next, Version::parse(archive.version));
    if (old && !(*old < next)) {
      return fail(ErrorCode::kConflict,
                  fmt::format("package {} is of version {}; the archive holds {}", archive.package,
                              slot->second.manifest.version, archive.version),
                  "install a newer version, or revert the change that brought this one");
    }
  }
  std::map<std::string, FileChange> changes;
  for (const auto& [file, text] : texts) changes[file] = {file, text, std::nullopt};
  for (const auto& [name, text] : archive.files) {
    const auto file = archive.package + "/" + name;
    auto& one = changes[file];
    one.file = file;
    one.after = text;
  }
  std::vector<FileChange> list;
  for (auto& [file, one] : changes) {
    if (one.before != one.after) list.push_back(std::move(one));
  }
  AT_TRY(auto result,
         impl.carry_out(id, std::move(list), author,
                        fmt::format("{} {} {}{}{}", archive.package, archive.version,
                                    texts.empty() ? "installed" : "upgraded", reason.empty() ? "" : ": ", reason),
                        preview));
  result.replaces = present;
  return result;
}

Result<std::vector<FileChange>> Service::diff_from_shipped(const TenantId& id, const std::string& package) const {
  auto& impl = *impl_;
  const auto shipped = impl.shipped_files(package);
  if (shipped.empty()) {
    return fail(ErrorCode::kNotFound, fmt::format("no package {} ships with this program", package),
                "its history shows its changes");
  }
  const std::lock_guard change(impl.change_mutex);
  std::map<std::string, FileChange> changes;
  for (const auto& file : shipped) {
    changes[file.name] = {package + "/" + file.name, file.text, std::nullopt};
  }
  for (const auto& [file, text] : impl.texts_of(id, {package}, true)) {
    auto& one = changes[file.substr(package.size() + 1)];
    one.file = file;
    one.after = text;
  }
  std::vector<FileChange> out;
  for (auto& [name, one] : changes) {
    if (one.before != one.after) out.push_back(std::move(one));
  }
  return out;
}

}  // namespace atalaya::packages
