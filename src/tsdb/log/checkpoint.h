// What start-up needs of log files that are gone (docs/formats/wal.md).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "storage/origins.h"
#include "tsdb/head/head.h"
#include "tsdb/log/records.h"

namespace atalaya::tsdb {

/// Writes `checkpoint-<number>` beside the log, a number above all others, then removes those before
/// it: a reader finds the old one or the new one. With `series`, the labels of all series that the log
/// defines; without, for a log that ends here.
Status write_checkpoint(io::FileSystem& files, const std::string& directory, std::uint64_t salt, Time now,
                        const CheckpointHead& head, const storage::OriginMarks& marks, const Head* series);

struct CheckpointFound {
  bool found = false;
  bool fresh = false;  ///< neither a checkpoint nor a log: the folder is new, or a snapshot's
  CheckpointHead head;
  std::vector<std::string> damaged;  ///< one sentence each
};
/// Reads the newest one; a log without any has lost it, which is damage. `define` is shown the definitions; what does
/// not decode is damage.
Result<CheckpointFound> read_checkpoint(io::FileSystem& files, const std::string& directory,
                                        storage::OriginMarks& marks,
                                        const std::function<Status(std::string_view payload)>& define);

}  // namespace atalaya::tsdb
