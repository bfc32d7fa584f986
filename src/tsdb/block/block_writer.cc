#include "tsdb/block/block_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "base/bytes.h"
#include "base/check.h"
#include "io/checksum.h"
#include "io/compress.h"
#include "tsdb/block/block_impl.h"
#include "tsdb/block/vector_table.h"
#include "tsdb/encoding/times.h"
#include "tsdb/encoding/values.h"

namespace atalaya::tsdb {
namespace {

constexpr std::uint32_t kMaxOptionPageBytes = 16 << 20;
using Columns = std::span<const std::span<const double>>;

}  // namespace

struct BlockWriter::Impl {
  Impl(io::FileSystem& f, std::string p, const BlockMeta& meta, const BlockOptions& o)
      : files(f), path(std::move(p)), options(o), compressor(o.zstd_level) {
    directory.meta = meta;
    directory.meta.first = std::numeric_limits<std::int64_t>::max();
    directory.meta.last = std::numeric_limits<std::int64_t>::min();
    directory.meta.series = directory.meta.samples = directory.meta.bytes = 0;
    pending.resize(meta.columns);
  }

  std::string temporary() const { return path + ".new"; }
  Status begin_file();
  Status begin_series(const TenantId& of, const Labels& with);
  Status add(std::span<const std::int64_t> more, Columns columns);
  Result<std::shared_ptr<const Block>> finish();
  Status put(std::string_view bytes);
  Status put_page(std::string& content, std::vector<PageEntry>& pages);
  std::uint32_t number_of(std::span<const std::int64_t> times);
  Status add_chunk(std::span<const std::int64_t> times, Columns columns);
  Status add_chunks(std::span<const std::int64_t> times, Columns columns);
  Status add_pending(std::size_t keep_below);
  Status end_series();
  Status end_tenant();
  Status write_end();
  Result<std::shared_ptr<const Block>> put_in_place();
  void abandon();
  template <typename T>
  T keep(T result) {
    if (!result) failed = result.error();
    return result;
  }

  io::FileSystem& files;
  const std::string path;
  const BlockOptions options;
  io::ZstdCompressor compressor;
  std::unique_ptr<io::File> file;  ///< null before the beginning and after the end
  std::uint64_t offset = 0;
  std::optional<Error> failed;  ///< the first error: a file with a hole in it is not gone on with
  BlockDirectory directory;

  std::string values;    ///< page that is being filled
  std::string instants;  ///< likewise
  VectorTable vectors;
  std::string packed;   ///< reused
  std::string encoded;  ///< reused

  bool in_series = false;
  TenantId tenant;
  Labels labels;
  IndexBuilder index;
  std::vector<ChunkRef> chunks;   ///< of the series
  std::int64_t last_instant = 0;  ///< of the series, when it has any
  bool has_instants = false;
  std::vector<std::int64_t> times;           ///< of the series, too few for a chunk so far
  std::vector<std::vector<double>> pending;  ///< their columns
};

Status BlockWriter::Impl::begin_file() {
  AT_TRY(file, files.open_append(temporary()));
  // An earlier attempt may have left its part here.
  AT_TRY(file->truncate(0));
  return put(encode_block_header());
}

Status BlockWriter::Impl::put(std::string_view bytes) {
  AT_TRY(file->append(bytes));
  offset += bytes.size();
  return {};
}

/// The content goes out, packed or as it is, and is empty after it.
Status BlockWriter::Impl::put_page(std::string& content, std::vector<PageEntry>& pages) {
  packed.clear();
  compressor.compress(content, packed);
  const bool pays = packed.size() <= content.size() - content.size() / 20;
  const auto& stored = pays ? packed : content;
  pages.push_back({offset, static_cast<std::uint32_t>(stored.size()), static_cast<std::uint32_t>(content.size()),
                   io::crc32c(stored), pays ? PageEncoding::kZstd : PageEncoding::kPlain});
  AT_TRY(put(stored));
  content.clear();
  return {};
}

/// Of a vector of instants; encodes it when it is new.
std::uint32_t BlockWriter::Impl::number_of(std::span<const std::int64_t> chunk_times) {
  const auto [number, is_new] = vectors.find_or_add(chunk_times);
  if (!is_new) return number;
  directory.instants_crc = content_crc(chunk_times, directory.instants_crc);
  if (instants.empty()) directory.first_vectors.push_back(number);
  encoded.clear();
  encode_times(chunk_times, encoded);
  ByteWriter(instants).text(encoded);
  return number;
}

Status BlockWriter::Impl::add_chunk(std::span<const std::int64_t> chunk_times, Columns columns) {
  ChunkRef ref;
  ref.first = chunk_times.front();
  ref.last = chunk_times.back();
  ref.count = static_cast<std::uint32_t>(chunk_times.size());
  ref.times = number_of(chunk_times);
  ref.page = static_cast<std::uint32_t>(directory.values.size());
  ref.offset = static_cast<std::uint32_t>(values.size());
  for (const auto column : columns) {
    directory.values_crc = content_crc(column, directory.values_crc);
    encoded.clear();
    encode_values(column, encoded);
    ByteWriter(values).text(encoded);
  }
  chunks.push_back(ref);
  directory.meta.samples += ref.count;
  if (instants.size() >= options.page_bytes) AT_TRY(put_page(instants, directory.instants));
  if (values.size() >= options.page_bytes) AT_TRY(put_page(values, directory.values));
  return {};
}

/// In chunks of `chunk_samples`; the last may have fewer.
Status BlockWriter::Impl::add_chunks(std::span<const std::int64_t> all_times, Columns columns) {
  std::array<std::span<const double>, kRollupColumns> part;
  for (std::size_t at = 0; at < all_times.size(); at += options.chunk_samples) {
    const auto size = std::min<std::size_t>(options.chunk_samples, all_times.size() - at);
    for (std::size_t c = 0; c < columns.size(); ++c) part[c] = columns[c].subspan(at, size);
    AT_TRY(add_chunk(all_times.subspan(at, size), Columns(part).first(columns.size())));
  }
  return {};
}

/// Makes chunks of what waits, but for fewer than `keep_below` at its end.
Status BlockWriter::Impl::add_pending(std::size_t keep_below) {
  const auto size = keep_below == 0 ? times.size() : times.size() - times.size() % keep_below;
  if (size == 0) return {};
  std::array<std::span<const double>, kRollupColumns> columns;
  for (std::size_t c = 0; c < pending.size(); ++c) columns[c] = std::span<const double>(pending[c]).first(size);
  AT_TRY(add_chunks(std::span<const std::int64_t>(times).first(size), Columns(columns).first(pending.size())));
  times.erase(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(size));
  for (auto& column : pending) column.erase(column.begin(), column.begin() + static_cast<std::ptrdiff_t>(size));
  return {};
}

Status BlockWriter::Impl::end_series() {
  AT_TRY(add_pending(0));
  has_instants = false;
  if (chunks.empty()) return {};
  auto& meta = directory.meta;
  meta.first = std::min(meta.first, chunks.front().first);
  meta.last = std::max(meta.last, chunks.back().last);
  ++meta.series;
  index.add(labels, chunks);
  chunks.clear();
  return {};
}

Status BlockWriter::Impl::end_tenant() {
  if (index.size() == 0) return {};
  const auto section = index.finish();
  directory.tenants.push_back({tenant, offset, section.size(), io::crc32c(section)});
  return put(section);
}

Status BlockWriter::Impl::write_end() {
  if (!instants.empty()) AT_TRY(put_page(instants, directory.instants));
  if (!values.empty()) AT_TRY(put_page(values, directory.values));
  directory.vectors = vectors.size();
  directory.offset = offset;
  AT_TRY(put(encode_block_end(directory)));
  return file->sync();
}

Result<std::shared_ptr<const Block>> BlockWriter::Impl::put_in_place() {
  AT_TRY(auto opened, Block::open_impl(files, temporary(), io::MapSource::kDevice));
  auto block = std::shared_ptr<Block>(new Block(std::move(opened)));
  AT_TRY(block->verify());
  // Verifying has been everywhere once; what is asked for next is something else.
  block->keep_pages_in(std::make_shared<PageCache>(kOwnCacheBytes));  // none of those that were read for the check
  AT_TRY(files.rename(temporary(), path));
  block->impl_->path = path;
  AT_TRY(files.sync_directory(io::parent_path(path)));
  return block;
}

Status BlockWriter::Impl::begin_series(const TenantId& of, const Labels& with) {
  AT_TRY(end_series());
  if (!in_series || of != tenant) {
    if (!is_valid(of)) return fail(ErrorCode::kInvalidArgument, "a series of tenant '" + of.value() + "'");
    if (in_series && of < tenant) return fail(ErrorCode::kInvalidArgument, "tenants do not ascend");
    AT_TRY(end_tenant());
    tenant = of;
  } else if (with <= labels) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("series do not ascend: {} after {}", to_string(with), to_string(labels)));
  }
  labels = with;
  in_series = true;
  return {};
}

Status BlockWriter::Impl::add(std::span<const std::int64_t> more, Columns columns) {
  AT_CHECK(in_series && columns.size() == pending.size());
  for (const auto column : columns) AT_CHECK(column.size() == more.size());
  if (more.empty()) return {};
  if (has_instants && more.front() <= last_instant) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("instants of {} do not ascend", to_string(labels)));
  }
  has_instants = true;
  last_instant = more.back();
  // What fills chunks goes straight from where it lies; only the rest waits for more.
  std::size_t whole = 0;
  if (times.empty()) {
    whole = more.size() - more.size() % options.chunk_samples;
    std::array<std::span<const double>, kRollupColumns> part;
    for (std::size_t c = 0; c < columns.size(); ++c) part[c] = columns[c].first(whole);
    AT_TRY(add_chunks(more.first(whole), Columns(part).first(columns.size())));
  }
  times.insert(times.end(), more.begin() + static_cast<std::ptrdiff_t>(whole), more.end());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    pending[c].insert(pending[c].end(), columns[c].begin() + static_cast<std::ptrdiff_t>(whole), columns[c].end());
  }
  return times.size() < options.chunk_samples ? Status{} : add_pending(options.chunk_samples);
}

Result<std::shared_ptr<const Block>> BlockWriter::Impl::finish() {
  AT_TRY(end_series());
  AT_TRY(end_tenant());
  if (directory.meta.series == 0) {
    abandon();
    return nullptr;
  }
  AT_TRY(write_end());
  AT_TRY(auto block, put_in_place());
  file.reset();
  return block;
}

/// Takes the unfinished file away; what cannot be removed now goes at the next start.
void BlockWriter::Impl::abandon() {
  if (!file) return;
  file.reset();
  (void)files.remove(temporary());
}

BlockWriter::BlockWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BlockWriter::~BlockWriter() { impl_->abandon(); }

Result<std::unique_ptr<BlockWriter>> BlockWriter::create(io::FileSystem& files, std::string path, BlockMeta meta,
                                                         BlockOptions options) {
  if (meta.columns != 1 && meta.columns != kRollupColumns) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("a block of {} columns", meta.columns));
  }
  if (options.chunk_samples == 0 || options.chunk_samples > kMaxChunkSamples || options.page_bytes == 0 ||
      options.page_bytes > kMaxOptionPageBytes) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("a block of {} samples a chunk and {} bytes a page",
                                                         options.chunk_samples, options.page_bytes));
  }
  auto writer =
      std::unique_ptr<BlockWriter>(new BlockWriter(std::make_unique<Impl>(files, std::move(path), meta, options)));
  AT_TRY(writer->impl_->begin_file());
  return writer;
}

Status BlockWriter::begin_series(const TenantId& tenant, const Labels& labels) {
  return impl_->keep(impl_->failed ? std::unexpected(*impl_->failed) : impl_->begin_series(tenant, labels));
}

Status BlockWriter::add(std::span<const std::int64_t> times, std::span<const std::span<const double>> columns) {
  return impl_->keep(impl_->failed ? std::unexpected(*impl_->failed) : impl_->add(times, columns));
}

Result<std::shared_ptr<const Block>> BlockWriter::finish() {
  if (impl_->failed) return std::unexpected(*impl_->failed);
  return impl_->keep(impl_->finish());
}

std::uint64_t BlockWriter::written_bytes() const { return impl_->offset; }

}  // namespace atalaya::tsdb
