#include "storage/segment_scanner.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "io/checksum.h"

namespace atalaya::storage {
namespace {

constexpr std::string_view kMagic = "ATALAYAL";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kMark = 0xA7CEB00C;
constexpr std::size_t kCopyBytes = kSegmentHeaderBytes / 2;
constexpr std::size_t kMaxBody = kMaxPayloadBytes + 1;
constexpr std::size_t kWindow = 1 << 20;
constexpr std::uint8_t kPlain = 0;
constexpr std::uint8_t kZstd = 1;

std::uint32_t record_checksum(std::uint64_t salt, std::uint32_t ordinal, std::string_view body) {
  std::string head;
  ByteWriter writer(head);
  writer.u64(salt);
  writer.u32(static_cast<std::uint32_t>(body.size()));
  writer.u32(ordinal);
  return io::crc32c(body, io::crc32c(head));
}

/// A part of the file that grows to what is asked for and forgets what lies behind.
class Window {
 public:
  Window(const io::File& file, std::uint64_t size) : file_(file), size_(size) {}

  /// Bytes [offset, offset+count), fewer at the end of the file. The view lives until the next call.
  Result<std::string_view> at(std::uint64_t offset, std::size_t count) {
    if (offset >= size_) return std::string_view();
    count = static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset));
    if (offset < begin_ || offset + count > begin_ + bytes_.size()) {
      const auto wanted = std::min<std::uint64_t>(std::max(count, kWindow), size_ - offset);
      AT_TRY(bytes_, file_.read(offset, static_cast<std::size_t>(wanted)));
      begin_ = offset;
    }
    return std::string_view(bytes_).substr(static_cast<std::size_t>(offset - begin_), count);
  }

 private:
  const io::File& file_;
  const std::uint64_t size_;
  std::uint64_t begin_ = 0;
  std::string bytes_;
};

/// The record at `offset`, or nothing there.
Result<bool> record_at(Window& window, std::uint64_t salt, std::uint64_t offset, RawRecord& out) {
  AT_TRY(const auto head, window.at(offset, kRecordHeaderBytes));
  ByteReader reader(head);
  const auto mark = reader.u32();
  const auto length = reader.u32();
  const auto ordinal = reader.u32();
  const auto checksum = reader.u32();
  if (!reader.ok() || mark != kMark || length > kMaxBody) return false;
  AT_TRY(const auto whole, window.at(offset, kRecordHeaderBytes + length));
  if (whole.size() < kRecordHeaderBytes + length) return false;
  const auto body = whole.substr(kRecordHeaderBytes);
  if (record_checksum(salt, ordinal, body) != checksum) return false;
  out = RawRecord{offset, offset + kRecordHeaderBytes + length, ordinal, body};
  return true;
}

/// The next offset from `offset` on where a record's mark stands, or `size`.
Result<std::uint64_t> next_mark(Window& window, std::uint64_t offset, std::uint64_t size) {
  std::string mark;
  ByteWriter(mark).u32(kMark);
  while (offset < size) {
    AT_TRY(const auto bytes, window.at(offset, kWindow));
    if (const auto found = bytes.find(mark); found != bytes.npos) return offset + found;
    if (bytes.size() <= mark.size()) break;
    offset += bytes.size() - mark.size() + 1;
  }
  return size;
}

}  // namespace

std::string encode_segment_header(const Segment& segment, std::string_view kind) {
  std::string copy;
  ByteWriter writer(copy);
  writer.raw(kMagic);
  writer.u32(kVersion);
  writer.raw(kind);
  writer.u64(segment.number);
  writer.u64(segment.epoch);
  writer.u64(segment.salt);
  writer.u64(static_cast<std::uint64_t>(to_ms(segment.created)));
  copy.resize(kCopyBytes - 4);
  writer.u32(io::crc32c(copy));
  return copy + copy;
}

Result<Segment> decode_segment_header(std::string_view bytes, std::string_view kind, bool& first_copy_damaged) {
  first_copy_damaged = false;
  for (std::size_t at = 0; at + kCopyBytes <= bytes.size() && at < kSegmentHeaderBytes; at += kCopyBytes) {
    const auto copy = bytes.substr(at, kCopyBytes);
    ByteReader reader(copy);
    const auto magic = reader.raw(kMagic.size());
    const auto version = reader.u32();
    const auto written_kind = reader.raw(4);
    Segment segment;
    segment.number = reader.u64();
    segment.epoch = reader.u64();
    segment.salt = reader.u64();
    segment.created = from_ms(static_cast<std::int64_t>(reader.u64()));
    reader.raw(12);
    if (reader.u32() != io::crc32c(copy.substr(0, kCopyBytes - 4)) || magic != kMagic) {
      first_copy_damaged = true;
      continue;
    }
    if (version != kVersion) {
      return fail(ErrorCode::kUnprocessable,
                  fmt::format("written in version {} of the format; this program reads 1", version),
                  "start the newer program, or move the directory away");
    }
    if (written_kind != kind) {
      return fail(ErrorCode::kUnprocessable, fmt::format("a file of kind {} where {} belongs", written_kind, kind));
    }
    return segment;
  }
  return fail(ErrorCode::kCorruption, "both copies of the header are damaged");
}

void append_record(std::string& out, std::uint64_t salt, std::uint32_t ordinal, std::string_view body) {
  ByteWriter writer(out);
  writer.u32(kMark);
  writer.u32(static_cast<std::uint32_t>(body.size()));
  writer.u32(ordinal);
  writer.u32(record_checksum(salt, ordinal, body));
  writer.raw(body);
}

Result<std::string_view> unpack_body(std::string_view body, io::ZstdDecompressor& decompressor, std::string& storage) {
  if (body.empty()) return fail(ErrorCode::kCorruption, "a record without a body");
  const auto encoding = static_cast<std::uint8_t>(body[0]);
  body.remove_prefix(1);
  if (encoding == kPlain) return body;
  if (encoding != kZstd) return fail(ErrorCode::kCorruption, fmt::format("unknown encoding {} of a record", encoding));
  AT_TRY(storage, decompressor.decompress(body, kMaxPayloadBytes));
  return std::string_view(storage);
}

Result<ScanResult> scan_segment(const io::File& file, std::uint64_t salt, std::uint64_t from, std::uint64_t to,
                                const std::function<Status(const RawRecord&)>& visit) {
  const auto size = file.size();
  Window window(file, size);
  ScanResult result;
  result.good_end = from;
  for (std::uint64_t offset = from; offset < std::min(to, size);) {
    RawRecord record;
    AT_TRY(const bool found, record_at(window, salt, offset, record));
    if (!found) {
      AT_TRY(offset, next_mark(window, offset + 1, size));
      continue;
    }
    result.damaged_bytes += record.begin - result.good_end;
    result.good_end = record.end;
    result.sealed = record.body.empty();
    offset = record.end;
    if (result.sealed) continue;
    ++result.records;
    AT_TRY(visit(record));
  }
  return result;
}

}  // namespace atalaya::storage
