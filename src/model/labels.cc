#include "model/labels.h"

#include <fmt/format.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "model/names.h"

namespace atalaya {
void Labels::Iterator::load() {
  if (left_.empty()) return;
  ByteReader reader(left_);
  pair_.first = reader.text();
  pair_.second = reader.text();
  rest_ = left_.substr(left_.size() - reader.remaining());
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
  ByteWriter writer(packed_);
  writer.text(name);
  writer.text(value);
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
  auto a = begin();
  auto b = other.begin();
  for (; a != end() && b != other.end(); ++a, ++b) {
    if (const auto order = a->first.compare(b->first); order != 0) return order <=> 0;
    if (const auto order = a->second.compare(b->second); order != 0) return order <=> 0;
  }
  return (a != end()) <=> (b != other.end());
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
