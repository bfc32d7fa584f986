#include "ingest/agent_payload.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "base/bytes.h"

namespace atalaya::ingest {
namespace {

constexpr double kExactInteger = 9007199254740992.0;  // 2^53
constexpr std::uint64_t kRawValue = 1;

void write_value(ByteWriter& out, double value) {
  // Comparisons with NaN are false, and -0.0 must keep its sign.
  if (value >= -kExactInteger && value <= kExactInteger && !(value == 0 && std::signbit(value))) {
    const auto integer = static_cast<std::int64_t>(value);
    if (static_cast<double>(integer) == value) {
      const auto zigzag = (static_cast<std::uint64_t>(integer) << 1) ^ static_cast<std::uint64_t>(integer >> 63);
      out.varint(zigzag << 1);
      return;
    }
  }
  out.varint(kRawValue);
  out.f64(value);
}

double read_value(ByteReader& in) {
  const auto tag = in.varint();
  if (tag == kRawValue) return in.f64();
  if (tag & 1) {
    in.fail();
    return 0;
  }
  const auto zigzag = tag >> 1;
  const auto integer = static_cast<std::int64_t>(zigzag >> 1) ^ -static_cast<std::int64_t>(zigzag & 1);
  return static_cast<double>(integer);
}

/// Sums that cannot overflow: hostile deltas wrap instead.
std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

std::unexpected<Error> malformed(std::string message) {
  return fail(ErrorCode::kInvalidArgument, "agent payload: " + message);
}

/// A count of items of at least `item_bytes` each: more than the bytes left can hold is malformed,
/// so that no count makes us reserve what was not sent.
bool read_count(ByteReader& in, std::size_t item_bytes, std::uint64_t& count) {
  count = in.varint();
  if (count > in.remaining() / item_bytes) in.fail();
  return in.ok();
}

Status decode_definitions(ByteReader& in, std::size_t known, std::vector<Labels>& out) {
  std::uint64_t count = 0;
  if (!read_count(in, 1, count)) return malformed("bad count of definitions");
  if (known + count > kMaxScopeDefinitions)
    return malformed(fmt::format("{} definitions in a scope, at most {}", known + count, kMaxScopeDefinitions));
  out.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto packed = in.text();
    Labels labels;
    if (!in.ok() || packed.size() > kMaxLabelsBytes || !Labels::unpack(packed, labels))
      return malformed(fmt::format("definition {} is not a set of labels", known + i));
    out.push_back(std::move(labels));
  }
  return {};
}

Status decode_samples(ByteReader& in, std::int64_t base, std::size_t refs, std::vector<PayloadSample>& out) {
  std::uint64_t blocks = 0;
  if (!read_count(in, 2, blocks)) return malformed("bad count of blocks");
  for (std::uint64_t b = 0; b < blocks; ++b) {
    const auto time = from_ms(wrapping_add(base, in.svarint()));
    std::uint64_t count = 0;
    if (!read_count(in, 2, count)) return malformed("bad count of samples");
    out.reserve(out.size() + count);
    std::int64_t previous = -1;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto ref = wrapping_add(wrapping_add(previous, 1), in.svarint());
      const auto value = read_value(in);
      if (!in.ok()) return malformed("ends within a sample");
      if (ref < 0 || static_cast<std::uint64_t>(ref) >= refs)
        return malformed(fmt::format("sample of label set {}, {} are defined", ref, refs));
      out.push_back({static_cast<std::uint32_t>(ref), time, value});
      previous = ref;
    }
  }
  return {};
}

Status decode_logs(ByteReader& in, std::int64_t base, std::size_t refs, std::vector<PayloadLog>& out) {
  std::uint64_t count = 0;
  if (!read_count(in, 3, count)) return malformed("bad count of log lines");
  out.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto time = from_ms(wrapping_add(base, in.svarint()));
    const auto ref = in.varint();
    const auto line = in.text();
    if (!in.ok()) return malformed("ends within a log line");
    if (ref >= refs) return malformed(fmt::format("log line of label set {}, {} are defined", ref, refs));
    if (!is_utf8(line)) return malformed("log line is not UTF-8");
    out.push_back({static_cast<std::uint32_t>(ref), time, line});
  }
  return {};
}

}  // namespace

std::uint32_t PayloadWriter::define(std::string_view packed_labels) {
  ByteWriter(define_bytes_).text(packed_labels);
  ++new_definitions_;
  return definitions_++;
}

std::int64_t PayloadWriter::relative(Time time) {
  if (!have_base_) {
    have_base_ = true;
    base_ms_ = to_ms(time);
  }
  return wrapping_add(to_ms(time), -base_ms_);
}

void PayloadWriter::sample(std::uint32_t ref, Time time, double value) {
  const auto at = relative(time);
  if (in_block_ > 0 && at != block_ms_) close_block();
  block_ms_ = at;
  ByteWriter out(open_bytes_);
  out.svarint(static_cast<std::int64_t>(ref) - (previous_ref_ + 1));
  write_value(out, value);
  previous_ref_ = ref;
  ++in_block_;
  ++samples_;
}

void PayloadWriter::close_block() {
  if (in_block_ == 0) return;
  ByteWriter out(block_bytes_);
  out.svarint(block_ms_);
  out.varint(in_block_);
  out.raw(open_bytes_);
  open_bytes_.clear();
  in_block_ = 0;
  previous_ref_ = -1;
  ++blocks_;
}

void PayloadWriter::log(std::uint32_t ref, Time time, std::string_view line) {
  ByteWriter out(log_bytes_);
  out.svarint(relative(time));
  out.varint(ref);
  out.text(line);
  ++logs_;
}

void PayloadWriter::clear() {
  new_definitions_ = blocks_ = in_block_ = samples_ = logs_ = 0;
  have_base_ = false;
  base_ms_ = 0;
  previous_ref_ = -1;
  define_bytes_.clear();
  block_bytes_.clear();
  open_bytes_.clear();
  log_bytes_.clear();
}

void PayloadWriter::start_scope() {
  clear();
  definitions_ = 0;
}

std::string_view PayloadWriter::take() {
  close_block();
  out_.clear();
  ByteWriter out(out_);
  out.varint(new_definitions_);
  out.raw(define_bytes_);
  out.svarint(base_ms_);
  out.varint(blocks_);
  out.raw(block_bytes_);
  out.varint(logs_);
  out.raw(log_bytes_);
  clear();
  return out_;
}

Status decode_payload(std::string_view raw, std::size_t known, Payload& out) {
  out.definitions.clear();
  out.samples.clear();
  out.logs.clear();
  ByteReader in(raw);
  AT_TRY(decode_definitions(in, known, out.definitions));
  const auto base = in.svarint();
  const auto refs = known + out.definitions.size();
  AT_TRY(decode_samples(in, base, refs, out.samples));
  return decode_logs(in, base, refs, out.logs);
}

Result<std::vector<std::string_view>> payload_definitions(std::string_view raw) {
  ByteReader in(raw);
  std::uint64_t count = 0;
  if (!read_count(in, 1, count)) return malformed("bad count of definitions");
  std::vector<std::string_view> out;
  out.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) out.push_back(in.text());
  if (!in.ok()) return malformed("ends within a definition");
  return out;
}

}  // namespace atalaya::ingest
