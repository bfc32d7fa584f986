// The world of files as an argument: engines touch the disk only through a FileSystem, so that
// tests can run them in memory, make call n fail or tear, and cut the power.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atalaya::io {

/// An open file. Thread-compatible, except that `read` may run beside anything.
class File {
 public:
  virtual ~File() = default;  ///< closes; unsynced bytes stay with the operating system
  /// Writes all of `bytes` at the end. After an error an unknown prefix of them may be there.
  virtual Status append(std::string_view bytes) = 0;
  /// Up to `size` bytes from `offset`; fewer only at the end of the file.
  virtual Result<std::string> read(std::uint64_t offset, std::size_t size) const = 0;
  /// Returns when everything appended before the call survives a power cut. After an error the
  /// unsynced bytes are lost for good: do not retry, reopen and look.
  virtual Status sync() = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  virtual std::uint64_t size() const = 0;
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  std::uint64_t size_bytes = 0;
  /// Differs after the file was written, or replaced by another of that name (as far as the clock of its
  /// file system tells).
  std::uint64_t stamp = 0;
  bool is_link = false;  ///< a symbolic link; the rest is of what it leads to
};

/// The bytes of a file as memory. Immutable; thread-safe. What a reader may rely on:
///  * The length is that of the moment of mapping, and the bytes are readable as long as the object lives, also when
///    the file is removed or replaced meanwhile.
///  * No access raises a signal. What cannot be read (a medium that fails, a file that somebody cut) is zeros, from
///    then on for all of this mapping, and `failed` says so: bytes are to be trusted by their checksums only.
///  * Nobody of ours changes a mapped file. Where somebody else does, the change may show.
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual std::string_view bytes() const = 0;
  /// Advice that these bytes are read next, all of them. Past the end is no error.
  virtual void will_read(std::uint64_t /*offset*/, std::uint64_t /*size*/) const {}
  /// Whether a part turned out to be unreadable so far.
  virtual bool failed() const { return false; }
};

enum class MapSource : std::uint8_t {
  kAny,     ///< what the operating system has at hand
  kDevice,  ///< it forgets first what it remembers of the (synced) file: what is read is what the disk says
};

/// Paths are `/`-separated. New files and directories belong to their owner alone (0600, 0700): a
/// data directory holds keys. Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// Creates the file if absent. The name itself is durable only after `sync_directory`.
  virtual Result<std::unique_ptr<File>> open_append(const std::string& path) = 0;
  /// invalid_argument for what is no regular file: a pipe or a device would hold up the caller.
  virtual Result<std::unique_ptr<File>> open_read(const std::string& path) = 0;
  /// For reading here and there, not from end to end. invalid_argument as `open_read`.
  virtual Result<std::unique_ptr<Mapping>> map(const std::string& path, MapSource source) = 0;
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;  ///< sorted by name
  /// With every missing parent; the new names are durable when it returns.
  virtual Status create_directories(const std::string& path) = 0;
  virtual Status remove(const std::string& path) = 0;                         ///< not_found if absent
  virtual Status remove_all(const std::string& path) = 0;                     ///< with everything below; ok if absent
  virtual Status rename(const std::string& from, const std::string& to) = 0;  ///< replaces `to`
  /// A second name, `to`, for the file `from`: already_exists if `to` is there, invalid_argument for a
  /// directory. As a rename it is durable after `sync_directory`; the bytes are one.
  virtual Status link(const std::string& from, const std::string& to) = 0;
  virtual Status sync_directory(const std::string& path) = 0;
  virtual bool exists(const std::string& path) = 0;
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
  /// Held until the returned object dies or the process ends. `conflict` if another process has it.
  virtual Result<std::unique_ptr<void, void (*)(void*)>> lock(const std::string& path) = 0;
};

/// The whole file; `too_large` above `limit_bytes`.
Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t limit_bytes = 64 << 20);
/// A reader sees the old bytes or the new, also after a power cut: temporary file, sync, rename,
/// sync of the directory. One writer a path at a time: the temporary file is `path` + ".new".
Status write_file_atomically(FileSystem& files, const std::string& path, std::string_view bytes);

/// The directory of a path: "." where it has no slash.
std::string parent_path(const std::string& path);

/// The machine's own file system.
std::unique_ptr<FileSystem> real_file_system();

}  // namespace atalaya::io
