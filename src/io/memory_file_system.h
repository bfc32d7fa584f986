// Files in memory that know what a power cut would leave of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace atalaya::io {

/// Keeps beside the present state of every file and directory the state that a power cut would
/// leave: bytes since the last `sync` of a file and names since the last `sync_directory` (creation,
/// removal, rename) are forgotten. `create_directories` is durable at once, as the contract says.
/// Relative and absolute paths share one root. Thread-safe.
class MemoryFileSystem final : public FileSystem {
 public:
  /// `append` fails with resource_exhausted, after writing what fits, once all files together hold
  /// `capacity_bytes`.
  explicit MemoryFileSystem(std::uint64_t capacity_bytes = std::uint64_t{1} << 40);
  ~MemoryFileSystem() override;

  Result<std::unique_ptr<File>> open_append(const std::string& path) override;
  Result<std::unique_ptr<File>> open_read(const std::string& path) override;
  /// A copy: later changes do not show.
  Result<std::unique_ptr<Mapping>> map(const std::string& path, MapSource source) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Status create_directories(const std::string& path) override;
  Status remove(const std::string& path) override;
  Status remove_all(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status link(const std::string& from, const std::string& to) override;
  Status sync_directory(const std::string& path) override;
  bool exists(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;
  Result<std::unique_ptr<void, void (*)(void*)>> lock(const std::string& path) override;

  /// Everything unsynced is gone; locks are free; files opened before answer every call with
  /// unavailable. The object itself goes on as the machine after its start.
  void power_cut();
  /// As power_cut, but of what was unsynced a part survives, chosen by `seed`: of appended bytes any
  /// prefix, of a directory's names the old state or the new. A real disk may do either; an engine
  /// must bear both.
  void power_cut_keeping_some(std::uint64_t seed);

  /// For tests that spoil stored bytes: flips the bits of `mask` in the byte at `offset`, now and on
  /// "disk". not_found, or invalid_argument past the end.
  Status flip_bits(const std::string& path, std::uint64_t offset, unsigned char mask);
  /// As a medium that fails under who has mapped it: the mappings that there are read zeros from `offset` on, and
  /// say so. The file itself is as it was.
  Status fail_mappings(const std::string& path, std::uint64_t offset);
  void set_capacity(std::uint64_t capacity_bytes);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace atalaya::io
