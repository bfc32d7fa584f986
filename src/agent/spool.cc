#include "agent/spool.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/check.h"
#include "base/random.h"

namespace atalaya::agent {
namespace {

constexpr std::size_t kReadAhead = 64 << 10;
/// From one start to the next: far beyond what one run can write.
constexpr std::uint64_t kSequenceJump = std::uint64_t{1} << 32;
constexpr std::size_t kIdDigits = 32;
/// However far the clock jumps, a place is not given up before so many attempts.
constexpr std::uint64_t kLeastReadAttempts = 10;

/// What is not there, or not what it should be, stays so. All else is a disk that may come back.
bool may_pass(const Error& error) {
  switch (error.code) {
    case ErrorCode::kCorruption:
    case ErrorCode::kNotFound:
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kTooLarge: return false;
    default: return true;
  }
}

std::uint64_t random_u64() {
  const auto bytes = random_bytes(8);
  return ByteReader(bytes).u64();
}

}  // namespace

Spool::Spool(io::FileSystem& files, SpoolOptions options)
    : files_(files), options_(std::move(options)), lock_(nullptr, [](void*) {}) {}

Spool::~Spool() = default;

Result<std::unique_ptr<Spool>> Spool::open(io::FileSystem& files, SpoolOptions options) {
  std::unique_ptr<Spool> spool(new Spool(files, std::move(options)));
  AT_TRY(spool->recover());
  return spool;
}

std::string Spool::path_of(std::uint64_t first) const { return options_.directory + "/" + segment_name(first); }

std::uint64_t Spool::segment_limit() const { return std::min(options_.segment_bytes, options_.max_bytes / 8); }

// Recovery.

Status Spool::recover() {
  AT_TRY(files_.create_directories(options_.directory));
  AT_TRY(lock_, files_.lock(options_.directory + "/lock"));
  AT_TRY(load_segments());
  AT_TRY(load_id());
  AT_TRY(recover_newest());
  sync_newest();
  AT_TRY(choose_first_sequence());
  header_ = {random_u64(), options_.boot};
  return {};
}

/// What the run before left unsynced: as in close_active.
void Spool::sync_newest() {
  if (segments_.empty()) return;
  auto file = files_.open_append(path_of(segments_.rbegin()->first));
  if (!file || !(*file)->sync() || !files_.sync_directory(options_.directory)) ++write_errors_;
}

/// What the segments hold is not all that may have left this machine: records that a full disk refused
/// went out from memory, and a power cut takes ends, or whole segments, of which the server knows more.
/// Their numbers must not come again, so every start begins well above the one before, as the file
/// `base` remembers.
Status Spool::choose_first_sequence() {
  const auto path = options_.directory + "/base";
  std::uint64_t base = 0;
  const auto bytes = io::read_file(files_, path, 4096);
  if (bytes) {
    std::from_chars(bytes->data(), bytes->data() + bytes->size(), base);
  } else if (may_pass(bytes.error())) {
    return std::unexpected(bytes.error());
  }
  if (!segments_.empty()) {
    const auto& [first, newest] = *segments_.rbegin();
    base = std::max(base, std::max(first, newest.last));
  }
  if (base > 0) next_sequence_ = std::max(next_sequence_, base + kSequenceJump);
  // A disk that refuses this refuses segments too: then those that are there tell enough.
  if (!io::write_file_atomically(files_, path, std::to_string(next_sequence_) + "\n")) ++write_errors_;
  return {};
}

Status Spool::load_segments() {
  AT_TRY(const auto entries, files_.list(options_.directory));
  for (const auto& entry : entries) {
    const auto first = parse_segment_name(entry.name);
    if (!first) continue;
    const auto path = path_of(*first);
    std::optional<SegmentHeader> header;
    const auto bytes = read_disk(*first, 0, 0, kSegmentHeaderBytes);
    if (bytes) {
      header = decode_segment_header(*bytes);
    } else if (may_pass(bytes.error())) {
      return fail_within(path, bytes.error());
    }
    if (!header) {
      // Its name still tells which sequences were given out.
      next_sequence_ = std::max(next_sequence_, *first + kSequenceJump);
      ++damaged_;
      if (!files_.rename(path, path + ".bad")) static_cast<void>(files_.remove(path));
      continue;
    }
    Segment segment;
    segment.header = *header;
    segment.size = entry.size_bytes;
    disk_bytes_ += segment.size;
    segments_.emplace(*first, std::move(segment));
  }
  return {};
}

Status Spool::load_id() {
  const auto path = options_.directory + "/id";
  if (auto bytes = io::read_file(files_, path, 4096)) {
    std::string_view text = *bytes;
    while (text.ends_with('\n')) text.remove_suffix(1);
    // Without any segment nobody knows what the last sequence was: count anew under another name.
    if (text.size() == kIdDigits && from_hex(text) && (!segments_.empty() || next_sequence_ > 1)) {
      id_ = text;
      return {};
    }
  } else if (may_pass(bytes.error())) {
    // Another id would make everything new that the server has.
    return std::unexpected(bytes.error());
  }
  auto id = to_hex(random_bytes(kIdDigits / 2));
  AT_TRY(io::write_file_atomically(files_, path, id + "\n"));
  id_ = std::move(id);
  return {};
}

Status Spool::recover_newest() {
  while (!segments_.empty()) {
    const auto newest = std::prev(segments_.end());
    AT_TRY(scan_newest(newest->first, newest->second));
    if (newest->second.last != 0) return {};
    // Not one whole record: what it was to hold was never sent, but its number was given out.
    next_sequence_ = std::max(next_sequence_, newest->first + 1 + kSequenceJump);
    erase(newest);
  }
  return {};
}

Status Spool::scan_newest(std::uint64_t first, Segment& segment) {
  std::uint64_t offset = kSegmentHeaderBytes;
  while (true) {
    const auto read = read_record(first, segment, offset);
    if (!read && may_pass(read.error())) return fail_within(path_of(first), read.error());
    if (!read || !*read) break;
    const auto& record = *read;
    if (record->contents & kRecordAllMarks) marks_.clear();
    for (const auto& [key, value] : record->marks) {
      if (value.empty()) {
        marks_.erase(std::string{key});
      } else {
        marks_[std::string{key}] = value;
      }
    }
    segment.last = record->sequence;
  }
  read_segment_ = 0;
  if (offset >= segment.size) return {};
  ++damaged_;
  disk_bytes_ -= segment.size - offset;
  segment.size = offset;
  return {};
}

// Writing.

std::uint64_t Spool::begin(Time now, bool new_scope) {
  now_ = now;
  if (active_) {
    const auto& segment = segments_.rbegin()->second;
    const auto limit = segment.in_memory ? options_.max_memory_bytes / 4 : segment_limit();
    if (new_scope || segment.size >= limit || now - active_since_ >= options_.segment_age || now < active_since_ ||
        (segment.in_memory && now >= retry_at_))
      close_active();
  } else if (new_scope) {
    close_active();
  }
  if (!active_) in_memory_ = disk_failed_ && now < retry_at_;
  return header_.scope;
}

bool Spool::on_disk() const { return !in_memory_; }

void Spool::close_active() {
  active_ = false;
  // The next segment carries the marks of this one's lines: it must not outlive them in a power cut.
  if (writer_ && !options_.sync && !(writer_->sync() && files_.sync_directory(options_.directory))) ++write_errors_;
  writer_.reset();
  header_ = {random_u64(), options_.boot};
}

Result<std::uint64_t> Spool::append(std::uint8_t contents, std::uint64_t raw_size, std::string_view payload,
                                    std::span<const collect::Batch::Mark> marks) {
  if (in_memory_ && !marks.empty()) {
    close_active();
    return fail(ErrorCode::kUnavailable, "the spool cannot write to the disk now");
  }
  // A number is not used again after a failed write: some of its bytes may be on the disk.
  const auto sequence = next_sequence_++;
  std::string record;
  if (active_ || in_memory_) {
    encode_record(sequence, contents, marks, raw_size, payload, record);
  } else {
    auto all = marks_;
    for (const auto& mark : marks) all[mark.key] = mark.value;
    std::vector<collect::Batch::Mark> every;
    for (auto& [key, value] : all)
      if (!value.empty()) every.push_back({key, value});
    encode_record(sequence, contents | kRecordAllMarks, every, raw_size, payload, record);
  }
  if (auto status = write(sequence, record); !status) return std::unexpected(std::move(status).error());
  apply(marks);
  enforce_bounds();
  return sequence;
}

Status Spool::write(std::uint64_t sequence, std::string_view record) {
  const bool fresh = !active_;
  const auto first = fresh ? sequence : segments_.rbegin()->first;
  const auto valid = fresh ? 0 : segments_.rbegin()->second.size;
  const auto header = fresh ? encode_segment_header(header_) : std::string{};
  if (!in_memory_) AT_TRY(write_to_disk(first, valid, fresh ? header + std::string{record} : std::string{record}));

  auto& segment = segments_[first];
  if (fresh) {
    segment.header = header_;
    segment.in_memory = in_memory_;
    active_ = true;
    active_since_ = now_;
  }
  const auto bytes = header.size() + record.size();
  if (in_memory_) {
    segment.memory.append(header).append(record);
    memory_bytes_ += bytes;
  } else {
    disk_bytes_ += bytes;
    tail_segment_ = first;
    tail_offset_ = segment.size + header.size();
    tail_.assign(record);
  }
  segment.size += bytes;
  segment.last = sequence;
  return {};
}

Status Spool::write_to_disk(std::uint64_t first, std::uint64_t valid_bytes, std::string_view bytes) {
  const auto write_all = [&]() -> Status {
    if (!writer_) {
      AT_TRY(writer_, files_.open_append(path_of(first)));
    }
    AT_TRY(writer_->append(bytes));
    if (!options_.sync) return {};
    AT_TRY(writer_->sync());
    return valid_bytes == 0 ? files_.sync_directory(options_.directory) : Status{};
  };
  auto status = write_all();
  if (status) {
    disk_failed_ = false;
    return status;
  }
  // Nothing of the record may come back after a restart: its lines will be collected again.
  ++write_errors_;
  if (valid_bytes == 0) {
    writer_.reset();
    static_cast<void>(files_.remove(path_of(first)));
  } else if (writer_) {
    static_cast<void>(writer_->truncate(valid_bytes));
  }
  disk_failed_ = true;
  retry_at_ = now_ + options_.retry_disk_after;
  close_active();
  return status;
}

void Spool::apply(std::span<const collect::Batch::Mark> marks) {
  for (const auto& mark : marks) {
    if (mark.value.empty()) {
      marks_.erase(mark.key);
    } else {
      marks_[mark.key] = mark.value;
    }
  }
}

// Letting go.

Spool::Segments::iterator Spool::oldest(bool in_memory) {
  return std::ranges::find_if(segments_, [&](const auto& entry) { return entry.second.in_memory == in_memory; });
}

Spool::Segments::iterator Spool::newest_on_disk() {
  for (auto it = segments_.end(); it != segments_.begin();)
    if (!(--it)->second.in_memory) return it;
  return segments_.end();
}

std::uint64_t Spool::last_of(Segments::iterator segment) const {
  if (segment->second.last != 0) return segment->second.last;
  const auto after = std::next(segment);
  return after == segments_.end() ? segment->first : after->first - 1;
}

void Spool::erase(Segments::iterator segment) {
  const auto first = segment->first;
  if (segment->second.in_memory) {
    memory_bytes_ -= segment->second.size;
  } else {
    disk_bytes_ -= segment->second.size;
    static_cast<void>(files_.remove(path_of(first)));
  }
  if (reader_segment_ == first) reader_.reset(), reader_segment_ = 0;
  if (refusal_.segment == first) refusal_ = {};
  if (read_segment_ == first) read_segment_ = 0;
  if (tail_segment_ == first) tail_segment_ = 0;
  segments_.erase(segment);
}

void Spool::acknowledge(std::uint64_t sequence) {
  acknowledged_ = std::max(acknowledged_, std::min(sequence, last_sequence()));
  const auto keep = newest_on_disk();  // it holds the marks
  for (auto it = segments_.begin(); it != segments_.end();) {
    const auto segment = it++;
    if (segment == keep || (active_ && it == segments_.end())) continue;
    if (last_of(segment) > acknowledged_) break;
    erase(segment);
  }
}

std::uint64_t Spool::count_unacknowledged(Segments::iterator segment) {
  if (last_of(segment) <= acknowledged_) return 0;
  std::uint64_t count = 0;
  std::uint64_t offset = kSegmentHeaderBytes;
  while (true) {
    const auto record = read_record(segment->first, segment->second, offset);
    if (!record || !*record) return count;
    if ((*record)->sequence > acknowledged_) ++count;
  }
}

void Spool::enforce_bounds() {
  const auto drop_oldest = [&](bool in_memory, const std::uint64_t& held, std::uint64_t bound) {
    while (held > bound) {
      const auto segment = oldest(in_memory);
      if (segment == segments_.end() || std::next(segment) == segments_.end() || segment == newest_on_disk()) return;
      dropped_records_ += count_unacknowledged(segment);
      erase(segment);
    }
  };
  drop_oldest(false, disk_bytes_, options_.max_bytes);
  drop_oldest(true, memory_bytes_, options_.max_memory_bytes);
}

// Reading.

Result<std::string> Spool::read_disk(std::uint64_t first, std::uint64_t offset, std::size_t size, std::size_t wanted) {
  if (reader_segment_ != first || !reader_) {
    AT_TRY(reader_, files_.open_read(path_of(first)));
    reader_segment_ = first;
  }
  auto bytes = reader_->read(offset, wanted);
  // What lies ahead may be unreadable where this is not.
  if (!bytes && size > 0 && size < wanted) {
    ++read_errors_;
    bytes = reader_->read(offset, size);
  }
  return bytes;
}

Error Spool::refused_to_read(std::uint64_t first, std::uint64_t offset, Error error) {
  reader_.reset();
  reader_segment_ = 0;
  if (!may_pass(error)) return {ErrorCode::kCorruption, std::move(error.message), std::nullopt, {}};
  ++read_errors_;
  if (refusal_.segment != first || refusal_.offset != offset) refusal_ = {first, offset, 0, now_};
  // Before the first record of a run nobody has told the time.
  if (refusal_.since == Time{} || now_ < refusal_.since) refusal_.since = now_;
  if (++refusal_.attempts >= kLeastReadAttempts && now_ - refusal_.since >= options_.give_up_reading_after)
    error.code = ErrorCode::kCorruption;
  return error;
}

Result<std::string_view> Spool::read_bytes(std::uint64_t first, const Segment& segment, std::uint64_t offset,
                                           std::size_t size) {
  if (offset >= segment.size || size > segment.size - offset)
    return fail(ErrorCode::kCorruption, "the segment ends within a record");
  if (segment.in_memory) return std::string_view(segment.memory).substr(offset, size);
  const auto within = [&](std::uint64_t at, const std::string& bytes) {
    return offset >= at && offset + size <= at + bytes.size();
  };
  if (tail_segment_ == first && within(tail_offset_, tail_))
    return std::string_view(tail_).substr(offset - tail_offset_, size);
  if (read_segment_ == first && within(read_offset_, read_))
    return std::string_view(read_).substr(offset - read_offset_, size);
  const auto wanted = std::min<std::uint64_t>(std::max(size, kReadAhead), segment.size - offset);
  auto bytes = read_disk(first, offset, size, wanted);
  if (!bytes) return std::unexpected(refused_to_read(first, offset, std::move(bytes).error()));
  if (refusal_.segment == first && refusal_.offset == offset) refusal_ = {};
  if (bytes->size() < size) return fail(ErrorCode::kCorruption, "the file is shorter than it was");
  read_ = std::move(*bytes);
  read_segment_ = first;
  read_offset_ = offset;
  return std::string_view(read_).substr(0, size);
}

Result<std::optional<RecordView>> Spool::read_record(std::uint64_t first, const Segment& segment,
                                                     std::uint64_t& offset) {
  if (offset >= segment.size) return std::nullopt;
  AT_TRY(const auto head, read_bytes(first, segment, offset, kRecordHeaderBytes));
  const auto header = decode_record_header(head);
  if (!header) return fail(ErrorCode::kCorruption, "no record begins here");
  AT_TRY(const auto body, read_bytes(first, segment, offset + kRecordHeaderBytes, header->size));
  auto record = decode_record_body(*header, body);
  if (!record) return fail(ErrorCode::kCorruption, "the record does not match its checksum");
  offset += kRecordHeaderBytes + header->size;
  return record;
}

bool Spool::next(SpoolCursor& cursor, SpoolRecord& out) {
  for (auto it = segments_.lower_bound(cursor.segment); it != segments_.end(); ++it) {
    auto& [first, segment] = *it;
    if (cursor.segment != first) cursor = {first, kSegmentHeaderBytes};
    const auto read = read_record(first, segment, cursor.offset);
    if (!read && may_pass(read.error())) return false;
    if (!read) {
      pass_over(cursor);
    } else if (const auto& record = *read) {
      out = {record->sequence, segment.header.scope, record->contents, record->raw_size, record->payload};
      return true;
    }
  }
  return false;
}

void Spool::pass_over(SpoolCursor& cursor) {
  const auto it = segments_.find(cursor.segment);
  if (it == segments_.end() || cursor.offset >= it->second.size) return;
  ++damaged_;
  cursor.offset = it->second.size;
}

Result<std::vector<SpoolRecord>> Spool::defining_before(const SpoolCursor& cursor, std::vector<std::string>& storage) {
  std::vector<SpoolRecord> out;
  const auto it = segments_.find(cursor.segment);
  if (it == segments_.end()) return out;
  auto& [first, segment] = *it;
  std::uint64_t offset = kSegmentHeaderBytes;
  while (offset < cursor.offset) {
    AT_TRY(const auto record, read_record(first, segment, offset));
    if (!record) break;
    if (!(record->contents & kRecordDefinitions)) continue;
    storage.emplace_back(record->payload);
    out.push_back({record->sequence, segment.header.scope, record->contents, record->raw_size, {}});
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i].payload = storage[i];
  return out;
}

SpoolStats Spool::stats() const {
  return {disk_bytes_, memory_bytes_, segments_.size(), dropped_records_, damaged_, write_errors_, read_errors_};
}

}  // namespace atalaya::agent
