#include "collect/log/tail.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <set>

#include "collect/log/level.h"
#include "collect/log/rotation.h"
#include "collect/utf8.h"
#include "io/checksum.h"

namespace atalaya::collect::log {
namespace {

constexpr std::size_t kPrintBytes = 256;
constexpr std::string_view kCut = " …(line cut)";
constexpr std::size_t kMaxSiblings = 10'000;

bool later(const timespec& a, const timespec& b) {
  return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}
bool same(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

std::vector<std::string> expand(const std::string& pattern) {
  std::vector<std::string> out;
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i) out.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  return out;
}

/// Hash of the first `size` bytes; nothing when the file is shorter.
std::optional<std::uint64_t> print_of(int fd, std::size_t size) {
  std::array<char, kPrintBytes> bytes;
  std::size_t done = 0;
  while (done < size) {
    const auto got = ::pread(fd, bytes.data() + done, size - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    done += static_cast<std::size_t>(got);
  }
  return io::xxh3(std::string_view(bytes.data(), size));
}

template <typename T>
bool take_number(std::string_view& text, T& out) {
  const auto space = text.find(' ');
  const auto field = text.substr(0, space);
  const auto r = std::from_chars(field.data(), field.data() + field.size(), out);
  if (r.ec != std::errc{} || r.ptr != field.data() + field.size()) return false;
  text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  return true;
}

}  // namespace

Tail::Tail(TailOptions options, LabelsTable& labels, const Marks& marks)
    : options_(std::move(options)), labels_(labels) {
  load_marks(marks);
}

Tail::~Tail() {
  for (auto& [identity, file] : files_) {
    if (file.fd >= 0) ::close(file.fd);
    for (const auto& [level, id] : file.streams) labels_.release(id);
  }
}

// Marks: `log/<id>` = "1", and for each file `log/<id>|<device>:<inode>` =
// "<offset> <skipping> <print bytes> <print> <path>".

std::string Tail::mark_key(const Identity& identity) const {
  return fmt::format("log/{}|{}:{}", options_.id, identity.device, identity.inode);
}

std::string Tail::mark_value(const File& file) {
  const auto& at = file.position;
  return fmt::format("{} {} {} {} {}", at.offset, at.skipping ? 1 : 0, at.print_bytes, at.print, file.path);
}

void Tail::load_marks(const Marks& marks) {
  const auto own = "log/" + options_.id;
  if (marks.contains(own)) first_run_ = false;
  say_known_ = first_run_;
  const auto prefix = own + "|";
  for (auto it = marks.lower_bound(prefix); it != marks.end() && it->first.starts_with(prefix); ++it) {
    const auto name = std::string_view(it->first).substr(prefix.size());
    const auto colon = name.find(':');
    if (colon == std::string_view::npos) continue;
    auto device = name.substr(0, colon);
    auto inode = name.substr(colon + 1);
    Identity identity;
    Known known;
    int skipping = 0;
    std::string_view value = it->second;
    if (!take_number(device, identity.device) || !take_number(inode, identity.inode) ||
        !take_number(value, known.position.offset) || !take_number(value, skipping) ||
        !take_number(value, known.position.print_bytes) || !take_number(value, known.position.print) ||
        known.position.print_bytes > kPrintBytes)
      continue;
    known.position.skipping = skipping != 0;
    known.path = value;
    known_.emplace(identity, std::move(known));
  }
}

// Which files.

void Tail::scan(Time now) {
  // A plain name costs no more than a look at its file: rotation is seen at once.
  const bool plain = std::ranges::all_of(
      options_.paths, [](const auto& path) { return path.find_first_of("*?[") == std::string::npos; });
  next_scan_ = plain ? now : now + options_.rescan;
  problem_.clear();
  std::vector<Identity> listed;
  for (auto& [identity, file] : files_) {
    if (file.listed) listed.push_back(identity);
    file.listed = false;
  }
  for (const auto& pattern : options_.paths) {
    const auto paths = expand(pattern);
    if (paths.empty() && problem_.empty()) problem_ = fmt::format("{} matches no file", pattern);
    for (const auto& path : paths)
      if (!is_compressed(path)) found(path, now);
  }
  // Its writer may hold a renamed file open for a while yet.
  for (const auto& identity : listed) {
    auto& file = files_.at(identity);
    if (file.listed) continue;
    file.quiet_since = now;
    find_missed(file, true, now);
  }
  if (!scanned_) find_rotated(now);
  scanned_ = true;
}

void Tail::found(const std::string& path, Time now) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  const Identity identity{status.st_dev, status.st_ino};
  if (const auto file = files_.find(identity); file != files_.end()) {
    file->second.listed = true;
    return;
  }
  if (files_.size() >= options_.max_files) {
    problem_ = fmt::format("more than {} files: {} is not read", options_.max_files, path);
    return;
  }
  if (const auto known = known_.find(identity); known != known_.end()) {
    const auto position = known->second.position;
    known_.erase(known);
    return open_file(path, identity, position, true, now);
  }
  Position position;
  if (!scanned_ && first_run_ && !options_.from_start) position.offset = static_cast<std::uint64_t>(status.st_size);
  open_file(path, identity, position, false, now);
}

std::set<Tail::Identity> Tail::beside(const std::string& path) {
  std::set<Identity> out;
  for (const auto& file : rotated_files(path)) out.insert({file.device, file.inode});
  return out;
}

void Tail::tell_missed(std::size_t files) const {
  if (files > 0 && options_.missed) options_.missed(files);
}

/// Whether a file that is followed under its name has another one by now: reason to look at once.
bool Tail::renamed() const {
  return std::ranges::any_of(files_, [](const auto& entry) {
    struct stat status{};
    return entry.second.listed &&
           (::stat(entry.second.name.c_str(), &status) != 0 || Identity{status.st_dev, status.st_ino} != entry.first);
  });
}

void Tail::find_missed(const File& left, bool beside_known, Time now) {
  struct stat last{};
  if (::fstat(left.fd, &last) != 0) return;
  // Ours may be compressed meanwhile: that one is no loss.
  std::size_t explained = last.st_nlink == 0 ? 1 : 0;
  std::size_t missed = 0;
  for (const auto& file : rotated_files(left.name)) {
    const Identity identity{file.device, file.inode};
    if (files_.contains(identity)) continue;
    // An inode is given again soon after its file is removed, so a known number alone says nothing.
    const bool is_new = (beside_known && !left.beside.contains(identity)) || later(file.changed, last.st_mtim);
    if (!is_new) continue;
    if (file.compressed) {
      if (explained > 0)
        --explained;
      else
        ++missed;
      continue;
    }
    known_.erase(identity);
    open_file(file.path, identity, {}, false, now);
    if (const auto opened = files_.find(identity); opened != files_.end()) {
      opened->second.path = left.path;
      opened->second.listed = false;
    } else {
      ++missed;
    }
  }
  tell_missed(missed);
}

/// Files that were renamed while nobody looked lie beside their old names.
void Tail::find_rotated(Time now) {
  std::set<std::string> directories;
  for (const auto& [identity, known] : known_)
    directories.insert(std::filesystem::path(known.path).parent_path().string());
  for (const auto& directory : directories) {
    std::error_code error;
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
      if (++count > kMaxSiblings || known_.empty()) break;
      struct stat status{};
      if (::stat(entry.path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
      const auto known = known_.find({status.st_dev, status.st_ino});
      if (known == known_.end() || is_compressed(entry.path().native())) continue;
      const auto kept = known->second;
      known_.erase(known);
      open_file(entry.path().string(), {status.st_dev, status.st_ino}, kept.position, true, now);
      const auto file = files_.find({status.st_dev, status.st_ino});
      if (file == files_.end()) continue;
      file->second.path = kept.path;
      file->second.listed = false;
      // Another file got the inode: it belongs to no pattern.
      if (file->second.position.offset == 0 && kept.position.offset != 0) {
        forgotten_.push_back(file->first);
        tell_missed(1);
        continue;
      }
      file->second.name = kept.path;
      find_missed(file->second, false, now);
    }
  }
  for (const auto& [identity, known] : known_) forgotten_.push_back(identity);
  tell_missed(known_.size());
  known_.clear();
}

void Tail::open_file(const std::string& path, const Identity& identity, Position position, bool marked, Time now) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status{};
  if (fd < 0 || ::fstat(fd, &status) != 0) {
    problem_ = fmt::format("{}: {}", path, std::strerror(errno));
    if (fd >= 0) ::close(fd);
    return;
  }
  // Renamed between stat and open: the next scan sees it right.
  if (Identity{status.st_dev, status.st_ino} != identity) {
    ::close(fd);
    return;
  }
  File file;
  file.path = to_utf8(path);
  file.name = path;
  file.beside = beside(path);
  file.fd = fd;
  file.position = position;
  file.stored = position;
  file.unmarked = !marked;
  file.quiet_since = now;
  if (marked && truncated(file, static_cast<std::uint64_t>(status.st_size))) file.position = {};
  files_.emplace(identity, std::move(file));
}

bool Tail::truncated(const File& file, std::uint64_t size) const {
  const auto& at = file.position;
  if (size < at.offset || size < at.print_bytes) return true;
  return at.print_bytes > 0 && print_of(file.fd, at.print_bytes) != at.print;
}

void Tail::refresh_print(File& file, std::uint64_t size) const {
  auto& at = file.position;
  const auto bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(size, kPrintBytes));
  if (bytes == at.print_bytes) return;
  if (const auto print = print_of(file.fd, bytes)) {
    at.print_bytes = bytes;
    at.print = *print;
  }
}

// Lines.

void Tail::emit(File& file, std::string_view line, bool cut, Time now, Batch& out) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  // A writer without O_APPEND leaves a hole where the file was truncated under it.
  while (line.starts_with('\0')) line.remove_prefix(1);
  if (line.empty()) return;
  const auto level = recognise_level(line);
  auto stream = file.streams.find(level);
  if (stream == file.streams.end()) {
    LabelsBuilder labels;
    for (const auto& [name, value] : options_.labels) labels.set(name, value);
    labels.set("instance", options_.instance).set("job", "log").set("file", file.path);
    if (!level.empty()) labels.set("level", level);
    stream = file.streams.emplace(std::string{level}, labels_.add(labels.build())).first;
  }
  line_.clear();
  append_utf8(line_, line);
  if (cut) line_.append(kCut);
  out.log(stream->second, now, line_);
}

std::size_t Tail::take_lines(File& file, std::string_view bytes, bool at_end, Time now, Batch& out) {
  std::size_t taken = 0;
  auto& skipping = file.position.skipping;
  for (;;) {
    const auto rest = bytes.substr(taken);
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    if (skipping) {
      if (end == std::string_view::npos) return bytes.size();
      skipping = false;
      taken += end + 1;
    } else if (line.size() > options_.max_line_bytes) {
      emit(file, line.substr(0, options_.max_line_bytes), true, now, out);
      taken += options_.max_line_bytes;
      skipping = true;
    } else if (end != std::string_view::npos) {
      emit(file, line, false, now, out);
      taken += end + 1;
    } else {
      if (line.empty() || !at_end) break;
      if (line.size() != file.partial_bytes) {
        file.partial_bytes = line.size();
        file.partial_since = now;
      } else if (now - file.partial_since >= options_.partial_timeout) {
        emit(file, line, false, now, out);
        taken = bytes.size();
        file.partial_bytes = 0;
      }
      break;
    }
    file.partial_bytes = 0;
  }
  return taken;
}

bool Tail::read_file(const Identity& identity, File& file, Time now, Batch& out) {
  struct stat status{};
  if (::fstat(file.fd, &status) != 0) return false;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const bool changed = size != file.seen_size || !same(status.st_mtim, file.seen_change);
  const bool waiting = file.partial_bytes > 0 && now - file.partial_since >= options_.partial_timeout;
  if (!changed && !waiting && !file.more && !file.unmarked) return true;
  if (changed) {
    if (file.seen_size != UINT64_MAX) file.quiet_since = now;
    if (truncated(file, size)) {
      file.position = {};
      file.partial_bytes = 0;
      // The copy that was made of it holds what was read.
      file.beside = beside(file.name);
    }
    file.seen_size = size;
    file.seen_change = status.st_mtim;
  }
  // One more byte than the longest line tells a line of exactly that length from a longer one.
  const auto chunk = std::max<std::size_t>(options_.max_line_bytes + 1, 64 << 10);
  if (buffer_.size() < chunk) buffer_.resize(chunk);
  file.more = false;
  while (file.position.offset < size) {
    if (budget_ == 0) {
      file.more = true;
      break;
    }
    const auto wanted = std::min<std::uint64_t>(chunk, size - file.position.offset);
    const auto got = ::pread(file.fd, buffer_.data(), wanted, static_cast<off_t>(file.position.offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    const auto bytes = std::string_view(buffer_).substr(0, static_cast<std::size_t>(got));
    const auto taken = take_lines(file, bytes, file.position.offset + bytes.size() >= size, now, out);
    if (taken == 0) break;
    file.position.offset += taken;
    budget_ -= std::min(budget_, taken);
  }
  refresh_print(file, size);
  if (file.position != file.stored || file.unmarked) out.mark(mark_key(identity), mark_value(file));
  return true;
}

void Tail::close_file(std::map<Identity, File>::iterator file, Batch& out) {
  ::close(file->second.fd);
  for (const auto& [level, id] : file->second.streams) labels_.release(id);
  out.mark(mark_key(file->first), "");
  files_.erase(file);
}

Status Tail::collect(Time now, Batch& out) {
  if (now >= next_scan_ || next_scan_ - now > options_.rescan || renamed()) scan(now);
  budget_ = options_.max_cycle_bytes;
  if (say_known_) out.mark("log/" + options_.id, "1");
  for (const auto& identity : forgotten_) {
    const auto file = files_.find(identity);
    if (file != files_.end()) {
      close_file(file, out);
    } else {
      out.mark(mark_key(identity), "");
    }
  }
  for (auto it = files_.begin(); it != files_.end();) {
    const auto file = it++;
    if (!read_file(file->first, file->second, now, out)) continue;
    const bool over = !file->second.listed && !file->second.more && now - file->second.quiet_since >= options_.drain &&
                      file->second.partial_bytes == 0;
    if (over) close_file(file, out);
  }
  if (!problem_.empty()) return fail(ErrorCode::kUnavailable, problem_);
  return {};
}

void Tail::settled(bool stored) {
  if (stored) {
    say_known_ = false;
    forgotten_.clear();
  }
  for (auto& [identity, file] : files_) {
    if (stored) {
      file.stored = file.position;
      file.unmarked = false;
    } else {
      file.position = file.stored;
      file.partial_bytes = 0;
      file.more = true;
    }
  }
}

void Tail::finish(Time, Batch& out) {
  while (!files_.empty()) close_file(files_.begin(), out);
  for (const auto& [identity, known] : known_) out.mark(mark_key(identity), "");
  out.mark("log/" + options_.id, "");
}

}  // namespace atalaya::collect::log
