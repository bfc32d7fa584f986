#include "io/sandbox_session.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "io/descriptor.h"

namespace atalaya::io {
namespace {

struct Process {
  char state = '?';
  pid_t session = 0;
  std::uint64_t threads = 0;

  bool alive() const { return state != 'Z' && state != 'X'; }
};

/// /proc/…/stat: `pid (name) state ppid pgrp session …`, the twentieth field being the threads. A name may
/// hold blanks and brackets, so counting begins after the last bracket.
std::optional<Process> parse_stat(std::string_view text) {
  const auto end = text.rfind(") ");
  if (end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(end + 2);
  Process out;
  constexpr int kState = 3;
  constexpr int kSession = 6;
  constexpr int kThreads = 20;
  for (int field = kState; field <= kThreads; ++field) {
    const auto length = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, length);
    if (word.empty()) return std::nullopt;
    if (field == kState) out.state = word[0];
    if (field == kSession) std::from_chars(word.begin(), word.end(), out.session);
    if (field == kThreads) std::from_chars(word.begin(), word.end(), out.threads);
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return out;
}

/// A folder of numbers: one per process.
class Table {
 public:
  Table() : directory_(::opendir("/proc")) {}
  ~Table() {
    if (directory_) ::closedir(directory_);
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  /// The next process, 0 at the end.
  pid_t next() {
    while (const auto* entry = directory_ ? ::readdir(directory_) : nullptr) {
      const std::string_view name(entry->d_name);
      pid_t pid = 0;
      const auto parsed = std::from_chars(name.begin(), name.end(), pid);
      if (parsed.ec == std::errc{} && parsed.ptr == name.end() && pid > 0) return pid;
    }
    return 0;
  }

  std::optional<Process> read(pid_t pid) const {
    const Descriptor file(::openat(::dirfd(directory_), (std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;
    std::array<char, 1024> buffer;
    const auto size = ::read(file.get(), buffer.data(), buffer.size());
    if (size <= 0) return std::nullopt;
    return parse_stat({buffer.data(), static_cast<std::size_t>(size)});
  }

  bool owned_by(pid_t pid, uid_t user) const {
    struct stat status{};
    return ::fstatat(::dirfd(directory_), std::to_string(pid).c_str(), &status, 0) == 0 && status.st_uid == user;
  }

 private:
  DIR* directory_;
};

/// True when there was one to kill; then it has ended, or the time to wait for that is up.
bool kill_stragglers(pid_t session) {
  constexpr int kPatienceMs = 200;
  bool any = false;
  Table table;
  while (const auto pid = table.next()) {
    if (pid == session) continue;
    auto process = table.read(pid);
    if (!process || process->session != session || !process->alive()) continue;
    // The number may be another's by now; the descriptor holds on to one process, and then we look again.
    const Descriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!handle) continue;
    process = table.read(pid);
    if (!process || process->session != session || !process->alive()) continue;
    if (::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0) != 0) continue;
    any = true;
    pollfd wait{handle.get(), POLLIN, 0};
    ::poll(&wait, 1, kPatienceMs);
  }
  return any;
}

}  // namespace

std::uint64_t count_threads_of(uid_t user) {
  std::uint64_t count = 0;
  Table table;
  while (const auto pid = table.next()) {
    if (!table.owned_by(pid, user)) continue;
    if (const auto process = table.read(pid)) count += process->threads;
  }
  return count;
}

void kill_session(pid_t leader) {
  // What forks while we look is found the next time; its processes are few (RLIMIT_NPROC) and fewer each time.
  constexpr int kRounds = 64;
  for (int round = 0; round < kRounds; ++round) {
    ::kill(-leader, SIGKILL);
    if (!kill_stragglers(leader)) return;
  }
}

}  // namespace atalaya::io
