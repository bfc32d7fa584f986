// Payloads of the log store (docs/formats/log-store.md).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "model/log_record.h"
#include "storage/origins.h"

namespace atalaya::logdb {

enum class RecordType : std::uint8_t { kMarks = 1, kLines = 2 };

/// A line that lies in the bytes it was decoded from.
struct LineView {
  std::uint32_t stream = 0;  ///< index into LinesView::streams
  Time time;
  std::string_view line;
};

/// One batch as the log holds it. Lives as long as the payload.
struct LinesView {
  TenantId tenant;
  storage::WriteOrigin origin;
  std::vector<Labels> streams;
  std::vector<LineView> lines;
};

std::string encode_marks(const storage::OriginMarks& marks);
std::string encode_lines(const TenantId& tenant, const storage::WriteOrigin& origin,
                         const std::vector<LogRecord>& records);

/// The first byte; 0 for an empty payload.
std::uint8_t record_type(std::string_view payload);
/// corruption when the bytes are no such record. They may come from anywhere.
Status decode_marks(std::string_view payload, storage::OriginMarks& out);
Result<LinesView> decode_lines(std::string_view payload);

}  // namespace atalaya::logdb
