#include "packages/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "io/checksum.h"
#include "packages/history_file.h"

namespace atalaya::packages {
namespace {

constexpr std::string_view kSuffix = ".commit";

/// The id that a file of the folder `commits` has by its name; 0 for any other file.
std::uint64_t id_of(std::string_view name) {
  if (!name.ends_with(kSuffix)) return 0;
  name.remove_suffix(kSuffix.size());
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  return error == std::errc{} && end == name.data() + name.size() ? id : 0;
}

std::string checksum_text(std::uint64_t id) { return fmt::format("{:08x}", io::crc32c(std::to_string(id))); }

Status check(const Commit& commit) {
  std::set<std::string_view> seen;
  for (const auto& change : commit.files) {
    if (!is_package_path(change.file) || change.file.find('/') == std::string::npos) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no path of a file of a package", change.file));
    }
    if (!seen.insert(change.file).second) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("{} is changed twice", change.file));
    }
  }
  if (commit.files.empty()) return fail(ErrorCode::kInvalidArgument, "a commit without changes");
  return {};
}

}  // namespace

History::History(io::FileSystem& files, std::string root, std::string files_root)
    : files_(files), root_(std::move(root)), files_root_(std::move(files_root)) {}

std::string History::path_of(std::uint64_t id) const { return fmt::format("{}/commits/{:012}{}", root_, id, kSuffix); }

/// Looks once what is there.
Status History::open() const {
  if (opened_) return {};
  const auto folder = root_ + "/commits";
  if (files_.exists(folder)) {
    AT_TRY(const auto entries, files_.list(folder));
    for (const auto& entry : entries) {
      const auto id = id_of(entry.name);
      if (id == 0) continue;
      oldest_ = oldest_ == 0 ? id : std::min(oldest_, id);
      newest_ = std::max(newest_, id);
    }
  }
  opened_ = true;
  return {};
}

/// 0 where the mark is absent or unreadable: then the newest commit is compared with the files once more.
std::uint64_t History::marked() const {
  const auto text = io::read_file(files_, root_ + "/applied", 64);
  if (!text) return 0;
  const auto space = text->find(' ');
  std::uint64_t id = 0;
  const auto* end = text->data() + std::min(space, text->size());
  if (std::from_chars(text->data(), end, id).ptr != end) return 0;
  return *text == fmt::format("{} {}\n", id, checksum_text(id)) ? id : 0;
}

/// Neither synced nor renamed into place. It may get lost, or torn, which its checksum tells: then `recover`
/// compares the newest commit with the files, which are durable by now, finds all of them done and writes
/// nothing. It is never newer than the truth, because it is written last. So its failure is none.
void History::mark(std::uint64_t id) {
  auto file = files_.open_append(root_ + "/applied");
  if (!file || !(*file)->truncate(0)) return;
  (void)(*file)->append(fmt::format("{} {}\n", id, checksum_text(id)));
}

Result<std::optional<std::string>> History::on_disk(const std::string& file) const {
  auto text = io::read_file(files_, files_root_ + "/" + file, std::uint64_t{1} << 30);
  if (text) return std::optional(std::move(*text));
  if (text.error().code == ErrorCode::kNotFound) return std::optional<std::string>();
  return std::unexpected(std::move(text).error());
}

Status History::recover() {
  const std::lock_guard lock(mutex_);
  AT_TRY(open());
  left_alone_.clear();
  if (newest_ != 0 && marked() != newest_) unfinished_ = newest_;
  return finish_open_change();
}

std::vector<std::string> History::left_alone() const {
  const std::lock_guard lock(mutex_);
  return left_alone_;
}

/// What an earlier change left: nothing else may be decided before that is settled.
Status History::finish_open_change() {
  if (undecided_) {
    const auto gone = files_.remove(path_of(newest_ + 1));
    if (!gone && gone.error().code != ErrorCode::kNotFound) return gone;
    AT_TRY(files_.sync_directory(root_ + "/commits"));
    undecided_ = false;
  }
  if (unfinished_ == 0) return {};
  const auto commit = read_commit(files_, path_of(unfinished_), unfinished_, true);
  if (!commit) {
    const auto code = commit.error().code;
    if (code == ErrorCode::kCorruption || code == ErrorCode::kUnprocessable) unfinished_ = 0;
    return std::unexpected(commit.error());
  }
  AT_TRY(carry_out(*commit));
  mark(unfinished_);
  unfinished_ = 0;
  return {};
}

/// The one step that makes a change happen or not.
Result<std::uint64_t> History::decide(Commit& commit) {
  commit.id = newest_ + 1;
  AT_TRY(const auto bytes, encode_commit(commit));
  AT_TRY(files_.create_directories(root_ + "/commits"));
  const auto path = path_of(commit.id);
  if (auto written = io::write_file_atomically(files_, path, bytes); !written) {
    // It may have got its name already; nobody may find it there who is told that nothing happened.
    const auto gone = files_.remove(path);
    const bool absent = gone || gone.error().code == ErrorCode::kNotFound;
    undecided_ = !absent || (gone && !files_.sync_directory(root_ + "/commits"));
    (void)files_.remove(path + ".new");
    return fail_within("the change was not made", std::move(written).error());
  }
  newest_ = commit.id;
  if (oldest_ == 0) oldest_ = newest_;
  return commit.id;
}

Result<std::uint64_t> History::commit(Commit commit) {
  const std::lock_guard lock(mutex_);
  AT_TRY(open());
  AT_TRY(check(commit));
  left_alone_.clear();
  AT_TRY(finish_open_change());
  for (const auto& change : commit.files) {
    AT_TRY(const auto now, on_disk(change.file));
    if (now == change.before) continue;
    return fail(ErrorCode::kConflict, fmt::format("{} was changed in the meantime", change.file),
                "read it again and repeat the change");
  }
  AT_TRY(const auto id, decide(commit));
  if (auto done = carry_out(commit); !done) {
    unfinished_ = id;
    return fail_within(fmt::format("change {} is decided, and will be finished with the next change or start", id),
                       std::move(done).error());
  }
  mark(id);
  return id;
}

Result<std::uint64_t> History::note(Commit commit) {
  const std::lock_guard lock(mutex_);
  AT_TRY(open());
  AT_TRY(check(commit));
  AT_TRY(finish_open_change());
  AT_TRY(const auto id, decide(commit));
  mark(id);
  return id;
}

/// A file that is as `after` is done, one that is as `before` is written. Each file is durable when this returns.
Status History::carry_out(const Commit& commit) {
  std::set<std::string> touched;  // folders
  std::vector<std::string> removed;
  for (const auto& change : commit.files) {
    AT_TRY(const auto now, on_disk(change.file));
    const auto path = files_root_ + "/" + change.file;
    if (now == change.after) {
      // Perhaps by a rename that was not synced any more.
      if (files_.exists(io::parent_path(path))) touched.insert(io::parent_path(path));
      if (!now) removed.push_back(change.file);
      continue;
    }
    if (now != change.before) {
      left_alone_.push_back(change.file);
      continue;
    }
    touched.insert(io::parent_path(path));
    if (change.after) {
      AT_TRY(put(change.file, *change.after));
    } else {
      AT_TRY(files_.remove(path));
      removed.push_back(change.file);
    }
  }
  for (const auto& file : removed) {
    for (auto folder = io::parent_path(file); folder != "."; folder = io::parent_path(folder)) {
      const auto path = files_root_ + "/" + folder;
      // Refused for a folder that is not empty, also where somebody puts a file there this very moment.
      if (files_.exists(path) && !files_.remove(path)) break;
      touched.erase(path);
      touched.insert(io::parent_path(path));
    }
  }
  for (const auto& folder : touched) {
    if (files_.exists(folder)) AT_TRY(files_.sync_directory(folder));
  }
  return {};
}

/// As io::write_file_atomically, but for the sync of the folder, which several files share.
Status History::put(const std::string& file, const std::string& bytes) {
  const auto path = files_root_ + "/" + file;
  AT_TRY(files_.create_directories(io::parent_path(path)));
  const auto temporary = path + ".new";
  const auto written = [&]() -> Status {
    AT_TRY(const auto out, files_.open_append(temporary));
    AT_TRY(out->truncate(0));
    AT_TRY(out->append(bytes));
    return out->sync();
  }();
  if (!written) {
    (void)files_.remove(temporary);
    return written;
  }
  return files_.rename(temporary, path);
}

Result<std::vector<Commit>> History::list(const std::string& package, std::uint64_t before, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  AT_TRY(open());
  std::vector<Commit> out;
  const auto prefix = package + '/';
  auto id = before == 0 ? newest_ : std::min(before - 1, newest_);
  for (; id != 0 && id >= oldest_ && out.size() < limit; --id) {
    auto commit = read_commit(files_, path_of(id), id, false);
    if (!commit) {
      if (commit.error().code == ErrorCode::kNotFound || !package.empty()) continue;
      Commit unreadable;
      unreadable.id = id;
      unreadable.reason = commit.error().message;
      out.push_back(std::move(unreadable));
      continue;
    }
    const bool about =
        package.empty() || std::any_of(commit->files.begin(), commit->files.end(),
                                       [&](const auto& change) { return change.file.starts_with(prefix); });
    if (about) out.push_back(std::move(*commit));
  }
  return out;
}

Result<Commit> History::read(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  AT_TRY(open());
  if (id == 0 || id > newest_ || !files_.exists(path_of(id))) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no commit {}", id),
                "the history of a package has their numbers");
  }
  return read_commit(files_, path_of(id), id, true);
}

Result<std::vector<FileChange>> History::inverse(std::uint64_t id, const FileTexts& now) const {
  AT_TRY(const auto commit, read(id));
  std::vector<FileChange> out;
  for (const auto& change : commit.files) {
    const auto found = now.find(change.file);
    const auto text = found == now.end() ? std::nullopt : std::optional(found->second);
    if (text == change.before) continue;
    if (text != change.after) {
      return fail(ErrorCode::kConflict, fmt::format("{} was changed since commit {}", change.file, id),
                  "take the later changes back first, or edit it by hand");
    }
    out.push_back({change.file, change.after, change.before});
  }
  return out;
}

}  // namespace atalaya::packages
