// Every change of packages, kept: who, why, before and after. Also the journal that makes a change of
// several files all-or-nothing. docs/formats/package-history.md.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "io/file_system.h"
#include "packages/edit.h"

namespace atalaya::packages {

struct Commit {
  std::uint64_t id = 0;  ///< grows by one within the tenant; given by `commit`
  Time at;
  std::string author;  ///< user name, "files on disk", "atalaya"
  std::string reason;
  std::vector<FileChange> files;
};

/// One tenant's history, under `root` = DATA/packages-history/<tenant>. A change is decided by one atomic
/// write of its commit; then the files are written, then the commit is marked as applied. What a crash left
/// between is finished by `recover`: so the files are all old or all new. Thread-safe.
class History {
 public:
  /// `files_root` = DATA/packages/<tenant>. Borrows the file system.
  History(io::FileSystem& files, std::string root, std::string files_root);

  /// Finishes a change that was decided and not applied. Before anything reads the packages.
  Status recover();

  /// Decides and applies. An error before the decision changes nothing; one after it (disk full) leaves a
  /// decided change that `recover` finishes, and says so.
  Result<std::uint64_t> commit(Commit commit);
  /// Notes what somebody changed on disk by hand: the files are there already.
  Result<std::uint64_t> note(Commit commit);

  /// Newest first, without the texts of files; `package` "" for all; `before` 0 for the newest.
  Result<std::vector<Commit>> list(const std::string& package, std::uint64_t before, std::size_t limit) const;
  Result<Commit> read(std::uint64_t id) const;  ///< not_found, corruption
  /// What would take the commit back. conflict, with the file named, where it was changed since.
  Result<std::vector<FileChange>> inverse(std::uint64_t id, const FileTexts& now) const;

 private:
  io::FileSystem& files_;
  const std::string root_;
  const std::string files_root_;
  mutable std::mutex mutex_;
  std::uint64_t newest_ = 0;
};

}  // namespace atalaya::packages
