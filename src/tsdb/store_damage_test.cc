// Bits that changed on the disk: noticed, set aside, told, and the rest serves.
#include <gtest/gtest.h>

#include "tsdb/store_test_support.h"

namespace atalaya::tsdb {
namespace {

using storage::Appended;

/// A folder of a store with something of every kind in it, and what each bit of it costs when it changes.
class StoreDamage : public StoreTest {
 protected:
  using Files = std::map<std::string, std::string>;

  StoreDamage() {
    clock_.jump_to(from_ms(kStart + 3 * kDay));
    options_.retention = std::chrono::hours{24 * 30};
    testing::internal::CaptureStderr();
  }
  ~StoreDamage() override { testing::internal::GetCapturedStderr(); }

  /// Three blocks, one of them with something hidden, a checkpoint, a list of deletions, and a log.
  void fill() {
    open();
    for (int i = 0; i < 10; ++i) {
      for (const auto* name : {"a", "b", "hidden"}) ASSERT_TRUE(append(name, i * 1000, i));
    }
    ASSERT_TRUE(store_->flush());
    ASSERT_TRUE(
        store_->delete_series(tenant_, {Matcher::equal("__name__", "hidden")}, {from_ms(kStart + 5000), kMaxTime}));
    for (int i = 10; i < 20; ++i) {
      for (const auto* name : {"a", "c"}) {
        clock_.advance(step_);
        ASSERT_TRUE(append_unflushed(name, i * 1000, i));
      }
    }
    wanted_ = contents();
    store_.reset();
    for (const auto* folder : {"series", "series/blocks"}) {
      const auto entries = files_.list(folder).value();
      for (const auto& entry : entries) {
        const auto path = std::string(folder) + "/" + entry.name;
        if (!entry.is_directory) kept_[path] = io::read_file(files_, path).value();
      }
    }
  }

  std::vector<std::string> kept_files(std::string_view holds) const {
    std::vector<std::string> out;
    for (const auto& [path, bytes] : kept_) {
      if (path.find(holds) != std::string::npos) out.push_back(path);
    }
    return out;
  }
  void put_back(io::MemoryFileSystem& disk) const {
    ASSERT_TRUE(disk.create_directories("series/blocks"));
    for (const auto& [path, bytes] : kept_) ASSERT_TRUE(io::write_file_atomically(disk, path, bytes));
  }
  /// Nothing that was never sent, whatever is missing.
  static void expect_nothing_invented(const StoreModel& found) {
    for (const auto& [name, samples] : found) {
      for (const auto& [at, value] : samples) EXPECT_EQ(at, static_cast<std::int64_t>(value) * 1000) << name;
    }
  }
  static std::size_t count(const StoreModel& model) {
    std::size_t out = 0;
    for (const auto& [name, samples] : model) out += samples.size();
    return out;
  }
  /// Opens a store after one bit of a file has changed, looks through all of it, and hands over what it
  /// serves then.
  StoreModel spoil(const std::string& path, std::size_t offset, unsigned char mask) {
    io::MemoryFileSystem disk;
    put_back(disk);
    EXPECT_TRUE(disk.flip_bits(path, offset, mask));
    auto store = try_open(disk);
    EXPECT_TRUE(store) << store.error().message;
    if (!store) return {};
    if ((*store)->complete_from() > kMinTime) {
      ++later_;
      (*store)->maintain();
    }
    const auto& report = (*store)->report();
    const auto verified = (*store)->verify();
    EXPECT_TRUE(verified);
    EXPECT_TRUE(!report.damaged.empty() || report.torn_bytes > 0 || !verified->empty()) << "not noticed";
    auto found = contents(**store);
    expect_nothing_invented(found);
    EXPECT_TRUE(append_to(
        **store,
        {{{(*store)->resolve(tenant_, Labels{{"__name__", "new"}}).value(), from_ms(kStart + 30'000), 30}}, {}}));
    EXPECT_TRUE((*store)->flush());
    store->reset();
    // What was set aside is no matter any more.
    auto again = try_open(disk);
    EXPECT_TRUE(again);
    if (!again) return found;
    EXPECT_TRUE((*again)->report().damaged.empty());
    found["new"][30'000] = 30;
    EXPECT_EQ(contents(**again), found);
    found.erase("new");
    return found;
  }

  Files kept_;
  StoreModel wanted_;
  Duration step_{0};  ///< between writes
  int later_ = 0;     ///< starts that left a part of the log for later
};
INSTANTIATE_TEST_SUITE_P(Under, StoreDamage, testing::ValuesIn(kHostileOptions), name_of);

/// Each test flips bits here and there; over a few runs, all of them.
template <typename Spoil>
void here_and_there(const std::string& bytes, std::size_t times, Spoil&& spoil) {
  std::mt19937_64 random(std::random_device{}());
  for (std::size_t i = 0; i < times; ++i) {
    const auto offset = i < 40 && i < bytes.size() ? i : random() % bytes.size();  // headers are dear
    const auto mask = static_cast<unsigned char>(1U << random() % 8);
    const testing::ScopedTrace trace(__FILE__, __LINE__,
                                     testing::Message() << "offset " << offset << ", bits " << int{mask});
    spoil(offset, mask);
  }
}

TEST_P(StoreDamage, OfABitOfTheLogCostsARecord) {
  fill();
  const auto logs = kept_files(".log");
  ASSERT_FALSE(logs.empty());
  for (const auto& path : logs) {
    here_and_there(kept_[path], 200 / logs.size() + 1, [&](std::size_t offset, unsigned char mask) {
      SCOPED_TRACE(path);
      const auto found = spoil(path, offset, mask);
      // A sample, or with the definition of a series all ten that are in no block.
      EXPECT_GE(count(found) + 10, count(wanted_));
    });
  }
}

TEST_P(StoreDamage, OfABitOfTheLogThatIsReadLaterCostsARecordToo) {
  options_.segment_bytes = 512;
  step_ = std::chrono::seconds{15};
  fill();
  options_.replay_at_once_bytes = 0;
  options_.replay_at_once = std::chrono::minutes{1};
  options_.flush_age = std::chrono::hours{10};
  const auto logs = kept_files(".log");
  ASSERT_GT(logs.size(), 2u);
  for (const auto& path : logs) {
    here_and_there(kept_[path], 200 / logs.size() + 1, [&](std::size_t offset, unsigned char mask) {
      SCOPED_TRACE(path);
      EXPECT_GE(count(spoil(path, offset, mask)) + 10, count(wanted_));
    });
  }
  EXPECT_GT(later_, 100);
}

TEST_P(StoreDamage, OfABitOfTheCheckpointCostsNothingThatIsInBlocks) {
  fill();
  const auto checkpoints = kept_files("checkpoint");
  ASSERT_EQ(checkpoints.size(), 1u);
  here_and_there(kept_[checkpoints[0]], 200, [&](std::size_t offset, unsigned char mask) {
    const auto found = spoil(checkpoints[0], offset, mask);
    for (const auto* name : {"a", "b"}) {
      for (int i = 0; i < 10; ++i) EXPECT_TRUE(found.contains(name) && found.at(name).contains(i * 1000));
    }
    EXPECT_EQ(found.at("hidden"), wanted_.at("hidden"));
  });
}

TEST_P(StoreDamage, OfABitOfABlockCostsThatBlock) {
  fill();
  const auto blocks = kept_files(".block");
  ASSERT_FALSE(blocks.empty());
  for (const auto& path : blocks) {
    here_and_there(kept_[path], 300 / blocks.size() + 1, [&](std::size_t offset, unsigned char mask) {
      SCOPED_TRACE(path);
      const auto found = spoil(path, offset, mask);
      for (const auto* name : {"a", "c"}) {
        for (int i = 10; i < 20; ++i) EXPECT_TRUE(found.contains(name) && found.at(name).contains(i * 1000));
      }
    });
  }
}

TEST_P(StoreDamage, OfABitOfTheDeletionsShowsWhatTheyHid) {
  fill();
  const auto& bytes = kept_["series/deletes"];
  ASSERT_FALSE(bytes.empty());
  for (std::size_t offset = 0; offset < bytes.size(); ++offset) {
    for (int bit = 0; bit < 8; ++bit) {
      SCOPED_TRACE(offset);
      const auto found = spoil("series/deletes", offset, static_cast<unsigned char>(1 << bit));
      EXPECT_EQ(count(found), count(wanted_) + 5);
    }
  }
}

TEST_P(StoreDamage, ADamagedBlockIsSetAsideReportedAndTheRestServes) {
  open();
  append("a", 0, 1);
  append("b", kDay, 2);
  ASSERT_TRUE(store_->flush());
  store_.reset();
  const auto entries = files_.list("series/blocks").value();
  ASSERT_EQ(entries.size(), 2u);
  ASSERT_TRUE(files_.flip_bits("series/blocks/" + entries[0].name, entries[0].size_bytes - 4, 0xff));
  open();
  EXPECT_EQ(contents(), (StoreModel{{"b", {{kDay, 2}}}}));
  ASSERT_EQ(store_->report().damaged.size(), 1u);
  open();
  EXPECT_EQ(store_->set_aside(), std::vector{"series/blocks/" + entries[0].name + ".damaged"});
  EXPECT_TRUE(files_.exists("series/blocks/" + entries[0].name + ".damaged"));
}

/// Nobody looks for it, and it is no reason for the others to wait.
TEST_P(StoreDamage, ABlockThatDoesNotReadWhenBlocksAreMergedIsSetAsideAndTheOthersAreMerged) {
  options_.flush_age = std::chrono::hours{24 * 20};
  open();
  for (const auto* name : {"a", "b"}) {
    for (int i = 0; i < 10; ++i) append_unflushed(name, i * 1000, i);
    ASSERT_TRUE(store_->flush());
    append_unflushed(name, kDay + 1000, 1);
    ASSERT_TRUE(store_->flush());
  }
  store_.reset();
  const auto entries = files_.list("series/blocks").value();
  ASSERT_EQ(entries.size(), 4u);
  const auto path = "series/blocks/" + entries[0].name;
  for (std::uint64_t offset = 0;; ++offset) {  // a place that opening does not look at
    ASSERT_LT(offset, entries[0].size_bytes);
    ASSERT_TRUE(files_.flip_bits(path, offset, 0x01));
    if (Block::open(files_, path)) break;
    ASSERT_TRUE(files_.flip_bits(path, offset, 0x01));
  }
  options_.flush_age = std::chrono::hours{1};
  clock_.jump_to(from_ms(kStart + 5 * kDay));  // the days are over
  open();
  EXPECT_TRUE(store_->report().damaged.empty());
  store_->maintain();
  EXPECT_TRUE(files_.exists(path + ".damaged"));
  EXPECT_TRUE(metrics_say("atalaya_tsdb_damaged_files 1"));
  store_->maintain();
  EXPECT_EQ(store_->blocks().size(), 2u);  // one a day
  EXPECT_GE(count(contents()), 12u);       // and what still reads of the damaged one
  EXPECT_LT(count(contents()), 22u);
}

TEST_P(StoreDamage, VerifyingFindsDamageInsideABlockAndSetsItAside) {
  open();
  append("a", 0, 1);
  append("b", kDay, 2);
  ASSERT_TRUE(store_->flush());
  EXPECT_TRUE(store_->verify()->empty());
  const auto entries = files_.list("series/blocks").value();
  store_.reset();
  const auto path = "series/blocks/" + entries[0].name;
  for (std::uint64_t offset = 0;; ++offset) {  // a place that opening does not look at
    ASSERT_LT(offset, entries[0].size_bytes);
    ASSERT_TRUE(files_.flip_bits(path, offset, 0x01));
    if (Block::open(files_, path)) break;
    ASSERT_TRUE(files_.flip_bits(path, offset, 0x01));
  }
  open();
  EXPECT_TRUE(store_->report().damaged.empty());
  const auto found = store_->verify().value();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].find(entries[0].name), std::string::npos);
  EXPECT_EQ(contents(), (StoreModel{{"b", {{kDay, 2}}}}));
  EXPECT_TRUE(files_.exists("series/blocks/" + entries[0].name + ".damaged"));
}

/// Of a block with one bad page the rest serves on, and what is gone may come again.
TEST_P(StoreDamage, WhatStillReadsOfADamagedBlockServesOn) {
  options_.block.page_bytes = 64;  // a page for every few series
  options_.flush_age = std::chrono::hours{24 * 20};
  options_.flush_bytes = 1 << 20;
  options_.memory_bytes = 0;
  open();
  StoreModel model;
  for (int series = 0; series < 40; ++series) {
    for (int i = 0; i < 12; ++i) {
      const auto name = "m" + std::to_string(series);
      const double value = series * 1000.3 + i * i * 7.1;
      ASSERT_TRUE(append(name, i * 1000, value));
      model[name][i * 1000] = value;
    }
  }
  ASSERT_TRUE(store_->flush());
  const auto block = files_.list("series/blocks").value()[0].name;
  store_.reset();
  ASSERT_TRUE(files_.flip_bits("series/blocks/" + block, 40, 0x10));  // a page of values: they come first
  open();
  ASSERT_EQ(store_->verify()->size(), 1u);
  const auto left = contents();
  EXPECT_LT(count(left), count(model));
  EXPECT_GT(count(left), count(model) / 2);
  for (const auto& [name, samples] : left) {
    for (const auto& [at, value] : samples) EXPECT_EQ(model[name].at(at), value);
  }
  EXPECT_TRUE(store_->verify()->empty());
  for (const auto& [name, samples] : model) {
    for (const auto& [at, value] : samples) ASSERT_TRUE(append(name, at, value));
  }
  EXPECT_EQ(contents(), model);
}

}  // namespace
}  // namespace atalaya::tsdb
