#include "tsdb/block/index_writer.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "io/checksum.h"

namespace atalaya::tsdb::index {
namespace {

/// Differences modulo 2^64, so that no number is too far from another.
void difference(std::string& out, std::uint64_t value, std::uint64_t before) {
  const auto by = static_cast<std::int64_t>(value - before);
  append_varint(out, static_cast<std::uint64_t>(by) << 1 ^ static_cast<std::uint64_t>(by >> 63));
}

bool full(PageKind kind, std::uint32_t items, std::size_t weight) {
  return items == kPageItems[at(kind)] || weight >= kPageWeight[at(kind)];
}

std::size_t shared_length(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

void PageWriter::append(PageKind kind, std::uint32_t items, std::string_view bytes) {
  AT_CHECK(!bytes.empty() && bytes.size() <= kMaxPageBytes);
  packed_.clear();
  zstd_.compress(bytes, packed_);
  const std::string_view stored = packed_.size() <= bytes.size() - bytes.size() / 20 - 1 ? packed_ : bytes;
  auto& pages = directory_.pages[at(kind)];
  pages.push_back({section_.size(), directory_.items(kind), items, static_cast<std::uint32_t>(stored.size()),
                   static_cast<std::uint32_t>(bytes.size()), io::crc32c(stored)});
  section_ += stored;
}

void ChunkPageWriter::add(PageWriter& pages, std::span<const ChunkRef> chunks, std::span<const std::uint32_t> spans) {
  if (full(PageKind::kChunks, items_, weight_)) close(pages);
  ++items_;
  weight_ += static_cast<std::uint32_t>(chunks.size());
  append_varint(counts_, chunks.size());
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    difference(spans_, spans[i], span_ + 1);
    difference(pages_, chunks[i].page, page_);
    difference(offsets_, chunks[i].offset, offset_);
    span_ = spans[i];
    page_ = chunks[i].page;
    offset_ = chunks[i].offset;
  }
}

void ChunkPageWriter::close(PageWriter& pages) {
  if (items_ == 0) return;
  counts_ += spans_;
  counts_ += pages_;
  counts_ += offsets_;
  pages.append(PageKind::kChunks, items_, counts_);
  for (auto* column : {&counts_, &spans_, &pages_, &offsets_}) column->clear();
  items_ = weight_ = 0;
  span_ = ~std::uint64_t{0};
  page_ = offset_ = 0;
}

void LabelPageWriter::add(PageWriter& pages, std::span<const std::uint32_t> pairs) {
  if (full(PageKind::kLabels, items_, weight_)) close(pages);
  const auto shared = static_cast<std::size_t>(
      std::mismatch(pairs.begin(), pairs.end(), before_.begin(), before_.end()).first - pairs.begin());
  append_varint(bytes_, shared);
  append_varint(bytes_, pairs.size() - shared);
  for (auto i = shared; i < pairs.size(); ++i) difference(bytes_, pairs[i], i < before_.size() ? before_[i] : 0);
  before_.assign(pairs.begin(), pairs.end());
  ++items_;
  weight_ += static_cast<std::uint32_t>(pairs.size());
}

void LabelPageWriter::close(PageWriter& pages) {
  if (items_ == 0) return;
  pages.append(PageKind::kLabels, items_, bytes_);
  bytes_.clear();
  before_.clear();
  items_ = weight_ = 0;
}

std::uint64_t ListPageWriter::add(PageWriter& pages, std::span<const Run> runs) {
  if (full(PageKind::kLists, 0, bytes_.size())) close(pages);
  const auto before = bytes_.size();
  const auto kind = write_list(runs, bytes_);
  return (bytes_.size() - before) << 2 | static_cast<std::uint64_t>(kind);
}

void ListPageWriter::close(PageWriter& pages) {
  if (bytes_.empty()) return;
  pages.append(PageKind::kLists, 0, bytes_);
  bytes_.clear();
  ++page_;
}

void PairPageWriter::add(std::string_view value, bool first_of_name, std::span<const Run> runs, ListPageWriter& lists,
                         PageWriter& pages) {
  if (full(PageKind::kPairs, items_, weight_)) close();
  if (items_ == 0) {
    const auto shown = first_of_name ? 0 : shared_length(before_, value) + 1;
    head_ = {lists.page(), lists.offset(), std::string(value.substr(0, shown))};
  }
  const auto shared = items_ == 0 ? 0 : shared_length(before_, value);
  ByteWriter(values_).varint(shared);
  ByteWriter(values_).text(value.substr(shared));
  ByteWriter refs(refs_);
  std::uint64_t count = 0;
  for (const auto& run : runs) count += run.end - run.begin;
  refs.varint(count);
  if (count == 1) {
    difference(refs_, runs.front().begin, ordinal_);
    ordinal_ = runs.front().begin;
  } else {
    refs.varint(lists.add(pages, runs));
  }
  before_ = value;
  ++items_;
  weight_ += static_cast<std::uint32_t>(std::min<std::size_t>(value.size(), kMaxPageBytes));
}

void PairPageWriter::close() {
  if (items_ == 0) return;
  closed_bytes_ += values_;
  closed_bytes_ += refs_;
  closed_.push_back({items_, closed_bytes_.size(), head_});
  values_.clear();
  refs_.clear();
  items_ = weight_ = 0;
  ordinal_ = 0;
}

void PairPageWriter::finish(PageWriter& pages) {
  close();
  std::size_t begin = 0;
  for (const auto& page : closed_) {
    pages.append(PageKind::kPairs, page.items, std::string_view(closed_bytes_).substr(begin, page.end - begin));
    pages.directory().pair_heads.push_back(page.head);
    begin = page.end;
  }
}

void write_spans(PageWriter& pages, std::span<const Span> spans) {
  std::string columns[4];
  std::string bytes;
  while (!spans.empty()) {
    const auto page = spans.first(std::min<std::size_t>(spans.size(), kPageItems[at(PageKind::kSpans)]));
    spans = spans.subspan(page.size());
    Span before;
    for (const auto& span : page) {
      const auto length = [](const Span& s) {
        return static_cast<std::uint64_t>(s.last) - static_cast<std::uint64_t>(s.first);
      };
      difference(columns[0], span.times, before.times);
      difference(columns[1], static_cast<std::uint64_t>(span.first), static_cast<std::uint64_t>(before.first));
      difference(columns[2], length(span), length(before));
      difference(columns[3], span.count, before.count);
      before = span;
    }
    bytes.clear();
    for (auto& column : columns) {
      bytes += column;
      column.clear();
    }
    pages.append(PageKind::kSpans, static_cast<std::uint32_t>(page.size()), bytes);
  }
}

}  // namespace atalaya::tsdb::index
