// What the suites of buckets and retention share.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/memory_file_system.h"
#include "tsdb/block/rollup.h"
#include "tsdb/hostile_options.h"
#include "tsdb/store.h"

namespace atalaya::tsdb {

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kStart = 20'000 * kDay;
constexpr auto kDays = [](int days) { return Duration{days * kDay}; };
using Points = std::map<std::int64_t, double>;

/// Under all that is hostile but blocks of a minute: buckets of an hour need stretches that are not shorter.
class StoreTiers : public testing::TestWithParam<HostileOptions> {
 protected:
  StoreTiers() {
    options_.directory = "series";
    options_.commit_inline = true;
    options_.flush_on_stop = false;
    options_.disk_reserve_bytes = 0;
    options_.retention = kDays(2);
    options_.keep_five_minutes = kDays(10);
    options_.keep_one_hour = kDays(30);
    GetParam().apply(options_);
    options_.partition = std::chrono::hours{24};
    open();
  }
  void open() {
    store_.reset();
    store_ = Store::open(files_, clock_, metrics_, options_).value();
  }
  void append(const std::string& name, std::int64_t ms, double value) {
    const auto series = store_->resolve(tenant_, Labels{{"__name__", name}}).value();
    store_->append(tenant_, {{{series, from_ms(kStart + ms), value}}, {}},
                   [](Result<storage::Appended> done) { EXPECT_EQ(done.value().accepted, 1u); });
  }
  /// A sample a minute for a day, values 0, 1, 2 …
  void append_day(const std::string& name, std::int64_t day) {
    const auto series = store_->resolve(tenant_, Labels{{"__name__", name}}).value();
    storage::SampleBatch batch;
    for (int i = 0; i < 1440; ++i) {
      batch.samples.push_back({series, from_ms(kStart + day * kDay + i * kMinute), static_cast<double>(i)});
    }
    store_->append(tenant_, std::move(batch), [](Result<storage::Appended> done) { EXPECT_TRUE(done); });
  }
  void go_to(Duration since_start) { clock_.advance(from_ms(kStart) + since_start - clock_.now()); }
  void age() {
    ASSERT_TRUE(store_->flush());
    store_->maintain();
  }
  Points read(const std::string& name, storage::TimeRange range = {}, storage::SelectHints hints = {}) {
    spans_.clear();
    auto found = store_->select_hinted(tenant_, {Matcher::equal("__name__", name)}, range, hints).value();
    Points out;
    if (found.empty()) return out;
    spans_ = found[0].buckets;
    for (Sample sample; found[0].samples->next(sample);) out.emplace(to_ms(sample.time) - kStart, sample.value);
    EXPECT_TRUE(found[0].samples->status());
    return out;
  }
  std::map<std::int64_t, int> blocks_by_resolution() {
    std::map<std::int64_t, int> out;
    for (const auto& meta : store_->blocks()) ++out[meta.resolution];
    return out;
  }

  ManualClock clock_{from_ms(kStart + kDay)};
  telemetry::Registry metrics_;
  io::MemoryFileSystem files_;
  Options options_;
  TenantId tenant_ = default_tenant();
  std::unique_ptr<Store> store_;
  std::vector<storage::BucketSpan> spans_;  ///< of the last read
};

}  // namespace atalaya::tsdb
