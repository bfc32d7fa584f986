// Which series there are, and the words of their labels, as Prometheus answers.
#pragma once

#include "base/ids.h"
#include "base/time.h"
#include "net/http.h"
#include "storage/series.h"
#include "telemetry/query_memory.h"

namespace atalaya::api {

/// Label sets that match any `match[]` and have samples between `start` and `end`. `memory`, when given, here and
/// below: where what is looked up counts.
Result<net::Response> answer_series(const storage::SeriesQuerier& series, const TenantId& tenant,
                                    const net::Request& request, telemetry::QueryMemory* memory = nullptr);

/// Names, and values of the label in the path. Of series with samples between `start` and `end`; where no `match[]`
/// narrows it down and the range reaches the present, of all that is kept: that is what an index knows at once.
Result<net::Response> answer_label_names(const storage::SeriesQuerier& series, const Clock& clock,
                                         const TenantId& tenant, const net::Request& request,
                                         telemetry::QueryMemory* memory = nullptr);
Result<net::Response> answer_label_values(const storage::SeriesQuerier& series, const Clock& clock,
                                          const TenantId& tenant, const net::Request& request,
                                          telemetry::QueryMemory* memory = nullptr);

/// A name that came in a path: `U__host_2e_name` is `host.name`. As it is when it is no such escape.
std::string unescaped_name(std::string_view name);

}  // namespace atalaya::api
