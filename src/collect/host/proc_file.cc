#include "collect/host/proc_file.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace atalaya::collect::host {
namespace {

constexpr std::size_t kMaxBytes = 16 << 20;

/// One buffer for all reads of the thread: /proc files are read one after the other.
std::string& buffer() {
  thread_local std::string bytes(16 << 10, '\0');
  return bytes;
}

/// Number of bytes, or -1. Grows the buffer until one read took everything: a /proc file read in
/// two pieces may show two different moments.
ssize_t read_all(int fd) {
  auto& bytes = buffer();
  for (;;) {
    std::size_t done = 0;
    for (;;) {
      const auto got = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return -1;
      done += static_cast<std::size_t>(got);
      if (got == 0 || done == bytes.size()) break;
    }
    if (done < bytes.size()) return static_cast<ssize_t>(done);
    if (bytes.size() >= kMaxBytes) return static_cast<ssize_t>(done);
    bytes.resize(bytes.size() * 2);
  }
}

}  // namespace

ProcFile::~ProcFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool ProcFile::open() {
  if (fd_ < 0) fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  return fd_ >= 0;
}

std::string_view ProcFile::read() {
  if (!open()) return {};
  const auto size = read_all(fd_);
  if (size < 0) {
    ::close(fd_);
    fd_ = -1;
    return {};
  }
  return std::string_view(buffer()).substr(0, static_cast<std::size_t>(size));
}

bool ProcFile::changed() {
  if (!open()) return true;
  pollfd waiting{fd_, POLLPRI, 0};
  return ::poll(&waiting, 1, 0) > 0 && (waiting.revents & (POLLPRI | POLLERR)) != 0;
}

std::string_view read_once(const std::string& path, bool& ok) {
  ok = false;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const auto size = read_all(fd);
  ::close(fd);
  if (size < 0) return {};
  ok = true;
  auto text = std::string_view(buffer()).substr(0, static_cast<std::size_t>(size));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

}  // namespace atalaya::collect::host
