// Where the parts of a block lie in its file (docs/formats/block.md).
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "io/checksum.h"
#include "tsdb/block/block.h"

namespace atalaya::tsdb {

constexpr std::uint32_t kBlockVersion = 1;
constexpr std::size_t kBlockHeaderBytes = 16;
constexpr std::size_t kBlockFooterBytes = 40;
/// Bounds on what a file may ask a reader to unpack.
constexpr std::uint32_t kMaxPageBytes = 24 << 20;
constexpr std::uint32_t kMaxChunkSamples = 65536;

enum class PageEncoding : std::uint8_t { kPlain = 0, kZstd = 1 };

struct PageEntry {
  std::uint64_t offset = 0;
  std::uint32_t stored = 0;    ///< bytes in the file
  std::uint32_t unpacked = 0;  ///< bytes of content
  std::uint32_t crc = 0;       ///< of the stored bytes
  PageEncoding encoding = PageEncoding::kPlain;
};

struct TenantEntry {
  TenantId tenant;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint32_t crc = 0;
};

struct BlockDirectory {
  BlockMeta meta;                  ///< `bytes` is the reader's: the length of the file
  std::uint32_t values_crc = 0;    ///< see `content_crc`
  std::uint32_t instants_crc = 0;  ///< likewise
  std::uint32_t vectors = 0;
  std::vector<PageEntry> values;
  std::vector<PageEntry> instants;
  std::vector<std::uint32_t> first_vectors;  ///< as many as `instants`
  std::vector<TenantEntry> tenants;          ///< ascending
  std::uint64_t offset = 0;                  ///< of the directory: the parts end there
};

std::string encode_block_header();
/// Directory and footer of a file whose parts end at `directory.offset`.
std::string encode_block_end(const BlockDirectory& directory);

/// corruption (naming part and offset) or, for a newer version, unprocessable. What it answers lies within
/// the file and within the bounds above; the parts themselves are not looked at.
Result<BlockDirectory> parse_block(std::string_view file);

/// crc32c of numbers as they were before they were encoded, and are to be after: little-endian, 8 bytes
/// each, behind those that `before` is of.
template <typename Number>
std::uint32_t content_crc(std::span<const Number> numbers, std::uint32_t before) {
  static_assert(sizeof(Number) == 8 && std::endian::native == std::endian::little);
  return io::crc32c({reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()}, before);
}

/// `PART at offset N: reason`, corruption.
std::unexpected<Error> damaged_part(std::string_view part, std::uint64_t offset, std::string_view reason);

}  // namespace atalaya::tsdb
