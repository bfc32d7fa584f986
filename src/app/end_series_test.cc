#include "app/end_series.h"

#include <gtest/gtest.h>

#include "io/memory_file_system.h"
#include "tsdb/store.h"

namespace atalaya::app {
namespace {

class EndSeries : public testing::Test {
 protected:
  EndSeries() {
    tsdb::Options options;
    options.directory = "series";
    options.commit_inline = true;
    store_ = std::move(*tsdb::Store::open(files_, clock_, metrics_, options));
  }
  void add(std::string_view instance, Duration ahead) {
    const auto id = store_->resolve(default_tenant(), Labels{{"__name__", "up"}, {"instance", instance}}).value();
    store_->append(default_tenant(), {{{id, clock_.now() + ahead, 1}}, {}},
                   [](const auto& done) { ASSERT_TRUE(done); });
  }
  Sample last(std::string_view instance) {
    auto found = store_->select(default_tenant(), {Matcher::equal("instance", std::string(instance))}, {});
    Sample sample{};
    while (found->front().samples->next(sample)) {
    }
    return sample;
  }

  ManualClock clock_{from_ms(1'700'000'000'000)};
  io::MemoryFileSystem files_;
  telemetry::Registry metrics_;
  std::unique_ptr<tsdb::Store> store_;
};

TEST_F(EndSeries, OfOneHostEndAndThoseOfOthersGoOn) {
  add("a", Duration{0});
  add("b", Duration{0});
  ASSERT_TRUE(end_series(*store_, *store_, default_tenant(), "a", clock_.now()));
  EXPECT_TRUE(is_stale(last("a").value));
  EXPECT_FALSE(is_stale(last("b").value));
}

TEST_F(EndSeries, TheEndComesAfterWhatAClockAheadHasWritten) {
  add("a", std::chrono::seconds{30});
  ASSERT_TRUE(end_series(*store_, *store_, default_tenant(), "a", clock_.now()));
  EXPECT_TRUE(is_stale(last("a").value));
  EXPECT_EQ(last("a").time, clock_.now() + std::chrono::milliseconds{30'001});
}

TEST_F(EndSeries, AHostWithoutSeriesHasNothingToEnd) {
  EXPECT_TRUE(end_series(*store_, *store_, default_tenant(), "a", clock_.now()));
}

}  // namespace
}  // namespace atalaya::app
