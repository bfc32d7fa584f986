// Copies for a rainy day, and looking whether everything still reads.
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/random.h"
#include "telemetry/log.h"
#include "tsdb/block/block_writer.h"
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

namespace {

/// What still reads of a block, chunk by chunk. Null when that is nothing.
Result<BlockPtr> salvage(io::FileSystem& files, const Block& block, const std::string& path,
                         const BlockOptions& options) {
  BlockMeta meta = block.meta();
  AT_TRY(auto writer, BlockWriter::create(files, path, meta, options));
  ColumnsRead read;
  std::vector<ChunkRef> chunks;
  for (const auto& tenant : block.tenants()) {
    const auto* index = block.index(tenant);
    for (std::uint32_t ordinal = 0; ordinal < index->size(); ++ordinal) {
      const auto labels = index->labels(ordinal);
      if (!labels || !index->chunks(ordinal, chunks)) continue;
      bool begun = false;
      for (const auto& chunk : chunks) {
        const storage::TimeRange range{from_ms(chunk.first), from_ms(chunk.last)};
        if (!block.read(tenant, ordinal, range, read) || read.times.empty()) continue;
        if (!begun) AT_TRY(writer->begin_series(tenant, *labels));
        begun = true;
        const std::vector<std::span<const double>> columns(read.columns.begin(), read.columns.end());
        AT_TRY(writer->add(read.times, columns));
      }
    }
  }
  return writer->finish();
}

}  // namespace

/// The damaged file gets another name. What still reads serves on in a block of its own; buckets whose raw
/// samples are there are made anew instead. Samples that are gone may come again.
Status Store::Impl::set_aside(const BlockPtr& block) {
  auto name = BlockName::parse(block->path());
  BlockPtr rest;
  if (name) {
    const auto all = stretches();
    ++name->revision;
    const bool anew = block->meta().resolution != 0 && is_whole(name->stretch, all.at(name->stretch), block);
    if (!anew) {
      AT_TRY(rest, salvage(files, *block, blocks.path(name->text()), options.block));
    }
  }
  AT_TRY(blocks.set_aside(block, rest));
  if (block->meta().resolution != 0) return {};
  const std::lock_guard excluded(writing);
  for (const auto& [tenant, one] : head.all()) {
    AT_TRY(one->forget_youngest(nullptr, {kMinTime, from_ms(block->meta().last)}));
  }
  return {};
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
    AT_TRY(set_aside(block));
    metrics.damaged.set(metrics.damaged.value() + 1);
  }
  return found;
}

}  // namespace atalaya::tsdb
