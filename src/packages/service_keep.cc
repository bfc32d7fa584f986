// Copies of what holds, and notes of what somebody changed by hand.

#include <algorithm>

#include "packages/service_impl.h"
#include "telemetry/log.h"

namespace atalaya::packages {
namespace {

void warn(std::string_view what, const std::string& package, const Error& error) {
  telemetry::log_warn("packages", std::string(what), {{"package", package}, {"reason", to_string(error)}});
}

using Changes = std::vector<FileChange>;

Changes differences(const std::string& package, const std::vector<SourceFile>& before,
                    const std::vector<SourceFile>& after) {
  std::map<std::string, FileChange> changes;
  for (const auto& file : before) changes[file.name] = {package + "/" + file.name, file.text, std::nullopt};
  for (const auto& file : after) {
    auto& change = changes[file.name];
    change.file = package + "/" + file.name;
    change.after = file.text;
  }
  Changes out;
  for (auto& [name, change] : changes) {
    if (change.before != change.after) out.push_back(std::move(change));
  }
  return out;
}

}  // namespace

Status Service::Impl::copy_to_good(const TenantId& id, const std::string& package, const Changes& changes) {
  for (const auto& change : changes) {
    const auto path = good_folder(id, package) + change.file.substr(package.size());
    if (!change.after) {
      AT_TRY(files.remove(path));
      continue;
    }
    AT_TRY(files.create_directories(io::parent_path(path)));
    AT_TRY(io::write_file_atomically(files, path, *change.after));
  }
  return {};
}

/// A commit by "files on disk" of what no other commit has brought: a crash may have come between a change
/// and its copy, and what ships with the program nobody wrote.
void Service::Impl::note_by_hand(const TenantId& id, const std::string& package, Changes changes) {
  auto& history = *tenant_of(id).history;
  if (const auto newest = history.list(package, 0, 1); newest && !newest->empty()) {
    const auto last = history.read(newest->front().id);
    std::erase_if(changes, [&](const auto& change) {
      return last && std::any_of(last->files.begin(), last->files.end(), [&](const auto& file) {
               return file.file == change.file && file.after == change.after;
             });
    });
  }
  const auto shipped = shipped_files(package);
  std::erase_if(changes, [&](const auto& change) {
    return !change.before && std::any_of(shipped.begin(), shipped.end(), [&](const auto& file) {
      return change.file == package + "/" + file.name && change.after == file.text;
    });
  });
  if (changes.empty()) return;
  Commit commit;
  commit.at = clock.now();
  commit.author = "files on disk";
  commit.files = std::move(changes);
  if (auto noted = history.note(std::move(commit)); !noted) warn("change not noted", package, noted.error());
}

/// Copies the files of packages that hold, so that a restart over broken files has something to run; what
/// was changed by hand becomes a note in the history. `packages` empty: all.
void Service::Impl::keep_last_good(const TenantId& id, const std::set<std::string>& packages, bool by_hand) {
  if (options.last_good.empty()) return;
  const auto& tenant = tenant_of(id);
  const auto on_disk = disk_files(id);
  auto names = packages;
  if (names.empty()) {
    for (const auto& [name, slot] : tenant.world.slots()) names.insert(name);
  }
  for (const auto& name : names) {
    const auto slot = tenant.world.slots().find(name);
    const bool gone = slot == tenant.world.slots().end();
    if (!gone && (slot->second.broken() || slot->second.instance)) continue;
    const auto good = on_disk.last_good(name);
    // What a start finds has been there before; what comes while we look has just been made.
    const bool was_there = good.empty() && found_at_start[id].erase(name) > 0;
    const bool is_news = by_hand && (!good.empty() || (told && !packages.empty() && !was_there));
    auto changes = differences(name, good, gone ? std::vector<SourceFile>{} : on_disk.read(name));
    if (changes.empty()) continue;
    const auto kept = gone ? files.remove_all(good_folder(id, name)) : copy_to_good(id, name, changes);
    if (!kept) warn("last good version not kept", name, kept.error());
    if (is_news && tenant.history) note_by_hand(id, name, std::move(changes));
  }
}

}  // namespace atalaya::packages
