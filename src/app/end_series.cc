#include "app/end_series.h"

#include <algorithm>
#include <future>
#include <memory>

namespace atalaya::app {

Status end_series(storage::SeriesAppender& appender, const storage::SeriesQuerier& series, const TenantId& tenant,
                  const std::string& instance, Time now) {
  const storage::TimeRange range{now - std::chrono::minutes{65}, kMaxTime};
  AT_TRY(auto selected, series.select(tenant, {Matcher::equal("instance", instance)}, range));
  storage::SampleBatch batch;
  for (auto& one : selected) {
    Sample last{};
    while (one.samples->next(last)) {
    }
    if (is_stale(last.value)) continue;
    if (one.id.value() == 0) {
      AT_TRY(one.id, appender.resolve(tenant, *one.labels));
    }
    // A host's clock may be a little ahead; the end comes after everything.
    batch.samples.push_back({one.id, std::max(now, last.time + Duration{1}), stale_marker()});
  }
  if (batch.samples.empty()) return {};
  auto told = std::make_shared<std::promise<Status>>();
  auto done = told->get_future();
  appender.append(tenant, std::move(batch), [told](Result<storage::Appended> appended) {
    told->set_value(appended ? Status{} : Status{std::unexpected(std::move(appended).error())});
  });
  return done.get();
}

}  // namespace atalaya::app
