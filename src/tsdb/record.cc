#include "tsdb/record.h"

#include "base/bytes.h"
#include "tsdb/chunk.h"

namespace atalaya::tsdb {
namespace {

constexpr std::uint64_t kRaw = 7;

void put_value(ByteWriter& out, double value) {
  std::int64_t mantissa = 0;
  const int exponent = decimal_exponent(value, mantissa);
  if (exponent < 0) {
    out.varint(kRaw);
    out.f64(value);
    return;
  }
  const auto zigzag = (static_cast<std::uint64_t>(mantissa) << 1) ^ static_cast<std::uint64_t>(mantissa >> 63);
  out.varint(zigzag << 3 | static_cast<std::uint64_t>(exponent));
}

double get_value(ByteReader& in) {
  const auto packed = in.varint();
  if ((packed & 7) == kRaw) return in.f64();
  const auto zigzag = packed >> 3;
  const auto mantissa = static_cast<std::int64_t>(zigzag >> 1) ^ -static_cast<std::int64_t>(zigzag & 1);
  return from_decimal(mantissa, static_cast<int>(packed & 7));
}

std::int64_t difference(std::uint64_t a, std::uint64_t b) { return static_cast<std::int64_t>(a - b); }

}  // namespace

std::string encode_marks(const storage::OriginMarks& marks) {
  std::string out(1, static_cast<char>(RecordType::kMarks));
  marks.encode(out);
  return out;
}

std::string encode_batch(const BatchRecord& batch) {
  std::string bytes(1, static_cast<char>(RecordType::kBatch));
  bytes.reserve(64 + batch.samples.size() * 8);
  ByteWriter out(bytes);
  out.text(batch.tenant.value());
  out.text(batch.origin.source);
  out.varint(batch.origin.sequence);
  out.varint(batch.definitions.size());
  for (const auto& definition : batch.definitions) {
    out.varint(definition.reference);
    out.text(definition.labels.packed());
  }
  out.varint(batch.samples.size());
  std::uint64_t reference = 0;
  std::uint64_t time = 0;
  for (const auto& sample : batch.samples) {
    const auto ms = static_cast<std::uint64_t>(to_ms(sample.time));
    out.svarint(difference(sample.series.value(), reference));
    out.svarint(difference(ms, time));
    put_value(out, sample.value);
    reference = sample.series.value();
    time = ms;
  }
  return bytes;
}

std::uint8_t record_type(std::string_view payload) {
  return payload.empty() ? 0 : static_cast<std::uint8_t>(payload[0]);
}

Status decode_marks(std::string_view payload, storage::OriginMarks& out) {
  if (record_type(payload) != static_cast<std::uint8_t>(RecordType::kMarks)) {
    return fail(ErrorCode::kCorruption, "not a record of origin marks");
  }
  return out.decode(payload.substr(1));
}

Result<BatchRecord> decode_batch(std::string_view payload) {
  const auto bad = [] { return fail(ErrorCode::kCorruption, "a batch that does not decode"); };
  ByteReader in(payload);
  if (in.u8() != static_cast<std::uint8_t>(RecordType::kBatch)) return bad();
  BatchRecord batch;
  batch.tenant = TenantId{std::string(in.text())};
  batch.origin.source = std::string(in.text());
  batch.origin.sequence = in.varint();
  const auto definitions = in.varint();
  for (std::uint64_t i = 0; i < definitions && in.ok(); ++i) {
    SeriesDefinition definition;
    definition.reference = in.varint();
    if (!Labels::unpack(in.text(), definition.labels)) return bad();
    batch.definitions.push_back(std::move(definition));
  }
  const auto samples = in.varint();
  if (!in.ok() || samples > in.remaining()) return bad();  // a sample takes more than a byte
  batch.samples.reserve(samples);
  std::uint64_t reference = 0;
  std::uint64_t time = 0;
  for (std::uint64_t i = 0; i < samples && in.ok(); ++i) {
    reference += static_cast<std::uint64_t>(in.svarint());
    time += static_cast<std::uint64_t>(in.svarint());
    const double value = get_value(in);
    batch.samples.push_back({SeriesId{reference}, from_ms(static_cast<std::int64_t>(time)), value});
  }
  if (!in.ok() || !in.at_end()) return bad();
  return batch;
}

}  // namespace atalaya::tsdb
