#include "ingest/remote_write_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "base/random.h"

namespace atalaya::ingest {
namespace {

using storage::SeriesKey;

// Wire types of protobuf. 3 and 4 are groups.
constexpr unsigned kVarint = 0;
constexpr unsigned kFixed64 = 1;
constexpr unsigned kLengthDelimited = 2;
constexpr unsigned kFixed32 = 5;

constexpr std::uint64_t tag(unsigned field, unsigned type) { return std::uint64_t{field} << 3 | type; }

// prometheus.WriteRequest and what is in it.
constexpr auto kV1Series = tag(1, kLengthDelimited);
constexpr auto kV1Metadata = tag(3, kLengthDelimited);
constexpr auto kV1Labels = tag(1, kLengthDelimited);
constexpr auto kV1Samples = tag(2, kLengthDelimited);
constexpr auto kV1Exemplars = tag(3, kLengthDelimited);
constexpr auto kV1Histograms = tag(4, kLengthDelimited);
constexpr auto kLabelName = tag(1, kLengthDelimited);
constexpr auto kLabelValue = tag(2, kLengthDelimited);
// io.prometheus.write.v2.Request and what is in it.
constexpr auto kV2Symbols = tag(4, kLengthDelimited);
constexpr auto kV2Series = tag(5, kLengthDelimited);
constexpr auto kV2References = tag(1, kLengthDelimited);  // packed
constexpr auto kV2Reference = tag(1, kVarint);
constexpr auto kV2Samples = tag(2, kLengthDelimited);
constexpr auto kV2Histograms = tag(3, kLengthDelimited);
constexpr auto kV2Exemplars = tag(4, kLengthDelimited);
constexpr auto kV2Metadata = tag(5, kLengthDelimited);
// Sample, the same in both.
constexpr auto kSampleValue = tag(1, kFixed64);
constexpr auto kSampleTime = tag(2, kVarint);

// Exemplar, but for its labels the same in both.
constexpr auto kExemplarValue = tag(2, kFixed64);
constexpr auto kExemplarTime = tag(3, kVarint);

/// One odd factor for each place of a reference, of this process alone.
using Factors = std::array<io::Hash128, 2 * kMaxLabelsOnWire + 1>;
const Factors& factors() {
  static const Factors drawn = [] {
    Factors out;
    const auto bytes = random_bytes(sizeof out);
    std::memcpy(out.data(), bytes.data(), sizeof out);
    for (auto& one : out) {
      one.low |= 1;
      one.high |= 1;
    }
    return out;
  }();
  return drawn;
}

constexpr std::size_t kKeptBytes = 4 << 20;

std::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("the body is no remote write message: {}", what));
}

std::unexpected<Error> more_than(std::size_t limit, std::string_view what) {
  return fail(ErrorCode::kTooLarge, fmt::format("the body holds more than {} {}", limit, what),
              "send smaller requests");
}

std::unexpected<Error> bad_labels(std::string message) { return fail(ErrorCode::kInvalidArgument, std::move(message)); }

std::unexpected<Error> too_many_labels() {
  return bad_labels(fmt::format("more than {} labels, a fixed limit of the wire", kMaxLabelsOnWire));
}

/// A body of the other version is all unknown fields to this one.
std::unexpected<Error> other_version(std::string_view named, std::string_view other) {
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("the body has no field of {}, as which it came; is it of {}?", named, other),
              "name the message in the Content-Type: application/x-protobuf;proto=prometheus.WriteRequest for 1.0, "
              "application/x-protobuf;proto=io.prometheus.write.v2.Request for 2.0");
}

double load_double(const unsigned char* p) {
  std::uint64_t bits;
  std::memcpy(&bits, p, sizeof bits);
  if constexpr (std::endian::native == std::endian::big) bits = __builtin_bswap64(bits);
  return std::bit_cast<double>(bits);
}

}  // namespace

RemoteWriteReader::RemoteWriteReader(RemoteWriteLimits limits) : limits_(limits), factors_(factors()) {}

/// Every call says whether the bytes were there; after a false nothing may be asked any more.
struct RemoteWriteReader::Cursor {
  explicit Cursor(std::string_view bytes)
      : at(reinterpret_cast<const unsigned char*>(bytes.data())), end(at + bytes.size()) {}

  bool more() const { return at < end; }
  bool varint(std::uint64_t& out) {
    if (at < end && *at < 0x80) {
      out = *at++;
      return true;
    }
    return long_varint(out);
  }
  bool long_varint(std::uint64_t& out) {
    out = 0;
    for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
      const std::uint64_t byte = *at++;
      out |= (byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool bytes(std::string_view& out) {
    std::uint64_t size = 0;
    if (!varint(size) || size > static_cast<std::uint64_t>(end - at)) return false;
    out = {reinterpret_cast<const char*>(at), size};
    at += size;
    return true;
  }
  bool skip(std::uint64_t field) {
    std::uint64_t number = 0;
    std::string_view text;
    if (field >> 3 == 0) return false;
    switch (field & 7) {
      case kVarint: return varint(number);
      case kFixed64: return fixed(8);
      case kLengthDelimited: return bytes(text);
      case kFixed32: return fixed(4);
      default: return false;
    }
  }
  /// Over as many fields of this tag, of one byte, as lie together and are shorter than 128 bytes.
  void skip_short_run(unsigned char field) {
    while (end - at >= 2 && at[0] == field && at[1] < 0x80 && at[1] <= end - at - 2) at += 2 + at[1];
  }
  bool fixed(std::ptrdiff_t size) {
    if (end - at < size) return false;
    at += size;
    return true;
  }

  const unsigned char* at;
  const unsigned char* end;
};

Status RemoteWriteReader::read(RemoteWriteVersion version, std::string_view body) {
  version_ = version;
  series_.clear();
  keys_.clear();
  samples_.clear();
  samples_.reserve(usual_samples_);
  exemplars_.clear();
  histograms_ = metadata_ = 0;
  AT_TRY(version == RemoteWriteVersion::kV1 ? read_v1(body) : read_v2(body));
  usual_samples_ = samples_.size();
  return {};
}

/// Why a series could not be read.
Error RemoteWriteReader::refused_series() const {
  if (samples_.size() == limits_.samples) return more_than(limits_.samples, "samples").error();
  return malformed(fmt::format("in series {}", series_.size())).error();
}

Status RemoteWriteReader::read_v1(std::string_view body) {
  symbols_.clear();
  bool known = body.empty();
  Cursor in(body);
  while (in.more()) {
    std::uint64_t field = 0;
    std::string_view message;
    if (!in.varint(field)) return malformed("it is cut");
    known = known || field == kV1Series || field == kV1Metadata;
    if (field == kV1Series) {
      if (!in.bytes(message)) return malformed("it is cut");
      if (series_.size() == limits_.series) return more_than(limits_.series, "series");
      if (!read_series_v1(message)) return std::unexpected(refused_series());
    } else if (field == kV1Metadata) {
      if (!count_field(in, field, metadata_)) return malformed("it is cut");
    } else if (!in.skip(field)) {
      return malformed("in its outermost fields");
    }
  }
  if (!known) return other_version("1.0", "2.0");
  return {};
}

bool RemoteWriteReader::count_field(Cursor& in, std::uint64_t field, std::uint64_t& counter) {
  ++counter;
  return in.skip(field);
}

/// Read when it is asked for: few are.
bool RemoteWriteReader::add_exemplar(Cursor& in) {
  std::string_view message;
  if (!in.bytes(message)) return false;
  if (exemplars_.size() < limits_.exemplars) {
    exemplars_.push_back({static_cast<std::uint32_t>(series_.size()), message});
  }
  return true;
}

bool RemoteWriteReader::read_series_v1(std::string_view message) {
  Cursor in(message);
  const unsigned char* labels_begin = in.at;
  in.skip_short_run(static_cast<unsigned char>(kV1Labels));
  const unsigned char* labels_end = in.at;
  scattered_.clear();
  while (in.more()) {
    const auto* const begin = in.at;
    std::uint64_t field = 0;
    std::string_view bytes;
    if (!in.varint(field)) return false;
    if (field == kV1Labels) {
      if (!in.bytes(bytes)) return false;
      if (labels_end == labels_begin) labels_begin = labels_end = begin;
      const bool together = labels_end == begin;
      if (!together && scattered_.empty()) scattered_.assign(labels_begin, labels_end);
      if (!scattered_.empty() || !together) scattered_.append(begin, in.at);
      if (scattered_.empty()) labels_end = in.at;
    } else if (field == kV1Samples) {
      if (!in.bytes(bytes) || !read_sample(bytes)) return false;
    } else if (field == kV1Exemplars) {
      if (!add_exemplar(in)) return false;
    } else if (field == kV1Histograms) {
      if (!count_field(in, field, histograms_)) return false;
    } else if (!in.skip(field)) {
      return false;
    }
  }
  const std::string_view labels(reinterpret_cast<const char*>(labels_begin),
                                static_cast<std::size_t>(labels_end - labels_begin));
  const auto hash = io::keyed_hash(scattered_.empty() ? labels : std::string_view(scattered_));
  keys_.push_back({hash.low, hash.high});
  series_.push_back({message, static_cast<std::uint32_t>(samples_.size())});
  return true;
}

bool RemoteWriteReader::read_sample(std::string_view message) {
  if (samples_.size() == limits_.samples) return false;
  double value = 0;
  std::uint64_t time = 0;
  Cursor in(message);
  if (message.size() > 10 && in.at[0] == kSampleValue && in.at[9] == kSampleTime) {  // as everybody writes it
    value = load_double(in.at + 1);
    in.at += 10;
    if (!in.varint(time)) return false;
  }
  while (in.more()) {
    std::uint64_t field = 0;
    if (!in.varint(field)) return false;
    if (field == kSampleValue) {
      const auto* const at = in.at;
      if (!in.fixed(8)) return false;
      value = load_double(at);
    } else if (field == kSampleTime) {
      if (!in.varint(time)) return false;
    } else if (!in.skip(field)) {
      return false;
    }
  }
  samples_.push_back({SeriesId{0}, from_ms(static_cast<std::int64_t>(time)), value});
  return true;
}

Status RemoteWriteReader::read_v2(std::string_view body) {
  symbols_.clear();
  messages_.clear();
  Cursor in(body);
  while (in.more()) {
    std::uint64_t field = 0;
    std::string_view bytes;
    if (!in.varint(field)) return malformed("it is cut");
    if (field == kV2Symbols || field == kV2Series) {
      if (!in.bytes(bytes)) return malformed("it is cut");
      (field == kV2Symbols ? symbols_ : messages_).push_back(bytes);
      if (symbols_.size() > limits_.symbols) return more_than(limits_.symbols, "symbols");
      if (messages_.size() > limits_.series) return more_than(limits_.series, "series");
    } else if (!in.skip(field)) {
      return malformed("in its outermost fields");
    }
  }
  if (!body.empty() && symbols_.empty() && messages_.empty()) return other_version("2.0", "1.0");
  if (!symbols_.empty() && !symbols_[0].empty()) return malformed("its first symbol is not the empty one");
  symbol_hashes_.assign(symbols_.size(), {});
  for (const auto& message : messages_) {
    if (!read_series_v2(message)) return std::unexpected(refused_series());
  }
  return {};
}

bool RemoteWriteReader::read_series_v2(std::string_view message) {
  references_ = {};
  Cursor in(message);
  while (in.more()) {
    std::uint64_t field = 0;
    std::uint64_t reference = 0;
    std::string_view bytes;
    if (!in.varint(field)) return false;
    if (field == kV2References) {
      if (!in.bytes(bytes)) return false;
      for (Cursor packed(bytes); packed.more();) {
        if (!packed.varint(reference) || !add_reference(reference)) return false;
      }
    } else if (field == kV2Reference) {
      if (!in.varint(reference) || !add_reference(reference)) return false;
    } else if (field == kV2Samples) {
      if (!in.bytes(bytes) || !read_sample(bytes)) return false;
    } else if (field == kV2Histograms) {
      if (!count_field(in, field, histograms_)) return false;
    } else if (field == kV2Exemplars) {
      if (!add_exemplar(in)) return false;
    } else if (field == kV2Metadata) {
      if (!count_field(in, field, metadata_)) return false;
    } else if (!in.skip(field)) {
      return false;
    }
  }
  keys_.push_back(key_of_references());
  series_.push_back({message, static_cast<std::uint32_t>(samples_.size())});
  return true;
}

/// False only for what no uint32 can be. A reference that stands for nothing spoils this series alone.
bool RemoteWriteReader::add_reference(std::uint64_t reference) {
  if (reference > UINT32_MAX) return false;
  if (reference >= symbols_.size() || references_.count >= 2 * kMaxLabelsOnWire) {
    references_.good = false;
    return true;
  }
  auto& hash = symbol_hashes_[reference];
  if (hash == io::Hash128{}) hash = io::keyed_hash(symbols_[reference]);
  const auto& factor = factors_[references_.count++];
  references_.sum.low += hash.low * factor.low;
  references_.sum.high += hash.high * factor.high;
  return true;
}

SeriesKey RemoteWriteReader::key_of_references() const {
  if (!references_.good || references_.count % 2 != 0) return {};
  // The count, for series that differ in empty references at their end alone.
  const auto& factor = factors_.back();
  return {references_.sum.low + factor.low * (references_.count + 1),
          references_.sum.high + factor.high * (references_.count + 1)};
}

Result<Labels> RemoteWriteReader::labels(std::size_t i) {
  pairs_.clear();
  const auto message = series_[i].message;
  AT_TRY(version_ == RemoteWriteVersion::kV1 ? pairs_v1(message) : pairs_v2(message));
  return labels_of_pairs();
}

/// The message was read once already, so it is whole; what lies within a label was not looked at.
Status RemoteWriteReader::pairs_v1(std::string_view message) {
  for (Cursor in(message); in.more();) {
    std::uint64_t field = 0;
    std::string_view bytes;
    if (!in.varint(field)) return bad_labels("a cut label");
    if (field != kV1Labels) {
      if (!in.skip(field)) return bad_labels("a cut label");
      continue;
    }
    if (!in.bytes(bytes)) return bad_labels("a cut label");
    AT_TRY(add_label(bytes));
  }
  return {};
}

Status RemoteWriteReader::add_label(std::string_view message) {
  if (pairs_.size() == kMaxLabelsOnWire) return too_many_labels();
  Labels::Pair pair;
  for (Cursor label(message); label.more();) {
    std::uint64_t field = 0;
    if (!label.varint(field)) return bad_labels("a malformed label");
    const bool good = field == kLabelName    ? label.bytes(pair.first)
                      : field == kLabelValue ? label.bytes(pair.second)
                                             : label.skip(field);
    if (!good) return bad_labels("a malformed label");
  }
  pairs_.push_back(pair);
  return {};
}

Status RemoteWriteReader::pairs_v2(std::string_view message) {
  std::size_t count = 0;
  const auto add = [&](std::uint64_t reference) -> Status {
    if (reference >= symbols_.size()) {
      return bad_labels(fmt::format("a reference to symbol {} of {}", reference, symbols_.size()));
    }
    if (count == 2 * kMaxLabelsOnWire) return too_many_labels();
    if (count % 2 == 0) {
      pairs_.emplace_back(symbols_[reference], std::string_view());
    } else {
      pairs_.back().second = symbols_[reference];
    }
    ++count;
    return {};
  };
  for (Cursor in(message); in.more();) {
    std::uint64_t field = 0;
    std::uint64_t reference = 0;
    std::string_view bytes;
    if (!in.varint(field)) return bad_labels("cut references");
    if (field == kV2References) {
      if (!in.bytes(bytes)) return bad_labels("cut references");
      for (Cursor packed(bytes); packed.more();) {
        if (!packed.varint(reference)) return bad_labels("cut references");
        AT_TRY(add(reference));
      }
    } else if (field == kV2Reference) {
      if (!in.varint(reference)) return bad_labels("cut references");
      AT_TRY(add(reference));
    } else if (!in.skip(field)) {
      return bad_labels("cut references");
    }
  }
  if (count % 2 != 0) return bad_labels(fmt::format("{} label references, an odd number", count));
  return {};
}

/// Labels are field 1 in both versions: messages in 1.0, references in 2.0.
Result<storage::Exemplar> RemoteWriteReader::exemplar(std::size_t i) {
  pairs_.clear();
  storage::Exemplar out;
  const auto message = exemplars_[i].message;
  AT_TRY(version_ == RemoteWriteVersion::kV1 ? pairs_v1(message) : pairs_v2(message));
  AT_TRY(out.labels, labels_of_pairs(false));
  for (Cursor in(message); in.more();) {
    std::uint64_t field = 0;
    std::uint64_t time = 0;
    if (!in.varint(field)) return bad_labels("a cut exemplar");
    const auto* const at = in.at;
    if (field == kExemplarTime ? !in.varint(time) : !in.skip(field)) return bad_labels("a cut exemplar");
    if (field == kExemplarValue) out.value = load_double(at);
    if (field == kExemplarTime) out.time = from_ms(static_cast<std::int64_t>(time));
  }
  return out;
}

Result<Labels> RemoteWriteReader::labels_of_pairs(bool with_name) {
  const auto by_name = [](const Labels::Pair& a, const Labels::Pair& b) { return a.first < b.first; };
  if (!std::is_sorted(pairs_.begin(), pairs_.end(), by_name)) std::sort(pairs_.begin(), pairs_.end(), by_name);
  std::string packed;
  ByteWriter out(packed);
  bool named = false;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    const auto& [name, value] = pairs_[i];
    if (name.empty()) return bad_labels("a label without a name");
    if (!is_utf8(name) || !is_utf8(value)) return bad_labels("a label that is not UTF-8");
    if (i > 0 && pairs_[i - 1].first == name) return bad_labels(fmt::format("label {} twice", name));
    if (value.empty()) continue;
    named = named || name == kMetricName;
    out.text(name);
    out.text(value);
  }
  Labels labels;
  if (!Labels::unpack(packed, labels)) return bad_labels("labels that do not hold");
  if (with_name && !named) return bad_labels(fmt::format("no {} in {}", kMetricName, to_string(labels)));
  return labels;
}

void RemoteWriteReader::shrink() {
  const auto let_go = [](auto& held) {
    using Held = std::decay_t<decltype(held)>;
    if (held.capacity() * sizeof(typename Held::value_type) > kKeptBytes) Held().swap(held);
  };
  let_go(series_);
  let_go(keys_);
  let_go(samples_);
  let_go(scattered_);
  let_go(symbols_);
  let_go(symbol_hashes_);
  let_go(messages_);
  let_go(pairs_);
  let_go(exemplars_);
  usual_samples_ = std::min(usual_samples_, kKeptBytes / sizeof(storage::SeriesSample));
}

}  // namespace atalaya::ingest
