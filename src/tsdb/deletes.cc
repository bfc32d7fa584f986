#include "tsdb/deletes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "io/checksum.h"
#include "tsdb/block/rollup.h"

namespace atalaya::tsdb {
namespace {

constexpr std::string_view kMagic = "ATALAYAX";
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kHeaderBytes = 16;  ///< mark, version, checksum

/// Of the version too: one that is said to be higher must have been meant.
std::uint32_t checksum(std::uint32_t version, std::string_view rest) {
  std::string start;
  ByteWriter(start).u32(version);
  return io::crc32c(rest, io::crc32c(start));
}

std::string encode(const DeletionList& list) {
  std::string rest;
  ByteWriter out(rest);
  out.varint(list.size());
  for (const auto& one : list) {
    out.text(one.tenant.value());
    out.u64(one.last_sequence);
    out.svarint(to_ms(one.range.from));
    out.svarint(to_ms(one.range.to));
    out.varint(one.matchers.size());
    for (const auto& matcher : one.matchers) {
      out.u8(static_cast<std::uint8_t>(matcher.op()));
      out.text(matcher.name());
      out.text(matcher.value());
    }
  }
  std::string bytes(kMagic);
  ByteWriter header(bytes);
  header.u32(kVersion);
  header.u32(checksum(kVersion, rest));
  return bytes + rest;
}

Result<DeletionList> decode(std::string_view bytes) {
  const auto bad = [](std::string_view what) { return fail(ErrorCode::kCorruption, std::string(what)); };
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return bad("no list of deletions");
  ByteReader header(bytes.substr(kMagic.size()));
  const auto version = header.u32();
  const auto rest = bytes.substr(kHeaderBytes);
  if (version == 0 || header.u32() != checksum(version, rest)) return bad("its checksum does not match");
  if (version > kVersion) {
    return fail(ErrorCode::kUnprocessable, fmt::format("version {}; this program reads up to {}", version, kVersion));
  }
  ByteReader in(rest);
  DeletionList out;
  const auto count = in.varint();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    Deletion one;
    one.tenant = TenantId{std::string(in.text())};
    one.last_sequence = in.u64();
    one.range.from = from_ms(in.svarint());
    one.range.to = from_ms(in.svarint());
    const auto matchers = in.varint();
    for (std::uint64_t m = 0; m < matchers && in.ok(); ++m) {
      const auto op = in.u8();
      const auto name = in.text();
      const auto value = in.text();
      if (!in.ok() || op > static_cast<std::uint8_t>(Matcher::Op::kNotRegex))
        return bad("a matcher that does not decode");
      AT_TRY(auto matcher, Matcher::make(std::string(name), static_cast<Matcher::Op>(op), std::string(value)));
      one.matchers.push_back(std::move(matcher));
    }
    out.push_back(std::move(one));
  }
  if (!in.ok() || !in.at_end()) return bad("a deletion that does not decode");
  return out;
}

}  // namespace

storage::TimeRange hidden_range(const Deletion& deletion, const Block& block) {
  const auto resolution = block.meta().resolution;
  if (resolution == 0) return deletion.range;
  return {deletion.range.from, from_ms(bucket_instant(to_ms(deletion.range.to), resolution))};
}

bool touches(const Deletion& deletion, const Block& block) {
  return block.meta().last_sequence <= deletion.last_sequence &&
         block.meta().first <= to_ms(hidden_range(deletion, block).to) &&
         block.meta().last >= to_ms(deletion.range.from) && block.index(deletion.tenant) != nullptr;
}

bool selects_of(const Deletion& deletion, const Block& block) {
  if (!touches(deletion, block)) return false;
  const auto series = block.index(deletion.tenant)->select(deletion.matchers);
  return !series || !series->empty();
}

std::vector<storage::TimeRange> hidden_ranges(const DeletionList& deletions, const TenantId& tenant,
                                              const Labels& labels, const Block& block) {
  std::vector<storage::TimeRange> out;
  for (const auto& one : deletions) {
    if (one.tenant == tenant && touches(one, block) && matches(one.matchers, labels)) {
      out.push_back(hidden_range(one, block));
    }
  }
  return out;
}

Status Deletes::open(std::vector<std::string>& damaged) {
  if (!files_.exists(path_)) return {};
  AT_TRY(const auto bytes, io::read_file(files_, path_));
  auto list = decode(bytes);
  if (!list) {
    if (list.error().code != ErrorCode::kCorruption) return std::unexpected(std::move(list).error());
    damaged.push_back(
        fmt::format("{}: {}; set aside as {}.damaged: what it hid shows again", path_, list.error().message, path_));
    AT_TRY(files_.rename(path_, path_ + ".damaged"));
    return files_.sync_directory(io::parent_path(path_));
  }
  const std::lock_guard lock(mutex_);
  list_ = std::make_shared<DeletionList>(std::move(*list));
  return {};
}

std::shared_ptr<const DeletionList> Deletes::list() const {
  const std::lock_guard lock(mutex_);
  return list_;
}

Status Deletes::write(DeletionList list) {
  AT_TRY(io::write_file_atomically(files_, path_, encode(list)));
  const std::lock_guard lock(mutex_);
  list_ = std::make_shared<DeletionList>(std::move(list));
  return {};
}

Status Deletes::add(Deletion deletion) {
  auto next = *list();
  next.push_back(std::move(deletion));
  return write(std::move(next));
}

Status Deletes::forget(std::size_t count) {
  auto next = *list();
  next.erase(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(count));
  return write(std::move(next));
}

}  // namespace atalaya::tsdb
