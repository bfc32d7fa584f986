// What the store's suites share: a machine on whose disk stores are opened one after another, and a map
// of what must be there.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "io/memory_file_system.h"
#include "tsdb/hostile_options.h"
#include "tsdb/store.h"

namespace atalaya::tsdb {

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kStart = 20'000 * kDay;  ///< midnight

/// Series → milliseconds since kStart → value.
using StoreModel = std::map<std::string, std::map<std::int64_t, double>>;

/// Suites derive from it and instantiate themselves over kHostileOptions.
class StoreTest : public testing::TestWithParam<HostileOptions> {
 protected:
  StoreTest() {
    options_.directory = "series";
    options_.commit_inline = true;
    options_.flush_on_stop = false;
    options_.disk_reserve_bytes = 0;
    GetParam().apply(options_);
  }

  Result<std::unique_ptr<Store>> try_open(io::FileSystem& files) {
    return Store::open(files, clock_, metrics_, options_);
  }
  void open() {
    store_.reset();
    store_ = try_open(files_).value();
  }
  SeriesId id(const std::string& name) { return store_->resolve(tenant_, Labels{{"__name__", name}}).value(); }

  /// What the thread behind the store does once memory is due; in these tests there is none.
  static void look_after(Store& store) {
    if (GetParam().little_memory) store.maintain();
  }
  /// Appends to a store and returns what `done` was told.
  Result<storage::Appended> append_to(Store& store, storage::SampleBatch batch) {
    Result<storage::Appended> out = fail(ErrorCode::kInternal, "done was not called");
    store.append(tenant_, std::move(batch), [&](Result<storage::Appended> result) { out = std::move(result); });
    look_after(store);
    return out;
  }
  Result<storage::Appended> append(storage::SampleBatch batch) { return append_to(*store_, std::move(batch)); }
  Result<storage::Appended> append(const std::string& name, std::int64_t ms, double value,
                                   storage::WriteOrigin origin = {}) {
    return append({{{id(name), from_ms(kStart + ms), value}}, std::move(origin)});
  }

  /// Where it is the test that says when there is a flush.
  Result<storage::Appended> append_unflushed(const std::string& name, std::int64_t ms, double value) {
    Result<storage::Appended> out = fail(ErrorCode::kInternal, "done was not called");
    store_->append(tenant_, {{{id(name), from_ms(kStart + ms), value}}, {}},
                   [&](Result<storage::Appended> result) { out = std::move(result); });
    return out;
  }

  /// Everything in the range, each instant once and no series without any.
  static StoreModel contents(const Store& store, storage::TimeRange range = {},
                             const TenantId& tenant = default_tenant()) {
    StoreModel out;
    auto found = store.select(tenant, {Matcher::make("__name__", Matcher::Op::kRegex, ".+").value()}, range);
    EXPECT_TRUE(found);
    if (!found) return out;
    for (auto& series : *found) {
      auto& samples = out[std::string(series.labels->get("__name__"))];
      for (Sample sample; series.samples->next(sample);) {
        EXPECT_TRUE(samples.emplace(to_ms(sample.time) - kStart, sample.value).second);
      }
      EXPECT_TRUE(series.samples->status());
      EXPECT_FALSE(samples.empty());
    }
    return out;
  }
  StoreModel contents(storage::TimeRange range = {}) { return contents(*store_, range, tenant_); }

  /// What the log still tells of what comes after a position.
  static std::vector<std::tuple<storage::LogPosition, std::uint64_t, double>> replayed(const Store& store,
                                                                                       storage::LogPosition after) {
    std::vector<std::tuple<storage::LogPosition, std::uint64_t, double>> out;
    EXPECT_TRUE(store.replay(after, [&](const storage::CommittedSamples& committed) {
      for (const auto& sample : committed.samples) {
        out.emplace_back(committed.position, sample.series.value(), sample.value);
      }
    }));
    return out;
  }

  bool metrics_say(const std::string& line) const { return metrics_.expose().find(line) != std::string::npos; }

  ManualClock clock_{from_ms(kStart + kMinute)};
  telemetry::Registry metrics_;
  io::MemoryFileSystem files_;
  Options options_;
  TenantId tenant_ = default_tenant();
  std::unique_ptr<Store> store_;
};

}  // namespace atalaya::tsdb
