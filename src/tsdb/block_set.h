// The blocks of a store: which ones serve now.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "tsdb/block/block.h"

namespace atalaya::tsdb {

using BlockPtr = std::shared_ptr<const Block>;
using BlockList = std::vector<BlockPtr>;

/// What the name of a block says:
/// `<stretch>-<first sequence>-<last sequence>-<resolution>[-<revision>[-1]].block`, the last for what was salvaged.
struct BlockName {
  std::int64_t stretch = 0;  ///< its first millisecond
  std::uint64_t first_sequence = 0;
  std::uint64_t last_sequence = 0;
  std::int64_t resolution = 0;
  std::uint32_t revision = 0;  ///< how often it was written anew, without what was deleted
  bool salvaged = false;       ///< what still read of a damaged one is in it: some samples may be missing

  std::string text() const;
  /// Of a path; nothing when it is no such name.
  static std::optional<BlockName> parse(std::string_view path);
};

bool is_salvaged(const BlockPtr& block);
/// Of all files.
std::uint64_t bytes_of(const BlockList& list);

/// A block's file that was set aside for damage.
struct SetAsideBlock {
  BlockName name;
  std::string path;
  std::vector<TenantId> lost;  ///< who lost something by it; empty: nobody knows, it may be everybody

  bool may_miss(const TenantId& tenant) const;
};
using SetAsideList = std::vector<SetAsideBlock>;

/// Whether buckets were made of all that the raw blocks of the same stretch have now.
bool is_rolled_up(const BlockList& raw, const BlockList& buckets);

/// Operation: readers take the list as it stands; a change makes a new one. A block that another
/// covers (same stretch and resolution, its sequences within the other's, or the same and an earlier
/// revision) is what a merge left when it was cut short, and is removed at opening. Thread-safe.
class BlockSet {
 public:
  /// Unpacked pages of blocks take up to `page_bytes`.
  BlockSet(io::FileSystem& files, std::string directory, std::size_t page_bytes)
      : files_(files), directory_(std::move(directory)), pages_(std::make_shared<PageCache>(page_bytes, kShards)) {}

  struct Salvaged {
    BlockPtr rest;               ///< null when nothing reads
    std::vector<TenantId> lost;  ///< whose part did not read wholly; empty: nobody knows
  };
  /// Writes what reads of a damaged block to a file of its own.
  using Salvage = std::function<Result<Salvaged>(const Block& damaged, const std::string& path)>;
  /// Opens what is there; a block that does not open is renamed to `.damaged` and named in `damaged`, and what is
  /// salvaged of it serves.
  Status open(std::vector<std::string>& damaged, const Salvage& salvage);
  std::shared_ptr<const BlockList> list() const;
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  /// Takes `fresh` in (null: nothing) and the others out, at once for readers; then removes their files.
  Status replace(const BlockList& gone, const BlockList& fresh);
  /// Removes blocks' files that do not serve: what failed after it was put in place, or could not be removed. At the
  /// next start they would. Not beside a writer of blocks.
  Status remove_strays();
  /// A second name for the file of a damaged one, `.damaged`, which stays when the other goes.
  Status keep_damaged(const BlockPtr& block);
  /// Of that one, once it is known.
  Status note_lost(const BlockPtr& block, const std::vector<TenantId>& lost);
  /// Those with the name `.damaged` as of the last look: nobody reads them.
  std::shared_ptr<const SetAsideList> set_aside() const;
  /// Somebody may have removed one.
  Status look_for_set_aside();
  /// The same file, opened once more.
  void renew(const BlockPtr& block, const BlockPtr& again) { exchange({block}, {again}); }
  /// Of blocks, unpacked: what is asked for again is unpacked again.
  void forget_pages() { pages_->forget(); }
  /// The highest sequence of a block; 0 without any.
  std::uint64_t last_sequence() const;
  std::uint64_t bytes() const;

 private:
  Result<BlockPtr> keep_rest(const std::string& file, const Salvage& salvage);
  void exchange(const BlockList& gone, const BlockList& fresh);

  static constexpr std::size_t kShards = 8;

  io::FileSystem& files_;
  const std::string directory_;
  const std::shared_ptr<PageCache> pages_;
  mutable std::mutex mutex_;
  std::shared_ptr<const BlockList> list_ = std::make_shared<BlockList>();             ///< guarded by mutex_
  std::shared_ptr<const SetAsideList> set_aside_ = std::make_shared<SetAsideList>();  ///< guarded by mutex_
};

}  // namespace atalaya::tsdb
