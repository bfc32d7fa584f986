// A MemorySeries that counts how often it is asked, for the tests of this library.
#pragma once

#include <atomic>

#include "promql/memory_series.h"

namespace atalaya::promql {

class TestSeries final : public MemorySeries {
 public:
  Result<std::vector<storage::SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range) const override {
    ++selects;
    return MemorySeries::select(tenant, matchers, range);
  }

  mutable std::atomic<int> selects{0};
};

}  // namespace atalaya::promql
