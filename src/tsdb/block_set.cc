#include "tsdb/block_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <vector>

#include "tsdb/lost_tenants.h"

namespace atalaya::tsdb {
namespace {

constexpr std::string_view kSuffix = ".block";
constexpr std::string_view kUnfinished = ".part";
constexpr std::string_view kSetAside = ".damaged";

/// Of blocks of one stretch and resolution.
bool covers(const BlockName& a, const BlockName& b) {
  if (a.first_sequence == b.first_sequence && a.last_sequence == b.last_sequence) return a.revision > b.revision;
  return a.first_sequence <= b.first_sequence && a.last_sequence >= b.last_sequence;
}

/// Those that another one of the list covers.
BlockList covered_of(const BlockList& list) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::pair<BlockName, BlockPtr>>> stretches;
  for (const auto& block : list) {
    const auto name = BlockName::parse(block->path());
    if (name) stretches[{name->stretch, name->resolution}].emplace_back(*name, block);
  }
  BlockList out;
  for (const auto& [stretch, blocks] : stretches) {
    for (const auto& [name, block] : blocks) {
      const auto is_other = [&, mine = name](const auto& other) { return covers(other.first, mine); };
      if (std::any_of(blocks.begin(), blocks.end(), is_other)) out.push_back(block);
    }
  }
  return out;
}

void sort(BlockList& list) {
  std::sort(list.begin(), list.end(), [](const BlockPtr& a, const BlockPtr& b) {
    if (a->meta().first_sequence != b->meta().first_sequence) {
      return a->meta().first_sequence < b->meta().first_sequence;
    }
    return a->path() < b->path();
  });
}

}  // namespace

std::string BlockName::text() const {
  const auto tail = revision == 0 && !salvaged ? std::string() : fmt::format("-{}{}", revision, salvaged ? "-1" : "");
  return fmt::format("{:013}-{:08}-{:08}-{}{}{}", stretch, first_sequence, last_sequence, resolution, tail, kSuffix);
}

std::optional<BlockName> BlockName::parse(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  if (!path.ends_with(kSuffix)) return std::nullopt;
  path.remove_suffix(kSuffix.size());
  std::array<std::uint64_t, 6> numbers{};
  std::size_t count = 0;
  while (count < numbers.size()) {
    const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), numbers[count]);
    if (error != std::errc{}) return std::nullopt;
    ++count;
    path.remove_prefix(static_cast<std::size_t>(end - path.data()));
    if (!path.starts_with('-')) break;
    path.remove_prefix(1);
  }
  if (!path.empty() || count < 4) return std::nullopt;
  return BlockName{
      static_cast<std::int64_t>(numbers[0]),  numbers[1],     numbers[2], static_cast<std::int64_t>(numbers[3]),
      static_cast<std::uint32_t>(numbers[4]), numbers[5] == 1};
}

bool SetAsideBlock::may_miss(const TenantId& tenant) const {
  return lost.empty() || std::find(lost.begin(), lost.end(), tenant) != lost.end();
}

bool is_salvaged(const BlockPtr& block) {
  const auto name = BlockName::parse(block->path());
  return name && name->salvaged;
}

std::uint64_t bytes_of(const BlockList& list) {
  std::uint64_t out = 0;
  for (const auto& block : list) out += block->meta().bytes;
  return out;
}

bool is_rolled_up(const BlockList& raw, const BlockList& buckets) {
  std::uint64_t done = 0;
  for (const auto& block : buckets) done = std::max(done, block->meta().last_sequence);
  return !buckets.empty() && std::all_of(raw.begin(), raw.end(),
                                         [&](const BlockPtr& block) { return block->meta().last_sequence <= done; });
}

/// Of a file that does not open; what serves in its place.
Result<BlockPtr> BlockSet::keep_rest(const std::string& file, const Salvage& salvage) {
  const auto aside = file + std::string(kSetAside);
  Salvaged saved;
  auto name = BlockName::parse(file);
  const auto readable = Block::open_rest(files_, file);
  if (name && readable && !(*readable)->tenants().empty()) {
    ++name->revision;
    name->salvaged = true;
    if (!files_.exists(path(name->text()))) {
      // Without it the tenants whose part is whole would lose theirs; with a full disk they do.
      if (auto salvaged = salvage(**readable, path(name->text()))) saved = std::move(*salvaged);
    }
  }
  AT_TRY(files_.rename(file, aside));
  AT_TRY(files_.sync_directory(directory_));
  // On a full disk nobody will know.
  if (!saved.lost.empty()) (void)write_lost_tenants(files_, aside, saved.lost);
  return saved.rest;
}

Status BlockSet::open(std::vector<std::string>& damaged, const Salvage& salvage) {
  AT_TRY(files_.create_directories(directory_));
  AT_TRY(const auto entries, files_.list(directory_));
  auto found = std::make_shared<BlockList>();
  for (const auto& entry : entries) {
    const auto file = path(entry.name);
    if (entry.name.ends_with(".new") || entry.name.ends_with(kUnfinished)) {
      AT_TRY(files_.remove(file));
      continue;
    }
    if (!entry.name.ends_with(kSuffix)) continue;
    auto block = Block::open(files_, file);
    if (block) {
      (*block)->keep_pages_in(pages_);
      found->push_back(std::move(*block));
      continue;
    }
    if (block.error().code != ErrorCode::kCorruption) return std::unexpected(std::move(block).error());
    damaged.push_back(fmt::format("{}; set aside as {}.damaged", block.error().message, file));
    AT_TRY(auto rest, keep_rest(file, salvage));
    if (!rest) continue;
    damaged.back() += ", what still reads serves on";
    rest->keep_pages_in(pages_);
    found->push_back(std::move(rest));
  }
  const auto covered = covered_of(*found);
  for (const auto& block : covered) {
    std::erase(*found, block);
    AT_TRY(files_.remove(block->path()));
  }
  sort(*found);
  {
    const std::lock_guard lock(mutex_);
    list_ = std::move(found);
  }
  return look_for_set_aside();
}

std::shared_ptr<const SetAsideList> BlockSet::set_aside() const {
  const std::lock_guard lock(mutex_);
  return set_aside_;
}

Status BlockSet::look_for_set_aside() {
  AT_TRY(const auto entries, files_.list(directory_));
  auto found = std::make_shared<SetAsideList>();
  const auto without = [](std::string_view name, std::string_view end) {
    return std::string(name.substr(0, name.size() - end.size()));
  };
  for (const auto& entry : entries) {
    if (entry.name.ends_with(std::string(kSetAside) + std::string(kLostTenants)) &&
        !files_.exists(path(without(entry.name, kLostTenants)))) {
      AT_TRY(files_.remove(path(entry.name)));
    }
    if (!entry.name.ends_with(kSetAside)) continue;
    const auto name = BlockName::parse(without(entry.name, kSetAside));
    if (name) found->push_back({*name, path(entry.name), read_lost_tenants(files_, path(entry.name))});
  }
  const std::lock_guard lock(mutex_);
  set_aside_ = std::move(found);
  return {};
}

std::shared_ptr<const BlockList> BlockSet::list() const {
  const std::lock_guard lock(mutex_);
  return list_;
}

void BlockSet::exchange(const BlockList& gone, const BlockList& fresh) {
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<BlockList>();
  for (const auto& block : *list_) {
    if (std::find(gone.begin(), gone.end(), block) == gone.end()) next->push_back(block);
  }
  for (const auto& block : fresh) {
    if (!block) continue;
    block->keep_pages_in(pages_);
    next->push_back(block);
  }
  sort(*next);
  list_ = std::move(next);
}

Status BlockSet::remove_strays() {
  AT_TRY(const auto entries, files_.list(directory_));
  std::set<std::string> serving;
  const auto blocks = list();
  for (const auto& block : *blocks) serving.insert(block->path());
  bool any = false;
  for (const auto& entry : entries) {
    const auto file = path(entry.name);
    if (!BlockName::parse(file) || serving.contains(file)) continue;
    AT_TRY(files_.remove(file));
    any = true;
  }
  return any ? files_.sync_directory(directory_) : Status{};
}

Status BlockSet::replace(const BlockList& gone, const BlockList& fresh) {
  exchange(gone, fresh);
  for (const auto& block : gone) AT_TRY(files_.remove(block->path()));
  return gone.empty() ? Status{} : files_.sync_directory(directory_);
}

Status BlockSet::keep_damaged(const BlockPtr& block) {
  const auto name = block->path() + std::string(kSetAside);
  if (files_.exists(name)) return {};
  AT_TRY(files_.link(block->path(), name));
  AT_TRY(files_.sync_directory(directory_));
  return look_for_set_aside();
}

Status BlockSet::note_lost(const BlockPtr& block, const std::vector<TenantId>& lost) {
  if (lost.empty()) return {};
  AT_TRY(write_lost_tenants(files_, block->path() + std::string(kSetAside), lost));
  return look_for_set_aside();
}

std::uint64_t BlockSet::last_sequence() const {
  std::uint64_t last = 0;
  const auto blocks = list();
  for (const auto& block : *blocks) last = std::max(last, block->meta().last_sequence);
  return last;
}

std::uint64_t BlockSet::bytes() const {
  std::uint64_t sum = 0;
  const auto blocks = list();
  for (const auto& block : *blocks) sum += block->meta().bytes;
  return sum;
}

}  // namespace atalaya::tsdb
