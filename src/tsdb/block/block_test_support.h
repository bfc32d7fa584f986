// What tests of blocks share: samples as plain maps, blocks made of them, maps read back.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "io/memory_file_system.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_writer.h"

namespace atalaya::tsdb {

using SeriesName = std::pair<TenantId, Labels>;
/// Bits of the columns at each instant: doubles themselves do not tell NaNs apart.
using PlainSeries = std::map<std::int64_t, std::vector<std::uint64_t>>;
using PlainBlock = std::map<SeriesName, PlainSeries>;
using BlockPtr = std::shared_ptr<const Block>;

inline std::vector<std::uint64_t> bits(std::initializer_list<double> values) {
  std::vector<std::uint64_t> out;
  for (const double value : values) out.push_back(std::bit_cast<std::uint64_t>(value));
  return out;
}

inline SeriesName named(const std::string& tenant, const std::string& metric, const std::string& host = "a") {
  return {TenantId{tenant}, Labels{{"__name__", metric}, {"host", host}}};
}

/// Adds a series in pieces of `at_once` samples.
inline Status add_plain(BlockWriter& writer, const SeriesName& name, const PlainSeries& series,
                        std::size_t at_once = SIZE_MAX) {
  AT_TRY(writer.begin_series(name.first, name.second));
  std::vector<std::int64_t> times;
  std::vector<std::vector<double>> columns;
  const auto add = [&]() -> Status {
    const std::vector<std::span<const double>> spans(columns.begin(), columns.end());
    AT_TRY(writer.add(times, spans));
    times.clear();
    columns.clear();
    return {};
  };
  for (const auto& [time, values] : series) {
    times.push_back(time);
    columns.resize(values.size());
    for (std::size_t c = 0; c < values.size(); ++c) columns[c].push_back(std::bit_cast<double>(values[c]));
    if (times.size() == at_once) AT_TRY(add());
  }
  return times.empty() ? Status{} : add();
}

inline BlockMeta plain_meta(const PlainBlock& plain, std::uint64_t sequence = 1) {
  BlockMeta meta;
  meta.first_sequence = meta.last_sequence = sequence;
  for (const auto& [name, series] : plain) {
    if (!series.empty()) meta.columns = static_cast<std::uint32_t>(series.begin()->second.size());
  }
  if (meta.columns == kRollupColumns) meta.resolution = 300'000;
  return meta;
}

inline Result<BlockPtr> write_plain(io::FileSystem& files, const std::string& path, const PlainBlock& plain,
                                    const BlockOptions& options = {}, std::uint64_t sequence = 1,
                                    std::size_t at_once = SIZE_MAX) {
  AT_TRY(auto writer, BlockWriter::create(files, path, plain_meta(plain, sequence), options));
  for (const auto& [name, series] : plain) AT_TRY(add_plain(*writer, name, series, at_once));
  return writer->finish();
}

/// All that the block serves in the range.
inline Result<PlainBlock> read_plain(const Block& block, storage::TimeRange range = {}) {
  PlainBlock plain;
  ColumnsRead read;
  for (const auto& tenant : block.tenants()) {
    const auto& index = *block.index(tenant);
    for (std::uint32_t ordinal = 0; ordinal < index.size(); ++ordinal) {
      AT_TRY(auto labels, index.labels(ordinal));
      AT_TRY(block.read(tenant, ordinal, range, read));
      auto& series = plain[{tenant, std::move(labels)}];
      for (std::size_t i = 0; i < read.times.size(); ++i) {
        auto& values = series[read.times[i]];
        for (const auto& column : read.columns) values.push_back(std::bit_cast<std::uint64_t>(column[i]));
      }
    }
  }
  return plain;
}

/// Of some tenants and series, of every shape that matters: shared instants, jitter, gaps, one sample,
/// stale markers, floats of all bits.
inline PlainBlock random_plain(std::mt19937_64& random, std::uint32_t columns = 1, std::int64_t start = 0,
                               std::int64_t span = 3'600'000) {
  PlainBlock plain;
  const auto value = [&](std::uint64_t shape, std::size_t i) -> std::uint64_t {
    switch (shape) {
      case 0: return std::bit_cast<std::uint64_t>(42.0);
      case 1: return std::bit_cast<std::uint64_t>(static_cast<double>(i) * 15);
      case 2: return std::bit_cast<std::uint64_t>(static_cast<double>(random() % 10'000) / 100);
      case 3: return random() % 4 == 0 ? kStaleBits : std::bit_cast<std::uint64_t>(static_cast<double>(random() % 9));
      default: return random();
    }
  };
  const auto tenants = 1 + random() % 4;
  for (std::uint64_t t = 0; t < tenants; ++t) {
    const auto series = 1 + random() % 12;
    for (std::uint64_t s = 0; s < series; ++s) {
      const auto name = named("tenant-" + std::to_string(random() % 6), "metric_" + std::to_string(random() % 9),
                              "host" + std::to_string(random() % 3));
      const auto step = random() % 2 == 0 ? 15'000 : 1 + static_cast<std::int64_t>(random() % 40'000);
      const bool jitter = random() % 3 == 0;
      const auto shape = random() % 5;
      auto time = start + (random() % 2 == 0 ? 0 : static_cast<std::int64_t>(random() % 20'000));
      auto& samples = plain[name];
      const auto limit = random() % 5 == 0 ? 1 : 1 + random() % 80;
      for (std::size_t i = 0; i < limit && time < start + span; ++i) {
        auto& at = samples[time];
        at.clear();
        for (std::uint32_t c = 0; c < columns; ++c) at.push_back(value(shape, i));
        time += step + (jitter ? static_cast<std::int64_t>(random() % 10) : 0);
      }
    }
  }
  return plain;
}

}  // namespace atalaya::tsdb
