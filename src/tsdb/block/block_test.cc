#include "tsdb/block/block.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "tsdb/block/block_test_support.h"

namespace atalaya::tsdb {
namespace {

const BlockOptions kTiny{4, 64, 3};

PlainSeries every_15_s(std::int64_t from, std::size_t count, double first = 0) {
  PlainSeries series;
  for (std::size_t i = 0; i < count; ++i) {
    series[from + static_cast<std::int64_t>(i) * 15'000] = bits({first + static_cast<double>(i)});
  }
  return series;
}

TEST(Block, WhatWasWrittenIsReadBack) {
  io::MemoryFileSystem disk;
  const PlainBlock plain{{named("acme", "up"), every_15_s(1000, 60)},
                         {named("acme", "up", "b"), every_15_s(1000, 60, 7.5)},
                         {named("acme", "zero"), {{-5, bits({-0.0})}, {0, {kStaleBits}}, {9, bits({INFINITY})}}},
                         {named("other", "up"), every_15_s(0, 1)}};
  const auto written = write_plain(disk, "b", plain);
  ASSERT_TRUE(written) << to_string(written.error());
  for (const auto& block : {*written, Block::open(disk, "b").value()}) {
    EXPECT_EQ(read_plain(*block).value(), plain);
    EXPECT_TRUE(block->verify());
    EXPECT_EQ(block->path(), "b");
    EXPECT_EQ(block->meta().first, -5);
    EXPECT_EQ(block->meta().last, 1000 + 59 * 15'000);
    EXPECT_EQ(block->meta().series, 4u);
    EXPECT_EQ(block->meta().samples, 124u);
    EXPECT_EQ(block->meta().bytes, disk.list(".").value()[0].size_bytes);
    EXPECT_EQ(block->tenants(), (std::vector<TenantId>{TenantId{"acme"}, TenantId{"other"}}));
    EXPECT_EQ(block->index(TenantId{"none"}), nullptr);
  }
  EXPECT_EQ(disk.list(".").value().size(), 1u) << "nothing is left beside it";
}

TEST(Block, AMetaSaysWhatItsWriterSaid) {
  io::MemoryFileSystem disk;
  BlockMeta meta;
  meta.first_sequence = 7;
  meta.last_sequence = 9;
  meta.resolution = 3'600'000;
  meta.columns = 5;
  auto writer = BlockWriter::create(disk, "b", meta, {}).value();
  const PlainSeries series{{3'599'999, bits({2, 3, 1, 2, 1})}, {7'199'999, bits({1, 4, 4, 4, 4})}};
  ASSERT_TRUE(add_plain(*writer, named("acme", "up"), series));
  ASSERT_TRUE(writer->finish());
  const auto block = Block::open(disk, "b").value();
  EXPECT_EQ(block->meta().first_sequence, 7u);
  EXPECT_EQ(block->meta().last_sequence, 9u);
  EXPECT_EQ(block->meta().resolution, 3'600'000);
  EXPECT_EQ(block->meta().columns, 5u);
  EXPECT_EQ(read_plain(*block).value().at(named("acme", "up")), series);
}

TEST(Block, ARangeAnswersWhatLiesInItAndNothingElse) {
  io::MemoryFileSystem disk;
  const auto series = every_15_s(0, 100);
  const auto block = write_plain(disk, "b", {{named("acme", "up"), series}}, kTiny).value();
  ColumnsRead read;
  for (const auto& [from, to] : std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 0},
                                                                                   {1, 14'999},
                                                                                   {15'000, 75'000},
                                                                                   {14'999, 75'001},
                                                                                   {59'999, 60'000},
                                                                                   {-9, 5},
                                                                                   {1'485'000, 9'999'999},
                                                                                   {1'485'001, 9'999'999},
                                                                                   {-100, -1},
                                                                                   {30, 20},
                                                                                   {75'000, 15'000}}) {
    ASSERT_TRUE(block->read(TenantId{"acme"}, 0, {from_ms(from), from_ms(to)}, read));
    std::vector<std::int64_t> wanted;
    for (const auto& [time, value] : series) {
      if (from <= time && time <= to) wanted.push_back(time);
    }
    EXPECT_EQ(read.times, wanted) << from << " " << to;
    ASSERT_EQ(read.columns.size(), 1u);
    ASSERT_EQ(read.columns[0].size(), wanted.size());
    if (!wanted.empty()) {
      EXPECT_EQ(read.columns[0][0], static_cast<double>(wanted[0] / 15'000));
    }
    const auto& index = *block->index(TenantId{"acme"});
    std::vector<Sample> samples{{from_ms(-1000), 3}};
    ASSERT_TRUE(block->read_column(index, 0, {from_ms(from), from_ms(to)}, 0, samples));
    ASSERT_EQ(samples.size(), wanted.size() + 1) << "they are appended";
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(to_ms(samples[i + 1].time), wanted[i]);
      EXPECT_EQ(samples[i + 1].value, read.columns[0][i]);
    }
    EXPECT_EQ(block->has_instant(index, 0, {from_ms(from), from_ms(to)}).value(), !wanted.empty());
  }
}

TEST(Block, ASeriesThatIsNotThereIsNotFound) {
  io::MemoryFileSystem disk;
  const auto block = write_plain(disk, "b", {{named("acme", "up"), every_15_s(0, 1)}}).value();
  ColumnsRead read;
  EXPECT_EQ(block->read(TenantId{"acme"}, 1, {}, read).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(block->read(TenantId{"other"}, 0, {}, read).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Block::open(disk, "none").error().code, ErrorCode::kNotFound);
}

TEST(Block, TheInstantsOfOneScrapeAreStoredOnce) {
  const auto chunks_of = [](const PlainBlock& plain) {
    io::MemoryFileSystem disk;
    const auto block = write_plain(disk, "b", plain, {4, 1 << 16, 3}).value();
    const auto& index = *block->index(block->tenants()[0]);
    std::set<std::uint32_t> vectors;
    std::vector<ChunkRef> chunks;
    for (std::uint32_t i = 0; i < index.size(); ++i) {
      EXPECT_TRUE(index.chunks(i, chunks));
      for (const auto& chunk : chunks) vectors.insert(chunk.times);
    }
    return vectors.size();
  };
  PlainBlock shared;
  PlainBlock apart;
  for (int i = 0; i < 50; ++i) {
    shared[named("acme", "m" + std::to_string(i))] = every_15_s(0, 8, i);
    apart[named("acme", "m" + std::to_string(i))] = every_15_s(i, 8, i);
  }
  EXPECT_EQ(chunks_of(shared), 2u);
  EXPECT_EQ(chunks_of(apart), 100u);
}

TEST(Block, ChunksAreTheSameHoweverSamplesCome) {
  const PlainBlock plain{{named("acme", "up"), every_15_s(0, 103)}};
  std::set<std::string> files;
  for (const std::size_t at_once : {1, 3, 4, 5, 50, 103}) {
    io::MemoryFileSystem disk;
    const auto block = write_plain(disk, "b", plain, kTiny, 1, at_once).value();
    std::vector<ChunkRef> chunks;
    ASSERT_TRUE(block->index(TenantId{"acme"})->chunks(0, chunks));
    EXPECT_EQ(chunks.size(), 26u);
    files.insert(io::read_file(disk, "b").value());
  }
  EXPECT_EQ(files.size(), 1u);
}

TEST(Block, ManyTenantsHaveASectionEach) {
  io::MemoryFileSystem disk;
  PlainBlock plain;
  for (int i = 0; i < 300; ++i) plain[named("tenant-" + std::to_string(i), "up")] = every_15_s(i, 5);
  const auto block = write_plain(disk, "b", plain).value();
  EXPECT_EQ(block->tenants().size(), 300u);
  EXPECT_EQ(read_plain(*block).value(), plain);
  for (const auto& tenant : block->tenants()) EXPECT_EQ(block->index(tenant)->size(), 1u);
}

TEST(Block, RandomBlocksOfEveryShapeComeBack) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; ++round) {
    io::MemoryFileSystem disk;
    const auto plain = random_plain(random, random() % 2 == 0 ? 1 : kRollupColumns);
    const BlockOptions options{1 + static_cast<std::uint32_t>(random() % 40),
                               1 + static_cast<std::uint32_t>(random() % 3000), 1};
    const auto block = write_plain(disk, "b", plain, options, 1, 1 + random() % 60);
    ASSERT_TRUE(block) << to_string(block.error());
    ASSERT_EQ(read_plain(**block).value(), plain);
    const storage::TimeRange range{from_ms(static_cast<std::int64_t>(random() % 1'000'000)),
                                   from_ms(static_cast<std::int64_t>(random() % 3'000'000))};
    auto within = plain;
    for (auto& [name, series] : within) {
      std::erase_if(series, [&](const auto& s) { return s.first < to_ms(range.from) || s.first > to_ms(range.to); });
    }
    ASSERT_EQ(read_plain(**block, range).value(), within);
  }
}

TEST(Block, ItServesAfterItsNameIsGone) {
  io::MemoryFileSystem disk;
  const PlainBlock plain{{named("acme", "up"), every_15_s(0, 50)}};
  const auto block = write_plain(disk, "b", plain, kTiny).value();
  ASSERT_TRUE(disk.remove("b"));
  EXPECT_EQ(read_plain(*block).value(), plain);
}

TEST(BlockWriter, WithoutASampleThereIsNoBlockAndNoFile) {
  io::MemoryFileSystem disk;
  auto writer = BlockWriter::create(disk, "b", {}, {}).value();
  ASSERT_TRUE(writer->begin_series(TenantId{"acme"}, Labels{{"__name__", "up"}}));
  ASSERT_TRUE(writer->begin_series(TenantId{"other"}, Labels{{"__name__", "up"}}));
  const auto block = writer->finish();
  ASSERT_TRUE(block);
  EXPECT_EQ(*block, nullptr);
  EXPECT_TRUE(disk.list(".").value().empty());
}

TEST(BlockWriter, ASeriesWithoutSamplesIsLeftOut) {
  io::MemoryFileSystem disk;
  const auto block = write_plain(disk, "b",
                                 {{named("acme", "a"), {}},
                                  {named("acme", "b"), every_15_s(0, 2)},
                                  {named("acme", "c"), {}},
                                  {named("empty", "b"), {}}})
                         .value();
  EXPECT_EQ(read_plain(*block).value(), (PlainBlock{{named("acme", "b"), every_15_s(0, 2)}}));
}

TEST(BlockWriter, AnUnfinishedBlockLeavesNothing) {
  io::MemoryFileSystem disk;
  {
    auto writer = BlockWriter::create(disk, "b", {}, {}).value();
    ASSERT_TRUE(add_plain(*writer, named("acme", "up"), every_15_s(0, 5)));
    EXPECT_TRUE(disk.exists("b.new"));
  }
  EXPECT_TRUE(disk.list(".").value().empty());
}

TEST(BlockWriter, TheRestOfAnEarlierAttemptIsReplaced) {
  io::MemoryFileSystem disk;
  ASSERT_TRUE(disk.open_append("b.new").value()->append(std::string(10'000, 'x')));
  const PlainBlock plain{{named("acme", "up"), every_15_s(0, 5)}};
  EXPECT_EQ(read_plain(*write_plain(disk, "b", plain).value()).value(), plain);
}

TEST(BlockWriter, WhatIsOutOfOrderIsRefusedForGood) {
  const auto refused = [](const SeriesName& first, const SeriesName& second) {
    io::MemoryFileSystem disk;
    auto writer = BlockWriter::create(disk, "b", {}, {}).value();
    EXPECT_TRUE(add_plain(*writer, first, every_15_s(0, 5)));
    const auto status = writer->begin_series(second.first, second.second);
    if (!status) {
      EXPECT_EQ(writer->finish().error(), status.error());
    }
    return !status;
  };
  EXPECT_FALSE(refused(named("acme", "a"), named("acme", "b")));
  EXPECT_FALSE(refused(named("acme", "b"), named("bob", "a")));
  EXPECT_TRUE(refused(named("acme", "b"), named("acme", "b")));
  EXPECT_TRUE(refused(named("acme", "b"), named("acme", "a")));
  EXPECT_TRUE(refused(named("bob", "a"), named("acme", "b")));
  EXPECT_TRUE(refused(named("acme", "a"), named("Not A Tenant", "a")));
  io::MemoryFileSystem disk;
  auto writer = BlockWriter::create(disk, "b", {}, {}).value();
  ASSERT_TRUE(add_plain(*writer, named("acme", "a"), {{5, bits({1})}}));
  const std::vector<std::int64_t> times{5};
  const std::vector<double> values{1};
  const std::vector<std::span<const double>> columns{values};
  EXPECT_EQ(writer->add(times, columns).error().code, ErrorCode::kInvalidArgument);
}

TEST(BlockWriter, ImpossibleOptionsAreRefused) {
  io::MemoryFileSystem disk;
  EXPECT_FALSE(BlockWriter::create(disk, "b", {}, {0, 64, 3}));
  EXPECT_FALSE(BlockWriter::create(disk, "b", {}, {65'537, 64, 3}));
  EXPECT_FALSE(BlockWriter::create(disk, "b", {}, {4, 0, 3}));
  EXPECT_FALSE(BlockWriter::create(disk, "b", {}, {4, 1U << 30, 3}));
  BlockMeta meta;
  meta.columns = 3;
  EXPECT_FALSE(BlockWriter::create(disk, "b", meta, {}));
}

}  // namespace
}  // namespace atalaya::tsdb
