// Copies for a rainy day, and looking whether everything still reads.
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/random.h"
#include "telemetry/log.h"
#include "tsdb/store_impl.h"

namespace atalaya::tsdb {
namespace {

/// `20261122T101500Z-1a2b3c4d`: in the order in which they were made, and never twice.
std::string snapshot_name(Time now) {
  std::string name;
  for (const char c : format_rfc3339(now).substr(0, 19)) {
    if (c != '-' && c != ':') name.push_back(c);
  }
  return name + "Z-" + to_hex(random_bytes(4));
}

}  // namespace

Result<std::string> Store::Impl::snapshot() {
  const std::lock_guard lock(maintaining);
  AT_TRY(flush_locked(false));
  const auto place = options.directory + "/snapshots/" + snapshot_name(clock.now());
  const auto unfinished_place = place + ".new";
  AT_TRY(files.create_directories(unfinished_place + "/blocks"));
  const auto list = blocks.list();
  for (const auto& block : *list) {
    AT_TRY(files.link(block->path(), unfinished_place + block->path().substr(options.directory.size())));
  }
  if (const auto hidden = options.directory + "/deletes"; files.exists(hidden)) {
    AT_TRY(const auto bytes, io::read_file(files, hidden));
    AT_TRY(io::write_file_atomically(files, unfinished_place + "/deletes", bytes));
  }
  AT_TRY(files.sync_directory(unfinished_place + "/blocks"));
  AT_TRY(files.rename(unfinished_place, place));
  AT_TRY(files.sync_directory(options.directory + "/snapshots"));
  return place;
}

Result<std::vector<std::string>> Store::Impl::verify() {
  const std::lock_guard lock(maintaining);
  std::vector<std::string> found;
  const auto list = blocks.list();
  for (const auto& block : *list) {
    const auto status = block->verify();
    if (status) continue;
    if (status.error().code != ErrorCode::kCorruption) return std::unexpected(status.error());
    found.push_back(fmt::format("{}; set aside as {}.damaged", status.error().message, block->path()));
    telemetry::log_error("tsdb", "damage set aside", {{"what", found.back()}});
    AT_TRY(blocks.set_aside(block));
  }
  return found;
}

}  // namespace atalaya::tsdb
