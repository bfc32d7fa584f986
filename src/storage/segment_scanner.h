// Finds the records of a segment file, also behind damaged bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"
#include "storage/segment_log.h"

namespace atalaya::storage {

constexpr std::uint64_t kSegmentHeaderBytes = 128;  ///< both copies
constexpr std::size_t kRecordHeaderBytes = 16;

std::string encode_segment_header(const Segment& segment, std::string_view kind);
/// Of the first kSegmentHeaderBytes of a file. corruption when neither copy holds; unprocessable
/// for a newer version or another kind.
Result<Segment> decode_segment_header(std::string_view bytes, std::string_view kind, bool& first_copy_damaged);

/// `body` is the encoding byte and the payload; empty for the seal.
void append_record(std::string& out, std::uint64_t salt, std::uint32_t ordinal, std::string_view body);
/// The payload of a body, unpacked into `storage` when compressed.
Result<std::string_view> unpack_body(std::string_view body, io::ZstdDecompressor& decompressor, std::string& storage);

/// One raw record.
struct RawRecord {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint32_t ordinal = 0;
  std::string_view body;  ///< lives for the call; empty for the seal
};

/// What a scan met.
struct ScanResult {
  std::uint64_t records = 0;
  std::uint64_t good_end = 0;       ///< end of the last valid record, or where the scan began
  std::uint64_t damaged_bytes = 0;  ///< before good_end
  bool sealed = false;
};

/// Reads a window at a time: memory is bounded by the greatest record. Shows valid records that
/// begin in [from, to), in order; an error of `visit` ends the scan. Bytes come from anywhere, also
/// from a fuzzer.
Result<ScanResult> scan_segment(const io::File& file, std::uint64_t salt, std::uint64_t from, std::uint64_t to,
                                const std::function<Status(const RawRecord&)>& visit);

}  // namespace atalaya::storage
