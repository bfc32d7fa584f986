#include "api/series_care.h"

#include <boost/json.hpp>

#include "api/json.h"
#include "api/parameters.h"

namespace atalaya::api {
namespace {

namespace json = boost::json;

Status of_the_whole(const auth::Principal& who) {
  if (who.tenant == default_tenant()) return {};
  return fail(ErrorCode::kPermissionDenied, "this touches the series of all tenants",
              "ask an administrator of the tenant default");
}

net::Response nothing() {
  net::Response response;
  response.status = 204;
  return response;
}

Result<net::Response> delete_series(tsdb::Store& store, const TenantId& tenant, const net::Request& request) {
  const auto& parameters = request.query;
  std::vector<Matchers> selectors;
  for (const auto& text : parameters.all("match[]")) {
    AT_TRY(auto selector, selector_parameter("match[]", text));
    selectors.push_back(std::move(selector));
  }
  if (selectors.empty()) return fail(ErrorCode::kInvalidArgument, "no match[] parameter provided");
  AT_TRY(const auto from, time_parameter(parameters, "start", kMinTime));
  AT_TRY(const auto to, time_parameter(parameters, "end", kMaxTime));
  if (to < from) return fail(ErrorCode::kInvalidArgument, "end is before start");
  for (const auto& selector : selectors) AT_TRY(store.delete_series(tenant, selector, {from, to}));
  return nothing();
}

json::array counts(const std::vector<std::pair<std::string, std::uint64_t>>& list) {
  json::array out;
  for (const auto& [name, value] : list) out.push_back(json::object{{"name", name}, {"value", value}});
  return out;
}

/// As Prometheus has it at /api/v1/status/tsdb, and our blocks beside it.
json::object status(const tsdb::Store& store, const TenantId& tenant, std::size_t limit) {
  const auto cardinality = store.cardinality(tenant, limit);
  json::array blocks;
  json::array aside;
  std::uint64_t bytes = 0;
  std::uint64_t samples = 0;
  if (tenant == default_tenant()) {
    for (const auto& block : store.blocks()) {
      bytes += block.bytes;
      samples += block.samples;
      blocks.push_back(json::object{{"minTime", block.first},
                                    {"maxTime", block.last},
                                    {"resolution", block.resolution},
                                    {"numSeries", block.series},
                                    {"numSamples", block.samples},
                                    {"numBytes", block.bytes}});
    }
    for (auto& path : store.set_aside()) aside.emplace_back(std::move(path));
  }
  return {{"headStats", json::object{{"numSeries", cardinality.series}, {"numLabelPairs", cardinality.pairs}}},
          {"seriesCountByMetricName", counts(cardinality.metrics)},
          {"labelValueCountByLabelName", counts(cardinality.values)},
          {"seriesCountByLabelValuePair", counts(cardinality.series_of_pairs)},
          {"blockStats", json::object{{"numBlocks", blocks.size()}, {"numSamples", samples}, {"numBytes", bytes}}},
          {"blocks", std::move(blocks)},
          {"setAside", std::move(aside)}};
}

net::Response success(json::value data) { return ok(json::object{{"status", "success"}, {"data", std::move(data)}}); }

}  // namespace

void add_series_care_routes(Doors& doors, tsdb::Store& store, net::WorkerPool& workers) {
  const auto erase = [&store](const auth::Principal& who, net::Request& request) {
    return delete_series(store, who.tenant, request);
  };
  doors.add_slow("DELETE", "~/series", Need::kAdmin, workers, erase);
  const auto snapshot = [&store](const auth::Principal& who, net::Request&) -> Result<net::Response> {
    AT_TRY(of_the_whole(who));
    AT_TRY(const auto place, store.snapshot());
    return success(json::object{{"name", place.substr(place.rfind('/') + 1)}});
  };
  doors.add_slow("POST", "~/series/snapshot", Need::kAdmin, workers, snapshot);
  for (const auto* method : {"POST", "PUT"}) {
    doors.add_slow(method, "/api/v1/admin/tsdb/delete_series", Need::kAdmin, workers, erase);
    doors.add_slow(method, "/api/v1/admin/tsdb/clean_tombstones", Need::kAdmin, workers,
                   [&store](const auth::Principal& who, net::Request&) -> Result<net::Response> {
                     AT_TRY(of_the_whole(who));
                     AT_TRY(store.compact());
                     return nothing();
                   });
    doors.add_slow(method, "/api/v1/admin/tsdb/snapshot", Need::kAdmin, workers, snapshot);
  }
  doors.add_slow("POST", "~/series/flush", Need::kAdmin, workers,
                 [&store](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
                   AT_TRY(of_the_whole(who));
                   AT_TRY(store.flush());
                   if (request.query.get("merge") == "true") AT_TRY(store.compact());
                   return ok(status(store, who.tenant, 1).at("blockStats").as_object());
                 });
  doors.add_slow("POST", "~/series/verify", Need::kAdmin, workers,
                 [&store](const auth::Principal& who, net::Request&) -> Result<net::Response> {
                   AT_TRY(of_the_whole(who));
                   AT_TRY(const auto damaged, store.verify());
                   const auto aside = store.set_aside();
                   return ok(json::object{{"blocks", store.blocks().size()},
                                          {"setAside", json::array(aside.begin(), aside.end())},
                                          {"damaged", json::array(damaged.begin(), damaged.end())}});
                 });
  for (const auto* path : {"/api/v1/status/tsdb", "~/series/status"}) {
    doors.add("GET", path, Need::kViewer,
              [&store](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
                AT_TRY(const auto limit, limit_parameter(request.query, 10, 1000));
                return success(status(store, who.tenant, limit));
              });
  }
}

}  // namespace atalaya::api
