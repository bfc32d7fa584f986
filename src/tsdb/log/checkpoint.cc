#include "tsdb/log/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "storage/segment_scanner.h"

namespace atalaya::tsdb {
namespace {

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kKind = "CHKP";
constexpr std::size_t kWriteBytes = 1 << 20;
/// A damaged record costs what the log has of so many series since the last flush.
constexpr std::size_t kDefinitionsARecord = 256;

constexpr std::string_view kHeadless =
    "it does not say what is in blocks: all of the log is read, and what was deleted of that shows again";

/// Of `checkpoint-<digits>`, else 0.
std::uint64_t number_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return 0;
  name.remove_prefix(kPrefix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc{} && end == name.data() + name.size() ? number : 0;
}

Result<std::vector<std::uint64_t>> numbers_in(io::FileSystem& files, const std::string& directory) {
  AT_TRY(const auto entries, files.list(directory));
  std::vector<std::uint64_t> out;
  for (const auto& entry : entries) {
    if (const auto number = number_of(entry.name); number != 0) out.push_back(number);
  }
  return out;
}

/// A segment under any of its names.
Result<bool> has_log(io::FileSystem& files, const std::string& directory) {
  AT_TRY(const auto entries, files.list(directory));
  return std::any_of(entries.begin(), entries.end(),
                     [](const auto& entry) { return entry.name.find(".log") != std::string::npos; });
}

std::string path_of(const std::string& directory, std::uint64_t number) {
  return fmt::format("{}/{}{:012}", directory, kPrefix, number);
}

/// A file of framed records.
class Writer {
 public:
  Writer(io::File& file, std::uint64_t salt) : file_(file), salt_(salt) {}
  Status add(std::string_view payload) {
    std::string body(1, '\1');
    compressor_.compress(payload, body);
    storage::append_record(buffer_, salt_, ++ordinal_, body);
    return buffer_.size() < kWriteBytes ? Status{} : write();
  }
  Status finish() {
    storage::append_record(buffer_, salt_, ++ordinal_, {});
    AT_TRY(write());
    return file_.sync();
  }

 private:
  Status write() {
    AT_TRY(file_.append(buffer_));
    buffer_.clear();
    return {};
  }
  io::File& file_;
  const std::uint64_t salt_;
  io::ZstdCompressor compressor_;
  std::string buffer_;
  std::uint32_t ordinal_ = 0;
};

Status add_series(Writer& out, const Head& series) {
  for (const auto& [tenant, head] : series.all()) {
    std::vector<Definition> page;
    const auto flush = [&, &name = tenant]() -> Status {
      AT_TRY(out.add(encode_definitions(name, page)));
      page.clear();
      return {};
    };
    const auto add = [&](std::span<const Definition> some) -> Status {
      for (const auto& one : some) {
        page.push_back(one);
        if (page.size() == kDefinitionsARecord) AT_TRY(flush());
      }
      return {};
    };
    AT_TRY(head->visit_defined(add));
    if (!page.empty()) AT_TRY(flush());
  }
  return {};
}

}  // namespace

Status write_checkpoint(io::FileSystem& files, const std::string& directory, std::uint64_t salt, Time now,
                        const CheckpointHead& head, const storage::OriginMarks& marks, const Head* series) {
  AT_TRY(const auto before, numbers_in(files, directory));
  storage::Segment header;
  header.number = before.empty() ? 1 : before.back() + 1;
  header.epoch = header.number;
  header.salt = salt ^ header.number * 0x9E3779B97F4A7C15;
  header.created = now;
  const auto path = path_of(directory, header.number);
  if (files.exists(path + ".new")) AT_TRY(files.remove(path + ".new"));
  {
    AT_TRY(auto file, files.open_append(path + ".new"));
    AT_TRY(file->append(storage::encode_segment_header(header, kKind)));
    Writer out(*file, header.salt);
    AT_TRY(out.add(encode_checkpoint_head(head)));
    AT_TRY(out.add(encode_marks(marks)));
    if (series) AT_TRY(add_series(out, *series));
    AT_TRY(out.add(encode_checkpoint_head(head)));  // once more: without it what was deleted comes back
    AT_TRY(out.finish());
  }
  AT_TRY(files.rename(path + ".new", path));
  AT_TRY(files.sync_directory(directory));
  for (const auto number : before) AT_TRY(files.remove(path_of(directory, number)));
  return {};
}

Result<CheckpointFound> read_checkpoint(io::FileSystem& files, const std::string& directory,
                                        storage::OriginMarks& marks,
                                        const std::function<Status(std::string_view)>& define) {
  CheckpointFound out;
  AT_TRY(const auto numbers, numbers_in(files, directory));
  if (numbers.empty()) {
    AT_TRY(const bool log, has_log(files, directory));
    out.fresh = !log;
    if (log) out.damaged.push_back(fmt::format("checkpoint of {} is missing: {}", directory, kHeadless));
    return out;
  }
  const auto path = path_of(directory, numbers.back());
  const auto damage = [&](std::string what) { out.damaged.push_back(fmt::format("checkpoint {}: {}", path, what)); };
  AT_TRY(const auto file, files.open_read(path));
  AT_TRY(const auto start, file->read(0, storage::kSegmentHeaderBytes));
  bool first_copy_damaged = false;
  auto header = storage::decode_segment_header(start, kKind, first_copy_damaged);
  if (!header) {
    if (header.error().code != ErrorCode::kCorruption) return std::unexpected(std::move(header).error());
    damage("its header: " + header.error().message);
    damage(std::string(kHeadless));
    return out;
  }
  io::ZstdDecompressor decompressor;
  std::string storage;
  const auto visit = [&](const storage::RawRecord& raw) -> Status {
    auto payload = storage::unpack_body(raw.body, decompressor, storage);
    Status status;
    if (!payload) {
      status = std::unexpected(std::move(payload).error());
    } else if (record_type(*payload) == static_cast<std::uint8_t>(RecordType::kCheckpoint)) {
      status = decode_checkpoint_head(*payload, out.head);
      out.found = out.found || status.has_value();
    } else if (record_type(*payload) == static_cast<std::uint8_t>(RecordType::kMarks)) {
      status = decode_marks(*payload, marks);
    } else if (record_type(*payload) == static_cast<std::uint8_t>(RecordType::kDefinitions)) {
      status = define(*payload);
    }
    if (status || status.error().code != ErrorCode::kCorruption) return status;
    damage(fmt::format("offset {}: {}", raw.begin, status.error().message));
    return {};
  };
  AT_TRY(const auto scan,
         storage::scan_segment(*file, header->salt, storage::kSegmentHeaderBytes, file->size(), visit));
  if (start != storage::encode_segment_header(*header, kKind)) damage("one of the copies of its header is damaged");
  if (scan.damaged_bytes > 0) damage(fmt::format("{} damaged bytes", scan.damaged_bytes));
  if (!scan.sealed) damage("its end is missing");
  if (!out.found) damage(std::string(kHeadless));
  return out;
}

}  // namespace atalaya::tsdb
