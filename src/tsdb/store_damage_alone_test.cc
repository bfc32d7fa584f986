// Damage of blocks and checkpoints while a store runs, or of a part alone: told, and what it does not touch serves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tsdb/store_test_support.h"

namespace atalaya::tsdb {
namespace {

class DamageAlone : public StoreTest {
 protected:
  DamageAlone() {
    clock_.jump_to(from_ms(kStart + 3 * kDay));
    options_.retention = std::chrono::hours{24 * 30};
    testing::internal::CaptureStderr();
  }
  ~DamageAlone() override { testing::internal::GetCapturedStderr(); }

  static std::size_t count(const StoreModel& model) {
    std::size_t out = 0;
    for (const auto& [name, samples] : model) out += samples.size();
    return out;
  }

  StoreModel wanted_;
};
INSTANTIATE_TEST_SUITE_P(Under, DamageAlone, testing::ValuesIn(kHostileOptions), name_of);

/// What is told of damage, with what is served of one series.
struct Told {
  std::size_t samples = 0;
  bool damage = false;
};
Told told_of(const Store& store, const TenantId& tenant, const std::string& name) {
  Told out;
  storage::SelectHints hints;
  hints.on_damage = [&](const Error&) { out.damage = true; };
  auto found = store.select_hinted(tenant, {Matcher::equal("__name__", name)}, {}, hints);
  EXPECT_TRUE(found);
  if (!found) return out;
  for (auto& series : *found) {
    for (Sample sample; series.samples->next(sample);) ++out.samples;
    out.damage = out.damage || !series.samples->status();
  }
  return out;
}

/// Who looks at now is not to fail for what is wrong with long ago.
TEST_P(DamageAlone, OfABlockCostsNothingToThoseWhoAskForAnotherTime) {
  open();
  for (int i = 0; i < 10; ++i) append("a", i * 1000, i);
  append("a", 2 * kDay, 1);
  ASSERT_TRUE(store_->flush());
  store_.reset();
  const auto blocks = files_.list("series/blocks").value();
  ASSERT_EQ(blocks.size(), 2u);
  const auto path = "series/blocks/" + blocks[0].name;
  const storage::TimeRange old{from_ms(kStart + 500), from_ms(kStart + kDay)};
  const storage::TimeRange recent{from_ms(kStart + kDay + 1), kMaxTime};
  const Matchers matchers{Matcher::equal("__name__", "a")};
  int spoilt = 0;
  for (std::uint64_t offset = 0; offset < blocks[0].size_bytes; ++offset) {
    ASSERT_TRUE(files_.flip_bits(path, offset, 0x01));
    if (Block::open(files_, path)) {
      open();
      spoilt += !store_->select(tenant_, matchers, old);
      EXPECT_EQ(contents(recent), (StoreModel{{"a", {{2 * kDay, 1}}}})) << offset;
      for (const auto coarsest : {Duration{0}, Duration{kOneHour}}) {
        EXPECT_TRUE(store_->select_hinted(tenant_, matchers, recent, {coarsest, storage::BucketValue::kLast, true}));
      }
      store_.reset();
    }
    ASSERT_TRUE(files_.flip_bits(path, offset, 0x01));
  }
  EXPECT_GT(spoilt, 0);
}

/// Tenants share the file, and nothing else.
TEST_P(DamageAlone, OfOneTenantsIndexLeavesTheOthersTheirs) {
  open();
  const TenantId other{"other"};
  for (const auto& tenant : {default_tenant(), other}) {
    tenant_ = tenant;
    for (int i = 0; i < 10; ++i) append_unflushed("a", i * 1000, i);
  }
  ASSERT_TRUE(store_->flush());
  const auto wanted = contents();
  store_.reset();
  const auto block = files_.list("series/blocks").value()[0];
  const auto path = "series/blocks/" + block.name;
  const auto bytes = io::read_file(files_, path).value();
  int saved = 0;
  for (std::uint64_t offset = 0; offset < block.size_bytes; ++offset) {
    ASSERT_TRUE(files_.flip_bits(path, offset, 0x01));
    if (!Block::open(files_, path)) {
      open();
      const auto mine = contents(*store_, {}, default_tenant());
      const auto theirs = contents(*store_, {}, other);
      EXPECT_TRUE(files_.exists(path + ".damaged"));
      EXPECT_TRUE(mine.empty() || mine == wanted);
      EXPECT_TRUE(theirs.empty() || theirs == wanted);
      EXPECT_TRUE(mine.empty() || theirs.empty());
      for (int start = 0; start < 2; ++start) {
        EXPECT_EQ(told_of(*store_, default_tenant(), "a").damage, mine.empty()) << offset;
        EXPECT_EQ(told_of(*store_, other, "a").damage, theirs.empty()) << offset;
        open();
      }
      saved += mine == wanted || theirs == wanted;
      store_.reset();
    }
    const auto left = files_.list("series/blocks").value();
    for (const auto& one : left) ASSERT_TRUE(files_.remove("series/blocks/" + one.name));
    ASSERT_TRUE(io::write_file_atomically(files_, path, bytes));
  }
  EXPECT_GT(saved, 20);
}

TEST_P(DamageAlone, OfOneTenantsSamplesIsToldToNobodyElseAlsoAfterAStart) {
  open();
  const TenantId other{"other"};
  for (const auto& tenant : {default_tenant(), other}) {
    tenant_ = tenant;
    for (int i = 0; i < 10; ++i) append_unflushed("a", i * 1000, i * 0.37);
  }
  append("a", 2 * kDay, 1);
  ASSERT_TRUE(store_->flush());
  store_.reset();
  const auto block = files_.list("series/blocks").value()[0];
  const auto path = "series/blocks/" + block.name;
  const auto bytes = io::read_file(files_, path).value();
  int of_one = 0;
  for (std::uint64_t offset = 0; offset < block.size_bytes; ++offset) {
    ASSERT_TRUE(files_.flip_bits(path, offset, 0x01));
    if (Block::open(files_, path)) {
      open();
      EXPECT_EQ(store_->verify()->size(), 1u) << offset;
      for (int start = 0; start < 2; ++start) {
        const auto mine = told_of(*store_, default_tenant(), "a");
        const auto theirs = told_of(*store_, other, "a");
        EXPECT_TRUE(mine.damage || mine.samples == 10) << offset;
        EXPECT_TRUE(theirs.damage || theirs.samples == 11) << offset;
        EXPECT_TRUE(mine.damage || theirs.damage) << offset;
        of_one += mine.damage != theirs.damage;
        open();
      }
      ASSERT_TRUE(files_.remove(path + ".damaged"));
      store_->maintain();
      EXPECT_FALSE(files_.exists(path + ".damaged.lost")) << "nobody wants it any more";
      EXPECT_FALSE(told_of(*store_, other, "a").damage);
      store_.reset();
    }
    const auto left = files_.list("series/blocks").value();
    for (const auto& one : left) {
      if (one.name.starts_with(block.name.substr(0, 13))) {
        ASSERT_TRUE(files_.remove("series/blocks/" + one.name));
      }
    }
    ASSERT_TRUE(io::write_file_atomically(files_, path, bytes));
  }
  EXPECT_GT(of_one, 0);
}

/// Of a store that was killed, with something deleted in blocks and still in the log, and 1000 series in the log.
class CheckpointDamage : public DamageAlone {
 protected:
  CheckpointDamage() {
    options_.memory_bytes = 0;
    options_.flush_bytes = 1 << 20;
  }
  void fill_and_kill() {
    open();
    for (int i = 0; i < 5; ++i) append_unflushed("gone", i * 1000, i);
    ASSERT_TRUE(store_->flush());
    ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "gone")}, {}));
    ASSERT_TRUE(store_->compact());
    for (int i = 0; i < 1000; ++i) append_unflushed("m" + std::to_string(i), 0, i);
    ASSERT_TRUE(store_->flush());
    for (int i = 0; i < 1000; ++i) append_unflushed("m" + std::to_string(i), 1000, i);
    wanted_ = contents();
    files_.power_cut();
    store_.reset();
    const auto entries = files_.list("series").value();
    for (const auto& entry : entries) {
      if (entry.name.starts_with("checkpoint-")) checkpoint_ = "series/" + entry.name;
    }
    bytes_ = io::read_file(files_, checkpoint_).value().size();
  }

  std::string checkpoint_;
  std::size_t bytes_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Under, CheckpointDamage, testing::ValuesIn(kHostileOptions), name_of);

TEST_P(CheckpointDamage, OfItsFirstRecordBringsNothingBackThatWasDeleted) {
  fill_and_kill();
  for (std::size_t offset = 130; offset < 170; ++offset) ASSERT_TRUE(files_.flip_bits(checkpoint_, offset, 0xff));
  open();
  EXPECT_FALSE(store_->report().damaged.empty());
  EXPECT_EQ(store_->report().damaged_files, 1u);
  EXPECT_EQ(contents(), wanted_);
}

TEST_P(CheckpointDamage, IsToldWhenItIsMissing) {
  fill_and_kill();
  const auto entries = files_.list("series").value();
  for (const auto& entry : entries) {  // what was removed and not synced is there again
    if (!entry.name.starts_with("checkpoint-")) continue;
    ASSERT_TRUE(files_.remove("series/" + entry.name));
  }
  open();
  EXPECT_THAT(store_->report().damaged, testing::Contains(testing::HasSubstr("is missing")));
  EXPECT_GE(store_->report().damaged_files, 1u);
  ASSERT_TRUE(store_->verify());  // it is written anew
  EXPECT_TRUE(store_->verify()->empty());
}

TEST_P(CheckpointDamage, IsNotSeenInANewFolderThatIsKilledBeforeItsFirstFlush) {
  open();
  append_unflushed("m", 0, 1);
  files_.power_cut();
  store_.reset();
  open();
  EXPECT_TRUE(store_->report().damaged.empty());
}

TEST_P(CheckpointDamage, InTheMidstCostsWhatTheLogHasOfAFewSeries) {
  fill_and_kill();
  ASSERT_TRUE(files_.flip_bits(checkpoint_, bytes_ / 2, 0x10));
  open();
  EXPECT_FALSE(store_->report().damaged.empty());
  EXPECT_GE(count(contents()), count(wanted_) - 256);
}

TEST_P(CheckpointDamage, IsFoundWhileTheStoreRunsAndCostsNothingThen) {
  fill_and_kill();
  open();
  EXPECT_TRUE(store_->verify()->empty());
  const auto segments = files_.list("series").value();
  std::size_t spoilt = 1;
  ASSERT_TRUE(files_.flip_bits(checkpoint_, bytes_ / 2, 0x10));
  for (const auto& segment : segments) {
    if (!segment.name.ends_with(".log") || segment.size_bytes < 300) continue;
    ASSERT_TRUE(files_.flip_bits("series/" + segment.name, 200, 0x10));
    ++spoilt;
  }
  EXPECT_GE(store_->verify()->size(), spoilt);
  EXPECT_TRUE(store_->verify()->empty());
  open();
  EXPECT_TRUE(store_->report().damaged.empty());
  EXPECT_EQ(contents(), wanted_);
}

/// A medium that fails under a running store answers zeros.
TEST_P(DamageAlone, OfAMediumThatFailsIsToldAndHealsWhenItReadsAgain) {
  open();
  for (int i = 0; i < 10; ++i) append("a", i * 1000, i);
  append("a", 2 * kDay, 1);
  ASSERT_TRUE(store_->flush());
  const auto block = files_.list("series/blocks").value()[0];
  const auto path = "series/blocks/" + block.name;
  store_.reset();
  int told = 0;
  for (std::uint64_t offset = 0; offset < block.size_bytes; offset += 3) {
    open();
    ASSERT_TRUE(files_.fail_mappings(path, offset));
    const auto found = told_of(*store_, tenant_, "a");
    EXPECT_TRUE(found.samples == 11 || found.damage) << offset;
    EXPECT_GE(found.samples, 1u);
    if (!found.damage) continue;
    ++told;
    EXPECT_FALSE(metrics_say("atalaya_tsdb_unreadable_chunks_total 0"));
    store_->maintain();
    const auto healed = told_of(*store_, tenant_, "a");
    EXPECT_EQ(healed.samples, 11u) << offset;
    EXPECT_FALSE(healed.damage);
  }
  EXPECT_GT(told, 5);
}

TEST_P(DamageAlone, OfAnIndexIsToldTheRestServesAndMaintenanceEndsIt) {
  open();
  for (int i = 0; i < 10; ++i) {
    for (const auto* name : {"a", "b"}) append_unflushed(name, i * 1000, i);
  }
  append("a", 2 * kDay, 1);
  ASSERT_TRUE(store_->flush());
  const auto block = files_.list("series/blocks").value()[0];
  const auto path = "series/blocks/" + block.name;
  const auto bytes = io::read_file(files_, path).value();
  store_.reset();
  int told = 0;
  for (std::uint64_t offset = 0; offset < block.size_bytes; ++offset) {
    ASSERT_TRUE(files_.flip_bits(path, offset, 0x01));
    const bool opens = Block::open(files_, path).has_value();
    if (!opens) {
      ASSERT_TRUE(files_.flip_bits(path, offset, 0x01));
      continue;
    }
    open();
    const auto found = told_of(*store_, tenant_, "a");
    EXPECT_TRUE(found.samples == 11 || found.damage) << offset;
    EXPECT_GE(found.samples, 1u) << offset;
    if (found.damage) {
      ++told;
      store_->maintain();
      ASSERT_TRUE(files_.exists(path + ".damaged"));
      EXPECT_TRUE(told_of(*store_, tenant_, "a").damage) << "as long as the file is there";
      ASSERT_TRUE(files_.remove(path + ".damaged"));
      store_->maintain();
      EXPECT_FALSE(told_of(*store_, tenant_, "a").damage) << offset;
      EXPECT_FALSE(told_of(*store_, tenant_, "b").damage) << offset;
    }
    store_.reset();
    const auto left = files_.list("series/blocks").value();
    for (const auto& one : left) {
      if (one.name.starts_with(block.name.substr(0, 13))) {
        ASSERT_TRUE(files_.remove("series/blocks/" + one.name));
      }
    }
    ASSERT_TRUE(io::write_file_atomically(files_, path, bytes));
  }
  EXPECT_GT(told, 5);
}

/// Who starts the store again still hears of it, until somebody removes the file.
TEST_P(DamageAlone, OfABlockThatDoesNotOpenIsToldUntilItsFileIsRemoved) {
  open();
  for (int i = 0; i < 10; ++i) append("a", i * 1000, i);
  append("a", 2 * kDay, 1);
  ASSERT_TRUE(store_->flush());
  store_.reset();
  const auto block = files_.list("series/blocks").value()[0];
  const auto path = "series/blocks/" + block.name;
  ASSERT_TRUE(files_.flip_bits(path, block.size_bytes - 20, 0x01));
  for (int start = 0; start < 3; ++start) {
    open();
    EXPECT_EQ(store_->set_aside(), (std::vector<std::string>{path + ".damaged"})) << start;
    EXPECT_TRUE(metrics_say("atalaya_tsdb_damaged_files 1\n"));
    EXPECT_TRUE(metrics_say("atalaya_tsdb_set_aside_bytes " + std::to_string(block.size_bytes) + "\n"));
    EXPECT_TRUE(told_of(*store_, tenant_, "a").damage) << start;
    EXPECT_TRUE(store_->select(tenant_, {Matcher::equal("__name__", "a")}, {})) << "what is gone is no error";
    store_->maintain();
  }
  storage::SelectHints hints;
  hints.on_damage = [](const Error& error) { ADD_FAILURE() << error.message << " is of another day"; };
  EXPECT_TRUE(
      store_->select_hinted(tenant_, {Matcher::equal("__name__", "a")}, {from_ms(kStart + kDay), kMaxTime}, hints));
  ASSERT_TRUE(files_.remove(path + ".damaged"));
  store_->maintain();
  EXPECT_TRUE(metrics_say("atalaya_tsdb_damaged_files 0\n"));
  EXPECT_FALSE(told_of(*store_, tenant_, "a").damage);
}

}  // namespace
}  // namespace atalaya::tsdb
