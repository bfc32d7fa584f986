#include "tsdb/block/block.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "io/checksum.h"
#include "io/compress.h"
#include "tsdb/block/block_impl.h"
#include "tsdb/encoding/times.h"
#include "tsdb/encoding/values.h"

namespace atalaya::tsdb {

const Index* Block::Impl::index_of(const TenantId& tenant) const {
  const auto it = std::lower_bound(tenants.begin(), tenants.end(), tenant);
  if (it == tenants.end() || *it != tenant) return nullptr;
  return indexes[static_cast<std::size_t>(it - tenants.begin())].get();
}

Result<std::string> Block::Impl::unpack(std::string_view part, std::size_t number, const PageEntry& page) const {
  const auto name = [&] { return fmt::format("page {} of {}", number, part); };
  mapping->will_read(page.offset, page.stored);
  const auto stored = mapping->bytes().substr(page.offset, page.stored);
  // A plain page is copied first and checked then: what was checked cannot change any more.
  std::string bytes;
  if (page.encoding == PageEncoding::kPlain) bytes = stored;
  const auto crc = io::crc32c(page.encoding == PageEncoding::kPlain ? std::string_view(bytes) : stored);
  if (crc != page.crc)
    return damaged_part(name(), page.offset, fmt::format("crc {:08x}, stored {:08x}", crc, page.crc));
  if (page.encoding == PageEncoding::kPlain) return bytes;
  thread_local io::ZstdDecompressor decompressor;
  auto unpacked = decompressor.decompress(stored, page.unpacked);
  if (!unpacked) return damaged_part(name(), page.offset, unpacked.error().message);
  if (unpacked->size() != page.unpacked) return damaged_part(name(), page.offset, "its unpacked length is another");
  return unpacked;
}

Result<UnpackedPagePtr> Block::Impl::values_page(std::uint32_t number) const {
  if (auto page = kept.find<UnpackedPage>(CachedKind::kValues, number)) return page;
  auto page = std::make_shared<UnpackedPage>();
  AT_TRY(page->bytes, unpack("values", number, directory.values[number]));
  kept.put(CachedKind::kValues, number, page, page->weight());
  return page;
}

Result<UnpackedPagePtr> Block::Impl::instants_page(std::uint32_t number) const {
  if (auto page = kept.find<UnpackedPage>(CachedKind::kInstants, number)) return page;
  auto page = std::make_shared<UnpackedPage>();
  const auto& entry = directory.instants[number];
  AT_TRY(page->bytes, unpack("instants", number, entry));
  ByteReader from(page->bytes);
  while (from.ok() && !from.at_end()) {
    page->starts.push_back(static_cast<std::uint32_t>(page->bytes.size() - from.remaining()));
    from.text();
  }
  const auto& firsts = directory.first_vectors;
  const auto end = number + 1 < firsts.size() ? firsts[number + 1] : directory.vectors;
  if (!from.ok() || page->starts.size() != end - firsts[number]) {
    return damaged_part(fmt::format("page {} of instants", number), entry.offset, "it holds another number of vectors");
  }
  kept.put(CachedKind::kInstants, number, page, page->weight());
  return page;
}

Result<std::string_view> Block::Impl::vector_of_instants(std::uint32_t number, UnpackedPagePtr& page) const {
  if (number >= directory.vectors) return fail(ErrorCode::kCorruption, fmt::format("no vector of instants {}", number));
  const auto& firsts = directory.first_vectors;
  const auto it = std::upper_bound(firsts.begin(), firsts.end(), number) - 1;
  AT_TRY(page, instants_page(static_cast<std::uint32_t>(it - firsts.begin())));
  return ByteReader(std::string_view(page->bytes).substr(page->starts[number - *it])).text();
}

Status Block::Impl::columns_of(const ChunkRef& chunk, UnpackedPagePtr& page, std::string_view* columns) const {
  if (chunk.count == 0 || chunk.count > kMaxChunkSamples || chunk.page >= directory.values.size()) {
    return fail(ErrorCode::kCorruption, fmt::format("a chunk of {} samples in page {}", chunk.count, chunk.page));
  }
  thread_local RecentPages<UnpackedPage, 8> recent;
  auto& held = recent.of(unique, chunk.page);
  if (!held) {
    AT_TRY(held, values_page(chunk.page));
  }
  page = held;
  const auto bytes = std::string_view(page->bytes);
  ByteReader from(bytes.substr(std::min<std::size_t>(chunk.offset, bytes.size())));
  for (std::uint32_t c = 0; c < directory.meta.columns; ++c) columns[c] = from.text();
  if (!from.ok()) {
    return damaged_part(fmt::format("page {} of values", chunk.page), directory.values[chunk.page].offset,
                        fmt::format("no chunk at {}", chunk.offset));
  }
  return {};
}

Status Block::Impl::read_times(const ChunkRef& chunk, std::vector<std::int64_t>& times) const {
  UnpackedPagePtr page;
  AT_TRY(const auto bytes, vector_of_instants(chunk.times, page));
  const auto before = times.size();
  times.resize(before + chunk.count);
  if (auto done = decode_times(bytes, chunk.count, times.data() + before); !done) {
    return fail_within(fmt::format("vector of instants {}", chunk.times), std::move(done).error());
  }
  if (times[before] != chunk.first || times.back() != chunk.last || (before > 0 && times[before - 1] >= chunk.first)) {
    return fail(ErrorCode::kCorruption, fmt::format("vector of instants {} is not the chunk's", chunk.times));
  }
  return {};
}

Status Block::Impl::read_columns(const ChunkRef& chunk, std::vector<std::vector<double>>& columns) const {
  UnpackedPagePtr page;
  std::string_view encoded[kRollupColumns];
  AT_TRY(columns_of(chunk, page, encoded));
  for (std::uint32_t c = 0; c < directory.meta.columns; ++c) {
    const auto before = columns[c].size();
    columns[c].resize(before + chunk.count);
    if (auto done = decode_values(encoded[c], chunk.count, columns[c].data() + before); !done) {
      return fail_within(fmt::format("page {} of values, chunk at {}, column {}", chunk.page, chunk.offset, c),
                         std::move(done).error());
    }
  }
  return {};
}

Block::Block(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Block::~Block() = default;

Result<std::unique_ptr<Block::Impl>> Block::open_impl(io::FileSystem& files, const std::string& path,
                                                      io::MapSource source, Wanted wanted) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  AT_TRY(impl->mapping, files.map(path, source));
  auto directory = parse_block(impl->mapping->bytes());
  if (!directory) return fail_within("block " + path, std::move(directory).error());
  impl->directory = std::move(*directory);
  std::uint64_t series = 0;
  for (const auto& entry : impl->directory.tenants) {
    auto index = Index::open(impl->mapping->bytes().substr(entry.offset, entry.length), impl->kept.cache);
    if (!index && wanted == Wanted::kRest) {
      impl->unread.push_back(entry.tenant);
      continue;
    }
    if (!index) {
      return fail_within(fmt::format("block {}, index of {} at offset {}", path, entry.tenant.value(), entry.offset),
                         std::move(index).error());
    }
    series += (*index)->size();
    impl->tenants.push_back(entry.tenant);
    impl->indexes.push_back(std::move(*index));
  }
  if (wanted == Wanted::kAll && series != impl->directory.meta.series) {
    return fail_within("block " + path, damaged_part("directory", impl->directory.offset,
                                                     fmt::format("{} series are said, the indexes hold {}",
                                                                 impl->directory.meta.series, series))
                                            .error());
  }
  return impl;
}

Result<std::shared_ptr<const Block>> Block::open(io::FileSystem& files, const std::string& path) {
  AT_TRY(auto impl, open_impl(files, path, io::MapSource::kAny));
  return std::shared_ptr<const Block>(new Block(std::move(impl)));
}

Result<std::shared_ptr<const Block>> Block::open_rest(io::FileSystem& files, const std::string& path) {
  AT_TRY(auto impl, open_impl(files, path, io::MapSource::kAny, Wanted::kRest));
  return std::shared_ptr<const Block>(new Block(std::move(impl)));
}

void Block::keep_pages_in(const std::shared_ptr<PageCache>& cache) const {
  impl_->kept = PageKeeper(cache);
  for (const auto& index : impl_->indexes) index->keep_pages_in(cache);
}

const std::string& Block::path() const { return impl_->path; }
const BlockMeta& Block::meta() const { return impl_->directory.meta; }
const std::vector<TenantId>& Block::tenants() const { return impl_->tenants; }
const std::vector<TenantId>& Block::unread_tenants() const { return impl_->unread; }
const Index* Block::index(const TenantId& tenant) const { return impl_->index_of(tenant); }

Status Block::read(const TenantId& tenant, std::uint32_t ordinal, storage::TimeRange range, ColumnsRead& out) const {
  // Kept from call to call: a scan reads a series every few hundred nanoseconds.
  thread_local std::vector<ChunkRef> chunks;
  out.times.clear();
  out.columns.resize(meta().columns);
  for (auto& column : out.columns) column.clear();
  const auto* index = impl_->index_of(tenant);
  if (index == nullptr || ordinal >= index->size()) {
    return fail(ErrorCode::kNotFound, fmt::format("block {} has no series {} of {}", path(), ordinal, tenant.value()));
  }
  const auto within = [&](Error error) {
    return fail_within(fmt::format("block {}, series {} of {}", path(), ordinal, tenant.value()), std::move(error));
  };
  if (auto found = index->chunks(ordinal, chunks); !found) return within(std::move(found).error());
  const auto from = to_ms(range.from);
  const auto to = to_ms(range.to);
  for (const auto& chunk : chunks) {
    if (chunk.last < from || chunk.first > to) continue;
    // Values first: they bound the number of samples.
    if (auto read = impl_->read_columns(chunk, out.columns); !read) return within(std::move(read).error());
    if (auto read = impl_->read_times(chunk, out.times); !read) return within(std::move(read).error());
  }
  const auto keep_end = std::upper_bound(out.times.begin(), out.times.end(), to) - out.times.begin();
  const auto keep_begin = std::lower_bound(out.times.begin(), out.times.begin() + keep_end, from) - out.times.begin();
  const auto trim = [&](auto& column) {
    column.erase(column.begin() + keep_end, column.end());
    column.erase(column.begin(), column.begin() + keep_begin);
  };
  trim(out.times);
  for (auto& column : out.columns) trim(column);
  return {};
}

Result<std::span<const std::int64_t>> Block::Impl::recent_times(const ChunkRef& chunk) const {
  thread_local RecentPages<std::vector<std::int64_t>, 16> recent;
  auto& held = recent.of(unique, chunk.times);
  if (!held || held->size() != chunk.count || held->front() != chunk.first || held->back() != chunk.last) {
    auto times = std::make_shared<std::vector<std::int64_t>>();
    held = nullptr;
    AT_TRY(read_times(chunk, *times));
    held = std::move(times);
  }
  return std::span(*held);
}

Status Block::read_column(const Index& index, std::uint32_t ordinal, storage::TimeRange range, std::size_t column,
                          std::vector<Sample>& out) const {
  thread_local std::vector<double> values;
  const auto within = [&](Error error) {
    return fail_within(fmt::format("block {}, series {}", path(), ordinal), std::move(error));
  };
  const auto from = to_ms(range.from);
  const auto to = to_ms(range.to);
  auto chunks = index.chunks(ordinal);
  if (!chunks) return within(std::move(chunks).error());
  auto last = INT64_MIN;
  for (const auto& chunk : *chunks) {
    if (chunk.last < from || chunk.first > to) continue;
    if (chunk.first <= last) return within({ErrorCode::kCorruption, "chunks overlap", std::nullopt, {}});
    last = chunk.last;
    UnpackedPagePtr page;
    std::string_view encoded[kRollupColumns];
    if (auto found = impl_->columns_of(chunk, page, encoded); !found) return within(std::move(found).error());
    values.resize(chunk.count);
    if (auto done = decode_values(encoded[column], chunk.count, values.data()); !done) {
      return within(std::move(done).error());
    }
    const auto times = impl_->recent_times(chunk);
    if (!times) return within(times.error());
    const auto begin = std::lower_bound(times->begin(), times->end(), from) - times->begin();
    const auto end = std::upper_bound(times->begin() + begin, times->end(), to) - times->begin();
    const auto place = out.size();
    out.resize(place + static_cast<std::size_t>(end - begin));
    for (auto i = begin; i < end; ++i) {
      const auto at = static_cast<std::size_t>(i);
      out[place + static_cast<std::size_t>(i - begin)] = {from_ms((*times)[at]), values[at]};
    }
  }
  return {};
}

Result<bool> Block::has_instant(const Index& index, std::uint32_t ordinal, storage::TimeRange range) const {
  AT_TRY(const auto chunks, index.chunks(ordinal));
  for (const auto& chunk : chunks) {
    if (chunk.last < to_ms(range.from) || chunk.first > to_ms(range.to)) continue;
    AT_TRY(const auto times, impl_->recent_times(chunk));
    const auto found = std::lower_bound(times.begin(), times.end(), to_ms(range.from));
    if (found != times.end() && *found <= to_ms(range.to)) return true;
  }
  return false;
}

Status Block::verify() const {
  if (auto verified = impl_->verify(); !verified) return fail_within("block " + path(), std::move(verified).error());
  return {};
}

}  // namespace atalaya::tsdb
