#include "db/sqlite_copier.h"

#include <algorithm>
#include <utility>

#include "telemetry/log.h"

namespace atalaya::db {
namespace {

/// Writers that are faster than the copy are held up by the last pass rather than never.
constexpr int kPasses = 4;

}  // namespace

SqliteCopier::SqliteCopier(std::unique_ptr<SqliteConnection> connection, std::mutex& writing, CopyOptions options)
    : options_(options), writing_(writing), connection_(std::move(connection)) {}

SqliteCopier::~SqliteCopier() { stop(); }

void SqliteCopier::start() {
  thread_ = std::thread([this] { work(); });
}

void SqliteCopier::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SqliteCopier::grown(int pages) {
  {
    const std::lock_guard lock(mutex_);
    pages_ = pages;
    // It has begun anew.
    if (pages < copied_) copied_ = 0;
    if (pages_ - copied_ < options_.pages) return;
  }
  changed_.notify_all();
}

void SqliteCopier::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto asked = [&] { return pages_ - copied_ >= options_.pages; };
    changed_.wait(lock, [&] { return stopping_ || asked(); });
    if (!asked()) return;
    lock.unlock();
    if (const auto copied = copy(); !copied) {
      telemetry::log_warn("db", "the database's log is not copied into its file yet",
                          {{"reason", to_string(copied.error())}});
    }
    lock.lock();
  }
}

Status SqliteCopier::copy() {
  for (int i = 0; i < kPasses; ++i) {
    AT_TRY(pass());
    const std::lock_guard lock(mutex_);
    if (pages_ - copied_ <= options_.few) break;
  }
  const std::lock_guard alone(writing_);
  return pass();
}

Status SqliteCopier::pass() {
  auto pages = connection_->copy_log();
  const std::lock_guard lock(mutex_);
  // Not asked for again before it has grown as much again.
  copied_ = pages ? std::min(*pages, pages_) : pages_;
  if (!pages) return std::unexpected(std::move(pages).error());
  return {};
}

}  // namespace atalaya::db
