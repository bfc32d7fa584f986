// Copies for a rainy day, and looking whether everything still reads.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/random.h"
#include "telemetry/log.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/log/checkpoint.h"
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
  AT_TRY(flush_locked(is_below_reserve()));
  const auto place = options.directory + "/snapshots/" + snapshot_name(clock.now());
  auto status = fill_snapshot(place + std::string(kUnfinished));
  if (status) status = files.rename(place + std::string(kUnfinished), place);
  if (status) status = files.sync_directory(options.directory + "/snapshots");
  if (status) status = files.sync_directory(options.directory);  // the first one makes the folder
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
  AT_TRY(files.sync_directory(place + "/blocks"));
  return files.sync_directory(place);
}

Status Store::Impl::remove_snapshot(const std::string& name) {
  const auto folder = options.directory + "/snapshots";
  std::vector<std::string> names;
  if (files.exists(folder)) {
    AT_TRY(const auto entries, files.list(folder));
    for (const auto& entry : entries) {
      if (!entry.name.ends_with(kUnfinished)) names.push_back(entry.name);
    }
  }
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no snapshot {}", name),
                names.empty() ? "there is none at all" : fmt::format("there are {}", fmt::join(names, ", ")));
  }
  // First its name goes, so that nobody takes for whole what is left of it after a kill.
  const auto place = folder + "/" + name;
  AT_TRY(files.rename(place, place + std::string(kUnfinished)));
  return files.remove_all(place + std::string(kUnfinished));
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
  AT_TRY(auto found, look_at_log());
  AT_TRY(const auto of_blocks, set_damage_aside(*blocks.list()));
  found.insert(found.end(), of_blocks.begin(), of_blocks.end());
  return found;
}

/// Of all kinds of files, also by earlier processes.
Store::Impl::SetAside Store::Impl::set_aside() const {
  SetAside out;
  for (const auto& folder : {options.directory, options.directory + "/blocks"}) {
    const auto entries = files.list(folder);
    if (!entries) continue;
    for (const auto& entry : *entries) {
      if (!entry.name.ends_with(".damaged")) continue;
      out.paths.push_back(folder + "/" + entry.name);
      out.bytes += entry.size_bytes;
    }
  }
  return out;
}

void Store::Impl::tell_of_damage() {
  const auto aside = set_aside();
  metrics.damaged.set(static_cast<double>(aside.paths.size() + mended_files));
  metrics.set_aside_bytes.set(static_cast<double>(aside.bytes));
}

/// Memory has all that log and checkpoint say: once it is in blocks, nobody needs what is damaged of them.
Result<std::vector<std::string>> Store::Impl::look_at_log() {
  AT_TRY(replay_past());
  storage::OriginMarks of_file;
  const auto decodes = [](std::string_view payload) {
    DefinitionsView definitions;
    return decode_definitions(payload, definitions);
  };
  AT_TRY(auto checkpoint, read_checkpoint(files, options.directory, of_file, decodes));
  auto found = std::move(checkpoint.damaged);
  for (const auto& segment : log->segments()) {
    AT_TRY(const auto bytes, log->damaged_bytes(segment));
    if (bytes > 0) found.push_back(fmt::format("segment {} of the log: {} damaged bytes", segment.number, bytes));
  }
  if (found.empty()) return found;
  for (const auto& line : found)
    telemetry::log_error("tsdb", "damage found; memory is written to blocks", {{"what", line}});
  ++mended_files;
  tell_of_damage();
  AT_TRY(flush_locked(true));
  return found;
}

/// What still reads of a block, chunk by chunk.
Result<BlockSet::Salvaged> Store::Impl::salvage(const Block& block, const std::string& path) {
  BlockMeta meta = block.meta();
  AT_TRY(auto writer, BlockWriter::create(files, path, meta, options.block));
  ColumnsRead read;
  std::vector<ChunkRef> chunks;
  auto lost = block.unread_tenants();
  for (const auto& tenant : block.tenants()) {
    const auto* index = block.index(tenant);
    const auto lose = [&] {
      if (std::find(lost.begin(), lost.end(), tenant) == lost.end()) lost.push_back(tenant);
    };
    for (std::uint32_t ordinal = 0; ordinal < index->size(); ++ordinal) {
      const auto labels = index->labels(ordinal);
      if (!labels || !index->chunks(ordinal, chunks)) {
        lose();
        continue;
      }
      bool begun = false;
      for (const auto& chunk : chunks) {
        const storage::TimeRange range{from_ms(chunk.first), from_ms(chunk.last)};
        if (!block.read(tenant, ordinal, range, read) || read.times.empty()) {
          lose();
          continue;
        }
        if (!begun) AT_TRY(writer->begin_series(tenant, *labels));
        begun = true;
        const std::vector<std::span<const double>> columns(read.columns.begin(), read.columns.end());
        AT_TRY(writer->add(read.times, columns));
      }
    }
  }
  AT_TRY(auto rest, writer->finish());
  return BlockSet::Salvaged{std::move(rest), std::move(lost)};
}

/// Whether raw samples are hidden: buckets that are made of them would show these for good.
bool Store::Impl::hides_raw(const ByResolution& of) const {
  const auto raw = of.find(0);
  const auto deletions = deletes.list();
  return raw != of.end() && std::any_of(raw->second.begin(), raw->second.end(), [&](const BlockPtr& block) {
           return std::any_of(deletions->begin(), deletions->end(),
                              [&](const auto& one) { return touches(one, *block); });
         });
}

/// The damaged file keeps another name. What still reads serves on in a block of its own, and buckets of which the
/// raw samples are there are made anew. Samples that are gone may come again.
Status Store::Impl::set_aside(const BlockPtr& block, const Block& readable) {
  auto name = BlockName::parse(block->path());
  BlockPtr rest;
  AT_TRY(blocks.keep_damaged(block));
  if (name) {
    ++name->revision;
    name->salvaged = true;
    AT_TRY(auto saved, salvage(readable, blocks.path(name->text())));
    rest = std::move(saved.rest);
    note("all tenants will be warned of a damaged block", blocks.note_lost(block, saved.lost));
  }
  AT_TRY(blocks.replace({block}, {rest}));
  const auto resolution = block->meta().resolution;
  if (resolution != 0) {
    const auto all = stretches();
    const auto of = name ? all.find(name->stretch) : all.end();
    if (!rest || !retention.keeps(resolution) || of == all.end() || of->second.at(resolution).size() != 1 ||
        !is_whole(of->second, resolution) || hides_raw(of->second)) {
      return {};
    }
    const auto made = make_anew(name->stretch, of->second, resolution, {});
    // Raw samples that do not read either are looked at for themselves.
    const bool reads = made || made.error().code != ErrorCode::kCorruption;
    return made || !reads ? Status{} : std::unexpected(made.error());
  }
  const std::lock_guard excluded(writing);
  for (const auto& [tenant, one] : head.all()) {
    AT_TRY(one->forget_youngest(nullptr, {kMinTime, from_ms(block->meta().last)}));
  }
  return {};
}

/// What is wrong with a block, once that is set aside; nothing when it reads.
Result<std::optional<std::string>> Store::Impl::look_at(const BlockPtr& block) {
  const auto status = block->verify();
  if (status) return std::nullopt;
  if (status.error().code != ErrorCode::kCorruption) return std::unexpected(status.error());
  // A medium that failed may read again.
  const auto again = Block::open(files, block->path());
  if (again && (*again)->verify()) {
    blocks.renew(block, *again);
    return std::nullopt;
  }
  AT_TRY(set_aside(block, again ? **again : *block));
  tell_of_damage();
  auto found = fmt::format("{}; set aside as {}.damaged", status.error().message, block->path());
  telemetry::log_error("tsdb", "damage set aside", {{"what", found}});
  return found;
}

/// Of those in the list that serve still; what was found, a sentence each.
Result<std::vector<std::string>> Store::Impl::set_damage_aside(const BlockList& list) {
  std::vector<std::string> found;
  for (const auto& block : list) {
    const auto serving = blocks.list();
    if (std::find(serving->begin(), serving->end(), block) == serving->end()) continue;
    AT_TRY(auto one, look_at(block));
    if (one) found.push_back(std::move(*one));
  }
  return found;
}

}  // namespace atalaya::tsdb
