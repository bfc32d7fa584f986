#include "storage/segment_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "storage/segment_scanner.h"

namespace atalaya::storage {
namespace {

constexpr std::string_view kSuffix = ".log";
constexpr std::string_view kDamaged = ".log.damaged";
constexpr std::string_view kRescued = ".log.rescued";
constexpr std::size_t kCompressFrom = 256;

std::string file_name(std::uint64_t number) { return fmt::format("{:012}", number); }

/// The number of `<digits><suffix>`, or 0.
std::uint64_t number_of(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return 0;
  name.remove_suffix(suffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc{} && end == name.data() + name.size() ? number : 0;
}

LogPosition position_of(std::uint64_t number, std::uint32_t ordinal) { return LogPosition{number << 32 | ordinal}; }

}  // namespace

SegmentLog::~SegmentLog() = default;

std::string SegmentLog::path(std::uint64_t number) const {
  return options_.directory + "/" + file_name(number) + std::string(kSuffix);
}

Result<SegmentLog::Lock> SegmentLog::lock(io::FileSystem& files, const std::string& directory) {
  AT_TRY(files.create_directories(directory));
  return files.lock(directory + "/LOCK");
}

Result<std::unique_ptr<SegmentLog>> SegmentLog::open(io::FileSystem& files, SegmentLogOptions options,
                                                     std::uint64_t salt, const Visit& visit, LogDamage& damage,
                                                     Lock held) {
  AT_CHECK(options.kind.size() == 4);
  if (!held) {
    AT_TRY(held, lock(files, options.directory));
  }
  std::unique_ptr<SegmentLog> log(new SegmentLog(files, std::move(options), salt));
  log->lock_ = std::move(held);
  AT_TRY(log->recover(visit, damage));
  return log;
}

/// Completes or undoes an interrupted rescue; returns the highest number ever used.
Result<std::uint64_t> SegmentLog::settle_names() {
  AT_TRY(const auto entries, files_.list(options_.directory));
  std::uint64_t highest = 0;
  for (const auto& entry : entries) {
    highest = std::max(
        {highest, number_of(entry.name, kSuffix), number_of(entry.name, kDamaged), number_of(entry.name, kRescued)});
    const auto number = number_of(entry.name, kRescued);
    if (number == 0) continue;
    const auto rescued = options_.directory + "/" + entry.name;
    const bool original_gone = !files_.exists(path(number)) && files_.exists(path(number) + ".damaged");
    AT_TRY(original_gone ? files_.rename(rescued, path(number)) : files_.remove(rescued));
    AT_TRY(files_.sync_directory(options_.directory));
  }
  return highest;
}

Status SegmentLog::recover(const Visit& visit, LogDamage& damage) {
  AT_TRY(const auto highest, settle_names());
  AT_TRY(const auto entries, files_.list(options_.directory));
  for (const auto& entry : entries) {
    const auto number = number_of(entry.name, kSuffix);
    if (number == 0) continue;
    Segment segment;
    auto healthy = repair(number, segment, damage);
    if (!healthy) return fail_within("segment " + path(number), std::move(healthy).error());
    if (!*healthy) continue;
    {
      const std::lock_guard lock(mutex_);
      segments_.emplace(number, segment);
    }
    const auto tolerant = [&](const Segment& s, const SegmentRecord& record) -> Status {
      auto status = visit(s, record);
      if (status || status.error().code != ErrorCode::kCorruption) return status;
      damage.damaged.push_back(
          fmt::format("segment {}, offset {}: {}", path(number), record.begin, status.error().message));
      return {};
    };
    auto status = read(segment, kSegmentHeaderBytes, segment.bytes, tolerant);
    if (status) continue;
    if (status.error().code != ErrorCode::kCorruption) return status;
    damage.damaged.push_back(std::move(status).error().message);
  }
  AT_TRY(sync_newest());
  const auto before = std::max(highest, options_.above);
  next_number_ = before + 1;
  last_position_ = position_of(before, UINT32_MAX).value * (before > 0);
  return {};
}

/// A process that was killed between writing and syncing left whole records that a power cut would still
/// take. They are about to be answered for (a writer that repeats them hears that they are there).
Status SegmentLog::sync_newest() {
  if (segments_.empty()) return {};
  AT_TRY(auto newest, files_.open_append(path(segments_.rbegin()->first)));
  return newest->sync();
}

/// False when nothing of the file can serve.
Result<bool> SegmentLog::repair(std::uint64_t number, Segment& segment, LogDamage& damage) {
  const auto name = path(number);
  AT_TRY(auto file, files_.open_read(name));
  const auto size = file->size();
  if (size < kSegmentHeaderBytes) {
    damage.torn_bytes += size;
    AT_TRY(files_.remove(name));
    return false;
  }
  AT_TRY(const auto head, file->read(0, kSegmentHeaderBytes));
  bool first_copy_damaged = false;
  auto decoded = decode_segment_header(head, options_.kind, first_copy_damaged);
  if (!decoded) {
    if (decoded.error().code != ErrorCode::kCorruption) return std::unexpected(std::move(decoded).error());
    damage.damaged.push_back(
        fmt::format("segment {}: {}; set aside whole as {}.damaged", name, decoded.error().message, name));
    ++damage.files;
    AT_TRY(set_aside(number));
    return false;
  }
  segment = *decoded;
  AT_TRY(const auto scan,
         scan_segment(*file, segment.salt, kSegmentHeaderBytes, size, [](const RawRecord&) -> Status { return {}; }));
  segment.bytes = scan.good_end;
  const bool header_damaged = head != encode_segment_header(segment, options_.kind);
  if (scan.damaged_bytes > 0 || header_damaged) {
    damage.damaged.push_back(
        fmt::format("segment {}: {} damaged bytes among {} healthy records; the original is kept as {}.damaged", name,
                    scan.damaged_bytes + (header_damaged ? 64 : 0), scan.records, name));
    ++damage.files;
    if (auto status = rescue(segment, size); !status) {
      // A full disk, perhaps. Reading steps over damage, so the file serves as it is.
      if (!files_.exists(name)) return std::unexpected(std::move(status).error());
      damage.damaged.back() += "; not set aside: " + status.error().message;
      return true;
    }
    AT_TRY(file, files_.open_read(name));
    segment.bytes = file->size();
    return true;
  }
  if (scan.good_end < size) {
    damage.torn_bytes += size - scan.good_end;
    AT_TRY(auto tail, files_.open_append(name));
    AT_TRY(tail->truncate(scan.good_end));
    AT_TRY(tail->sync());
  }
  return true;
}

Status SegmentLog::set_aside(std::uint64_t number) {
  AT_TRY(files_.rename(path(number), path(number) + ".damaged"));
  return files_.sync_directory(options_.directory);
}

/// Copies the healthy records to a file of their own, which takes the place of the damaged one.
Status SegmentLog::rescue(const Segment& segment, std::uint64_t size) {
  const auto rescued = path(segment.number) + ".rescued";
  if (files_.exists(rescued)) AT_TRY(files_.remove(rescued));
  {
    AT_TRY(const auto from, files_.open_read(path(segment.number)));
    AT_TRY(auto to, files_.open_append(rescued));
    AT_TRY(to->append(encode_segment_header(segment, options_.kind)));
    const auto copy = [&](const RawRecord& record) -> Status {
      std::string bytes;
      append_record(bytes, segment.salt, record.ordinal, record.body);
      return to->append(bytes);
    };
    AT_TRY(scan_segment(*from, segment.salt, kSegmentHeaderBytes, size, copy));
    AT_TRY(to->sync());
  }
  AT_TRY(files_.sync_directory(options_.directory));
  AT_TRY(set_aside(segment.number));
  AT_TRY(files_.rename(rescued, path(segment.number)));
  return files_.sync_directory(options_.directory);
}

Status SegmentLog::start_segment(Time now) {
  seal();
  Segment next;
  next.number = next_number_++;
  next.epoch = epoch_ == 0 ? next.number : epoch_;
  next.salt = salt_ ^ next.number * 0x9E3779B97F4A7C15;
  next.created = now;
  const auto create = [&]() -> Result<std::unique_ptr<io::File>> {
    AT_TRY(auto file, files_.open_append(path(next.number)));
    AT_TRY(file->append(encode_segment_header(next, options_.kind)));
    AT_TRY(file->sync());
    AT_TRY(files_.sync_directory(options_.directory));
    return file;
  };
  auto file = create();
  if (!file) {
    (void)files_.remove(path(next.number));  // as far as the disk still lets us; a start-up removes it too
    return std::unexpected(std::move(file).error());
  }
  file_ = std::move(*file);
  epoch_ = next.epoch;
  next.bytes = kSegmentHeaderBytes;
  current_ = next;
  next_ordinal_ = 1;
  staged_.clear();
  const std::lock_guard lock(mutex_);
  segments_.emplace(next.number, next);
  return {};
}

Result<LogPosition> SegmentLog::stage(std::string_view payload, std::uint32_t ordinals, Packing packing) {
  AT_CHECK(file_ && ordinals > 0);
  if (payload.size() > kMaxPayloadBytes) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("a batch of {} bytes; the log takes {}", payload.size(), kMaxPayloadBytes),
                "send smaller batches");
  }
  std::string body(1, '\1');
  if (packing == Packing::kCompress && payload.size() >= kCompressFrom) compressor_.compress(payload, body);
  if (body.size() == 1 || body.size() > payload.size()) {
    body.assign(1, '\0');
    body.append(payload);
  }
  append_record(staged_, current_.salt, next_ordinal_, body);
  const auto position = position_of(current_.number, next_ordinal_);
  next_ordinal_ += ordinals;
  return position;
}

Status SegmentLog::flush() {
  if (staged_.empty()) return {};
  AT_CHECK(file_);
  auto status = file_->append(staged_);
  if (status && options_.sync) status = file_->sync();
  if (!status) {
    abandon();
    return status;
  }
  current_.bytes += staged_.size();
  staged_.clear();
  const std::lock_guard lock(mutex_);
  segments_[current_.number].bytes = current_.bytes;
  last_position_ = position_of(current_.number, next_ordinal_ - 1).value;
  return {};
}

/// What of the staged bytes is on the disk cannot be known; nobody was told that it is.
void SegmentLog::abandon() {
  staged_.clear();
  const bool empty = current_.bytes == kSegmentHeaderBytes;
  if (!empty) (void)file_->truncate(current_.bytes);
  file_.reset();
  if (!empty) return;
  (void)files_.remove(path(current_.number));
  const std::lock_guard lock(mutex_);
  segments_.erase(current_.number);
}

void SegmentLog::seal() {
  if (!file_) return;
  std::string bytes;
  append_record(bytes, current_.salt, next_ordinal_, {});
  (void)file_->append(bytes);  // a missing or torn seal is only a weaker sign
  file_.reset();
}

Status SegmentLog::drop(std::uint64_t number) {
  AT_CHECK(!file_ || number != current_.number);
  AT_TRY(files_.remove(path(number)));
  const std::lock_guard lock(mutex_);
  segments_.erase(number);
  return {};
}

std::vector<Segment> SegmentLog::segments() const {
  const std::lock_guard lock(mutex_);
  std::vector<Segment> out;
  for (const auto& [number, segment] : segments_) out.push_back(segment);
  return out;
}

Status SegmentLog::read(const Segment& segment, std::uint64_t from, std::uint64_t to, const Visit& visit) const {
  AT_TRY(const auto file, files_.open_read(path(segment.number)));
  io::ZstdDecompressor decompressor;
  std::string storage;
  const auto show = [&](const RawRecord& raw) -> Status {
    if (raw.end > segment.bytes) return {};  // written, but not known to be durable
    SegmentRecord record;
    record.position = position_of(segment.number, raw.ordinal);
    record.begin = raw.begin;
    record.end = raw.end;
    auto payload = unpack_body(raw.body, decompressor, storage);
    if (!payload)
      return fail_within(fmt::format("segment {}, offset {}", path(segment.number), raw.begin), payload.error());
    record.payload = *payload;
    return visit(segment, record);
  };
  AT_TRY(scan_segment(*file, segment.salt, std::max(from, kSegmentHeaderBytes), std::min(to, segment.bytes), show));
  return {};
}

Result<std::uint64_t> SegmentLog::damaged_bytes(const Segment& segment) const {
  AT_TRY(const auto file, files_.open_read(path(segment.number)));
  AT_TRY(const auto scan, scan_segment(*file, segment.salt, kSegmentHeaderBytes, segment.bytes,
                                       [](const RawRecord&) -> Status { return {}; }));
  // What was durable is all records, up to the last byte.
  return scan.damaged_bytes + (segment.bytes - std::min(segment.bytes, scan.good_end));
}

std::uint64_t SegmentLog::bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [number, segment] : segments_) sum += segment.bytes;
  return sum;
}

LogPosition SegmentLog::last_position() const {
  const std::lock_guard lock(mutex_);
  return LogPosition{last_position_};
}

}  // namespace atalaya::storage
