#include "tsdb/log/records.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "base/bytes.h"
#include "io/checksum.h"

namespace atalaya::tsdb {
namespace {

enum class Times : std::uint8_t { kOne = 0, kNear = 1, kFar = 2 };

struct PairHash {
  std::size_t operator()(const Labels::Pair& pair) const {
    return io::xxh3(pair.first) * 0x9E3779B97F4A7C15 ^ io::xxh3(pair.second);
  }
};

auto malformed(std::string_view what) {
  return fail(ErrorCode::kCorruption, std::string(what) + " that do not decode");
}

bool has_type(ByteReader& in, RecordType type) { return in.u8() == static_cast<std::uint8_t>(type); }

/// Little-endian columns; this machine is.
static_assert(std::endian::native == std::endian::little);
template <typename T>
T load(const char* from, std::size_t i) {
  T value;
  std::memcpy(&value, from + i * sizeof value, sizeof value);
  return value;
}

}  // namespace

std::uint8_t record_type(std::string_view payload) {
  return payload.empty() ? 0 : static_cast<std::uint8_t>(payload[0]);
}

std::string encode_marks(const storage::OriginMarks& marks) {
  std::string out(1, static_cast<char>(RecordType::kMarks));
  marks.encode(out);
  return out;
}

Status decode_marks(std::string_view payload, storage::OriginMarks& out) {
  if (record_type(payload) != static_cast<std::uint8_t>(RecordType::kMarks)) return malformed("origin marks");
  return out.decode(payload.substr(1));
}

std::string encode_definitions(const TenantId& tenant, std::span<const Definition> definitions) {
  boost::unordered_flat_map<Labels::Pair, std::uint32_t, PairHash> numbers;
  std::string pairs;
  std::string series;
  ByteWriter pairs_out(pairs);
  ByteWriter series_out(series);
  std::uint32_t id = 0;
  for (const auto& definition : definitions) {
    series_out.svarint(static_cast<std::int64_t>(definition.id) - static_cast<std::int64_t>(id));
    id = definition.id;
    series_out.varint(definition.labels.size());
    for (const auto& pair : definition.labels) {
      const auto [it, is_new] = numbers.try_emplace(pair, static_cast<std::uint32_t>(numbers.size()));
      if (is_new) {
        pairs_out.text(pair.first);
        pairs_out.text(pair.second);
      }
      series_out.varint(it->second);
    }
  }
  std::string bytes(1, static_cast<char>(RecordType::kDefinitions));
  ByteWriter out(bytes);
  out.text(tenant.value());
  out.varint(numbers.size());
  out.raw(pairs);
  out.varint(definitions.size());
  out.raw(series);
  return bytes;
}

Status decode_definitions(std::string_view payload, DefinitionsView& out) {
  ByteReader in(payload);
  if (!has_type(in, RecordType::kDefinitions)) return malformed("definitions");
  out.tenant = TenantId{std::string(in.text())};
  out.pairs.clear();
  out.ids.clear();
  out.ends.clear();
  out.members.clear();
  const auto pairs = in.varint();
  if (pairs > in.remaining()) return malformed("definitions");
  for (std::uint64_t i = 0; i < pairs && in.ok(); ++i) {
    const auto name = in.text();
    const auto value = in.text();
    if (name.empty() || value.empty() || !is_utf8(name) || !is_utf8(value)) return malformed("definitions");
    out.pairs.emplace_back(name, value);
  }
  // The order of names, looked up once a pair instead of once a series.
  std::vector<std::uint32_t> order(out.pairs.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return out.pairs[a].first < out.pairs[b].first; });
  std::vector<std::uint32_t> rank(order.size());
  for (std::size_t i = 0, at = 0; i < order.size(); ++i) {
    at += i > 0 && out.pairs[order[i]].first != out.pairs[order[i - 1]].first;
    rank[order[i]] = static_cast<std::uint32_t>(at);
  }
  const auto series = in.varint();
  if (series > in.remaining()) return malformed("definitions");
  std::int64_t id = 0;
  for (std::uint64_t i = 0; i < series; ++i) {
    id += in.svarint();
    const auto count = in.varint();
    if (!in.ok() || id <= 0 || id >= UINT32_MAX || count == 0 || count > 255) return malformed("definitions");
    for (std::uint64_t k = 0; k < count; ++k) {
      const auto member = in.varint();
      if (!in.ok() || member >= pairs) return malformed("definitions");
      if (k > 0 && rank[out.members.back()] >= rank[member]) return malformed("definitions");
      out.members.push_back(static_cast<std::uint32_t>(member));
    }
    out.ids.push_back(static_cast<std::uint32_t>(id));
    out.ends.push_back(static_cast<std::uint32_t>(out.members.size()));
  }
  if (!in.ok() || !in.at_end()) return malformed("definitions");
  return {};
}

void encode_samples(const TenantId& tenant, const storage::WriteOrigin& origin,
                    std::span<const storage::SeriesSample> samples, std::string& out) {
  out.assign(1, static_cast<char>(RecordType::kSamples));
  ByteWriter writer(out);
  writer.text(tenant.value());
  writer.text(origin.source);
  writer.varint(origin.sequence);
  writer.varint(samples.size());
  const auto base = samples.empty() ? 0 : to_ms(samples[0].time);
  auto times = Times::kOne;
  for (const auto& sample : samples) {
    const auto apart = to_ms(sample.time) - base;
    if (apart == 0) continue;
    times = std::max(times, apart == static_cast<std::int32_t>(apart) ? Times::kNear : Times::kFar);
  }
  writer.u8(static_cast<std::uint8_t>(times));
  writer.svarint(base);
  const std::size_t time_bytes = times == Times::kOne ? 0 : times == Times::kNear ? 4 : 8;
  auto at = out.size();
  out.resize(at + samples.size() * (12 + time_bytes));
  char* ids = out.data() + at;
  char* values = ids + 4 * samples.size();
  char* offsets = values + 8 * samples.size();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto id = static_cast<std::uint32_t>(samples[i].series.value());
    std::memcpy(ids + 4 * i, &id, 4);
    std::memcpy(values + 8 * i, &samples[i].value, 8);
    const auto apart = to_ms(samples[i].time) - base;
    std::memcpy(offsets + time_bytes * i, &apart, time_bytes);
  }
}

namespace {

struct SamplesLayout {
  std::size_t count = 0;
  std::size_t time_bytes = 0;  ///< of each
  std::int64_t base = 0;
};

Result<SamplesLayout> read_layout(ByteReader& in, SamplesRecord& out) {
  if (!has_type(in, RecordType::kSamples)) return malformed("samples");
  out.tenant = TenantId{std::string(in.text())};
  out.origin.source = std::string(in.text());
  out.origin.sequence = in.varint();
  SamplesLayout layout;
  layout.count = in.varint();
  const auto times = in.u8();
  layout.base = in.svarint();
  if (!in.ok() || times > static_cast<std::uint8_t>(Times::kFar)) return malformed("samples");
  layout.time_bytes = times == 0 ? 0 : times == 1 ? 4 : 8;
  const bool fits = layout.count <= in.remaining() && in.remaining() == layout.count * (12 + layout.time_bytes);
  if (!fits) return malformed("samples");
  return layout;
}

}  // namespace

Status decode_samples_origin(std::string_view payload, SamplesRecord& out) {
  ByteReader in(payload);
  AT_TRY(const auto layout, read_layout(in, out));
  (void)layout;
  return {};
}

Status decode_samples(std::string_view payload, SamplesRecord& out) {
  ByteReader in(payload);
  AT_TRY(const auto layout, read_layout(in, out));
  const char* ids = in.raw(4 * layout.count).data();
  const char* values = in.raw(8 * layout.count).data();
  const char* offsets = in.raw(layout.time_bytes * layout.count).data();
  out.samples.resize(layout.count);
  for (std::size_t i = 0; i < layout.count; ++i) {
    const std::int64_t apart = layout.time_bytes == 0   ? 0
                               : layout.time_bytes == 4 ? load<std::int32_t>(offsets, i)
                                                        : load<std::int64_t>(offsets, i);
    const auto time =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(layout.base) + static_cast<std::uint64_t>(apart));
    out.samples[i] = {SeriesId{load<std::uint32_t>(ids, i)}, from_ms(time), load<double>(values, i)};
  }
  return {};
}

std::string encode_checkpoint_head(const CheckpointHead& head) {
  std::string bytes(1, static_cast<char>(RecordType::kCheckpoint));
  ByteWriter out(bytes);
  out.u64(head.flushed.value);
  out.u64(head.next_sequence);
  out.varint(head.next_ids.size());
  for (const auto& [tenant, next] : head.next_ids) {
    out.text(tenant.value());
    out.varint(next);
  }
  return bytes;
}

Status decode_checkpoint_head(std::string_view payload, CheckpointHead& out) {
  ByteReader in(payload);
  if (!has_type(in, RecordType::kCheckpoint)) return malformed("heads of a checkpoint");
  out.flushed.value = in.u64();
  out.next_sequence = in.u64();
  const auto tenants = in.varint();
  for (std::uint64_t i = 0; i < tenants && in.ok(); ++i) {
    TenantId tenant{std::string(in.text())};
    const auto next = in.varint();
    if (next > UINT32_MAX) return malformed("heads of a checkpoint");
    out.next_ids.emplace_back(std::move(tenant), static_cast<std::uint32_t>(next));
  }
  if (!in.ok() || !in.at_end()) return malformed("heads of a checkpoint");
  return {};
}

}  // namespace atalaya::tsdb
