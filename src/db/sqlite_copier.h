// Copies SQLite's write-ahead log into its file beside those who write.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "db/sqlite_connection.h"

namespace atalaya::db {

struct CopyOptions {
  /// The log is copied when it has grown by so many pages since the last time: what is written again and again is
  /// copied once.
  int pages = 8192;
  /// So few are left to the last pass, for which writers wait.
  int few = 256;
};

/// Owns a connection and a thread, so that no writer waits until 32 MiB are in the file. Pages are copied while writers
/// go on, then those that came meanwhile, and so on; the last few while nobody writes, as SQLite begins its log anew
/// only when all of it is copied. A reader of an old state, or another process, may keep the log from that: it grows
/// until the next time. *Concurrency*: thread-safe.
class SqliteCopier {
 public:
  /// `writing` is held by whoever writes, and outlives it.
  SqliteCopier(std::unique_ptr<SqliteConnection> connection, std::mutex& writing, CopyOptions options = {});
  /// As `stop`.
  ~SqliteCopier();
  SqliteCopier(const SqliteCopier&) = delete;
  SqliteCopier& operator=(const SqliteCopier&) = delete;

  void start();
  /// What is asked for by then is copied first. Not while `writing` is held.
  void stop();
  /// After a commit: the log has so many pages.
  void grown(int pages);

 private:
  void work();
  Status copy();
  Status pass();

  const CopyOptions options_;
  std::mutex& writing_;
  const std::unique_ptr<SqliteConnection> connection_;
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  int pages_ = 0;   ///< of the log
  int copied_ = 0;  ///< of them by the last pass, whether it could copy all or not
};

}  // namespace atalaya::db
