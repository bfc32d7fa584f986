#include "model/labels.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "model/names.h"

namespace atalaya {
namespace {

/// The text that begins at `at`, and where the next one does. The bytes are of a set that holds together: nearly all
/// lengths take one byte.
std::string_view take_text(std::string_view packed, std::size_t& at) {
  std::size_t length = 0;
  unsigned shift = 0;
  for (;; shift += 7) {
    const auto byte = static_cast<unsigned char>(packed[at++]);
    length |= static_cast<std::size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const auto text = packed.substr(at, length);
  at += length;
  return text;
}

/// How many bytes are the same from the beginning on.
std::size_t common_prefix(const char* a, const char* b, std::size_t size) {
  static_assert(std::endian::native == std::endian::little);
  std::size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    std::uint64_t x = 0;
    std::uint64_t y = 0;
    std::memcpy(&x, a + at, sizeof x);
    std::memcpy(&y, b + at, sizeof y);
    if (x != y) return at + static_cast<std::size_t>(std::countr_zero(x ^ y)) / 8;
  }
  while (at < size && a[at] == b[at]) ++at;
  return at;
}

}  // namespace

void Labels::Iterator::load() {
  if (left_.empty()) return;
  std::size_t at = 0;
  pair_.first = take_text(left_, at);
  pair_.second = take_text(left_, at);
  rest_ = left_.substr(at);
}

Labels::Labels(std::initializer_list<Pair> pairs) {
  LabelsBuilder builder;
  for (const auto& [name, value] : pairs) builder.set(name, value);
  *this = builder.build();
}

Labels::Labels(const std::map<std::string, std::string>& pairs) {
  ByteWriter writer(packed_);
  for (const auto& [name, value] : pairs) {
    if (value.empty()) continue;
    writer.text(name);
    writer.text(value);
  }
}

void LabelsPacker::add(std::string_view name, std::string_view value) {
  for (const auto text : {name, value}) {
    if (text.size() < 0x80) {
      packed_.push_back(static_cast<char>(text.size()));
    } else {
      ByteWriter(packed_).varint(text.size());
    }
    packed_.append(text);
  }
}

Labels LabelsPacker::take() {
  Labels out;
  out.packed_ = std::exchange(packed_, {});
  return out;
}

std::string_view Labels::get(std::string_view name) const {
  for (const auto& [key, value] : *this) {
    if (key == name) return value;
  }
  return {};
}

std::size_t Labels::size() const {
  std::size_t count = 0;
  for (auto it = begin(); it != end(); ++it) ++count;
  return count;
}

std::uint64_t Labels::hash() const { return XXH3_64bits(packed_.data(), packed_.size()); }

bool Labels::unpack(std::string_view packed, Labels& out) {
  ByteReader reader(packed);
  std::string_view previous;
  while (!reader.at_end()) {
    const auto name = reader.text();
    const auto value = reader.text();
    if (!reader.ok() || name.empty() || value.empty() || name <= previous || !is_utf8(name) || !is_utf8(value)) {
      return false;
    }
    previous = name;
  }
  // Written again rather than copied: a length in a longer varint than needed must not make two
  // forms of one set.
  out.packed_.clear();
  ByteWriter writer(out.packed_);
  for (ByteReader again(packed); !again.at_end();) {
    writer.text(again.text());
    writer.text(again.text());
  }
  return true;
}

Labels Labels::with(std::string_view name, std::string_view value) const {
  return LabelsBuilder(*this).set(name, value).build();
}

std::strong_ordering Labels::operator<=>(const Labels& other) const {
  // Sorting looks at many sets that begin alike: the bytes are compared first, and the first text that differs then.
  const auto common = std::min(packed_.size(), other.packed_.size());
  const auto differs = common_prefix(packed_.data(), other.packed_.data(), common);
  if (differs == common) return packed_.size() <=> other.packed_.size();
  for (std::size_t at = 0;;) {
    auto same = at;
    const auto text = take_text(packed_, at);
    if (differs >= at) continue;
    return text.compare(take_text(other.packed_, same)) <=> 0;
  }
}

LabelsBuilder::LabelsBuilder(const Labels& base) {
  for (const auto& [name, value] : base) pairs_.emplace(name, value);
}

LabelsBuilder& LabelsBuilder::set(std::string_view name, std::string_view value) {
  if (value.empty()) return erase(name);
  pairs_.insert_or_assign(std::string(name), std::string(value));
  return *this;
}

LabelsBuilder& LabelsBuilder::erase(std::string_view name) {
  if (const auto it = pairs_.find(name); it != pairs_.end()) pairs_.erase(it);
  return *this;
}

Labels LabelsBuilder::build() const {
  Labels labels;
  ByteWriter writer(labels.packed_);
  for (const auto& [name, value] : pairs_) {
    writer.text(name);
    writer.text(value);
  }
  return labels;
}

std::string to_string(const Labels& labels) {
  const auto metric = labels.get(kMetricName);
  const bool bare = is_metric_name(metric);
  std::string out = bare ? std::string(metric) : "";
  std::string inner = bare || metric.empty() ? "" : quote_label_value(metric);
  for (const auto& [name, value] : labels) {
    if (name == kMetricName) continue;
    if (!inner.empty()) inner += ", ";
    inner += (is_label_name(name) ? std::string(name) : quote_label_value(name)) + "=" + quote_label_value(value);
  }
  if (!inner.empty() || out.empty()) out += "{" + inner + "}";
  return out;
}

}  // namespace atalaya
