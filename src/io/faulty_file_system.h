// A file system that goes wrong at a chosen call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace atalaya::io {

enum class Fault {
  kNoSpace,   ///< the call fails with resource_exhausted and has no effect
  kIoError,   ///< the call fails with unavailable and has no effect
  kTear,      ///< an append writes half of its bytes, then fails; any other call is as kIoError
  kPowerCut,  ///< the call and all after it fail with unavailable: the process is as good as dead
};

/// Passes every call on to `below` and counts those that could fail on a real disk: all but `size`,
/// `exists` and `free_bytes`, of files opened through it as well (of a mapping only the call that makes
/// it). `below` outlives it and its files. Thread-safe.
///
///   for_every_call([&](std::uint64_t n) {
///     MemoryFileSystem disk;
///     FaultyFileSystem faulty(disk);
///     faulty.arm(Fault::kPowerCut, n);
///     const auto acknowledged = work(faulty);
///     disk.power_cut();
///     EXPECT_EQ(reopen(disk), acknowledged);
///     return faulty.struck();
///   });
class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(FileSystem& below);
  ~FaultyFileSystem() override;

  /// Call `at_call` from now on, counted from 1, goes wrong; once, or with `lasting` every call from
  /// it on that is of the same nature (kNoSpace: only calls that need space).
  void arm(Fault fault, std::uint64_t at_call, bool lasting = false);
  void disarm();
  /// `work` is done, once, before the next rename to a path that holds `part`: what others do in the midst of a long
  /// work. It may use this file system.
  void before_rename(std::string part, std::function<void()> work);
  /// Calls since the last arm or disarm.
  std::uint64_t calls() const;
  /// Whether the armed call has come.
  bool struck() const;

  Result<std::unique_ptr<File>> open_append(const std::string& path) override;
  Result<std::unique_ptr<File>> open_read(const std::string& path) override;
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

  struct State;

 private:
  FileSystem& below_;
  std::shared_ptr<State> state_;
};

/// Calls `run(n)` for n = 1, 2, … until it answers false, that is: until the work was over before
/// call n came. Returns the number of calls that were struck. Aborts after `limit` rounds, as a work
/// that grows with every fault would never end.
std::uint64_t for_every_call(const std::function<bool(std::uint64_t n)>& run, std::uint64_t limit = 100000);

}  // namespace atalaya::io
