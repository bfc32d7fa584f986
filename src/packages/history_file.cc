#include "packages/history_file.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "io/checksum.h"
#include "io/compress.h"

namespace atalaya::packages {
namespace {

namespace json = boost::json;

constexpr std::string_view kMagic = "ATPKGCM";
constexpr char kVersion = 1;
constexpr std::size_t kPreamble = 28;
constexpr std::size_t kMaxHead = 16 << 20;
constexpr std::size_t kMaxBody = std::size_t{1} << 30;

std::uint32_t u32_at(std::string_view bytes, std::size_t at) { return ByteReader(bytes.substr(at)).u32(); }

json::value size_of(const std::optional<std::string>& text) {
  return text ? json::value(text->size()) : json::value(nullptr);
}

/// Sizes of a file's two texts; nullopt: absent.
using Sizes = std::array<std::optional<std::size_t>, 2>;

std::optional<std::string> text_field(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

/// Nothing where the head is not as it should be.
std::optional<Commit> commit_of(std::string_view text, std::vector<Sizes>& sizes) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // names and reasons are kept as they came
  boost::system::error_code error;
  const auto parsed = json::parse(text, error, {}, options);
  if (error || !parsed.is_object()) return std::nullopt;
  const auto& head = parsed.get_object();
  Commit commit;
  const auto* id = head.if_contains("id");
  const auto* files = head.if_contains("files");
  const auto at = text_field(head, "at");
  const auto time = at ? parse_time(*at) : fail(ErrorCode::kCorruption, "");
  if (!id || !id->is_int64() || id->get_int64() <= 0 || !time || !files || !files->is_array()) return std::nullopt;
  commit.id = static_cast<std::uint64_t>(id->get_int64());
  commit.at = *time;
  commit.author = text_field(head, "author").value_or("");
  commit.reason = text_field(head, "reason").value_or("");
  for (const auto& each : files->get_array()) {
    if (!each.is_object()) return std::nullopt;
    const auto file = text_field(each.get_object(), "file");
    if (!file) return std::nullopt;
    Sizes both;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto* size = each.get_object().if_contains(i == 0 ? "before" : "after");
      if (!size || size->is_null()) continue;
      if (!size->is_int64() || size->get_int64() < 0) return std::nullopt;
      both[i] = static_cast<std::size_t>(size->get_int64());
    }
    sizes.push_back(both);
    commit.files.push_back({*file, std::nullopt, std::nullopt});
  }
  return commit;
}

std::unexpected<Error> damaged(const std::string& path, std::string_view what) {
  return fail(ErrorCode::kCorruption, fmt::format("commit {}: {}", path, what));
}

}  // namespace

Result<std::string> encode_commit(const Commit& commit) {
  json::array files;
  std::string texts;
  for (const auto& change : commit.files) {
    files.push_back(
        json::object{{"file", change.file}, {"before", size_of(change.before)}, {"after", size_of(change.after)}});
    texts += change.before.value_or("");
    texts += change.after.value_or("");
  }
  const auto head_text = json::serialize(json::object{{"id", commit.id},
                                                      {"at", format_rfc3339(commit.at)},
                                                      {"author", commit.author},
                                                      {"reason", commit.reason},
                                                      {"files", std::move(files)}});
  if (head_text.size() > kMaxHead || texts.size() > kMaxBody) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("a change of {} files with {} bytes", commit.files.size(), texts.size()),
                "make it in several steps");
  }
  io::ZstdCompressor compressor(3);
  const auto head = compressor.compress(head_text);
  const auto body = compressor.compress(texts);
  std::string out(kMagic);
  out += kVersion;
  ByteWriter writer(out);
  for (const auto* part : {&head, &body}) {
    writer.u32(static_cast<std::uint32_t>(part->size()));
    writer.u32(io::crc32c(*part));
  }
  writer.u32(io::crc32c(out));
  return out + head + body;
}

Result<Commit> read_commit(io::FileSystem& files, const std::string& path, std::uint64_t id, bool with_texts) {
  AT_TRY(const auto file, files.open_read(path));
  AT_TRY(const auto preamble, file->read(0, kPreamble));
  if (preamble.size() < kPreamble || !preamble.starts_with(kMagic)) return damaged(path, "not a commit");
  if (io::crc32c(std::string_view(preamble).substr(0, 24)) != u32_at(preamble, 24)) {
    return damaged(path, "checksum of the preamble");
  }
  if (preamble[kMagic.size()] != kVersion) {
    return fail(ErrorCode::kUnprocessable,
                fmt::format("commit {} has version {}, known is {}", path, int{preamble[kMagic.size()]}, int{kVersion}),
                "use the release that wrote it, or a newer one");
  }
  const std::size_t head_size = u32_at(preamble, 8);
  const std::size_t body_size = u32_at(preamble, 16);
  if (file->size() != kPreamble + head_size + body_size) {
    return damaged(path, fmt::format("{} bytes, not {}", file->size(), kPreamble + head_size + body_size));
  }
  AT_TRY(const auto packed_head, file->read(kPreamble, head_size));
  if (io::crc32c(packed_head) != u32_at(preamble, 12)) return damaged(path, "checksum of the head");
  io::ZstdDecompressor decompressor;
  const auto head = decompressor.decompress(packed_head, kMaxHead);
  std::vector<Sizes> sizes;
  auto commit = head ? commit_of(*head, sizes) : std::nullopt;
  if (!commit) return damaged(path, "its head");
  if (commit->id != id) return damaged(path, fmt::format("it says that it is commit {}", commit->id));
  if (!with_texts) return std::move(*commit);

  std::size_t total = 0;
  for (const auto& both : sizes) {
    for (const auto& size : both) {
      if (size.value_or(0) > kMaxBody - total) return damaged(path, "the sizes of its files");
      total += size.value_or(0);
    }
  }
  AT_TRY(const auto packed_body, file->read(kPreamble + head_size, body_size));
  if (io::crc32c(packed_body) != u32_at(preamble, 20)) return damaged(path, "checksum of the body");
  const auto body = decompressor.decompress(packed_body, std::max<std::size_t>(total, 1));
  if (!body || body->size() != total) return damaged(path, "its body");
  std::size_t at = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto take = [&](const std::optional<std::size_t>& size) -> std::optional<std::string> {
      if (!size) return std::nullopt;
      at += *size;
      return body->substr(at - *size, *size);
    };
    commit->files[i].before = take(sizes[i][0]);
    commit->files[i].after = take(sizes[i][1]);
  }
  return std::move(*commit);
}

}  // namespace atalaya::packages
