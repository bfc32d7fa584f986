// For tests: an index as a plain list of series, to compare with.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "io/checksum.h"
#include "tsdb/block/index.h"
#include "tsdb/block/index_directory.h"

namespace atalaya::tsdb {

struct IndexModel {
  std::map<Labels, std::vector<ChunkRef>> series;

  std::string build() const {
    IndexBuilder builder;
    for (const auto& [labels, chunks] : series) builder.add(labels, chunks);
    AT_CHECK(builder.size() == series.size());
    return builder.finish();
  }
  /// Nothing where the index has to refuse.
  std::optional<std::vector<std::uint32_t>> select(const Matchers& matchers) const {
    if (matches(matchers, Labels())) return std::nullopt;
    std::vector<std::uint32_t> out;
    std::uint32_t ordinal = 0;
    for (const auto& [labels, chunks] : series) {
      if (matches(matchers, labels)) out.push_back(ordinal);
      ++ordinal;
    }
    return out;
  }
  std::vector<std::string> names(const Matchers& matchers) const {
    std::set<std::string> out;
    for (const auto& [labels, chunks] : series) {
      if (!matches(matchers, labels)) continue;
      for (const auto& [name, value] : labels) out.emplace(name);
    }
    return {out.begin(), out.end()};
  }
  std::vector<std::string> values(std::string_view name, const Matchers& matchers) const {
    std::set<std::string> out;
    for (const auto& [labels, chunks] : series) {
      if (matches(matchers, labels) && labels.has(name)) out.emplace(labels.get(name));
    }
    return {out.begin(), out.end()};
  }
};

/// Label sets of names n0…; values from few to one a series.
inline IndexModel random_model(std::mt19937_64& random, std::size_t count) {
  IndexModel out;
  const auto names = 1 + random() % 6;
  const auto optional = random() % 3;
  for (std::size_t i = 0; i < count; ++i) {
    LabelsBuilder labels;
    for (std::uint64_t n = 0; n < names; ++n) {
      if (random() % 4 < optional) continue;
      const auto values = n == 0 ? 3 : n == 1 ? 40 : n == 2 ? 3 * count : 1 + n;
      auto value = std::to_string(random() % values);
      if (random() % 8 == 0) value = "ü." + value + std::string(random() % 40, 'x');
      labels.set("n" + std::to_string(n), value);
    }
    std::vector<ChunkRef> chunks;
    std::int64_t time = static_cast<std::int64_t>(random() % 3000) - 1000;
    for (auto left = 1 + random() % 3; left > 0; --left) {
      const auto last = time + static_cast<std::int64_t>(random() % 1000);
      const auto number = [&](std::uint64_t bound) { return static_cast<std::uint32_t>(random() % bound); };
      chunks.push_back({time, last, 1 + number(200), number(50), number(8), number(1u << 16)});
      time = last + 1;
    }
    out.series.insert_or_assign(labels.build(), chunks);
  }
  return out;
}

inline Matcher random_matcher(std::mt19937_64& random) {
  static const std::string kRegexes[] = {".*",   ".+",      "",      "1.*",    "1.+", "(1|2|30)", "1|",
                                         "|",    "ü\\..*",  "ü?.*",  "[1-3]",  "1?",  "1*2?",     "2\\.*",
                                         "nope", "(?:1|2)", "1|2.*", "x{0,2}", ".*x", "(?i)X?.+x"};
  const auto op = static_cast<Matcher::Op>(random() % 4);
  auto name = "n" + std::to_string(random() % 7);
  std::string value;
  if (op == Matcher::Op::kRegex || op == Matcher::Op::kNotRegex) {
    value = kRegexes[random() % std::size(kRegexes)];
  } else if (random() % 6 != 0) {
    value = std::to_string(random() % 45);
  }
  return Matcher::make(std::move(name), op, std::move(value)).value();
}

inline Matchers random_matchers(std::mt19937_64& random) {
  Matchers out;
  for (auto left = 1 + random() % 3; left > 0; --left) out.push_back(random_matcher(random));
  return out;
}

/// Empty when the index answers as the model does; else what it does not. Corruption is an answer when
/// `damaged`.
inline std::string difference(const Index& index, const IndexModel& model, std::mt19937_64& random, int queries,
                              bool damaged) {
  const auto excused = [&](const auto& result) {
    return !result && damaged && result.error().code == ErrorCode::kCorruption;
  };
  if (index.size() != model.series.size()) return "size";
  std::uint32_t ordinal = 0;
  std::vector<ChunkRef> chunks;
  for (const auto& [labels, want] : model.series) {
    const auto found = index.labels(ordinal);
    if (!excused(found) && (!found || *found != labels)) return "labels of " + std::to_string(ordinal);
    const auto status = index.chunks(ordinal, chunks);
    if (!excused(status) && (!status || chunks != want)) return "chunks of " + std::to_string(ordinal);
    ++ordinal;
  }
  for (int i = 0; i < queries; ++i) {
    const auto matchers = random_matchers(random);
    const auto want = model.select(matchers);
    const auto found = index.select(matchers);
    if (excused(found)) continue;
    if (found.has_value() != want.has_value()) return "errors of " + to_string(matchers);
    if (!found && found.error().code != ErrorCode::kInvalidArgument) return "code of " + to_string(matchers);
    if (found && *found != *want) return "series of " + to_string(matchers);
    const auto name = "n" + std::to_string(random() % 7);
    const auto& used = found ? matchers : Matchers();
    const auto names = index.label_names(used);
    if (!excused(names) && (!names || *names != model.names(used))) return "names of " + to_string(used);
    const auto values = index.label_values(name, used);
    if (!excused(values) && (!values || *values != model.values(name, used))) return "values of " + to_string(used);
  }
  return {};
}

/// The section with its pages as `change_page` leaves them, its directory as `change_directory` does, and
/// checksums that fit again: what a forger would hand us.
template <typename ChangePages, typename ChangeDirectory>
std::string resealed(std::string section, ChangePages change_pages, ChangeDirectory change_directory) {
  auto directory = index::Directory::read(section).value();
  const std::string original = section;  // the directory's views are of the bytes that are about to change
  directory = index::Directory::read(original).value();
  std::size_t end = 0;
  for (const auto& pages : directory.pages) {
    for (const auto& page : pages) end = std::max<std::size_t>(end, page.offset + page.stored);
  }
  section.resize(end);
  change_pages(section);
  section.resize(end);
  for (auto& pages : directory.pages) {
    for (auto& page : pages) page.crc = io::crc32c(std::string_view(section).substr(page.offset, page.stored));
  }
  directory.write(section);
  std::string bytes = section.substr(end, section.size() - end - 12);
  section.resize(end);
  change_directory(bytes);
  std::string length;
  ByteWriter(length).u32(static_cast<std::uint32_t>(bytes.size()));
  const auto crc = io::crc32c(length, io::crc32c(bytes));
  section += bytes + length;
  ByteWriter(section).u32(crc);
  return section + "AIX1";
}

inline std::uint64_t test_seed() {
  const char* wanted = std::getenv("ATALAYA_TEST_SEED");
  const std::string text = wanted ? wanted : "1";
  return text == "random" ? std::random_device{}() : std::strtoull(text.c_str(), nullptr, 10);
}

}  // namespace atalaya::tsdb
