// Series that somebody deleted: hidden at once, gone from the blocks later (docs/formats/deletes.md).
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "io/file_system.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "storage/series.h"
#include "tsdb/block_set.h"

namespace atalaya::tsdb {

/// What one request deleted: samples of the series that match, in the range, as far as they are in blocks
/// up to a sequence. What is written afterwards is not touched.
struct Deletion {
  TenantId tenant;
  Matchers matchers;
  storage::TimeRange range;
  std::uint64_t last_sequence = 0;
};

/// Of a block with buckets, to the end of the last bucket: one that has a deleted sample in it must not show.
storage::TimeRange hidden_range(const Deletion& deletion, const Block& block);
/// Whether a block has, or may have, something that a deletion hides.
bool touches(const Deletion& deletion, const Block& block);
/// Whether it has one of its series besides; an index that does not read may have one.
bool selects_of(const Deletion& deletion, const Block& block);

using DeletionList = std::vector<Deletion>;

/// Of one series of a block, the ranges that are hidden.
std::vector<storage::TimeRange> hidden_ranges(const DeletionList& deletions, const TenantId& tenant,
                                              const Labels& labels, const Block& block);

/// The list, and its file. Thread-safe.
class Deletes {
 public:
  Deletes(io::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  /// A file that does not read is set aside as `.damaged` and named: what it hid shows again.
  Status open(std::vector<std::string>& damaged);
  std::shared_ptr<const DeletionList> list() const;
  /// In force when it returns, also after a power cut.
  Status add(Deletion deletion);
  /// Forgets the first `count`: the blocks that they touched are written anew.
  Status forget(std::size_t count);

 private:
  Status write(DeletionList list);

  io::FileSystem& files_;
  const std::string path_;
  mutable std::mutex mutex_;
  std::shared_ptr<const DeletionList> list_ = std::make_shared<DeletionList>();  ///< guarded by mutex_
};

}  // namespace atalaya::tsdb
