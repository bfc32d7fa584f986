// Copies for a rainy day, and looking whether everything still reads.
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/random.h"
#include "telemetry/log.h"
#include "tsdb/store_impl.h"

namespace atalaya::tsdb {
namespace {

constexpr std::string_view kUnfinished = ".new";

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
  auto status = fill_snapshot(place + std::string(kUnfinished));
  if (status) status = files.rename(place + std::string(kUnfinished), place);
  if (status) status = files.sync_directory(options.directory + "/snapshots");
  if (status) return place;
  // Its links would keep blocks on the disk that nobody else wants; a start takes away what stays of it.
  (void)files.remove_all(place + std::string(kUnfinished));
  (void)files.remove_all(place);
  return std::unexpected(std::move(status).error());
}

Status Store::Impl::fill_snapshot(const std::string& place) {
  AT_TRY(files.create_directories(place + "/blocks"));
  const auto list = blocks.list();
  for (const auto& block : *list) {
    AT_TRY(files.link(block->path(), place + block->path().substr(options.directory.size())));
  }
  if (const auto hidden = options.directory + "/deletes"; files.exists(hidden)) {
    AT_TRY(const auto bytes, io::read_file(files, hidden));
    AT_TRY(io::write_file_atomically(files, place + "/deletes", bytes));
  }
  return files.sync_directory(place + "/blocks");
}

Status Store::Impl::remove_unfinished_snapshots() {
  const auto folder = options.directory + "/snapshots";
  if (!files.exists(folder)) return {};
  AT_TRY(const auto entries, files.list(folder));
  for (const auto& entry : entries) {
    if (entry.name.ends_with(kUnfinished)) AT_TRY(files.remove_all(folder + "/" + entry.name));
  }
  return {};
}

Result<std::vector<std::string>> Store::Impl::verify() {
  const std::lock_guard lock(maintaining);
  return set_damage_aside();
}

Result<std::vector<std::string>> Store::Impl::set_damage_aside() {
  std::vector<std::string> found;
  const auto list = blocks.list();
  for (const auto& block : *list) {
    const auto status = block->verify();
    if (status) continue;
    if (status.error().code != ErrorCode::kCorruption) return std::unexpected(status.error());
    found.push_back(fmt::format("{}; set aside as {}.damaged", status.error().message, block->path()));
    telemetry::log_error("tsdb", "damage set aside", {{"what", found.back()}});
    AT_TRY(blocks.set_aside(block));
    metrics.damaged.set(metrics.damaged.value() + 1);
  }
  return found;
}

}  // namespace atalaya::tsdb
