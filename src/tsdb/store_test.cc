// What a writer, a reader and a listener of a Store may rely on.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "tsdb/store_test_support.h"

namespace atalaya::tsdb {
namespace {

using storage::Appended;
using storage::CommittedSamples;
using storage::LogPosition;

class StoreWrites : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Under, StoreWrites, testing::ValuesIn(kHostileOptions), name_of);

TEST_P(StoreWrites, AnAcknowledgedSampleIsSeenByTheNextQueryAndAfterAPowerCut) {
  open();
  const auto done = append("up", 1000, 1.5);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->accepted, 1u);
  EXPECT_GT(done->position.value, 0u);
  const StoreModel wanted{{"up", {{1000, 1.5}}}};
  EXPECT_EQ(contents(), wanted);
  files_.power_cut();
  open();
  EXPECT_EQ(contents(), wanted);
  EXPECT_EQ(store_->report().samples, GetParam().little_memory ? 0u : 1u);  // else a block has it
}

TEST_P(StoreWrites, TheFirstValueOfATimeStays) {
  open();
  append("up", 1000, 1);
  append("up", 2000, 2);
  const auto again = append("up", 1000, 9);
  ASSERT_TRUE(again);
  const StoreModel wanted{{"up", {{1000, 1}, {2000, 2}}}};
  EXPECT_EQ(contents(), wanted);
  open();
  EXPECT_EQ(contents(), wanted);
  if (GetParam().little_memory) GTEST_SKIP() << "who writes is not told of what is in blocks already";
  EXPECT_EQ(again->duplicate, 1u);
  EXPECT_EQ(again->conflicting, 1u);
  ASSERT_EQ(again->named.size(), 1u);
  EXPECT_EQ(again->named[0].why, storage::Refusal::kDuplicate);
  EXPECT_EQ(again->named[0].sample.value, 9);
  EXPECT_EQ(again->accepted, 0u);
  EXPECT_EQ(replayed(*store_, {}).size(), 2u);
}

TEST_P(StoreWrites, TheSameSampleAgainIsNoContradiction) {
  open();
  append("up", 1000, 1);
  const auto again = append("up", 1000, 1);
  EXPECT_EQ(again->duplicate, 1u);
  EXPECT_EQ(again->conflicting, 0u);
  EXPECT_TRUE(again->named.empty());
}

TEST_P(StoreWrites, SamplesOutsideRetentionAreRefusedAlone) {
  options_.retention = std::chrono::hours{24};
  open();
  const auto series = id("up");
  const auto old = clock_.now() - std::chrono::hours{25};
  const auto done = append({{{series, old, 1}, {series, clock_.now(), 2}}, {}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->too_old, 1u);
  EXPECT_EQ(done->named.at(0).why, storage::Refusal::kTooOld);
  EXPECT_EQ(done->accepted, 1u);
}

TEST_P(StoreWrites, ARefusalSaysWhatWouldHaveBeenTaken) {
  options_.retention = std::chrono::hours{24};
  options_.window = std::chrono::hours{1};
  open();
  const auto now = clock_.now();
  const auto series = id("up");
  for (const double value : {0.0, 1.0}) {
    const auto none = append({{{id("first"), kMinTime, value}}, {}});
    ASSERT_TRUE(none);
    EXPECT_EQ(none->too_old, 1u);  // the beginning of time is none that a series without samples has
  }
  const auto late = now - std::chrono::hours{1} - Duration{1};
  const auto done = append({{{series, now, 1}, {series, late, 1}, {series, now - std::chrono::hours{25}, 1}}, {}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->too_old, 2u);
  ASSERT_EQ(done->named.size(), 2u);
  EXPECT_EQ(done->named[0].why, storage::Refusal::kTooLate);
  EXPECT_EQ(done->named[0].bound, now - std::chrono::hours{1});
  EXPECT_EQ(done->named[1].why, storage::Refusal::kTooOld);
  EXPECT_EQ(done->named[1].bound, now - std::chrono::hours{24});
}

TEST_P(StoreWrites, SamplesOfAClockThatIsAheadAreRefusedAlone) {
  open();
  const auto series = id("up");
  const auto now = clock_.now();
  const auto minute = std::chrono::minutes{1};
  const auto done =
      append({{{series, now + minute + Duration{1}, 1}, {series, now + minute, 2}, {series, now, 3}}, {}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->too_new, 1u);
  EXPECT_EQ(done->accepted, 2u);
  EXPECT_TRUE(metrics_say("atalaya_tsdb_dropped_samples_total{reason=\"too_new\"} 1"));
}

TEST_P(StoreWrites, AnUnknownSeriesRefusesTheBatch) {
  open();
  EXPECT_EQ(append({{{SeriesId{77}, clock_.now(), 1}}, {}}).error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(append("up", 1000, 1));
}

TEST_P(StoreWrites, ARepeatedSequenceIsAcknowledgedWithoutEffectAlsoAfterARestart) {
  open();
  EXPECT_FALSE(append("up", 1000, 1, {"agent:a", 1})->repeated);
  EXPECT_TRUE(append("up", 2000, 2, {"agent:a", 1})->repeated);
  files_.power_cut();
  open();
  EXPECT_EQ(store_->last_sequence(tenant_, "agent:a"), 1u);
  EXPECT_EQ(store_->last_sequence(tenant_, "agent:b"), 0u);
  EXPECT_TRUE(append("up", 3000, 3, {"agent:a", 1})->repeated);
  EXPECT_FALSE(append("up", 4000, 4, {"agent:a", 2})->repeated);
  EXPECT_FALSE(append("up", 5000, 5, {"agent:b", 1})->repeated);
  EXPECT_EQ(contents()["up"].size(), 3u);
}

TEST_P(StoreWrites, AnEmptyBatchMovesItsMark) {
  open();
  EXPECT_TRUE(append({{}, {"agent:a", 7}}));
  files_.power_cut();
  open();
  EXPECT_EQ(store_->last_sequence(tenant_, "agent:a"), 7u);
}

TEST_P(StoreWrites, ListenersHearInOrderBeforeDoneAndAfterVisibility) {
  open();
  std::vector<std::string> events;
  store_->listen([&](const CommittedSamples& committed) {
    events.push_back("heard " + std::to_string(committed.samples[0].value));
    EXPECT_EQ(contents()["up"].rbegin()->second, committed.samples[0].value);
  });
  LogPosition last;
  for (int i = 1; i <= 3; ++i) {
    store_->append(tenant_, {{{id("up"), from_ms(kStart + i), i * 1.0}}, {}}, [&](Result<Appended> done) {
      EXPECT_GT(done->position, last);
      last = done->position;
      events.push_back("done");
    });
  }
  EXPECT_EQ(events,
            (std::vector<std::string>{"heard 1.000000", "done", "heard 2.000000", "done", "heard 3.000000", "done"}));
}

TEST_P(StoreWrites, ReplayHandsOverWhatLiesAfterAPosition) {
  if (GetParam().forgets_the_log()) GTEST_SKIP() << "nothing of the log is kept behind a flush";
  open();
  append("a", 1000, 1);
  const auto middle = append("b", 2000, 2)->position;
  append("a", 3000, 3);
  files_.power_cut();
  open();
  append("c", 4000, 4);
  const auto after = replayed(*store_, middle);
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(std::get<1>(after[0]), id("a").value());
  EXPECT_EQ(std::get<2>(after[0]), 3);
  EXPECT_EQ(std::get<1>(after[1]), id("c").value());
  EXPECT_LT(std::get<0>(after[0]), std::get<0>(after[1]));
  EXPECT_EQ(replayed(*store_, {}).size(), 4u);
  EXPECT_TRUE(replayed(*store_, std::get<0>(after[1])).empty());
}

TEST_P(StoreWrites, OldSegmentsGoAndMarksDefinitionsAndPositionsStay) {
  options_.retention = std::chrono::minutes{10};
  options_.flush_age = std::chrono::minutes{5};
  options_.keep_log = std::chrono::minutes{10};
  open();
  LogPosition last;
  for (int minute = 0; minute < 60; ++minute) {
    clock_.jump_to(from_ms(kStart + minute * 60'000));
    const auto origin = minute == 0 ? storage::WriteOrigin{"once", 5} : storage::WriteOrigin{};
    const auto done = append("up", minute * kMinute, minute, origin);
    ASSERT_TRUE(done);
    EXPECT_GT(done->position, last);
    last = done->position;
    store_->maintain();
  }
  // Ten minutes of the log, in segments of five minutes or, where every write is flushed, of one.
  EXPECT_LE(files_.list("series")->size(), GetParam().little_memory ? 16u : 8u);
  EXPECT_GE(store_->blocks().size(), 1u);
  files_.power_cut();
  open();
  EXPECT_EQ(store_->last_sequence(tenant_, "once"), 5u);
  EXPECT_EQ(contents()["up"].size(), 11u);
  EXPECT_GT(append("up", 59 * kMinute + 1000, 1)->position, last);
}

TEST_P(StoreWrites, TenantsDoNotSeeOneAnother) {
  open();
  append("up", 1000, 1);
  EXPECT_TRUE(contents(*store_, {}, TenantId{"other"}).empty());
  EXPECT_EQ(store_->series(TenantId{"other"}, id("up"), {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->labels_of(TenantId{"other"}, id("up")), nullptr);
  EXPECT_TRUE(store_->label_names(TenantId{"other"}, {}).empty());
  EXPECT_FALSE(store_->resolve(TenantId{"No Tenant"}, Labels{{"a", "b"}}));
}

TEST_P(StoreWrites, ASecondProcessIsRefused) {
  open();
  EXPECT_EQ(try_open(files_).error().code, ErrorCode::kConflict);
}

TEST_P(StoreWrites, AppendsAfterStopAreRefused) {
  open();
  const auto series = id("up");
  store_->stop();
  EXPECT_EQ(append({{{series, clock_.now(), 1}}, {}}).error().code, ErrorCode::kUnavailable);
}

TEST_P(StoreWrites, ManyWritersAtOnceAreAllCommittedInOrderOfPosition) {
  options_.commit_inline = false;
  options_.maintenance = Duration{1};
  open();
  LogPosition last;
  std::size_t heard = 0;
  store_->listen([&](const CommittedSamples& committed) {
    EXPECT_GT(committed.position, last);
    last = committed.position;
    heard += committed.samples.size();
  });
  store_->start();
  constexpr int kWriters = 4;
  constexpr int kBatches = 200;
  std::vector<std::thread> writers;
  std::atomic<int> acknowledged = 0;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      const auto series = store_->resolve(tenant_, Labels{{"__name__", "m" + std::to_string(w)}}).value();
      for (int i = 0; i < kBatches; ++i) {
        // Where memory is little a writer is told to come again.
        for (auto code = ErrorCode::kResourceExhausted; code == ErrorCode::kResourceExhausted;) {
          std::promise<Result<Appended>> done;
          store_->append(tenant_, {{{series, from_ms(kStart + i), i * 1.0}}, {}},
                         [&](Result<Appended> result) { done.set_value(std::move(result)); });
          const auto result = done.get_future().get();
          if (result) ++acknowledged;
          code = result ? ErrorCode::kInternal : result.error().code;
          if (code == ErrorCode::kResourceExhausted) std::this_thread::yield();
        }
        (void)store_->select(tenant_, {Matcher::equal("__name__", "m0")}, {});
      }
    });
  }
  for (auto& writer : writers) writer.join();
  store_->stop();
  EXPECT_EQ(acknowledged, kWriters * kBatches);
  EXPECT_EQ(heard, static_cast<std::size_t>(kWriters * kBatches));
  files_.power_cut();
  options_.commit_inline = true;
  open();
  EXPECT_EQ(contents().size(), static_cast<std::size_t>(kWriters));
  for (const auto& [name, samples] : contents()) EXPECT_EQ(samples.size(), static_cast<std::size_t>(kBatches));
}

}  // namespace
}  // namespace atalaya::tsdb
