// Any bytes as a block: it opens or not, and whatever it is asked, it answers or says that it is damaged.
// With an odd first byte the rest are edits of a good block, whose checksums are put right afterwards: so
// what lies behind the checksums is reached too.
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "io/checksum.h"
#include "io/memory_file_system.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_layout.h"
#include "tsdb/block/merge.h"

namespace {

using namespace atalaya;

/// `parts` behind a right header, then `directory` with the footer that fits.
std::string framed(std::string_view parts, std::string_view directory) {
  auto file = tsdb::encode_block_header();
  file += parts;
  std::string footer;
  ByteWriter to(footer);
  to.u64(file.size());
  to.u64(directory.size());
  to.u64(file.size() + directory.size() + tsdb::kBlockFooterBytes);
  to.u32(io::crc32c(directory));
  to.u32(io::crc32c(footer));
  to.raw("ATALAYAZ");
  file += directory;
  return file + footer;
}

/// Puts right the checksums of the parts of a file whose directory can be read.
std::string with_right_checksums(std::string file) {
  auto parsed = tsdb::parse_block(file);
  if (!parsed) return file;
  const auto view = std::string_view(file);
  for (auto* pages : {&parsed->values, &parsed->instants}) {
    for (auto& page : *pages) page.crc = io::crc32c(view.substr(page.offset, page.stored));
  }
  for (auto& entry : parsed->tenants) entry.crc = io::crc32c(view.substr(entry.offset, entry.length));
  return file.substr(0, parsed->offset) + tsdb::encode_block_end(*parsed);
}

void read_all(io::FileSystem& disk, const std::shared_ptr<const tsdb::Block>& block) {
  tsdb::ColumnsRead read;
  bool whole = true;
  std::uint64_t samples = 0;
  for (const auto& tenant : block->tenants()) {
    const auto series = std::min<std::uint32_t>(block->index(tenant)->size(), 200);
    for (std::uint32_t i = 0; i < series; ++i) {
      const bool ok = block->read(tenant, i, {}, read).has_value();
      if (ok) {
        AT_CHECK(read.columns.size() == block->meta().columns);
        for (const auto& column : read.columns) AT_CHECK(column.size() == read.times.size());
        for (std::size_t s = 1; s < read.times.size(); ++s) AT_CHECK(read.times[s - 1] < read.times[s]);
        samples += read.times.size();
      }
      whole = whole && ok;
    }
    (void)block->read(tenant, series / 2, {from_ms(0), from_ms(1000)}, read);
  }
  if (block->verify()) AT_CHECK(whole && (samples == block->meta().samples || block->meta().series > 200));
  const std::vector<std::shared_ptr<const tsdb::Block>> twice{block, block};
  (void)tsdb::merge_blocks(disk, "m", twice, {}, {}, {});
}

/// Small pages: packing does not pay, so an edit reaches what is in them.
std::string good_block(std::uint32_t columns) {
  io::MemoryFileSystem disk;
  tsdb::BlockMeta meta;
  meta.columns = columns;
  auto writer = tsdb::BlockWriter::create(disk, "b", meta, {4, 64, 1}).value();
  std::vector<double> values;
  std::vector<std::int64_t> times;
  for (int i = 0; i < 9; ++i) {
    times.push_back(15'000 * i + i % 3);
    values.push_back(i % 2 == 0 ? i * 2.5 : 1.0 / (1 + i));
  }
  const std::vector<std::span<const double>> spans(columns, values);
  for (const auto* tenant : {"a", "b"}) {
    for (const auto* name : {"x", "y", "z"}) {
      AT_CHECK(writer->begin_series(TenantId{tenant}, Labels{{"__name__", name}}).has_value());
      AT_CHECK(writer->add(times, spans).has_value());
    }
    ++times.back();
  }
  AT_CHECK(writer->finish().has_value());
  return io::read_file(disk, "b").value();
}

/// Three bytes an edit: place and what is turned there.
std::string edited(std::string file, std::string_view edits) {
  const auto parts_end = ByteReader(std::string_view(file).substr(file.size() - tsdb::kBlockFooterBytes)).u64();
  const auto end = file.size() - tsdb::kBlockFooterBytes;
  for (; edits.size() >= 3; edits.remove_prefix(3)) {
    const auto place = static_cast<unsigned char>(edits[0]) * 256U + static_cast<unsigned char>(edits[1]);
    auto& byte = file[tsdb::kBlockHeaderBytes + place % (end - tsdb::kBlockHeaderBytes)];
    byte = static_cast<char>(byte ^ edits[2]);
  }
  const auto view = std::string_view(file);
  return with_right_checksums(framed(view.substr(tsdb::kBlockHeaderBytes, parts_end - tsdb::kBlockHeaderBytes),
                                     view.substr(parts_end, end - parts_end)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  static const std::string raw = good_block(1);
  static const std::string rolled_up = good_block(tsdb::kRollupColumns);
  std::string bytes(rest);
  if (data[0] % 2 == 1) bytes = edited(data[0] % 4 == 1 ? raw : rolled_up, rest.substr(0, 30));
  io::MemoryFileSystem disk;
  if (!io::write_file_atomically(disk, "b", bytes)) return 0;
  if (const auto block = tsdb::Block::open(disk, "b")) read_all(disk, *block);
  return 0;
}
