// The service's inside, shared by the files that implement it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "packages/disk.h"
#include "packages/edit_items.h"
#include "packages/references.h"
#include "packages/service.h"
#include "packages/world.h"

namespace atalaya::packages {

constexpr std::chrono::seconds kTimeOfChange{10};  ///< for programs of types
constexpr std::chrono::seconds kTimeOfLook{4};
/// A package for which all was asked so often waits no more: it has more values than answers are remembered.
constexpr int kMostRounds = 20;

struct Service::Impl {
  Impl(io::FileSystem& file_system, registry::Items& item_index, const Clock& service_clock, Options service_options)
      : files(file_system), items(item_index), clock(service_clock), options(std::move(service_options)) {}

  struct Tenant {
    explicit Tenant(WorldOptions world_options) : world(std::move(world_options)) {}
    World world;
    std::map<std::string, std::uint64_t> seen;  ///< fingerprints of folders; under change_mutex
    std::unique_ptr<History> history;           ///< null where none is kept
  };
  /// What listeners are to hear.
  struct News {
    bool everything = false;  ///< of rules: all of them
    std::map<TenantId, std::set<std::string>> rules;
    std::map<TenantId, std::set<std::string>> packages;
    std::set<TenantId> channels;
    bool collectors = false;
  };

  // service_load.cc, under change_mutex.
  Result<std::vector<TenantId>> find_tenants();
  Tenant& tenant_of(const TenantId& id);
  Status open_tenant(const TenantId& id);
  Status install_shipped(const TenantId& tenant);
  Status renew_base(const TenantId& tenant);
  /// The same for a tenant that nobody knew; a failure goes to the log.
  void install_for_new(const TenantId& tenant);
  /// What folders changed; also what waits for programs of types; also what waits for too long; everything.
  enum class Look { kChanged, kWaiting, kGivenUp, kAll };
  /// Loads these packages. Adds to `news`; answers what programs are to be asked.
  std::vector<TypeQuestion> load_tenant(const TenantId& tenant, Look look, News& news);
  void take(const TenantId& tenant, Plan plan, News& news);
  void tell(const News& news);
  void renew_revision();

  // service_ask.cc
  /// Answered at once, else left open. Under change_mutex.
  std::optional<Result<std::string>> ask_later(const std::string& program, std::string_view verb,
                                               const std::string& input) const;
  /// For looking at single items; blocks, so under no lock.
  schema::RunTypeScript ask_now(const Files& on_disk) const;
  /// For edits, under change_mutex: asks the programs of types how a value is written, as `ask_later`. What is open
  /// goes to `questions`, why a program said nothing to `errors`. Borrows both arguments.
  Serialise serialise_by_programs(const TenantId& tenant, std::vector<PackageError>& errors);
  /// Not under change_mutex. False when the time was over before all was asked.
  bool ask(const std::vector<TypeQuestion>& questions, Steady end) const;
  void note_waiting(const TenantId& tenant, const std::set<std::string>& looked_at, const Plan& plan);
  /// Packages for which it is time to be looked at again, and what is to be asked for them. Not under change_mutex.
  std::vector<TypeQuestion> look_at_waiting(News& news);
  /// What packages waited for, until nothing is open or the time is over. Not under change_mutex. True when
  /// something changed.
  bool ask_and_look_again(std::vector<TypeQuestion> open, Steady end, News& news, bool tells);
  /// Does something under change_mutex; when that leaves questions open it has changed nothing, and is done
  /// again when they are answered.
  template <typename Work>
  auto when_answered(const Work& work) {
    const auto end = clock.steady() + kTimeOfChange;
    for (bool in_time = true;;) {
      std::vector<TypeQuestion> open;
      {
        const std::lock_guard change(change_mutex);
        waits = in_time;
        auto result = work();
        open = std::exchange(questions, {});
        if (open.empty()) return result;
      }
      in_time = ask(open, end);
    }
  }

  // service_keep.cc, under change_mutex.
  void keep_last_good(const TenantId& tenant, const std::set<std::string>& packages, bool by_hand);
  Status copy_to_good(const TenantId& tenant, const std::string& package, const std::vector<FileChange>& changes);
  void note_by_hand(const TenantId& tenant, const std::string& package, std::vector<FileChange> changes);

  // service_files.cc
  Files disk_files(const TenantId& tenant) const;
  Files with_changes(Files files, const TenantId& tenant, const std::vector<FileChange>& changes) const;
  std::vector<SourceFile> shipped_files(const std::string& package) const;
  FileTexts texts_of(const TenantId& tenant, const std::set<std::string>& packages, bool all_files) const;

  // service_change.cc, under change_mutex.
  void take_up_disk(const TenantId& tenant);
  Result<ChangeResult> change(const TenantId& tenant, const ChangeRequest& request);
  Result<ChangeResult> revert(const TenantId& tenant, std::uint64_t number, const std::string& author,
                              const std::string& reason, bool preview, bool privileged);
  Result<ChangeResult> install(const TenantId& tenant, const Archive& archive, const std::string& author, bool upgrade,
                               bool preview, const std::string& reason, bool any_version, const std::string& replaces);
  Result<ChangeResult> carry_out(const TenantId& tenant, std::vector<FileChange> changes, const std::string& author,
                                 const std::string& reason, bool preview, bool privileged = true);

  // service_follow.cc, under change_mutex.
  /// What refers to items that a change calls otherwise follows them, in whatever package of the tenant it stands: its
  /// files join `changes`, and `notes` gets a sentence. May leave `questions`.
  void follow_references(const TenantId& tenant, const IdChanges& ids, std::vector<FileChange>& changes,
                         std::vector<std::string>& notes);
  /// Items that come into a package which lacks their section bring its import along, also told in `notes`.
  void import_sections(const TenantId& tenant, const std::vector<Operation>& operations,
                       std::vector<FileChange>& changes, std::vector<std::string>& notes) const;
  /// Of a plan, the errors that were not there before; lines may have moved.
  static std::vector<PackageError> new_errors(const World& world, const Plan& plan);

  std::string folder(const TenantId& tenant, const std::string& name) const {
    return options.root + "/" + tenant.value() + "/" + name;
  }
  std::string good_folder(const TenantId& tenant, const std::string& name) const {
    return options.last_good + "/" + tenant.value() + "/" + name;
  }

  // Under mutex, at least shared.
  const World* find_world(const TenantId& tenant) const;
  /// not_found, with the package that was likely meant. Takes `mutex`.
  std::unexpected<Error> no_package(const TenantId& tenant, const std::string& package) const;
  template <typename T>
  std::vector<T> gather(const TenantId& tenant, std::vector<T> Package::* part) const {
    std::vector<T> out;
    const auto* world = find_world(tenant);
    if (world == nullptr) return out;
    for (const auto& [name, slot] : world->slots()) {
      if (slot.running) out.insert(out.end(), ((*slot.running).*part).begin(), ((*slot.running).*part).end());
    }
    return out;
  }

  io::FileSystem& files;
  registry::Items& items;
  const Clock& clock;
  const Options options;
  std::vector<Listeners> listeners;
  std::set<std::string> odd_folders;                      ///< in the root, named in the log; under change_mutex
  std::map<std::string, std::uint64_t> collector_prints;  ///< by tenant and package; under change_mutex
  bool told = false;                                      ///< listeners heard everything once; under change_mutex
  std::vector<TypeQuestion> questions;                    ///< that a change left open; under change_mutex
  bool waits = true;  ///< for answers; false: what is open now is an error; under change_mutex
  std::map<TenantId, std::map<std::string, int>> waiting;    ///< packages, and how often all was asked in vain
  std::map<TenantId, std::set<std::string>> found_at_start;  ///< packages that a start found, and that wait since
  /// Packages of which a program said nothing, and when it is asked again.
  std::map<TenantId, std::map<std::string, Steady>> resting;

  mutable std::shared_mutex mutex;  ///< guards the rest; changed only under change_mutex as well
  std::map<TenantId, std::unique_ptr<Tenant>> tenants;
  std::uint64_t revision = 0;

  std::mutex change_mutex;  ///< held through a whole change; taken before mutex
};

}  // namespace atalaya::packages
