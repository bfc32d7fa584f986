#include "logdb/record.h"

#include <unordered_map>

#include "base/bytes.h"

namespace atalaya::logdb {

std::string encode_marks(const storage::OriginMarks& marks) {
  std::string out(1, static_cast<char>(RecordType::kMarks));
  marks.encode(out);
  return out;
}

std::string encode_lines(const TenantId& tenant, const storage::WriteOrigin& origin,
                         const std::vector<LogRecord>& records) {
  std::vector<const Labels*> streams;
  std::unordered_map<Labels, std::size_t> index;
  std::vector<std::size_t> stream_of;
  stream_of.reserve(records.size());
  std::size_t size = 64;
  for (const auto& record : records) {
    const auto [it, fresh] = index.emplace(record.labels, streams.size());
    if (fresh) streams.push_back(&it->first);
    stream_of.push_back(it->second);
    size += record.line.size() + 12;
  }
  std::string bytes(1, static_cast<char>(RecordType::kLines));
  bytes.reserve(size);
  ByteWriter out(bytes);
  out.text(tenant.value());
  out.text(origin.source);
  out.varint(origin.sequence);
  out.varint(streams.size());
  for (const auto* labels : streams) out.text(labels->packed());
  out.varint(records.size());
  std::uint64_t time = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto ms = static_cast<std::uint64_t>(to_ms(records[i].time));
    out.varint(stream_of[i]);
    out.svarint(static_cast<std::int64_t>(ms - time));
    out.text(records[i].line);
    time = ms;
  }
  return bytes;
}

std::uint8_t record_type(std::string_view payload) {
  return payload.empty() ? 0 : static_cast<std::uint8_t>(payload[0]);
}

Status decode_marks(std::string_view payload, storage::OriginMarks& out) {
  if (record_type(payload) != static_cast<std::uint8_t>(RecordType::kMarks)) {
    return fail(ErrorCode::kCorruption, "not a record of origin marks");
  }
  return out.decode(payload.substr(1));
}

Result<LinesView> decode_lines(std::string_view payload) {
  const auto bad = [] { return fail(ErrorCode::kCorruption, "a batch of lines that does not decode"); };
  ByteReader in(payload);
  if (in.u8() != static_cast<std::uint8_t>(RecordType::kLines)) return bad();
  LinesView view;
  view.tenant = TenantId{std::string(in.text())};
  view.origin.source = std::string(in.text());
  view.origin.sequence = in.varint();
  const auto streams = in.varint();
  for (std::uint64_t i = 0; i < streams && in.ok(); ++i) {
    if (!Labels::unpack(in.text(), view.streams.emplace_back())) return bad();
  }
  const auto lines = in.varint();
  if (!in.ok() || lines > in.remaining()) return bad();  // a line takes three bytes at least
  view.lines.reserve(lines);
  std::uint64_t time = 0;
  for (std::uint64_t i = 0; i < lines && in.ok(); ++i) {
    LineView line;
    const auto stream = in.varint();
    if (stream >= view.streams.size()) return bad();
    line.stream = static_cast<std::uint32_t>(stream);
    time += static_cast<std::uint64_t>(in.svarint());
    line.time = from_ms(static_cast<std::int64_t>(time));
    line.line = in.text();
    view.lines.push_back(line);
  }
  if (!in.ok() || !in.at_end()) return bad();
  return view;
}

}  // namespace atalaya::logdb
