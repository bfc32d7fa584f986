#include "sense/stream_frame.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"

namespace atalaya::sense {
namespace {

constexpr std::string_view kMagic = "atalaya-stream";
enum Type : std::uint8_t {
  kHello = 1,
  kWelcome,
  kRecords,
  kPipe,
  kAsk,
  kStatus,
  kRefused,
  kPublished,
};
constexpr std::uint8_t kValue = 0;
constexpr std::uint8_t kLine = 1;

void put_record(ByteWriter& out, std::string_view stream, const Record& record) {
  out.text(stream);
  out.svarint(to_ms(record.time));
  out.text(record.labels.packed());
  out.u8(record.is_line() ? kLine : kValue);
  if (record.is_line()) {
    out.text(*record.text);
  } else {
    out.f64(record.value);
  }
}

/// False when the bytes are no record; then the reader has failed, or what it read is out of bounds.
bool get_record(ByteReader& in, std::string& stream, Record& record) {
  stream = in.text();
  record.time = from_ms(in.svarint());
  const auto labels = in.text();
  const auto kind = in.u8();
  if (kind == kLine) {
    record.text = in.text();
  } else {
    record.value = in.f64();
  }
  return in.ok() && kind <= kLine && stream.size() <= kMaxStreamNameBytes && labels.size() <= kMaxRecordLabelsBytes &&
         (!record.text || (record.text->size() <= kMaxRecordTextBytes && is_utf8(*record.text))) &&
         Labels::unpack(labels, record.labels);
}

struct Encoder {
  ByteWriter& out;

  void operator()(const StreamHello& frame) {
    out.u8(kHello);
    out.text(kMagic);
    out.varint(frame.version);
    out.text(frame.token);
  }
  void operator()(const StreamWelcome& frame) {
    out.u8(kWelcome);
    out.varint(frame.version);
  }
  void operator()(const StreamRecords& frame) {
    out.u8(kRecords);
    for (const auto& one : frame.records) put_record(out, one.stream, one.record);
  }
  void operator()(const StreamPipe& frame) {
    out.u8(kPipe);
    out.text(frame.json);
  }
  void operator()(const StreamAsk&) { out.u8(kAsk); }
  void operator()(const StreamStatus& frame) {
    out.u8(kStatus);
    out.text(frame.json);
  }
  void operator()(const StreamRefused& frame) {
    out.u8(kRefused);
    out.text(frame.error);
    out.text(frame.message);
    out.text(frame.remedy);
  }
  void operator()(const StreamPublished& frame) {
    out.u8(kPublished);
    out.varint(frame.publisher);
    out.text(frame.stream);
    for (const auto& record : frame.records) put_record(out, "", record);
  }
  void operator()(const StreamUnknown&) { AT_CHECK(false); }
};

std::optional<StreamFrame> read_records(ByteReader& in) {
  StreamRecords out;
  while (in.ok() && !in.at_end()) {
    StreamRecord one;
    if (!get_record(in, one.stream, one.record) || one.stream.empty()) return std::nullopt;
    out.records.push_back(std::move(one));
  }
  return out;
}

std::optional<StreamFrame> read_published(ByteReader& in) {
  StreamPublished out;
  out.publisher = in.varint();
  out.stream = in.text();
  if (!in.ok() || out.stream.empty() || out.stream.size() > kMaxStreamNameBytes) return std::nullopt;
  while (in.ok() && !in.at_end()) {
    Record record;
    std::string none;
    if (!get_record(in, none, record) || !none.empty()) return std::nullopt;
    out.records.push_back(std::move(record));
  }
  return out;
}

/// Nothing when the body is malformed.
std::optional<StreamFrame> decode(std::string_view bytes) {
  ByteReader in(bytes);
  std::optional<StreamFrame> out;
  switch (const auto type = in.u8()) {
    case kHello: {
      const auto magic = in.text();
      StreamHello hello{in.varint(), std::string(in.text())};
      if (magic == kMagic) out = std::move(hello);
      break;
    }
    case kWelcome: out = StreamWelcome{in.varint()}; break;
    case kRecords: out = read_records(in); break;
    case kPipe: out = StreamPipe{std::string(in.text())}; break;
    case kAsk: out = StreamAsk{}; break;
    case kStatus: out = StreamStatus{std::string(in.text())}; break;
    case kRefused: {
      StreamRefused refused;
      refused.error = in.text();
      refused.message = in.text();
      refused.remedy = in.text();
      out = std::move(refused);
      break;
    }
    case kPublished: out = read_published(in); break;
    default: out = StreamUnknown{type};
  }
  return in.ok() ? out : std::nullopt;
}

}  // namespace

std::string encode(const StreamFrame& frame) {
  std::string out(4, '\0');
  ByteWriter writer(out);
  std::visit(Encoder{writer}, frame);
  const auto size = out.size() - 4;
  AT_CHECK(size <= kMaxStreamFrameBytes);
  std::string head;
  ByteWriter(head).u32(static_cast<std::uint32_t>(size));
  out.replace(0, 4, head);
  return out;
}

Status StreamFrameReader::put(std::string_view bytes, std::vector<StreamFrame>& out) {
  const auto wrong = [&](std::string message) {
    broken_ = true;
    left_.clear();
    return fail(ErrorCode::kInvalidArgument, std::move(message));
  };
  if (broken_) return wrong("the stream was malformed before");
  left_.append(bytes);
  std::string_view rest = left_;
  while (rest.size() >= 4) {
    const auto size = ByteReader(rest).u32();
    if (size == 0 || size > kMaxStreamFrameBytes)
      return wrong(fmt::format("a frame of {} bytes, where 1 to {} are allowed", size, kMaxStreamFrameBytes));
    if (rest.size() - 4 < size) break;
    auto frame = decode(rest.substr(4, size));
    if (!frame) return wrong(fmt::format("a malformed frame of type {}", static_cast<unsigned char>(rest[4])));
    out.push_back(std::move(*frame));
    rest.remove_prefix(4 + size);
  }
  left_.erase(0, left_.size() - rest.size());
  return {};
}

}  // namespace atalaya::sense
