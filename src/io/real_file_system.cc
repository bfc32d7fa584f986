#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "io/descriptor.h"
#include "io/errno.h"
#include "io/file_system.h"
#include "io/memory_map.h"

namespace atalaya::io {
namespace {

Result<Descriptor> open_descriptor(const std::string& path, int flags) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return fail_errno(errno, "open", path);
  return Descriptor(fd);
}

/// For reading; `size` becomes that of the file.
Result<Descriptor> open_regular(const std::string& path, std::uint64_t& size) {
  // Without O_NONBLOCK the open of a pipe waits for a writer who may never come.
  AT_TRY(auto fd, open_descriptor(path, O_RDONLY | O_NONBLOCK));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return fail_errno(errno, "open", path);
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kInvalidArgument, "open " + path + ": it is no regular file",
                "put an ordinary file there, or remove it");
  }
  size = static_cast<std::uint64_t>(status.st_size);
  return fd;
}

class RealFile final : public File {
 public:
  RealFile(std::string path, Descriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  Status append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto written = ::write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        return fail_errno(errno, "write", path_);
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<std::string> read(std::uint64_t offset, std::size_t size) const override {
    // A hostile size must not become an allocation; files of /proc have the size 0, so it alone
    // cannot be the bound.
    const auto known = this->size();
    std::string bytes(std::min<std::uint64_t>(size, std::max<std::uint64_t>(known - std::min(known, offset), 4096)),
                      '\0');
    std::size_t done = 0;
    while (done < size) {
      if (done == bytes.size()) bytes.resize(std::min(size, bytes.size() * 2));
      const auto got = ::pread(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      if (got < 0) {
        if (errno == EINTR) continue;
        return fail_errno(errno, "read", path_);
      }
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  }

  Status sync() override {
    if (::fdatasync(fd_.get()) != 0) return fail_errno(errno, "sync", path_);
    return {};
  }

  Status truncate(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return fail_errno(errno, "truncate", path_);
    return {};
  }

  std::uint64_t size() const override {
    struct stat status{};
    return ::fstat(fd_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  }

 private:
  const std::string path_;
  const Descriptor fd_;
};

/// Immutable.
class RealFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open_append(const std::string& path) override {
    AT_TRY(auto fd, open_descriptor(path, O_RDWR | O_CREAT | O_APPEND));
    return std::make_unique<RealFile>(path, std::move(fd));
  }

  Result<std::unique_ptr<File>> open_read(const std::string& path) override {
    std::uint64_t size = 0;
    AT_TRY(auto fd, open_regular(path, size));
    return std::make_unique<RealFile>(path, std::move(fd));
  }

  Result<std::unique_ptr<Mapping>> map(const std::string& path, MapSource source) override {
    std::uint64_t size = 0;
    AT_TRY(auto fd, open_regular(path, size));
    // Advice: where the system does not take it, the bytes come from its memory.
    if (source == MapSource::kDevice) ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
    return map_file(fd.get(), size, path);
  }

  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), &::closedir);
    if (!dir) return fail_errno(errno, "list", directory);
    std::vector<DirectoryEntry> entries;
    errno = 0;
    while (const auto* entry = ::readdir(dir.get())) {
      const std::string name = entry->d_name;
      struct stat status{};
      // A file may vanish between the two calls; it is then not there.
      if (name != "." && name != ".." && ::fstatat(::dirfd(dir.get()), name.c_str(), &status, 0) == 0) {
        const auto written = static_cast<std::uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000 +
                             static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
        entries.push_back({name, S_ISDIR(status.st_mode), static_cast<std::uint64_t>(status.st_size),
                           written ^ (static_cast<std::uint64_t>(status.st_ino) << 20), entry->d_type == DT_LNK});
      }
      errno = 0;
    }
    if (errno != 0) return fail_errno(errno, "list", directory);
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return entries;
  }

  Status create_directories(const std::string& path) override {
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0) {
      if (S_ISDIR(status.st_mode)) return {};
      return fail_errno(ENOTDIR, "create directory", path);
    }
    const auto parent = parent_path(path);
    if (parent != path) AT_TRY(create_directories(parent));
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno(errno, "create directory", path);
    return sync_directory(parent);
  }

  Status remove(const std::string& path) override {
    if (std::remove(path.c_str()) != 0) return fail_errno(errno, "remove", path);
    return {};
  }

  Status remove_all(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return fail_errno(error.value(), "remove", path);
    return {};
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return fail_errno(errno, "rename " + from + " to", to);
    return {};
  }

  Status link(const std::string& from, const std::string& to) override {
    struct stat status{};
    // The kernel answers EPERM for a directory, which would speak of permissions.
    if (::lstat(from.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return fail_errno(EISDIR, "link", from);
    if (::link(from.c_str(), to.c_str()) != 0) return fail_errno(errno, "link " + from + " to", to);
    return {};
  }

  Status sync_directory(const std::string& path) override {
    AT_TRY(auto fd, open_descriptor(path, O_RDONLY | O_DIRECTORY));
    if (::fsync(fd.get()) != 0) return fail_errno(errno, "sync", path);
    return {};
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<std::uint64_t> free_bytes(const std::string& path) override {
    struct statvfs status{};
    if (::statvfs(path.c_str(), &status) != 0) return fail_errno(errno, "look at the file system of", path);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  }

  Result<std::unique_ptr<void, void (*)(void*)>> lock(const std::string& path) override {
    AT_TRY(auto fd, open_descriptor(path, O_RDWR | O_CREAT));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return fail_errno(errno, "lock", path);
      return fail(ErrorCode::kConflict, "lock " + path + ": another process holds it",
                  "stop the other process, or choose another directory");
    }
    return std::unique_ptr<void, void (*)(void*)>(new Descriptor(std::move(fd)),
                                                  [](void* held) { delete static_cast<Descriptor*>(held); });
  }
};

}  // namespace

std::unique_ptr<FileSystem> real_file_system() { return std::make_unique<RealFileSystem>(); }

}  // namespace atalaya::io
