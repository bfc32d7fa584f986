// Which sequences of which sources a store has, and the record that carries them over.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/ids.h"
#include "base/result.h"
#include "storage/position.h"

namespace atalaya::storage {

/// The highest sequence of each source. Thread-compatible.
class OriginMarks {
 public:
  std::uint64_t last(const TenantId& tenant, const std::string& source) const;
  bool has_seen(const TenantId& tenant, const WriteOrigin& origin) const {
    return !origin.source.empty() && origin.sequence <= last(tenant, origin.source);
  }
  /// Never lowers a mark. An empty source is ignored.
  void remember(const TenantId& tenant, const WriteOrigin& origin);
  void merge(const OriginMarks& other);

  /// Count, then tenant, source and sequence of each (docs/formats/wal.md).
  void encode(std::string& out) const;
  Status decode(std::string_view bytes);

 private:
  std::map<std::pair<TenantId, std::string>, std::uint64_t> marks_;
};

}  // namespace atalaya::storage
