// Selections in pages: for readers of more series than fit into memory at once.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "tsdb/block/index_model.h"
#include "tsdb/store_test_support.h"

namespace atalaya::tsdb {
namespace {

using Found = std::vector<std::pair<Labels, std::vector<std::pair<std::int64_t, double>>>>;

const Matchers kAny{Matcher::make("__name__", Matcher::Op::kRegex, ".+").value()};

class StorePages : public StoreTest {
 protected:
  StorePages() {
    clock_.jump_to(from_ms(kStart + 2 * kDay));
    options_.retention = std::chrono::hours{24 * 30};
    open();
  }

  /// Often equal in their first pairs, often one the beginning of another.
  Labels any_labels() {
    static constexpr const char* kValues[] = {"", "a", "ab", "b", "ba", "\xc3\xa4"};
    LabelsBuilder out;
    out.set(kMetricName, std::string("m") + kValues[random_() % 4]);
    for (const auto* name : {"A", "job", "zone"}) out.set(name, kValues[random_() % std::size(kValues)]);
    return out.build();
  }
  void write(const Labels& labels, std::int64_t ms) {
    const auto series = store_->resolve(tenant_, labels).value();
    store_->append(tenant_, {{{series, from_ms(kStart + ms), static_cast<double>(random_() % 100)}}, {}},
                   [](const Result<storage::Appended>& done) { ASSERT_TRUE(done); });
    look_after(*store_);
  }
  /// Some of it flushed, in blocks of their own, some deleted, the last in memory.
  void fill() {
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 12; ++i) write(any_labels(), (round % 2) * kDay + static_cast<std::int64_t>(i) * kMinute);
      if (round < 3) {
        ASSERT_TRUE(store_->flush());
      }
      if (round == 1) {
        ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("job", "ab")},
                                          {from_ms(kStart), from_ms(kStart + 5 * kMinute)}));
      }
    }
  }
  Found select(storage::TimeRange range, storage::SeriesPage* page) {
    storage::SelectHints hints;
    hints.page = page;
    auto selected = store_->select_hinted(tenant_, kAny, range, hints).value();
    Found out;
    for (auto& one : selected) {
      auto& [labels, samples] = out.emplace_back(*one.labels, std::vector<std::pair<std::int64_t, double>>{});
      for (Sample sample; one.samples->next(sample);) samples.emplace_back(to_ms(sample.time), sample.value);
      EXPECT_TRUE(one.samples->status());
    }
    return out;
  }

  const std::uint64_t seed_ = test_seed();
  std::mt19937_64 random_{seed_};
};
INSTANTIATE_TEST_SUITE_P(Under, StorePages, testing::ValuesIn(kHostileOptions), name_of);

TEST_P(StorePages, JoinToTheWholeSelection) {
  SCOPED_TRACE("ATALAYA_TEST_SEED=" + std::to_string(seed_));
  ASSERT_NO_FATAL_FAILURE(fill());
  const storage::TimeRange part{from_ms(kStart + kDay + 3 * kMinute), from_ms(kStart + kDay + 5 * kMinute)};
  for (const auto range : {storage::TimeRange{}, part}) {
    const auto whole = select(range, nullptr);
    ASSERT_FALSE(whole.empty());
    for (const std::size_t at_most : {1, 2, 5, 1000}) {
      Found joined;
      storage::SeriesPage page{{}, at_most};
      for (int pages = 0; pages < 200; ++pages) {
        const auto found = select(range, &page);
        for (const auto& [labels, samples] : found) {
          ASSERT_GE(labels, page.from);
          ASSERT_TRUE(!page.next || labels < *page.next);
        }
        joined.insert(joined.end(), found.begin(), found.end());
        if (!page.next) break;
        ASSERT_GT(*page.next, page.from) << "no page stands still";
        page.from = *std::exchange(page.next, std::nullopt);
      }
      ASSERT_FALSE(page.next) << "the last page was not reached";
      EXPECT_EQ(joined, whole) << "of " << at_most;
    }
  }
}

TEST_P(StorePages, BeginAnywhere) {
  SCOPED_TRACE("ATALAYA_TEST_SEED=" + std::to_string(seed_));
  ASSERT_NO_FATAL_FAILURE(fill());
  const auto whole = select({}, nullptr);
  for (int round = 0; round < 50; ++round) {
    storage::SeriesPage page{any_labels(), 1000};
    Found expected;
    for (const auto& one : whole) {
      if (one.first >= page.from) expected.push_back(one);
    }
    EXPECT_EQ(select({}, &page), expected) << to_string(page.from);
    EXPECT_EQ(page.next, std::nullopt);
  }
}

TEST_P(StorePages, AskForNoMoreSeriesThanTheyMayHave) {
  if (GetParam().little_memory) GTEST_SKIP() << "there each series is a block of its own";
  for (int i = 0; i < 40; ++i) write(Labels{{"__name__", "s" + std::to_string(100 + i)}}, i);
  const auto most_asked = [&] {
    std::size_t most = 0;
    storage::SeriesPage page{{}, 3};
    storage::SelectHints hints;
    hints.page = &page;
    hints.on_series = [&](std::size_t series) {
      most = std::max(most, series);
      return Status{};
    };
    const auto found = store_->select_hinted(tenant_, kAny, {}, hints);
    EXPECT_EQ(found->size(), 3u);
    EXPECT_EQ(page.next, (Labels{{"__name__", "s103"}}));
    return most;
  };
  EXPECT_EQ(most_asked(), 3u) << "of memory";
  ASSERT_TRUE(store_->flush());
  clock_.advance(std::chrono::hours{3});
  ASSERT_TRUE(store_->flush());  // retires what was idle
  EXPECT_EQ(most_asked(), 3u) << "of a block";
}

/// Whoever reads holds the blocks that were there when he began.
TEST_P(StorePages, AreReadWhileBlocksComeAndGo) {
  ASSERT_NO_FATAL_FAILURE(fill());
  const auto whole = select({}, nullptr);
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      storage::SeriesPage page{{}, 5};
      Found joined;
      for (;;) {
        const auto found = select({}, &page);
        joined.insert(joined.end(), found.begin(), found.end());
        if (!page.next) break;
        page.from = *std::exchange(page.next, std::nullopt);
      }
      EXPECT_EQ(joined, whole);
    }
  });
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(store_->flush());
    EXPECT_TRUE(store_->compact());
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace atalaya::tsdb
