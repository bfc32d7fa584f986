#include "api/series_care.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "api/audit.h"
#include "api/envelope.h"
#include "api/json.h"
#include "api/parameters.h"
#include "telemetry/log.h"

namespace atalaya::api {
namespace {

namespace json = boost::json;

Status of_the_whole(const auth::Principal& who) {
  if (who.tenant == default_tenant()) return {};
  return fail(ErrorCode::kPermissionDenied, "this touches the series of all tenants",
              "ask an administrator of the tenant default");
}

/// Where deletions are noted.
struct Notes {
  registry::Audit& audit;
  const Clock& clock;
};

/// After the deed: on a full disk, where a removal is to give room, no entry can be made before.
void note(const Notes& notes, const auth::Principal& who, const char* action, const std::string& what,
          const std::string& detail) {
  const auto name = audited_name(who);
  telemetry::log_info(
      "tsdb", "stored series were cared for",
      {{"action", action}, {"tenant", who.tenant.value()}, {"who", name}, {"what", what}, {"detail", detail}});
  const auto noted = notes.audit.add(
      who.tenant, {.at = notes.clock.now(), .who = name, .action = action, .object = what, .detail = detail});
  if (!noted) telemetry::log_error("tsdb", "the audit log has no entry of it", {{"error", to_string(noted.error())}});
}

net::Response nothing() {
  net::Response response;
  response.status = 204;
  return response;
}

/// In portions: there may be more of them than memory holds at once. Unavailable while older samples are on their way.
Result<std::size_t> count_series(const tsdb::Store& store, const TenantId& tenant, const Matchers& selector,
                                 storage::TimeRange range) {
  constexpr std::size_t kPortion = 8192;
  std::size_t series = 0;
  storage::SeriesPage page{{}, kPortion};
  storage::SelectHints hints;
  hints.on_damage = [](const Error&) {};
  hints.page = &page;
  for (;;) {
    AT_TRY(const auto found, store.select_hinted(tenant, selector, range, hints));
    series += found.size();
    if (!page.next) return series;
    page.from = *std::exchange(page.next, std::nullopt);
  }
}

/// Answers how many series had samples in the range.
Result<std::size_t> delete_series(tsdb::Store& store, const Notes& notes, const auth::Principal& who,
                                  const net::Request& request) {
  const auto parameters = prometheus_parameters(request);
  std::vector<Matchers> selectors;
  for (const auto& text : parameters.all("match[]")) {
    AT_TRY(auto selector, selector_parameter("match[]", text));
    selectors.push_back(std::move(selector));
  }
  if (selectors.empty()) return fail(ErrorCode::kInvalidArgument, "no match[] parameter provided");
  AT_TRY(const auto range, prometheus_range(parameters));
  const auto [from, to] = range;
  if (to < from) return fail(ErrorCode::kInvalidArgument, "end is before start");
  std::size_t series = 0;
  for (const auto& selector : selectors) {
    AT_TRY(const auto found, count_series(store, who.tenant, selector, {from, to}));
    series += found;
  }
  for (const auto& selector : selectors) {
    AT_TRY(store.delete_series(who.tenant, selector, {from, to}));
  }
  std::string what = fmt::format("{}", fmt::join(parameters.all("match[]"), " "));
  if (from != kMinTime) what += " from " + format_rfc3339(from);
  if (to != kMaxTime) what += " to " + format_rfc3339(to);
  note(notes, who, "series.delete", what, fmt::format("{} series", series));
  return series;
}

json::array counts(const std::vector<std::pair<std::string, std::uint64_t>>& list) {
  json::array out;
  for (const auto& [name, value] : list) out.push_back(json::object{{"name", name}, {"value", value}});
  return out;
}

/// Of the blocks, which all tenants share.
json::object block_status(const tsdb::Store& store) {
  json::array blocks;
  std::uint64_t bytes = 0;
  std::uint64_t samples = 0;
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
  const auto aside = store.set_aside();
  return {{"blockStats", json::object{{"numBlocks", blocks.size()}, {"numSamples", samples}, {"numBytes", bytes}}},
          {"blocks", std::move(blocks)},
          {"setAside", json::array(aside.begin(), aside.end())}};
}

/// As Prometheus has it at /api/v1/status/tsdb; for the tenant default our blocks beside it.
json::object status(const tsdb::Store& store, const TenantId& tenant, std::size_t limit) {
  const auto cardinality = store.cardinality(tenant, limit);
  json::object out{{"headStats", json::object{{"numSeries", cardinality.series},
                                              {"numLabelPairs", cardinality.pairs},
                                              {"chunkCount", cardinality.chunks},
                                              {"minTime", cardinality.first},
                                              {"maxTime", cardinality.last}}},
                   {"seriesCountByMetricName", counts(cardinality.metrics)},
                   {"labelValueCountByLabelName", counts(cardinality.values)},
                   {"memoryInBytesByLabelName", counts(cardinality.value_bytes)},
                   {"seriesCountByLabelValuePair", counts(cardinality.series_of_pairs)}};
  if (tenant != default_tenant()) return out;
  for (auto& [name, value] : block_status(store)) out.emplace(name, std::move(value));
  return out;
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

void add_series_care_routes(Doors& doors, tsdb::Store& store, net::WorkerPool& workers, registry::Audit& audit,
                            const Clock& clock) {
  const Notes notes{audit, clock};
  const auto erase = [&store, notes](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
    AT_TRY(delete_series(store, notes, who, request));
    return nothing();
  };
  doors.add_slow("DELETE", "~/series", Need::kAdmin, workers,
                 [&store, notes](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
                   AT_TRY(const auto series, delete_series(store, notes, who, request));
                   return ok(json::object{{"series", series}});
                 });
  const auto snapshot = [&store, notes](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
    AT_TRY(of_the_whole(who));
    // Either way memory is written to blocks first: a copy never has less than is asked for.
    AT_TRY(prometheus_boolean("skip_head", prometheus_parameters(request).get("skip_head")));
    AT_TRY(const auto place, store.snapshot());
    const auto name = place.substr(place.rfind('/') + 1);
    note(notes, who, "snapshot.create", name, "");
    return success(json::object{{"name", name}});
  };
  doors.add_slow("POST", "~/series/snapshot", Need::kAdmin, workers, snapshot);
  doors.add_slow("DELETE", "~/series/snapshot/{name}", Need::kAdmin, workers,
                 [&store, notes](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
                   AT_TRY(of_the_whole(who));
                   const std::string name(request.captures.get("name"));
                   AT_TRY(store.remove_snapshot(name));
                   note(notes, who, "snapshot.remove", name, "");
                   return success(json::object{{"name", name}});
                 });
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
                   return ok(block_status(store).at("blockStats").as_object());
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
                AT_TRY(const auto limit, limit_parameter(request.query, 10, 10'000));
                return success(status(store, who.tenant, limit));
              });
  }
}

}  // namespace atalaya::api
