// The bytes of the spool: docs/formats/spool.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collect/batch.h"

namespace atalaya::agent {

constexpr std::size_t kSegmentHeaderBytes = 28;
constexpr std::size_t kRecordHeaderBytes = 8;
constexpr std::size_t kMaxRecordBytes = 8 << 20;

/// Bits of a record's contents; the first two are the wire's.
constexpr std::uint8_t kRecordSamples = 1;
constexpr std::uint8_t kRecordLogs = 2;
constexpr std::uint8_t kRecordAllMarks = 4;
constexpr std::uint8_t kRecordDefinitions = 8;

struct SegmentHeader {
  std::uint64_t scope = 0;
  std::uint64_t boot = 0;
};
std::string encode_segment_header(const SegmentHeader& header);
std::optional<SegmentHeader> decode_segment_header(std::string_view bytes);

struct RecordView {
  std::uint64_t sequence = 0;
  std::uint8_t contents = 0;
  std::vector<std::pair<std::string_view, std::string_view>> marks;
  std::uint64_t raw_size = 0;
  std::string_view payload;
};
/// Appends size, checksum and body.
void encode_record(std::uint64_t sequence, std::uint8_t contents, std::span<const collect::Batch::Mark> marks,
                   std::uint64_t raw_size, std::string_view payload, std::string& out);
/// A record's size and checksum as stored.
struct RecordHeader {
  std::uint32_t size = 0;
  std::uint32_t checksum = 0;
};
/// Nothing when the bytes are too few or the size is beyond the bound.
std::optional<RecordHeader> decode_record_header(std::string_view bytes);
/// Nothing when checksum or layout do not hold. Views into `body`.
std::optional<RecordView> decode_record_body(const RecordHeader& header, std::string_view body);

/// `00000000000000001875.spl`.
std::string segment_name(std::uint64_t first_sequence);
std::optional<std::uint64_t> parse_segment_name(std::string_view name);

}  // namespace atalaya::agent
