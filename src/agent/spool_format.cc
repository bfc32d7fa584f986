#include "agent/spool_format.h"

#include <fmt/format.h>

#include <charconv>

#include "base/bytes.h"
#include "io/checksum.h"

namespace atalaya::agent {
namespace {

constexpr std::string_view kMagic = "ATSPOOL1";
constexpr std::string_view kSuffix = ".spl";
constexpr std::size_t kDigits = 20;
constexpr std::uint64_t kMaxMarks = 100'000;

std::uint32_t checksum_of(std::string_view bytes) { return static_cast<std::uint32_t>(io::xxh3(bytes)); }

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
  std::string out;
  ByteWriter writer(out);
  writer.raw(kMagic);
  writer.u64(header.scope);
  writer.u64(header.boot);
  const auto checksum = checksum_of(out);
  writer.u32(checksum);
  return out;
}

std::optional<SegmentHeader> decode_segment_header(std::string_view bytes) {
  ByteReader in(bytes);
  const auto magic = in.raw(kMagic.size());
  SegmentHeader header;
  header.scope = in.u64();
  header.boot = in.u64();
  const auto checksum = in.u32();
  if (!in.ok() || magic != kMagic || checksum != checksum_of(bytes.substr(0, kSegmentHeaderBytes - 4)))
    return std::nullopt;
  return header;
}

void encode_record(std::uint64_t sequence, std::uint8_t contents, std::span<const collect::Batch::Mark> marks,
                   std::uint64_t raw_size, std::string_view payload, std::string& out) {
  std::string body;
  body.reserve(payload.size() + 64);
  ByteWriter writer(body);
  writer.varint(sequence);
  writer.u8(contents);
  writer.varint(marks.size());
  for (const auto& mark : marks) {
    writer.text(mark.key);
    writer.text(mark.value);
  }
  writer.varint(raw_size);
  writer.raw(payload);
  ByteWriter head(out);
  head.u32(static_cast<std::uint32_t>(body.size()));
  head.u32(checksum_of(body));
  head.raw(body);
}

std::optional<RecordHeader> decode_record_header(std::string_view bytes) {
  ByteReader in(bytes);
  RecordHeader header;
  header.size = in.u32();
  header.checksum = in.u32();
  // A hole of zeros, which a power cut may leave, is not a record of size 0.
  if (!in.ok() || header.size == 0 || header.size > kMaxRecordBytes) return std::nullopt;
  return header;
}

std::optional<RecordView> decode_record_body(const RecordHeader& header, std::string_view body) {
  if (body.size() != header.size || checksum_of(body) != header.checksum) return std::nullopt;
  ByteReader in(body);
  RecordView record;
  record.sequence = in.varint();
  record.contents = in.u8();
  const auto marks = in.varint();
  if (marks > kMaxMarks) return std::nullopt;
  for (std::uint64_t i = 0; i < marks && in.ok(); ++i) {
    const auto key = in.text();
    record.marks.emplace_back(key, in.text());
  }
  record.raw_size = in.varint();
  record.payload = in.raw(in.remaining());
  if (!in.ok() || record.sequence == 0) return std::nullopt;
  return record;
}

std::string segment_name(std::uint64_t first_sequence) { return fmt::format("{:020}{}", first_sequence, kSuffix); }

std::optional<std::uint64_t> parse_segment_name(std::string_view name) {
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, value);
  if (error != std::errc{} || end != name.data() + kDigits || value == 0) return std::nullopt;
  return value;
}

}  // namespace atalaya::agent
