#include "tsdb/block/index_pages.h"

#include <fmt/format.h>

#include <limits>

#include "base/bytes.h"
#include "io/checksum.h"
#include "io/compress.h"

namespace atalaya::tsdb::index {
namespace {

constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::string_view kKindNames[kPageKinds] = {"chunks", "spans", "labels", "lists", "pairs"};

/// Empty: all is well. Else what is wrong.
using Flaw = std::string_view;

Flaw finish(const ByteReader& reader) { return reader.ok() && reader.at_end() ? Flaw() : "its length is wrong"; }

Flaw read_values(ByteReader& reader, std::uint32_t items, PairPage& out) {
  std::size_t previous = 0;  ///< where the value before begins
  for (std::uint32_t i = 0; i < items; ++i) {
    if (out.text.size() >= kPageWeight[at(PageKind::kPairs)]) return "too heavy";
    const auto begin = out.text.size();
    const auto shared = reader.varint();
    const auto rest = reader.text();
    if (!reader.ok() || shared > begin - previous || shared + rest.size() == 0) return "a value is wrong";
    out.text.append(out.text, previous, shared);
    out.text += rest;
    out.ends.push_back(static_cast<std::uint32_t>(out.text.size()));
    if (!is_utf8(std::string_view(out.text).substr(begin))) return "a value is not UTF-8";
    previous = begin;
  }
  return {};
}

Flaw read_refs(ByteReader& reader, const Directory& directory, PairPage& out) {
  const auto series = directory.items(PageKind::kLabels);
  const auto& pages = directory.of(PageKind::kLists);
  std::uint64_t ordinal = 0;
  for (std::size_t i = 0; i < out.ends.size(); ++i) {
    ListRef ref;
    const auto count = reader.varint();
    if (count == 0 || count > series) return "a count is wrong";
    ref.count = static_cast<std::uint32_t>(count);
    if (count == 1) {
      ordinal += static_cast<std::uint64_t>(reader.svarint());
      if (ordinal >= series) return "an ordinal is too great";
      ref.ordinal = static_cast<std::uint32_t>(ordinal);
    } else {
      const auto word = reader.varint();
      const auto bytes = word >> 2;
      if (out.list_page < pages.size() && out.list_offset == pages[out.list_page].unpacked) {
        ++out.list_page;
        out.list_offset = 0;
      }
      if ((word & 3) > 2 || bytes == 0 || out.list_page >= pages.size() || bytes > pages[out.list_page].unpacked ||
          out.list_offset > pages[out.list_page].unpacked - bytes) {
        return "a list is out of bounds";
      }
      ref.kind = static_cast<ListKind>(word & 3);
      ref.page = out.list_page;
      ref.offset = out.list_offset;
      ref.bytes = static_cast<std::uint32_t>(bytes);
      out.list_offset += ref.bytes;
    }
    out.lists.push_back(ref);
  }
  return finish(reader);
}

Flaw read_pairs(std::string_view bytes, std::uint32_t number, const Directory& directory, PairPage& out) {
  ByteReader reader(bytes);
  out.list_page = directory.pair_heads[number].list_page;
  out.list_offset = directory.pair_heads[number].list_offset;
  const auto items = directory.of(PageKind::kPairs)[number].items;
  if (const auto flaw = read_values(reader, items, out); !flaw.empty()) return flaw;
  return read_refs(reader, directory, out);
}

Flaw read_labels(std::string_view bytes, const Page& page, const Directory& directory, LabelPage& out) {
  ByteReader reader(bytes);
  const auto pairs = directory.items(PageKind::kPairs);
  std::size_t before = 0;  ///< where the pairs of the series before begin
  for (std::uint32_t i = 0; i < page.items; ++i) {
    if (out.pairs.size() >= kPageWeight[at(PageKind::kLabels)]) return "too heavy";
    const auto begin = out.pairs.size();
    const auto shared = reader.varint();
    const auto rest = reader.varint();
    if (!reader.ok() || shared > begin - before || rest > directory.names.size() ||
        shared + rest > directory.names.size()) {
      return "a number of pairs is wrong";
    }
    for (std::uint64_t k = 0; k < shared + rest; ++k) {
      std::uint64_t pair = before + k < begin ? out.pairs[before + k] : 0;
      if (k >= shared) pair += static_cast<std::uint64_t>(reader.svarint());
      if (pair >= pairs || (k > 0 && pair <= out.pairs.back())) return "a pair is wrong";
      out.pairs.push_back(static_cast<std::uint32_t>(pair));
    }
    out.ends.push_back(static_cast<std::uint32_t>(out.pairs.size()));
    before = begin;
  }
  return finish(reader);
}

Flaw read_spans(std::string_view bytes, const Page& page, SpanPage& out) {
  ByteReader reader(bytes);
  out.spans.resize(page.items);
  std::uint64_t value = 0;
  const auto next = [&] { return value += static_cast<std::uint64_t>(reader.svarint()); };
  bool fits = true;
  for (auto& span : out.spans) {
    fits &= next() <= kMax32;
    span.times = static_cast<std::uint32_t>(value);
  }
  value = 0;
  for (auto& span : out.spans) span.first = static_cast<std::int64_t>(next());
  value = 0;
  for (auto& span : out.spans) span.last = static_cast<std::int64_t>(static_cast<std::uint64_t>(span.first) + next());
  value = 0;
  for (auto& span : out.spans) {
    fits &= next() <= kMax32;
    span.count = static_cast<std::uint32_t>(value);
  }
  return fits ? finish(reader) : "a number is too great";
}

/// The columns but for spans, which come back as numbers.
Flaw read_chunks(std::string_view bytes, const Page& page, std::uint32_t spans, ChunkPage& out,
                 std::vector<std::uint32_t>& numbers) {
  ByteReader reader(bytes);
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < page.items; ++i) {
    if (total >= kPageWeight[at(PageKind::kChunks)]) return "too heavy";
    const auto count = reader.varint();
    if (count == 0 || count > bytes.size()) return "a number of chunks is wrong";
    total += count;
    out.ends.push_back(static_cast<std::uint32_t>(total));
  }
  if (total > reader.remaining() / 3) return "its length is wrong";
  out.chunks.resize(total);
  numbers.resize(total);
  std::uint64_t value = ~std::uint64_t{0};
  for (auto& number : numbers) {
    value += 1 + static_cast<std::uint64_t>(reader.svarint());
    if (value >= spans) return "a span is wrong";
    number = static_cast<std::uint32_t>(value);
  }
  value = 0;
  for (auto& chunk : out.chunks) {
    value += static_cast<std::uint64_t>(reader.svarint());
    if (value > kMax32) return "a page is wrong";
    chunk.page = static_cast<std::uint32_t>(value);
  }
  value = 0;
  for (auto& chunk : out.chunks) {
    value += static_cast<std::uint64_t>(reader.svarint());
    if (value > kMax32) return "an offset is wrong";
    chunk.offset = static_cast<std::uint32_t>(value);
  }
  return finish(reader);
}

std::unexpected<Error> corrupt(PageKind kind, std::uint32_t number, std::string_view flaw) {
  return fail(ErrorCode::kCorruption, fmt::format("index: page {} of {}: {}", number, kKindNames[at(kind)], flaw));
}

template <typename T>
std::size_t bytes_of(const std::vector<T>& values) {
  return values.capacity() * sizeof(T);
}

}  // namespace

std::size_t weight(const PairPage& page) { return page.text.capacity() + bytes_of(page.ends) + bytes_of(page.lists); }
std::size_t weight(const LabelPage& page) { return bytes_of(page.pairs) + bytes_of(page.ends); }
std::size_t weight(const SpanPage& page) { return bytes_of(page.spans); }
std::size_t weight(const ChunkPage& page) { return bytes_of(page.chunks) + bytes_of(page.ends); }
std::size_t weight(const ListPage& page) { return page.bytes.capacity(); }

Result<std::string> Pages::unpack(PageKind kind, std::uint32_t number) const {
  thread_local io::ZstdDecompressor zstd;
  const auto& page = directory_.of(kind)[number];
  const auto stored = section_.substr(page.offset, page.stored);
  if (const auto crc = io::crc32c(stored); crc != page.crc) {
    return corrupt(kind, number, fmt::format("offset {}: crc {:08x}, stored {:08x}", page.offset, crc, page.crc));
  }
  if (page.unpacked == page.stored) return std::string(stored);
  auto bytes = zstd.decompress(stored, page.unpacked);
  if (!bytes) return corrupt(kind, number, bytes.error().message);
  if (bytes->size() != page.unpacked) return corrupt(kind, number, "its length is wrong");
  return bytes;
}

/// `read(bytes, T&)` answers a Flaw.
template <typename T, typename Read>
Result<std::shared_ptr<const T>> Pages::get(PageKind kind, std::uint32_t number, Read read) const {
  const auto cached = static_cast<CachedKind>(static_cast<std::size_t>(CachedKind::kIndex) + at(kind));
  if (auto found = kept_.find<T>(cached, number)) return found;
  AT_TRY(auto bytes, unpack(kind, number));
  auto page = std::make_shared<T>();
  if (const std::string flaw(read(std::move(bytes), *page)); !flaw.empty()) return corrupt(kind, number, flaw);
  kept_.put(cached, number, page, sizeof(T) + weight(*page));
  return page;
}

Result<std::shared_ptr<const PairPage>> Pages::pairs(std::uint32_t number) const {
  return get<PairPage>(PageKind::kPairs, number, [&](const std::string& bytes, PairPage& page) {
    return read_pairs(bytes, number, directory_, page);
  });
}

Result<std::shared_ptr<const LabelPage>> Pages::labels(std::uint32_t number) const {
  return get<LabelPage>(PageKind::kLabels, number, [&](const std::string& bytes, LabelPage& page) {
    return read_labels(bytes, directory_.of(PageKind::kLabels)[number], directory_, page);
  });
}

Result<std::shared_ptr<const SpanPage>> Pages::spans(std::uint32_t number) const {
  return get<SpanPage>(PageKind::kSpans, number, [&](const std::string& bytes, SpanPage& page) {
    return read_spans(bytes, directory_.of(PageKind::kSpans)[number], page);
  });
}

Result<std::shared_ptr<const ListPage>> Pages::lists(std::uint32_t number) const {
  return get<ListPage>(PageKind::kLists, number, [](std::string bytes, ListPage& page) {
    page.bytes = std::move(bytes);
    return Flaw();
  });
}

Result<std::shared_ptr<const ChunkPage>> Pages::chunks(std::uint32_t number) const {
  const auto read = [&](const std::string& bytes, ChunkPage& page) -> std::string {
    std::vector<std::uint32_t> numbers;
    const auto& head = directory_.of(PageKind::kChunks)[number];
    const auto flaw = read_chunks(bytes, head, directory_.items(PageKind::kSpans), page, numbers);
    if (!flaw.empty()) return std::string(flaw);
    std::shared_ptr<const SpanPage> spans;
    const Page* held = nullptr;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (held == nullptr || numbers[i] - held->first_item >= held->items) {
        const auto wanted = directory_.page_of(PageKind::kSpans, numbers[i]);
        auto found = this->spans(wanted);
        if (!found) return found.error().message;
        spans = std::move(*found);
        held = &directory_.of(PageKind::kSpans)[wanted];
      }
      const auto& span = spans->spans[numbers[i] - held->first_item];
      auto& chunk = page.chunks[i];
      chunk.first = span.first;
      chunk.last = span.last;
      chunk.count = span.count;
      chunk.times = span.times;
    }
    return {};
  };
  return get<ChunkPage>(PageKind::kChunks, number, read);
}

}  // namespace atalaya::tsdb::index
