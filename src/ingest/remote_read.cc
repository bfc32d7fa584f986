#include "ingest/remote_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>

#include "base/bytes.h"
#include "base/time.h"
#include "ingest/xor_chunk.h"
#include "io/checksum.h"

namespace atalaya::ingest {
namespace {

constexpr std::size_t kFrameBytes = 1 << 20;

/// Of protobuf: how a field lies on the wire.
enum Wire : unsigned { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

constexpr std::uint64_t tag(unsigned field, Wire wire) { return field << 3 | wire; }

/// One field of a message; false at its end, or where it is broken.
class Fields {
 public:
  explicit Fields(std::string_view message) : in_(message) {}

  bool next() {
    if (!in_.ok() || in_.at_end()) return false;
    tag = in_.varint();
    switch (tag & 7) {
      case kVarint: number = in_.varint(); break;
      case kFixed64: in_.u64(); break;
      case kBytes: bytes = in_.text(); break;
      case kFixed32: in_.u32(); break;
      default: in_.fail();
    }
    return in_.ok();
  }
  bool ok() const { return in_.ok(); }
  std::uint64_t tag = 0;
  std::uint64_t number = 0;
  std::string_view bytes;

 private:
  ByteReader in_;
};

std::unexpected<Error> broken(std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("the body is no prometheus.ReadRequest: {} is broken", what));
}

Result<Matcher> matcher_of(std::string_view message) {
  constexpr Matcher::Op kOps[] = {Matcher::Op::kEqual, Matcher::Op::kNotEqual, Matcher::Op::kRegex,
                                  Matcher::Op::kNotRegex};
  std::uint64_t type = 0;
  std::string name;
  std::string value;
  Fields fields(message);
  while (fields.next()) {
    if (fields.tag == tag(1, kVarint)) type = fields.number;
    if (fields.tag == tag(2, kBytes)) name = fields.bytes;
    if (fields.tag == tag(3, kBytes)) value = fields.bytes;
  }
  if (!fields.ok()) return broken("a matcher");
  if (type >= std::size(kOps)) return fail(ErrorCode::kInvalidArgument, fmt::format("matcher type {} is none", type));
  if (!is_utf8(name) || !is_utf8(value)) return fail(ErrorCode::kInvalidArgument, "a matcher is not UTF-8");
  return Matcher::make(std::move(name), kOps[type], std::move(value));
}

Result<RemoteReadRequest::Query> query_of(std::string_view message) {
  std::int64_t from = 0;
  std::int64_t to = 0;
  RemoteReadRequest::Query out;
  Fields fields(message);
  while (fields.next()) {
    if (fields.tag == tag(1, kVarint)) from = static_cast<std::int64_t>(fields.number);
    if (fields.tag == tag(2, kVarint)) to = static_cast<std::int64_t>(fields.number);
    if (fields.tag != tag(3, kBytes)) continue;
    if (out.matchers.size() == kMaxRemoteReadMatchers) {
      return fail(ErrorCode::kTooLarge, fmt::format("a query has more than {} matchers", kMaxRemoteReadMatchers));
    }
    AT_TRY(auto matcher, matcher_of(fields.bytes));
    out.matchers.push_back(std::move(matcher));
  }
  if (!fields.ok()) return broken("a query");
  out.range = {from_ms(from), from_ms(to)};
  return out;
}

/// Takes note of a form that the asker takes; the first that there is stands.
void note_form(std::uint64_t type, std::optional<bool>& in_chunks) {
  if (type <= 1 && !in_chunks) in_chunks = type == 1;
}

void add_bytes(std::string& out, unsigned field, std::string_view bytes) {
  ByteWriter writer(out);
  writer.varint(tag(field, kBytes));
  writer.text(bytes);
}

void add_number(std::string& out, unsigned field, std::int64_t number) {
  ByteWriter writer(out);
  writer.varint(tag(field, kVarint));
  writer.varint(static_cast<std::uint64_t>(number));
}

std::string labels_message(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    std::string label;
    add_bytes(label, 1, name);
    add_bytes(label, 2, value);
    add_bytes(out, 1, label);
  }
  return out;
}

}  // namespace

Result<RemoteReadRequest> read_remote_read(std::string_view message) {
  RemoteReadRequest out;
  std::optional<bool> in_chunks;
  bool named = false;
  Fields fields(message);
  while (fields.next()) {
    if (fields.tag == tag(1, kBytes)) {
      if (out.queries.size() == kMaxRemoteReadQueries) {
        return fail(ErrorCode::kTooLarge, fmt::format("more than {} queries in one request", kMaxRemoteReadQueries));
      }
      AT_TRY(auto query, query_of(fields.bytes));
      out.queries.push_back(std::move(query));
    } else if (fields.tag == tag(2, kBytes)) {  // packed, as proto3 writes them
      named = true;
      ByteReader packed(fields.bytes);
      while (packed.ok() && !packed.at_end()) note_form(packed.varint(), in_chunks);
      if (!packed.ok()) return broken("the list of response types");
    } else if (fields.tag == tag(2, kVarint)) {
      named = true;
      note_form(fields.number, in_chunks);
    }
  }
  if (!fields.ok()) return broken("a field");
  if (named && !in_chunks) {
    return fail(ErrorCode::kInvalidArgument, "none of the accepted response types is known",
                "accept SAMPLES or STREAMED_XOR_CHUNKS");
  }
  out.in_chunks = in_chunks.value_or(false);
  return out;
}

void RemoteReadAnswer::begin_query() {
  end_query();
  ++queries_;
}

void RemoteReadAnswer::end_query() {
  if (queries_ > 0 && !in_chunks_) add_bytes(out_, 1, result_);
  result_.clear();
}

void RemoteReadAnswer::add(const Labels& labels, std::span<const Sample> samples) {
  if (samples.empty()) return;
  if (in_chunks_) return add_chunks(labels, samples);
  auto series = labels_message(labels);
  std::string message;
  for (const auto& sample : samples) {
    message.clear();
    ByteWriter writer(message);
    writer.varint(tag(1, kFixed64));
    writer.f64(sample.value);
    add_number(message, 2, to_ms(sample.time));
    add_bytes(series, 2, message);
  }
  add_bytes(result_, 1, series);
}

void RemoteReadAnswer::add_chunks(const Labels& labels, std::span<const Sample> samples) {
  const auto head = labels_message(labels);
  auto series = head;
  const auto send = [&] {
    std::string message;
    add_bytes(message, 1, series);
    add_number(message, 2, static_cast<std::int64_t>(queries_ - 1));
    add_frame(std::move(message));
    series = head;
  };
  while (!samples.empty()) {
    const auto some = samples.first(std::min(samples.size(), kXorChunkSamples));
    samples = samples.subspan(some.size());
    std::string chunk;
    add_number(chunk, 1, to_ms(some.front().time));
    add_number(chunk, 2, to_ms(some.back().time));
    add_number(chunk, 3, 1);  // XOR
    add_bytes(chunk, 4, xor_chunk(some));
    add_bytes(series, 2, chunk);
    if (samples.empty() || series.size() >= kFrameBytes) send();
  }
}

void RemoteReadAnswer::add_frame(std::string message) {
  ByteWriter writer(out_);
  writer.varint(message.size());
  const auto sum = io::crc32c(message);
  for (const int shift : {24, 16, 8, 0}) writer.u8(static_cast<std::uint8_t>(sum >> shift));
  writer.raw(message);
}

std::string RemoteReadAnswer::take() {
  end_query();
  return std::move(out_);
}

}  // namespace atalaya::ingest
