// What becomes of the series of a host that a person removed.
#pragma once

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "storage/series.h"

namespace atalaya::app {

/// Ends every series with this `instance` that lived within the last hour by a stale marker, so that
/// nobody expects samples of them any more, also after a restart. Returns when that is durable and the
/// listeners of the store have heard of it. Not from the commit thread.
Status end_series(storage::SeriesAppender& appender, const storage::SeriesQuerier& series, const TenantId& tenant,
                  const std::string& instance, Time now);

}  // namespace atalaya::app
