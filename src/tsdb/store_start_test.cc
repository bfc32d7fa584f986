// A start with a long log: what is recent serves at once, the rest follows, and nobody is told less than there is.
#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "tsdb/store_test_support.h"

namespace atalaya::tsdb {
namespace {

constexpr int kWrites = 240;
constexpr std::int64_t kStep = 15'000;  ///< milliseconds between writes

class StoreStart : public StoreTest {
 protected:
  StoreStart() {
    options_.segment_bytes = 512;
    options_.replay_at_once_bytes = 0;
    options_.replay_at_once = std::chrono::minutes{7};
    options_.flush_age = std::chrono::hours{10};
    options_.flush_bytes = 512 << 20;
    options_.memory_bytes = 0;
    clock_.jump_to(from_ms(kStart));
    open();
  }
  /// An hour of samples, some late, some told twice.
  void write_an_hour() {
    std::uint64_t sequence = 0;
    for (int i = 0; i < kWrites; ++i) {
      clock_.advance(Duration{kStep});
      const auto at = to_ms(clock_.now()) - kStart;
      const auto name = "m" + std::to_string(i % 3);
      write(name, at, i, ++sequence);
      if (i % 10 == 7) write(name, at - 5 * kStep, -i, ++sequence);
    }
  }
  void write(const std::string& name, std::int64_t at, double value, std::uint64_t sequence) {
    const storage::WriteOrigin origin{"agent:a", sequence};
    const auto appended = append(name, at, value, origin).value();
    if (appended.accepted == 1) model_[name].emplace(at, value);
    EXPECT_TRUE(append(name, at, value, origin).value().repeated);
  }
  StoreModel since(Time from) const {
    StoreModel out;
    for (const auto& [name, samples] : model_) {
      for (const auto& [at, value] : samples) {
        if (kStart + at >= to_ms(from)) out[name].emplace(at, value);
      }
    }
    return out;
  }
  /// What a kill leaves is opened again.
  void restart() {
    store_.reset();
    files_.power_cut();
    open();
  }

  StoreModel model_;
};
INSTANTIATE_TEST_SUITE_P(Under, StoreStart, testing::ValuesIn(kHostileOptions), name_of);

TEST_P(StoreStart, ServesTheLastMinutesBeforeTheRestIsRead) {
  write_an_hour();
  restart();
  const auto from = store_->complete_from();
  EXPECT_GT(from, clock_.now() - std::chrono::minutes{10});
  EXPECT_LE(from, clock_.now() - std::chrono::minutes{5});
  EXPECT_EQ(contents({from, kMaxTime}), since(from));
  const auto older = store_->select(tenant_, {Matcher::equal("__name__", "m0")}, {from - Duration{1}, kMaxTime});
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(store_->series(tenant_, id("m0"), {}).error().code, ErrorCode::kUnavailable);
  store_->maintain();
  EXPECT_EQ(store_->complete_from(), kMinTime);
  EXPECT_EQ(contents(), model_);
  EXPECT_TRUE(store_->series(tenant_, id("m0"), {}));
}

TEST_P(StoreStart, IsWrittenToBeforeTheRestIsRead) {
  write_an_hour();
  const auto last = store_->last_sequence(tenant_, "agent:a");
  restart();
  EXPECT_EQ(store_->last_sequence(tenant_, "agent:a"), last);
  clock_.advance(Duration{kStep});
  write("m0", to_ms(clock_.now()) - kStart, 1000, last + 1);
  write("fresh", to_ms(clock_.now()) - kStart, 1001, last + 2);
  // A sample of an instant that the rest of the log has: that one was first.
  const auto early = model_["m0"].begin()->first;
  (void)append("m0", early, 5000);
  ASSERT_TRUE(store_->flush());
  EXPECT_EQ(contents(), model_);
  restart();
  store_->maintain();
  EXPECT_EQ(contents(), model_);
}

TEST_P(StoreStart, ThatIsCutShortBeginsAgain) {
  write_an_hour();
  restart();
  restart();
  EXPECT_GT(store_->complete_from(), kMinTime);
  options_.flush_on_stop = true;  // an orderly end before the rest is read leaves the log
  restart();
  restart();
  store_->maintain();
  EXPECT_EQ(contents(), model_);
  restart();
  store_->maintain();
  EXPECT_EQ(contents(), model_);
}

TEST_P(StoreStart, ThatIsKilledOnceMoreAfterTheRestWasReadHasAll) {
  write_an_hour();
  restart();
  store_->maintain();
  restart();
  store_->maintain();
  EXPECT_EQ(contents(), model_);
}

TEST_P(StoreStart, WithoutTheFilesOfItsLogKeepsWhatIsWrittenAfterwards) {
  write_an_hour();
  store_->maintain();
  ASSERT_TRUE(store_->flush());
  store_.reset();
  const auto entries = files_.list("series").value();
  for (const auto& entry : entries) {
    if (!entry.name.ends_with(".log")) continue;
    ASSERT_TRUE(files_.remove("series/" + entry.name));
  }
  ASSERT_TRUE(files_.sync_directory("series"));
  open();
  clock_.advance(Duration{kStep});
  write("m0", to_ms(clock_.now()) - kStart, 1000, 100'000);
  restart();
  store_->maintain();
  EXPECT_EQ(contents(), model_);
}

TEST_P(StoreStart, TellsJudgesAllThatTheyMissed) {
  write_an_hour();
  const auto before = replayed(*store_, {});
  restart();
  EXPECT_EQ(replayed(*store_, {}), before);
}

TEST_P(StoreStart, WithAFaultyDiskLosesNothing) {
  testing::internal::CaptureStderr();
  const auto struck = io::for_every_call([&](std::uint64_t n) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, testing::Message() << "fault at call " << n);
    io::MemoryFileSystem disk;
    io::FaultyFileSystem faulty(disk);
    ManualClock clock(from_ms(kStart));
    StoreModel model;
    auto store = Store::open(faulty, clock, metrics_, options_).value();
    const auto series = store->resolve(tenant_, Labels{{"__name__", "up"}}).value();
    for (int i = 0; i < 60; ++i) {
      clock.advance(Duration{kStep});
      EXPECT_TRUE(append_to(*store, {{{series, clock.now(), 1.0 * i}}, {}}));
      model["up"].emplace(to_ms(clock.now()) - kStart, i);
    }
    store.reset();
    disk.power_cut();
    store = Store::open(faulty, clock, metrics_, options_).value();
    faulty.arm(io::Fault::kPowerCut, n);
    store->maintain();
    const bool hit = faulty.struck();
    store.reset();
    disk.power_cut_keeping_some(n);
    auto again = Store::open(disk, clock, metrics_, options_);
    EXPECT_TRUE(again);
    if (!again) return hit;
    (*again)->maintain();
    EXPECT_EQ(contents(**again), model);
    return hit;
  });
  testing::internal::GetCapturedStderr();
  EXPECT_GT(struck, 10u);
}

TEST_P(StoreStart, AnIdThatTheLogGaveToASeriesIsNoOthersLater) {
  append("back", 0, 1);
  ASSERT_TRUE(store_->flush());
  clock_.advance(std::chrono::hours{2});
  const auto at = to_ms(clock_.now()) - kStart;
  append("other", at, 2);
  ASSERT_TRUE(store_->flush());  // the checkpoint still names what is retired behind it
  append("back", at, 3);
  restart();
  append("fresh", at, 4);
  const auto before = contents();
  EXPECT_EQ(before.at("fresh"), (std::map<std::int64_t, double>{{at, 4}}));
  restart();
  EXPECT_EQ(contents(), before);
}

}  // namespace
}  // namespace atalaya::tsdb
