#include "tsdb/log/legacy_batch.h"

#include <array>
#include <bit>
#include <cmath>

#include "base/bytes.h"

namespace atalaya::tsdb {
namespace {

constexpr std::uint64_t kRaw = 7;
constexpr std::array<double, 7> kPowers{1, 10, 100, 1000, 10000, 100000, 1000000};
constexpr std::int64_t kMaxMantissa = std::int64_t{1} << 53;

double from_decimal(std::int64_t mantissa, int exponent) {
  return static_cast<double>(mantissa) / kPowers[static_cast<std::size_t>(exponent)];
}

/// The least e from 0 to 6 such that v is exactly m / 10^e with |m| ≤ 2^53, and that m; -1 if there is none.
int decimal_exponent(double value, std::int64_t& mantissa) {
  if (!(std::fabs(value) <= static_cast<double>(kMaxMantissa))) return -1;
  for (std::size_t e = 0; e < kPowers.size(); ++e) {
    const double scaled = std::round(value * kPowers[e]);
    if (!(std::fabs(scaled) <= static_cast<double>(kMaxMantissa))) return -1;
    const auto whole = static_cast<std::int64_t>(scaled);
    const double back = from_decimal(whole, static_cast<int>(e));
    if (std::bit_cast<std::uint64_t>(back) != std::bit_cast<std::uint64_t>(value)) continue;
    mantissa = whole;
    return static_cast<int>(e);
  }
  return -1;
}

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
