#include "storage/origins.h"

#include <algorithm>

#include "base/bytes.h"

namespace atalaya::storage {

std::uint64_t OriginMarks::last(const TenantId& tenant, const std::string& source) const {
  const auto it = marks_.find({tenant, source});
  return it == marks_.end() ? 0 : it->second;
}

void OriginMarks::remember(const TenantId& tenant, const WriteOrigin& origin) {
  if (origin.source.empty()) return;
  auto& mark = marks_[{tenant, origin.source}];
  mark = std::max(mark, origin.sequence);
}

void OriginMarks::merge(const OriginMarks& other) {
  for (const auto& [key, sequence] : other.marks_) {
    auto& mark = marks_[key];
    mark = std::max(mark, sequence);
  }
}

void OriginMarks::encode(std::string& out) const {
  ByteWriter writer(out);
  writer.varint(marks_.size());
  for (const auto& [key, sequence] : marks_) {
    writer.text(key.first.value());
    writer.text(key.second);
    writer.varint(sequence);
  }
}

Status OriginMarks::decode(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto count = reader.varint();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    TenantId tenant{std::string(reader.text())};
    WriteOrigin origin;
    origin.source = std::string(reader.text());
    origin.sequence = reader.varint();
    if (reader.ok()) remember(tenant, origin);
  }
  if (!reader.ok() || !reader.at_end()) return fail(ErrorCode::kCorruption, "origin marks do not decode");
  return {};
}

}  // namespace atalaya::storage
