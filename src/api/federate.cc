#include "api/federate.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>

#include "api/parameters.h"
#include "ingest/prometheus_text.h"
#include "model/names.h"
#include "promql/engine.h"

namespace atalaya::api {
namespace {

/// In the order of the exposition: by name, then by labels.
using Newest = std::map<std::pair<std::string, Labels>, Sample>;

Status add_newest(const storage::SeriesQuerier& series, const TenantId& tenant, const Matchers& matchers,
                  storage::TimeRange range, Newest& out) {
  AT_TRY(auto selected, series.select(tenant, matchers, range));
  for (auto& one : selected) {
    Sample newest;
    bool any = false;
    while (one.samples->next(newest)) any = true;
    const auto name = one.labels->get(kMetricName);
    if (!any || is_stale(newest.value) || name.empty()) continue;
    out.insert_or_assign({std::string(name), *one.labels}, newest);
  }
  return {};
}

/// So that the one who scrapes does not put its target's there.
void add_empty_instance(std::string& series) {
  if (series.ends_with('}')) {
    series.insert(series.size() - 1, R"(,instance="")");
  } else {
    series += R"({instance=""})";
  }
}

std::string exposition(const Newest& newest) {
  std::string out;
  std::string_view family;
  std::string text;
  for (const auto& [key, sample] : newest) {
    const auto& [name, labels] = key;
    if (family != name) {
      family = name;
      out += fmt::format("# TYPE {} untyped\n", is_metric_name(name) ? name : quote_label_value(name));
    }
    text.clear();
    ingest::append_text_series(text, labels);
    if (!labels.has("instance")) add_empty_instance(text);
    ingest::append_text_sample(out, text, sample.value, sample.time);
  }
  return out;
}

}  // namespace

void add_federate_route(Doors& doors, const storage::SeriesQuerier& series, const Clock& clock) {
  doors.add("GET", "/federate", Need::kViewer,
            [&](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
              const auto now = clock.now();
              const storage::TimeRange range{now - promql::Limits().lookback, now};
              Newest newest;
              for (const auto& text : request.query.all("match[]")) {
                AT_TRY(const auto matchers, selector_parameter("match[]", text));
                AT_TRY(add_newest(series, who.tenant, matchers, range, newest));
              }
              auto response = net::Response::text(exposition(newest));
              response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
              return response;
            });
}

}  // namespace atalaya::api
