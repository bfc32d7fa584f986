#include "tsdb/block/merge.h"

#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "tsdb/block/block_test_support.h"

namespace atalaya::tsdb {
namespace {

const BlockOptions kTiny{4, 64, 3};

/// Written in the order of the sources, as sequences 1, 2, …
std::vector<BlockPtr> written(io::FileSystem& disk, const std::vector<PlainBlock>& sources) {
  std::vector<BlockPtr> blocks;
  for (const auto& source : sources) {
    const auto sequence = blocks.size() + 1;
    blocks.push_back(write_plain(disk, "source-" + std::to_string(sequence), source, kTiny, sequence).value());
  }
  return blocks;
}

/// What merging is to answer: the earlier source wins.
PlainBlock merged_plainly(const std::vector<PlainBlock>& sources) {
  PlainBlock merged;
  for (const auto& source : sources) {
    for (const auto& [name, series] : source) merged[name].insert(series.begin(), series.end());
  }
  return merged;
}

TEST(Merge, OfTwoSamplesOfOneInstantThatOfTheEarlierBlockStays) {
  io::MemoryFileSystem disk;
  const auto name = named("acme", "up");
  const auto blocks = written(disk, {{{name, {{1, bits({1})}, {3, bits({3})}, {9, bits({9})}}}},
                                     {{name, {{1, bits({-1})}, {2, bits({2})}, {9, {kStaleBits}}, {10, bits({10})}}}}});
  std::uint64_t conflicting = 0;
  const auto block = merge_blocks(disk, "m", blocks, {}, {}, {}, &conflicting).value();
  EXPECT_EQ(conflicting, 2u);
  EXPECT_EQ(read_plain(*block).value().at(name),
            (PlainSeries{{1, bits({1})}, {2, bits({2})}, {3, bits({3})}, {9, bits({9})}, {10, bits({10})}}));
  EXPECT_EQ(block->meta().first_sequence, 1u);
  EXPECT_EQ(block->meta().last_sequence, 2u);
  EXPECT_EQ(block->meta().samples, 5u);
}

TEST(Merge, RandomBlocksBecomeWhatAMapBecomes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; ++round) {
    io::MemoryFileSystem disk;
    const std::uint32_t columns = random() % 3 == 0 ? kRollupColumns : 1;
    std::vector<PlainBlock> sources;
    for (std::uint64_t i = 0; i < 1 + random() % 5; ++i) {
      // Together, overlapping, or one after the other.
      sources.push_back(random_plain(random, columns, static_cast<std::int64_t>(i * (random() % 3) * 600'000)));
    }
    // An instant of an early block comes again later, with another value.
    for (const auto& [name, series] : sources.front()) {
      if (random() % 2 == 0) sources.back()[name][series.begin()->first].assign(columns, random());
    }
    const auto blocks = written(disk, sources);
    const auto merged =
        merge_blocks(disk, "m", blocks, {1 + static_cast<std::uint32_t>(random() % 50), 200, 1}, {}, {});
    ASSERT_TRUE(merged) << to_string(merged.error());
    ASSERT_EQ(read_plain(**merged).value(), merged_plainly(sources));
    for (std::size_t i = 0; i < blocks.size(); ++i) ASSERT_EQ(read_plain(*blocks[i]).value(), sources[i]);
  }
}

TEST(Merge, DroppedRangesAreGone) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20; ++round) {
    io::MemoryFileSystem disk;
    const std::vector<PlainBlock> sources{random_plain(random), random_plain(random, 1, 100'000)};
    std::map<SeriesName, std::vector<storage::TimeRange>> ranges;
    auto wanted = merged_plainly(sources);
    for (auto& [name, series] : wanted) {
      auto& dropped = ranges[name];
      if (random() % 4 == 0) dropped.push_back({});
      for (std::uint64_t i = 0; i < random() % 3; ++i) {
        const auto from = static_cast<std::int64_t>(random() % 500'000);
        dropped.push_back({from_ms(from), from_ms(from + static_cast<std::int64_t>(random() % 200'000))});
      }
      std::erase_if(series, [&](const auto& sample) {
        return std::any_of(dropped.begin(), dropped.end(), [&](const auto& range) {
          return to_ms(range.from) <= sample.first && sample.first <= to_ms(range.to);
        });
      });
    }
    std::erase_if(wanted, [](const auto& series) { return series.second.empty(); });
    const auto drop = [&](const TenantId& tenant, const Labels& labels) { return ranges.at({tenant, labels}); };
    const auto merged = merge_blocks(disk, "m", written(disk, sources), kTiny, drop, {}).value();
    ASSERT_EQ(merged ? read_plain(*merged).value() : PlainBlock{}, wanted);
    ASSERT_EQ(disk.exists("m"), !wanted.empty());
  }
}

TEST(Merge, WhenNothingIsLeftThereIsNoBlock) {
  io::MemoryFileSystem disk;
  const auto blocks = written(disk, {{{named("acme", "up"), {{1, bits({1})}}}}});
  const auto all = [](const TenantId&, const Labels&) { return std::vector<storage::TimeRange>{{}}; };
  EXPECT_EQ(merge_blocks(disk, "m", blocks, {}, all, {}).value(), nullptr);
  EXPECT_FALSE(disk.exists("m"));
  EXPECT_FALSE(disk.exists("m.new"));
  EXPECT_TRUE(disk.exists("source-1"));
}

TEST(Merge, ThePaceHearsOfAllBytesAndCanStop) {
  io::MemoryFileSystem disk;
  std::mt19937_64 random(5);
  const auto blocks = written(disk, {random_plain(random), random_plain(random)});
  std::uint64_t bytes = 0;
  int calls = 0;
  const auto count = [&](std::uint64_t more) -> Status {
    bytes += more;
    ++calls;
    return {};
  };
  const auto merged = merge_blocks(disk, "m", blocks, kTiny, {}, count).value();
  EXPECT_EQ(static_cast<std::uint64_t>(calls), merged->meta().series);
  EXPECT_GT(bytes, 0u);
  EXPECT_LE(bytes, merged->meta().bytes);
  ASSERT_TRUE(disk.remove("m"));
  for (int stop_at = 1; stop_at <= calls; ++stop_at) {
    int left = stop_at;
    const auto stop = [&](std::uint64_t) -> Status {
      return --left == 0 ? fail(ErrorCode::kCancelled, "stopping") : Status{};
    };
    EXPECT_EQ(merge_blocks(disk, "m", blocks, kTiny, {}, stop).error().code, ErrorCode::kCancelled);
    EXPECT_FALSE(disk.exists("m"));
    EXPECT_FALSE(disk.exists("m.new"));
  }
}

TEST(Merge, TheSameBlocksBecomeTheSameBytes) {
  std::mt19937_64 random(11);
  const std::vector<PlainBlock> sources{random_plain(random), random_plain(random), random_plain(random)};
  std::vector<std::string> bytes;
  for (int i = 0; i < 2; ++i) {
    io::MemoryFileSystem disk;
    ASSERT_TRUE(merge_blocks(disk, "m", written(disk, sources), kTiny, {}, {}).value());
    bytes.push_back(io::read_file(disk, "m").value());
  }
  EXPECT_EQ(bytes[0], bytes[1]);
}

TEST(Merge, BlocksOfDifferentResolutionsAreRefused) {
  io::MemoryFileSystem disk;
  const auto blocks =
      written(disk, {{{named("acme", "up"), {{1, bits({1})}}}}, {{named("acme", "up"), {{1, bits({1, 1, 1, 1, 1})}}}}});
  EXPECT_EQ(merge_blocks(disk, "m", blocks, {}, {}, {}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(merge_blocks(disk, "m", {}, {}, {}, {}).error().code, ErrorCode::kInvalidArgument);
}

TEST(Merge, ADamagedSourceStopsItAndNothingIsLeft) {
  io::MemoryFileSystem disk;
  std::mt19937_64 random(3);
  const auto good = random_plain(random);
  ASSERT_TRUE(write_plain(disk, "a", good, kTiny));
  ASSERT_TRUE(write_plain(disk, "b", random_plain(random), kTiny));
  const auto size = io::read_file(disk, "b").value().size();
  int refused = 0;
  for (std::size_t i = 0; i < size; i += 11) {
    ASSERT_TRUE(disk.flip_bits("b", i, 0x10));
    if (const auto block = Block::open(disk, "b")) {
      const std::vector<BlockPtr> blocks{Block::open(disk, "a").value(), *block};
      const auto merged = merge_blocks(disk, "m", blocks, kTiny, {}, {});
      if (!merged) {
        EXPECT_EQ(merged.error().code, ErrorCode::kCorruption) << merged.error().message;
        EXPECT_FALSE(disk.exists("m"));
        EXPECT_FALSE(disk.exists("m.new"));
        ++refused;
      } else if (*merged) {
        // The bit is in a part that merging does not read: postings.
        ASSERT_TRUE(disk.remove("m"));
      }
    }
    ASSERT_TRUE(disk.flip_bits("b", i, 0x10));
  }
  EXPECT_GT(refused, 5);
}

TEST(Merge, AtEveryFaultTheSourcesStandAndTheResultIsWholeOrNone) {
  std::mt19937_64 random(9);
  const std::vector<PlainBlock> sources{random_plain(random), random_plain(random)};
  for (const auto fault : {io::Fault::kNoSpace, io::Fault::kTear, io::Fault::kPowerCut}) {
    const auto struck = io::for_every_call([&](std::uint64_t n) {
      SCOPED_TRACE(n);
      io::MemoryFileSystem disk;
      const auto blocks = written(disk, sources);
      io::FaultyFileSystem faulty(disk);
      faulty.arm(fault, n);
      const auto done = merge_blocks(faulty, "m", blocks, {16, 512, 1}, {}, {});
      disk.power_cut();
      for (std::size_t i = 0; i < sources.size(); ++i) {
        EXPECT_EQ(read_plain(*Block::open(disk, blocks[i]->path()).value()).value(), sources[i]);
      }
      EXPECT_TRUE(!done || disk.exists("m"));
      if (disk.exists("m")) {
        EXPECT_EQ(read_plain(*Block::open(disk, "m").value()).value(), merged_plainly(sources));
      }
      return faulty.struck();
    });
    EXPECT_GT(struck, 8u);
  }
}

}  // namespace
}  // namespace atalaya::tsdb
