// Random lives of a Store against a map.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tsdb/store_test_support.h"

namespace atalaya::tsdb {
namespace {

class StoreLives : public StoreTest {
 protected:
  StoreLives() {
    if (const char* wanted = std::getenv("ATALAYA_TEST_SEED")) seed_ = std::strtoull(wanted, nullptr, 10);
    random_.seed(seed_);
  }

  /// As an agent: what is refused for want of memory is in no model, and is sent again by nobody.
  bool is_refused(const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kResourceExhausted) << error.message;
    EXPECT_TRUE(GetParam().little_memory) << error.message;
    ++refused_;
    return error.code == ErrorCode::kResourceExhausted;
  }
  /// Somebody makes series without end; where memory is little, they are refused one day.
  void make_a_series_that_nobody_needs(int i, StoreModel& model) {
    const auto name = fmt::format("needless{}", i);
    const auto made = store_->resolve(tenant_, Labels{{"__name__", name}, {"x", std::string(500, 'x') + name}});
    if (!made) {
      is_refused(made.error());
      return;
    }
    if (append({{{*made, from_ms(kStart), 1}}, {}})) model[name][0] = 1;
  }

  std::uint64_t seed_ = std::random_device{}();
  testing::ScopedTrace trace_{__FILE__, __LINE__, fmt::format("ATALAYA_TEST_SEED={}", seed_)};
  std::mt19937_64 random_;
  int refused_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Under, StoreLives, testing::ValuesIn(kHostileOptions), name_of);

/// Batches in and out of order, repeats, flushes, merges, stops, power cuts.
TEST_P(StoreLives, OfBatchesMatchAMap) {
  clock_.jump_to(from_ms(kStart + 10 * kMinute));
  open();
  StoreModel model;
  std::uint64_t sequence = 0;
  for (int i = 0; i < 2000; ++i) {
    storage::SampleBatch batch;
    std::vector<std::pair<std::string, Sample>> plain;
    for (std::uint64_t n = random_() % 8; n > 0; --n) {
      const auto name = "m" + std::to_string(random_() % 20);
      const Sample sample{from_ms(kStart + static_cast<std::int64_t>(random_() % (3 * kMinute))),
                          static_cast<double>(random_() % 1000) / 10};
      const auto series = store_->resolve(tenant_, Labels{{"__name__", name}});
      if (!series) {
        ASSERT_TRUE(is_refused(series.error()));
        continue;
      }
      batch.samples.push_back({*series, sample.time, sample.value});
      plain.emplace_back(name, sample);
    }
    const bool repeat = sequence > 0 && random_() % 10 == 0;
    batch.origin = {"agent:x", repeat ? sequence : ++sequence};
    const auto done = append(std::move(batch));
    ASSERT_TRUE(done);
    ASSERT_EQ(done->repeated, repeat);
    std::uint32_t fresh = 0;
    if (!repeat) {
      for (const auto& [name, sample] : plain) {
        fresh += model[name].emplace(to_ms(sample.time) - kStart, sample.value).second;
      }
    }
    // What lies in blocks is not looked at, so more may be accepted; the first stays all the same.
    if (store_->blocks().empty()) {
      ASSERT_EQ(done->accepted, fresh);
    }
    ASSERT_GE(done->accepted, fresh);
    if (random_() % 4 == 0) make_a_series_that_nobody_needs(i, model);
    switch (random_() % 100) {
      case 0:
        if (random_() % 2 == 0) store_.reset();
        files_.power_cut();
        open();
        break;
      case 1: ASSERT_TRUE(store_->flush()); break;
      case 2: ASSERT_TRUE(store_->compact()); break;
      case 3: store_->maintain(); break;
      default: continue;
    }
    ASSERT_TRUE(contents() == model) << "after " << i;
    ASSERT_TRUE(store_->report().damaged.empty());
  }
  EXPECT_EQ(refused_ > 0, GetParam().little_memory);
}

/// Single samples over days, deletions among them.
TEST_P(StoreLives, OfDaysAndDeletionsMatchAMap) {
  clock_.jump_to(from_ms(kStart + 3 * kDay));
  options_.retention = std::chrono::hours{24 * 30};
  options_.window = std::chrono::hours{24 * 10};
  open();
  StoreModel model;
  const int writes = GetParam().minute_blocks ? 1500 : 3000;  // each to a block of its own there
  for (int i = 0; i < writes; ++i) {
    const auto name = "m" + std::to_string(random_() % 10);
    const auto at = static_cast<std::int64_t>(random_() % 300) * (3 * kDay / 300);
    ASSERT_TRUE(append(name, at, i));
    model[name].emplace(at, i);
    switch (random_() % 200) {
      case 0: ASSERT_TRUE(store_->flush()); break;
      case 1: ASSERT_TRUE(store_->compact()); break;
      case 2: store_->maintain(); break;
      case 3: {
        const auto gone = "m" + std::to_string(random_() % 10);
        const auto from = static_cast<std::int64_t>(random_() % (2 * kDay));
        ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", gone)},
                                          {from_ms(kStart + from), from_ms(kStart + from + kDay / 2)}));
        std::erase_if(model[gone], [&](const auto& one) { return one.first >= from && one.first <= from + kDay / 2; });
        if (model[gone].empty()) model.erase(gone);
        break;
      }
      case 4:
        files_.power_cut();
        open();
        break;
      default: continue;
    }
    ASSERT_TRUE(contents() == model) << "after " << i;
  }
}

}  // namespace
}  // namespace atalaya::tsdb
