// Remote write bodies for tests: written by hand, and read by a plain decoder that shares nothing with the real one.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "ingest/remote_write_reader.h"

namespace atalaya::ingest::testing {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Appends fields of protobuf to a string.
class Proto {
 public:
  Proto& number(unsigned field, std::uint64_t value) {
    ByteWriter(out_).varint(field << 3);
    ByteWriter(out_).varint(value);
    return *this;
  }
  Proto& real(unsigned field, double value) {
    ByteWriter(out_).varint(field << 3 | 1);
    ByteWriter(out_).f64(value);
    return *this;
  }
  Proto& bytes(unsigned field, std::string_view value) {
    ByteWriter(out_).varint(field << 3 | 2);
    ByteWriter(out_).text(value);
    return *this;
  }
  Proto& message(unsigned field, const Proto& value) { return bytes(field, value.out_); }
  const std::string& str() const { return out_; }

 private:
  std::string out_;
};

inline Proto sample(std::int64_t ms, double value) {
  return Proto().real(1, value).number(2, static_cast<std::uint64_t>(ms));
}
inline Proto label(std::string_view name, std::string_view value) { return Proto().bytes(1, name).bytes(2, value); }

/// A body of 1.0. Samples are of one series each.
class BodyV1 {
 public:
  BodyV1& series(const Pairs& labels, const std::vector<std::pair<std::int64_t, double>>& samples) {
    Proto one;
    for (const auto& [name, value] : labels) one.message(1, label(name, value));
    for (const auto& [ms, value] : samples) one.message(2, sample(ms, value));
    return add(one);
  }
  BodyV1& add(const Proto& series) {
    out_.message(1, series);
    return *this;
  }
  const std::string& str() const { return out_.str(); }

 private:
  Proto out_;
};

/// A body of 2.0, the symbols first.
class BodyV2 {
 public:
  std::uint32_t symbol(const std::string& text) {
    const auto [it, fresh] = numbers_.try_emplace(text, static_cast<std::uint32_t>(symbols_.size()));
    if (fresh) symbols_.push_back(text);
    return it->second;
  }
  Proto labels(const Pairs& labels) {
    std::string packed;
    for (const auto& [name, value] : labels) {
      ByteWriter(packed).varint(symbol(name));
      ByteWriter(packed).varint(symbol(value));
    }
    return Proto().bytes(1, packed);
  }
  BodyV2& series(const Pairs& labels_of, const std::vector<std::pair<std::int64_t, double>>& samples) {
    auto one = labels(labels_of);
    for (const auto& [ms, value] : samples) one.message(2, sample(ms, value));
    return add(one);
  }
  BodyV2& add(const Proto& series) {
    series_.push_back(series.str());
    return *this;
  }
  std::string str() const {
    Proto out;
    for (const auto& text : symbols_) out.bytes(4, text);
    for (const auto& one : series_) out.bytes(5, one);
    return out.str();
  }

 private:
  std::vector<std::string> symbols_{""};
  std::map<std::string, std::uint32_t> numbers_{{"", 0}};
  std::vector<std::string> series_;
};

struct PlainSeries {
  std::optional<Labels> labels;                                 ///< none: they do not hold
  std::vector<std::pair<std::int64_t, std::uint64_t>> samples;  ///< values as bits
};
struct PlainBody {
  std::vector<PlainSeries> series;
  std::uint64_t histograms = 0;
  std::uint64_t exemplars = 0;
  std::uint64_t metadata = 0;
};

/// One field after the other, everything copied. `text` of a varint or fixed field is empty.
struct PlainField {
  std::uint64_t number = 0;
  unsigned type = 0;
  std::uint64_t value = 0;
  std::string text;
};

inline std::optional<std::uint64_t> plain_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < 10; ++i) {
    if (bytes.empty()) return std::nullopt;
    const auto byte = static_cast<std::uint8_t>(bytes[0]);
    bytes.remove_prefix(1);
    value += static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 128) return value;
  }
  return std::nullopt;
}

inline std::optional<std::vector<PlainField>> plain_fields(std::string_view bytes) {
  std::vector<PlainField> out;
  while (!bytes.empty()) {
    PlainField field;
    const auto tag = plain_varint(bytes);
    if (!tag || *tag / 8 == 0) return std::nullopt;
    field.number = *tag / 8;
    field.type = static_cast<unsigned>(*tag % 8);
    if (field.type == 0 || field.type == 2) {
      const auto value = plain_varint(bytes);
      if (!value) return std::nullopt;
      field.value = *value;
    }
    const std::uint64_t size = field.type == 1 ? 8 : field.type == 5 ? 4 : field.type == 2 ? field.value : 0;
    if (field.type > 5 || field.type == 3 || field.type == 4 || size > bytes.size()) return std::nullopt;
    field.text = std::string(bytes.substr(0, size));
    bytes.remove_prefix(size);
    out.push_back(std::move(field));
  }
  return out;
}

inline std::optional<Labels> plain_labels(const std::optional<Pairs>& pairs) {
  if (!pairs || pairs->size() > kMaxLabelsOnWire) return std::nullopt;
  std::map<std::string, std::string> sorted;
  for (const auto& [name, value] : *pairs) {
    if (name.empty() || !is_utf8(name) || !is_utf8(value) || !sorted.emplace(name, value).second) return std::nullopt;
  }
  Labels labels(sorted);
  return labels.has(kMetricName) ? std::optional(labels) : std::nullopt;
}

inline bool plain_samples(const std::vector<PlainField>& fields, PlainSeries& out) {
  for (const auto& field : fields) {
    if (field.number != 2 || field.type != 2) continue;
    const auto parts = plain_fields(field.text);
    if (!parts) return false;
    std::pair<std::int64_t, std::uint64_t> one{0, 0};
    for (const auto& part : *parts) {
      if (part.number == 1 && part.type == 1) std::memcpy(&one.second, part.text.data(), 8);
      if (part.number == 2 && part.type == 0) one.first = static_cast<std::int64_t>(part.value);
    }
    out.samples.push_back(one);
  }
  return true;
}

inline std::uint64_t plain_count(const std::vector<PlainField>& fields, std::uint64_t number) {
  return static_cast<std::uint64_t>(std::count_if(
      fields.begin(), fields.end(), [&](const auto& field) { return field.number == number && field.type == 2; }));
}

/// Whether some field is one of these two.
inline bool plain_knows(const std::vector<PlainField>& fields, std::uint64_t one, std::uint64_t other) {
  return fields.empty() || plain_count(fields, one) + plain_count(fields, other) > 0;
}

inline std::optional<PlainBody> plain_v1(std::string_view body) {
  const auto fields = plain_fields(body);
  if (!fields || !plain_knows(*fields, 1, 3)) return std::nullopt;
  PlainBody out;
  out.metadata = plain_count(*fields, 3);
  for (const auto& field : *fields) {
    if (field.number != 1 || field.type != 2) continue;
    const auto parts = plain_fields(field.text);
    PlainSeries one;
    if (!parts || !plain_samples(*parts, one)) return std::nullopt;
    std::optional<Pairs> pairs{Pairs()};
    for (const auto& part : *parts) {
      if (part.number != 1 || part.type != 2 || !pairs) continue;
      const auto label = plain_fields(part.text);
      if (!label) {
        pairs.reset();
        continue;
      }
      auto& [name, value] = pairs->emplace_back();
      for (const auto& bytes : *label) {
        if (bytes.number == 1 && bytes.type == 2) name = bytes.text;
        if (bytes.number == 2 && bytes.type == 2) value = bytes.text;
      }
    }
    one.labels = plain_labels(pairs);
    out.exemplars += plain_count(*parts, 3);
    out.histograms += plain_count(*parts, 4);
    out.series.push_back(std::move(one));
  }
  return out;
}

/// None when a packed field is cut or a reference is no uint32.
inline std::optional<std::vector<std::uint64_t>> plain_references(const std::vector<PlainField>& fields) {
  std::vector<std::uint64_t> out;
  for (const auto& field : fields) {
    if (field.number != 1) continue;
    if (field.type == 0) out.push_back(field.value);
    if (field.type != 2) continue;
    for (std::string_view packed = field.text; !packed.empty();) {
      const auto value = plain_varint(packed);
      if (!value) return std::nullopt;
      out.push_back(*value);
    }
  }
  if (std::any_of(out.begin(), out.end(), [](auto value) { return value > UINT32_MAX; })) return std::nullopt;
  return out;
}

inline std::optional<PlainBody> plain_v2(std::string_view body) {
  const auto fields = plain_fields(body);
  if (!fields || !plain_knows(*fields, 4, 5)) return std::nullopt;
  std::vector<std::string> symbols;
  for (const auto& field : *fields) {
    if (field.number == 4 && field.type == 2) symbols.push_back(field.text);
  }
  if (!symbols.empty() && !symbols[0].empty()) return std::nullopt;
  PlainBody out;
  for (const auto& field : *fields) {
    if (field.number != 5 || field.type != 2) continue;
    const auto parts = plain_fields(field.text);
    PlainSeries one;
    if (!parts || !plain_samples(*parts, one)) return std::nullopt;
    const auto references = plain_references(*parts);
    if (!references) return std::nullopt;
    std::optional<Pairs> pairs{Pairs()};
    for (std::size_t i = 0; i < references->size() && pairs; i += 2) {
      const bool good =
          i + 1 < references->size() && references->at(i) < symbols.size() && references->at(i + 1) < symbols.size();
      if (good) {
        pairs->emplace_back(symbols[references->at(i)], symbols[references->at(i + 1)]);
      } else {
        pairs.reset();
      }
    }
    one.labels = plain_labels(pairs);
    out.histograms += plain_count(*parts, 3);
    out.exemplars += plain_count(*parts, 4);
    out.metadata += plain_count(*parts, 5);
    out.series.push_back(std::move(one));
  }
  return out;
}

inline std::optional<PlainBody> plain_read(RemoteWriteVersion version, std::string_view body) {
  return version == RemoteWriteVersion::kV1 ? plain_v1(body) : plain_v2(body);
}

/// "" when the reader found in `body` what the plain decoder finds, else what differs. The reader's samples stay.
inline std::string difference(RemoteWriteReader& reader, RemoteWriteVersion version, std::string_view body) {
  const auto plain = plain_read(version, body);
  const auto read = reader.read(version, body);
  if (!read && read.error().code == ErrorCode::kTooLarge) return "";
  if (read.has_value() != plain.has_value()) return plain ? "refused: " + read.error().message : "taken";
  if (!plain) return "";
  if (reader.series().size() != plain->series.size()) return "another number of series";
  if (reader.histograms() != plain->histograms || reader.exemplars() != plain->exemplars ||
      reader.metadata() != plain->metadata) {
    return "other counts";
  }
  std::map<std::pair<std::uint64_t, std::uint64_t>, Labels> by_key;
  for (std::size_t i = 0; i < plain->series.size(); ++i) {
    const auto& expected = plain->series[i];
    const auto labels = reader.labels(i);
    if (labels.has_value() != expected.labels.has_value()) return labels ? "labels taken" : labels.error().message;
    if (labels && *labels != *expected.labels) return "other labels";
    const auto& key = reader.keys()[i];
    if (labels && by_key.emplace(std::pair(key.low, key.high), *labels).first->second != *labels) return "keys meet";
    if (reader.series()[i].samples_end - reader.first_sample(i) != expected.samples.size()) return "other samples";
    for (std::size_t k = 0; k < expected.samples.size(); ++k) {
      const auto& got = reader.samples()[reader.first_sample(i) + k];
      if (to_ms(got.time) != expected.samples[k].first) return "another time";
      if (std::bit_cast<std::uint64_t>(got.value) != expected.samples[k].second) return "another value";
    }
  }
  return "";
}

}  // namespace atalaya::ingest::testing
