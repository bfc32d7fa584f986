#include "tsdb/block/index_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bytes.h"
#include "io/checksum.h"

namespace atalaya::tsdb::index {
namespace {

constexpr std::string_view kMagic = "AIX1";
constexpr std::size_t kTrailer = 12;
constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();

std::unexpected<Error> corrupt(std::string reason) {
  return fail(ErrorCode::kCorruption, "index: directory: " + std::move(reason));
}

std::uint32_t checksum(std::string_view directory, std::string_view length) {
  return io::crc32c(length, io::crc32c(directory));
}

/// Counts must not reserve more than the bytes that are left can hold.
bool holds(const ByteReader& reader, std::uint64_t count, std::size_t least_bytes) {
  return reader.ok() && count <= reader.remaining() / least_bytes;
}

Status read_names(ByteReader& reader, Directory& out) {
  const auto count = reader.varint();
  if (!holds(reader, count, 3)) return corrupt("names are cut");
  out.names.reserve(count);
  std::uint64_t pairs = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    Name name;
    name.text = reader.text();
    const auto of_name = reader.varint();
    const auto series = reader.varint();
    if (!reader.ok() || name.text.empty() || !is_utf8(name.text) || of_name == 0 || of_name > series ||
        series > kMax32 || pairs + of_name > kMax32 || (i > 0 && name.text <= out.names.back().text)) {
      return corrupt(fmt::format("name {} of {} is wrong", i, count));
    }
    name.first_pair = static_cast<std::uint32_t>(pairs);
    name.pairs = static_cast<std::uint32_t>(of_name);
    name.series = static_cast<std::uint32_t>(series);
    pairs += of_name;
    out.names.push_back(std::move(name));
  }
  return {};
}

Status read_pages(ByteReader& reader, PageKind kind, std::uint64_t& offset, Directory& out) {
  auto& pages = out.pages[at(kind)];
  const auto count = reader.varint();
  if (!holds(reader, count, 7)) return corrupt("pages are cut");
  pages.reserve(count);
  std::uint64_t items = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto page_items = reader.varint();
    const auto stored = reader.varint();
    const auto more = reader.varint();
    const auto crc = reader.u32();
    const bool counted = kind != PageKind::kLists;
    if (!reader.ok() || stored == 0 || stored > kMaxPageBytes || more > kMaxPageBytes ||
        stored + more > kMaxPageBytes || (page_items != 0) != counted || page_items > kPageItems[at(kind)] ||
        items + page_items > kMax32) {
      return corrupt(fmt::format("page {} of kind {} is wrong", i, at(kind)));
    }
    pages.push_back({offset, static_cast<std::uint32_t>(items), static_cast<std::uint32_t>(page_items),
                     static_cast<std::uint32_t>(stored), static_cast<std::uint32_t>(stored + more), crc});
    items += page_items;
    offset += stored;
    if (kind != PageKind::kPairs) continue;
    const auto list_page = reader.varint();
    const auto list_offset = reader.varint();
    const auto separator = reader.text();
    if (!reader.ok() || list_page > kMax32 || list_offset > kMax32) return corrupt("a page of pairs is wrong");
    out.pair_heads.push_back(
        {static_cast<std::uint32_t>(list_page), static_cast<std::uint32_t>(list_offset), std::string(separator)});
  }
  return {};
}

}  // namespace

std::uint32_t Directory::items(PageKind kind) const {
  const auto& all = of(kind);
  return all.empty() ? 0 : all.back().first_item + all.back().items;
}

std::uint32_t Directory::page_of(PageKind kind, std::uint32_t item) const {
  const auto& all = of(kind);
  const auto it = std::upper_bound(all.begin(), all.end(), item,
                                   [](std::uint32_t wanted, const Page& page) { return wanted < page.first_item; });
  return static_cast<std::uint32_t>(it - all.begin()) - 1;
}

std::uint32_t Directory::name_of(std::uint32_t pair) const {
  const auto it = std::upper_bound(names.begin(), names.end(), pair,
                                   [](std::uint32_t wanted, const Name& name) { return wanted < name.first_pair; });
  return static_cast<std::uint32_t>(it - names.begin()) - 1;
}

const Name* Directory::find_name(std::string_view text) const {
  const auto it = std::lower_bound(names.begin(), names.end(), text,
                                   [](const Name& name, std::string_view wanted) { return name.text < wanted; });
  return it != names.end() && it->text == text ? &*it : nullptr;
}

void Directory::write(std::string& section) const {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.varint(names.size());
  for (const auto& name : names) {
    writer.text(name.text);
    writer.varint(name.pairs);
    writer.varint(name.series);
  }
  for (std::size_t kind = 0; kind < kPageKinds; ++kind) {
    writer.varint(pages[kind].size());
    for (std::size_t i = 0; i < pages[kind].size(); ++i) {
      const auto& page = pages[kind][i];
      writer.varint(page.items);
      writer.varint(page.stored);
      writer.varint(page.unpacked - page.stored);
      writer.u32(page.crc);
      if (kind != at(PageKind::kPairs)) continue;
      writer.varint(pair_heads[i].list_page);
      writer.varint(pair_heads[i].list_offset);
      writer.text(pair_heads[i].separator);
    }
  }
  std::string length;
  ByteWriter(length).u32(static_cast<std::uint32_t>(bytes.size()));
  const auto crc = checksum(bytes, length);
  section += bytes;
  section += length;
  ByteWriter(section).u32(crc);
  section += kMagic;
}

Result<Directory> Directory::read(std::string_view section) {
  if (section.size() < kTrailer || !section.ends_with(kMagic)) return corrupt("the trailer is missing");
  ByteReader trailer(section.substr(section.size() - kTrailer));
  const std::size_t length = trailer.u32();
  const auto stored_crc = trailer.u32();
  const auto before = section.size() - kTrailer;
  if (length > before) return corrupt("it is longer than the section");
  const auto bytes = section.substr(before - length, length);
  const auto crc = checksum(bytes, section.substr(before, 4));
  if (crc != stored_crc) return corrupt(fmt::format("crc {:08x}, stored {:08x}", crc, stored_crc));
  Directory out;
  ByteReader reader(bytes);
  AT_TRY(read_names(reader, out));
  std::uint64_t offset = 0;
  for (std::size_t kind = 0; kind < kPageKinds; ++kind) {
    AT_TRY(read_pages(reader, static_cast<PageKind>(kind), offset, out));
  }
  if (!reader.at_end()) return corrupt("bytes are left over");
  if (offset != before - length) return corrupt(fmt::format("pages of {} bytes in {}", offset, before - length));
  const auto pairs = out.names.empty() ? 0 : out.names.back().first_pair + out.names.back().pairs;
  const auto series = out.items(PageKind::kLabels);
  if (out.items(PageKind::kPairs) != pairs || out.items(PageKind::kChunks) != series) return corrupt("counts differ");
  for (const auto& name : out.names) {
    if (name.series > series) return corrupt(fmt::format("{} series of {}", name.series, series));
  }
  return out;
}

}  // namespace atalaya::tsdb::index
