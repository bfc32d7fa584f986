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

  /// Finishes a change that was decided and not applied. Before anything reads the packages. corruption or
  /// unprocessable where that commit cannot be read: its files stay as they are, and the history goes on.
  Status recover();
  /// Files that the last change (or recovery) did not write, because somebody had edited them since.
  std::vector<std::string> left_alone() const;

  /// Decides and applies. conflict where a file is not as its `before` says. An error before the decision changes
  /// nothing; one after it (disk full) leaves a decided change that `recover` or the next change finishes, and
  /// says so.
  Result<std::uint64_t> commit(Commit commit);
  /// Notes what somebody changed on disk by hand: the files are there already.
  Result<std::uint64_t> note(Commit commit);

  /// Newest first, without the texts of files; `package` "" for all; `before` 0 for the newest. A commit that
  /// cannot be read has no files and says so in `reason`; it is left out where a package is asked for.
  Result<std::vector<Commit>> list(const std::string& package, std::uint64_t before, std::size_t limit) const;
  Result<Commit> read(std::uint64_t id) const;  ///< not_found, corruption
  /// What would take the commit back. conflict, with the file named, where it was changed since; a file that is
  /// as before already is left out.
  Result<std::vector<FileChange>> inverse(std::uint64_t id, const FileTexts& now) const;

 private:
  std::string path_of(std::uint64_t id) const;
  Status open() const;
  std::uint64_t marked() const;
  void mark(std::uint64_t id);
  Result<std::optional<std::string>> on_disk(const std::string& file) const;
  Status finish_open_change();
  Result<std::uint64_t> decide(Commit& commit);
  Status carry_out(const Commit& commit);
  Status put(const std::string& file, const std::string& bytes);

  io::FileSystem& files_;
  const std::string root_;
  const std::string files_root_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  mutable bool opened_ = false;
  mutable std::uint64_t oldest_ = 0;  ///< of the commits that are there
  mutable std::uint64_t newest_ = 0;
  std::uint64_t unfinished_ = 0;  ///< decided and not applied; 0: none
  bool undecided_ = false;        ///< a commit may lie beside `newest_` that was not decided and would not go away
  std::vector<std::string> left_alone_;
};

}  // namespace atalaya::packages
