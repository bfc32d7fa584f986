#include "tsdb/block/block_layout.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "io/checksum.h"

namespace atalaya::tsdb {
namespace {

constexpr std::string_view kMagic = "ATALAYAB";
constexpr std::string_view kEndMagic = "ATALAYAZ";
constexpr std::size_t kPageEntryBytes = 24;

void put_page(ByteWriter& to, const PageEntry& page) {
  to.u64(page.offset);
  to.u32(page.stored);
  to.u32(page.unpacked);
  to.u32(page.crc);
  to.u8(static_cast<std::uint8_t>(page.encoding));
  to.u8(0);
  to.u8(0);
  to.u8(0);
}

std::string encode_directory(const BlockDirectory& directory) {
  std::string bytes;
  ByteWriter to(bytes);
  const auto& meta = directory.meta;
  to.u64(static_cast<std::uint64_t>(meta.first));
  to.u64(static_cast<std::uint64_t>(meta.last));
  to.u64(meta.first_sequence);
  to.u64(meta.last_sequence);
  to.u64(static_cast<std::uint64_t>(meta.resolution));
  to.u32(meta.columns);
  to.u64(meta.series);
  to.u64(meta.samples);
  to.u32(directory.values_crc);
  to.u32(directory.instants_crc);
  to.u32(directory.vectors);
  to.u32(static_cast<std::uint32_t>(directory.values.size()));
  to.u32(static_cast<std::uint32_t>(directory.instants.size()));
  to.u32(static_cast<std::uint32_t>(directory.tenants.size()));
  for (const auto& page : directory.values) put_page(to, page);
  for (const auto& page : directory.instants) put_page(to, page);
  for (const auto first : directory.first_vectors) to.u32(first);
  for (const auto& entry : directory.tenants) {
    to.text(entry.tenant.value());
    to.u64(entry.offset);
    to.u64(entry.length);
    to.u32(entry.crc);
  }
  return bytes;
}

/// Reads a directory whose checksum is right: what does not fit was written by somebody else.
class DirectoryParser {
 public:
  DirectoryParser(std::string_view bytes, std::uint64_t offset) : from_(bytes) { out_.offset = offset; }

  Result<BlockDirectory> parse() {
    parse_totals();
    const auto values = from_.u32();
    const auto instants = from_.u32();
    const auto tenants = from_.u32();
    // Counts are believed only as far as there are bytes for them.
    const auto needed = std::uint64_t{values} * kPageEntryBytes + std::uint64_t{instants} * (kPageEntryBytes + 4) +
                        std::uint64_t{tenants} * 22;
    if (!from_.ok() || needed > from_.remaining()) return wrong("it is too short for its counts");
    AT_TRY(parse_pages(values, out_.values));
    AT_TRY(parse_pages(instants, out_.instants));
    AT_TRY(parse_first_vectors(instants));
    AT_TRY(parse_tenants(tenants));
    if (!from_.ok() || !from_.at_end()) return wrong("its length is not that of its entries");
    return std::move(out_);
  }

 private:
  std::unexpected<Error> wrong(std::string_view reason) const { return damaged_part("directory", out_.offset, reason); }
  bool within_parts(std::uint64_t offset, std::uint64_t length) const {
    return offset >= kBlockHeaderBytes && offset <= out_.offset && length <= out_.offset - offset;
  }

  void parse_totals() {
    auto& meta = out_.meta;
    meta.first = static_cast<std::int64_t>(from_.u64());
    meta.last = static_cast<std::int64_t>(from_.u64());
    meta.first_sequence = from_.u64();
    meta.last_sequence = from_.u64();
    meta.resolution = static_cast<std::int64_t>(from_.u64());
    meta.columns = from_.u32();
    meta.series = from_.u64();
    meta.samples = from_.u64();
    out_.values_crc = from_.u32();
    out_.instants_crc = from_.u32();
    out_.vectors = from_.u32();
  }

  Status parse_pages(std::uint32_t count, std::vector<PageEntry>& pages) {
    if (out_.meta.columns != 1 && out_.meta.columns != kRollupColumns) return wrong("columns are neither 1 nor 5");
    pages.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      PageEntry page;
      page.offset = from_.u64();
      page.stored = from_.u32();
      page.unpacked = from_.u32();
      page.crc = from_.u32();
      const auto encoding = from_.u8();
      page.encoding = static_cast<PageEncoding>(encoding);
      if (encoding > 1) return wrong(fmt::format("page {} has the unknown encoding {}", i, encoding));
      if (from_.u8() != 0 || from_.u8() != 0 || from_.u8() != 0)
        return wrong(fmt::format("page {} is of an unknown kind", i));
      const bool bounded = page.unpacked <= kMaxPageBytes && within_parts(page.offset, page.stored);
      if (!bounded || (page.encoding == PageEncoding::kPlain && page.stored != page.unpacked)) {
        return wrong(fmt::format("page {} has an impossible place or length", i));
      }
      pages.push_back(page);
    }
    return {};
  }

  Status parse_first_vectors(std::uint32_t count) {
    out_.first_vectors.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto first = from_.u32();
      const bool fits = i == 0 ? first == 0 : first > out_.first_vectors.back();
      if (!fits || first >= out_.vectors) return wrong("numbers of vectors do not ascend");
      out_.first_vectors.push_back(first);
    }
    if (count == 0 && out_.vectors != 0) return wrong("there are vectors, but no page of instants");
    return {};
  }

  Status parse_tenants(std::uint32_t count) {
    if (count == 0) return wrong("it has no tenant");
    out_.tenants.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      TenantEntry entry;
      entry.tenant = TenantId{std::string(from_.text())};
      entry.offset = from_.u64();
      entry.length = from_.u64();
      entry.crc = from_.u32();
      if (!from_.ok() || !is_valid(entry.tenant)) return wrong(fmt::format("tenant {} is none", i));
      if (i > 0 && entry.tenant <= out_.tenants.back().tenant) return wrong("tenants do not ascend");
      if (!within_parts(entry.offset, entry.length)) {
        return wrong(fmt::format("the index of tenant {} has an impossible place", entry.tenant.value()));
      }
      out_.tenants.push_back(std::move(entry));
    }
    return {};
  }

  ByteReader from_;
  BlockDirectory out_;
};

Status check_header(std::string_view file) {
  if (file.size() < kBlockHeaderBytes || !file.starts_with(kMagic)) return damaged_part("header", 0, "it is none");
  ByteReader from(file.substr(kMagic.size(), 8));
  const auto version = from.u32();
  const auto stored = from.u32();
  const auto crc = io::crc32c(file.substr(0, 12));
  if (crc != stored) return damaged_part("header", 0, fmt::format("crc {:08x}, stored {:08x}", crc, stored));
  if (version == 0) return damaged_part("header", 0, "version 0");
  if (version > kBlockVersion) {
    return fail(ErrorCode::kUnprocessable,
                fmt::format("it has version {}, this program reads up to {}", version, kBlockVersion),
                "run the version of the program that wrote it, or a later one");
  }
  return {};
}

}  // namespace

std::unexpected<Error> damaged_part(std::string_view part, std::uint64_t offset, std::string_view reason) {
  return fail(ErrorCode::kCorruption, fmt::format("{} at offset {}: {}", part, offset, reason));
}

std::string encode_block_header() {
  std::string bytes;
  ByteWriter to(bytes);
  to.raw(kMagic);
  to.u32(kBlockVersion);
  to.u32(io::crc32c(bytes));
  return bytes;
}

std::string encode_block_end(const BlockDirectory& directory) {
  auto bytes = encode_directory(directory);
  std::string footer;
  ByteWriter to(footer);
  to.u64(directory.offset);
  to.u64(bytes.size());
  to.u64(directory.offset + bytes.size() + kBlockFooterBytes);
  to.u32(io::crc32c(bytes));
  to.u32(io::crc32c(footer));
  to.raw(kEndMagic);
  return bytes + footer;
}

Result<BlockDirectory> parse_block(std::string_view file) {
  AT_TRY(check_header(file));
  if (file.size() < kBlockHeaderBytes + kBlockFooterBytes)
    return damaged_part("footer", file.size(), "the file is cut");
  const auto at = file.size() - kBlockFooterBytes;
  const auto footer = file.substr(at);
  ByteReader from(footer);
  const auto offset = from.u64();
  const auto length = from.u64();
  const auto file_length = from.u64();
  const auto directory_crc = from.u32();
  const auto stored = from.u32();
  if (const auto crc = io::crc32c(footer.substr(0, 28)); crc != stored || footer.substr(32) != kEndMagic) {
    return damaged_part("footer", at, fmt::format("crc {:08x}, stored {:08x}; or the file is cut", crc, stored));
  }
  if (file_length != file.size() || offset < kBlockHeaderBytes || offset > at || length != at - offset) {
    return damaged_part("footer", at, fmt::format("{} bytes are said, the file has {}", file_length, file.size()));
  }
  const auto directory = file.substr(offset, length);
  if (const auto crc = io::crc32c(directory); crc != directory_crc) {
    return damaged_part("directory", offset, fmt::format("crc {:08x}, stored {:08x}", crc, directory_crc));
  }
  AT_TRY(auto parsed, DirectoryParser(directory, offset).parse());
  parsed.meta.bytes = file.size();
  return parsed;
}

}  // namespace atalaya::tsdb
