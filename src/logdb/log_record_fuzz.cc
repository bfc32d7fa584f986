// Any bytes as a payload of the log store: what decodes encodes to the same lines again.
#include <cstdint>

#include "base/check.h"
#include "logdb/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya;
  using namespace atalaya::logdb;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  storage::OriginMarks marks;
  (void)decode_marks(bytes, marks);
  const auto view = decode_lines(bytes);
  if (!view) return 0;
  std::vector<LogRecord> records;
  for (const auto& line : view->lines) {
    records.push_back({line.time, view->streams[line.stream], std::string(line.line)});
  }
  const auto text = encode_lines(view->tenant, view->origin, records);
  const auto again = decode_lines(text);
  AT_CHECK(again.has_value());
  AT_CHECK(again->lines.size() == records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    AT_CHECK(again->lines[i].line == records[i].line && again->lines[i].time == records[i].time);
    AT_CHECK(again->streams[again->lines[i].stream] == records[i].labels);
  }
  return 0;
}
