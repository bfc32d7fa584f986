// What the server may take of its machine: memory, and room on the disk.
#pragma once

#include <string>

#include "api/prometheus.h"
#include "app/ballast.h"
#include "app/keeper.h"
#include "base/result.h"
#include "io/file_system.h"
#include "telemetry/query_memory.h"
#include "tsdb/store.h"

namespace atalaya::app {

/// Thread-safe; the keeper looks after it.
class Resources {
 public:
  struct Limits {
    std::uint64_t memory_bytes = 0;   ///< 0: four fifths of the machine's
    std::uint64_t ballast_bytes = 0;  ///< 0: none
  };

  Resources(io::FileSystem& files, std::string data, const Limits& limits, telemetry::Registry& metrics);

  /// The data folder can be written; the ballast is given up for it where need be. The error says what to do.
  Status prepare_folder();
  /// What the store of series has to know.
  void limit(tsdb::Options& options);
  void add_chores(Keeper& keeper);
  telemetry::QueryMemory& queries() { return queries_; }
  /// What counts in `queries`.
  api::QueryOptions limited(api::QueryOptions queries) {
    queries.memory = &queries_;
    return queries;
  }

 private:
  io::FileSystem& files_;
  const std::string data_;
  Ballast ballast_;
  telemetry::MemoryBudget memory_;
  telemetry::QueryMemory queries_;
};

/// A part of what is held in reserve, and not much.
std::uint64_t ballast_of(std::uint64_t disk_reserve_bytes);

}  // namespace atalaya::app
