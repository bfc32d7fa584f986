#include "api/series_care.h"

#include <boost/json.hpp>

#include <algorithm>

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
  return {{"headStats", json::object{{"numSeries", cardinality.series},
                                     {"numLabelPairs", cardinality.pairs},
                                     {"chunkCount", cardinality.chunks},
                                     {"minTime", cardinality.first},
                                     {"maxTime", cardinality.last}}},
          {"seriesCountByMetricName", counts(cardinality.metrics)},
          {"labelValueCountByLabelName", counts(cardinality.values)},
          {"memoryInBytesByLabelName", counts(cardinality.value_bytes)},
          {"seriesCountByLabelValuePair", counts(cardinality.series_of_pairs)},
          {"blockStats", json::object{{"numBlocks", blocks.size()}, {"numSamples", samples}, {"numBytes", bytes}}},
          {"blocks", std::move(blocks)},
          {"setAside", std::move(aside)}};
}

/// Crockford's base 32 of 128 bits, as Prometheus names blocks: here their beginning and their flushes.
std::string ulid_of(const tsdb::BlockMeta& block) {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  auto high = static_cast<std::uint64_t>(std::max<std::int64_t>(block.first, 0)) << 16 |
              (static_cast<std::uint64_t>(block.resolution / 60'000) & 0xffff);
  auto low = block.first_sequence << 32 | (block.last_sequence & 0xffffffff);
  std::string out(26, '0');
  for (auto at = out.rbegin(); at != out.rend(); ++at) {
    *at = kDigits[low & 31];
    low = low >> 5 | high << 59;
    high >>= 5;
  }
  return out;
}

/// As Prometheus has it; its ends are excluded from a block.
json::object block_list(const tsdb::Store& store) {
  json::array out;
  for (const auto& block : store.blocks()) {
    const auto ulid = ulid_of(block);
    const auto level = block.last_sequence - block.first_sequence + 1;
    out.push_back(json::object{
        {"ulid", ulid},
        {"minTime", block.first},
        {"maxTime", block.last + 1},
        {"stats", json::object{{"numSamples", block.samples}, {"numSeries", block.series}}},
        {"compaction", json::object{{"level", level > 1 ? 2 : 1}, {"sources", json::array{json::string(ulid)}}}},
        {"version", 1}});
  }
  return {{"blocks", std::move(out)}};
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
  doors.add("GET", "/api/v1/status/tsdb/blocks", Need::kViewer,
            [&store](const auth::Principal& who, net::Request&) -> Result<net::Response> {
              AT_TRY(of_the_whole(who));
              return success(block_list(store));
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
