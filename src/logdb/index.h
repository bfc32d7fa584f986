// Where in the log files an answer may lie.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "logdb/record.h"
#include "storage/segment_log.h"
#include "storage/series.h"

namespace atalaya::logdb {

/// A stretch of a segment, about kStretchBytes long, at record borders.
struct Stretch {
  std::uint64_t segment = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Time oldest = kMaxTime;
  Time youngest = kMinTime;
  std::vector<std::uint32_t> streams;  ///< ascending
};

/// Small beside the files: some words for each stretch, and each label set once. Thread-compatible.
class Index {
 public:
  static constexpr std::uint64_t kStretchBytes = 64 << 10;

  /// Records come in order within a segment.
  void add(std::uint64_t segment, std::uint64_t begin, std::uint64_t end, const TenantId& tenant,
           const std::vector<const Labels*>& streams, Time oldest, Time youngest);
  /// Forgets a segment, and streams that no other one holds.
  void drop(std::uint64_t segment);

  /// Stretches that may hold lines of the tenant that match and lie in the range, youngest end
  /// first (newest_first) or oldest begin first.
  std::vector<Stretch> candidates(const TenantId& tenant, const Matchers& matchers, storage::TimeRange range,
                                  bool newest_first) const;
  std::vector<std::string> label_values(const TenantId& tenant, std::string_view name) const;
  /// Matching label sets named by a stretch that overlaps the range.
  std::vector<Labels> streams(const TenantId& tenant, const Matchers& matchers, storage::TimeRange range) const;
  /// kMinTime for a segment without lines.
  Time youngest(std::uint64_t segment) const;
  std::size_t streams_of(const TenantId& tenant) const;
  bool knows(const TenantId& tenant, const Labels& labels) const { return find(tenant, labels) != nullptr; }

 private:
  struct Stream {
    std::uint32_t id = 0;
    std::size_t uses = 0;  ///< stretches that name it
  };
  using Streams = std::unordered_map<Labels, Stream>;
  const Stream* find(const TenantId& tenant, const Labels& labels) const;
  std::uint32_t use(const TenantId& tenant, const Labels& labels, Stretch& stretch);

  std::map<std::uint64_t, std::vector<Stretch>> segments_;
  std::map<TenantId, Streams> tenants_;
  std::unordered_map<std::uint32_t, std::pair<TenantId, Labels>> by_id_;
  std::uint32_t next_id_ = 1;
};

}  // namespace atalaya::logdb
