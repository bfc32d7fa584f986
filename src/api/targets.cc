#include "api/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "api/json.h"
#include "api/parameters.h"

namespace atalaya::api {
namespace {

namespace scrape = collect::scrape;

net::Response success(json::value data) { return ok(json::object{{"status", "success"}, {"data", std::move(data)}}); }

/// A whole number; nothing where the parameter is absent. Below zero is no limit, as in Prometheus.
Result<std::optional<std::size_t>> limit_of(const net::Parameters& parameters, std::string_view name) {
  const auto text = parameters.get(name);
  if (text.empty()) return std::nullopt;
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("parameter \"{}\" must be a number", name));
  }
  if (out < 0) return std::nullopt;
  return static_cast<std::size_t>(out);
}

json::object target_json(const scrape::TargetView& target) {
  // A target that was never asked has Go's zero time.
  const bool never = target.last_scrape == Time{};
  return {{"discoveredLabels", to_json(target.discovered)},
          {"labels", to_json(target.labels)},
          {"scrapePool", target.pool},
          {"scrapeUrl", target.url},
          {"globalUrl", target.global_url},
          {"lastError", target.last_error},
          {"lastScrape", never ? json::string("0001-01-01T00:00:00Z") : rfc3339(target.last_scrape)},
          {"lastScrapeDuration", to_seconds(target.last_took)},
          {"health", target.health},
          {"scrapeInterval", format_duration(target.interval)},
          {"scrapeTimeout", format_duration(target.timeout)}};
}

Result<net::Response> list_targets(const scrape::TargetsView& view, const net::Parameters& parameters) {
  // As Prometheus: case does not count, and of an unknown state there are none.
  std::string state(parameters.get("state"));
  std::ranges::transform(state, state.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto pool = parameters.get("scrapePool");
  const bool all = state.empty() || state == "any";
  json::array active;
  json::array dropped;
  json::object counts;
  if (all || state == "active") {
    for (const auto& target : view.active) {
      if (pool.empty() || pool == target.pool) active.push_back(target_json(target));
    }
  }
  if (all || state == "dropped") {
    for (const auto& target : view.dropped) {
      if (!pool.empty() && pool != target.pool) continue;
      dropped.push_back(json::object{{"discoveredLabels", to_json(target.discovered)}, {"scrapePool", target.pool}});
    }
    for (const auto& [name, count] : view.dropped_counts) {
      if (pool.empty() || pool == name) counts[name] = count;
    }
  }
  return success(json::object{{"activeTargets", std::move(active)},
                              {"droppedTargets", std::move(dropped)},
                              {"droppedTargetCounts", std::move(counts)}});
}

json::object metadata_json(const scrape::Metadata& metadata) {
  return {{"type", metadata.type}, {"help", metadata.help}, {"unit", metadata.unit}};
}

Result<net::Response> list_metadata(const std::vector<scrape::TargetMetadata>& all, const net::Parameters& parameters) {
  AT_TRY(const auto limit, limit_of(parameters, "limit"));
  AT_TRY(const auto per_metric, limit_of(parameters, "limit_per_metric"));
  std::map<std::string, std::set<scrape::Metadata>> found;
  for (const auto& one : all) found[one.metric].insert(one.metadata);
  json::object out;
  for (const auto& [metric, kinds] : found) {
    if (limit && out.size() >= *limit) break;
    json::array list;
    for (const auto& kind : kinds) {
      if (per_metric && *per_metric > 0 && list.size() >= *per_metric) break;
      list.push_back(metadata_json(kind));
    }
    out[metric] = std::move(list);
  }
  return success(std::move(out));
}

Result<net::Response> list_target_metadata(const std::vector<scrape::TargetMetadata>& all,
                                           const net::Parameters& parameters) {
  AT_TRY(const auto limit, limit_of(parameters, "limit"));
  Matchers selector;
  if (const auto text = parameters.get("match_target"); !text.empty()) {
    AT_TRY(selector, selector_parameter("match_target", text));
  }
  const bool one_metric = !parameters.get("metric").empty();
  json::array out;
  for (const auto& one : all) {
    if (limit && out.size() >= *limit) break;
    if (!matches(selector, one.target)) continue;
    auto entry = metadata_json(one.metadata);
    entry["target"] = to_json(one.target);
    if (!one_metric) entry["metric"] = one.metric;
    out.push_back(std::move(entry));
  }
  return success(std::move(out));
}

json::object step_json(const scrape::RelabelSpec& spec) {
  json::object out;
  if (!spec.source_labels.empty())
    out["source_labels"] = json::array(spec.source_labels.begin(), spec.source_labels.end());
  out["separator"] = spec.separator;
  out["regex"] = spec.regex;
  if (spec.modulus > 0) out["modulus"] = spec.modulus;
  if (!spec.target_label.empty()) out["target_label"] = spec.target_label;
  if (!spec.replacement.empty()) out["replacement"] = spec.replacement;
  out["action"] = scrape::name_of(spec.action);
  return out;
}

/// What each step makes of labels that a client brings; behind the one that drops them, none.
Result<net::Response> relabel_steps(const TargetServices& services, const TenantId& tenant,
                                    const net::Parameters& parameters) {
  const auto pool = parameters.get("scrapePool");
  const auto text = parameters.get("labels");
  if (pool.empty()) return fail(ErrorCode::kInvalidArgument, "no scrapePool parameter provided");
  if (text.empty()) return fail(ErrorCode::kInvalidArgument, "no labels parameter provided");
  boost::system::error_code wrong;
  const auto given = json::parse(text, wrong);
  if (wrong || !given.is_object()) return fail(ErrorCode::kInvalidArgument, "error parsing labels: not a JSON object");
  std::map<std::string, std::string, std::less<>> labels;
  for (const auto& [name, value] : given.get_object()) {
    if (!value.is_string()) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("error parsing labels: {} is no text", std::string_view(name)));
    }
    labels.emplace(name, value.get_string());
  }
  const auto steps = services.relabelings(tenant, pool);
  if (!steps) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("error getting scrape pool config: scrape pool \"{}\" not found", pool));
  }
  json::array out;
  bool keep = true;
  for (const auto& step : *steps) {
    keep = keep && step.apply(labels);
    json::object left;
    for (const auto& [name, value] : labels) {
      if (keep && !value.empty()) left.emplace(name, value);
    }
    out.push_back(json::object{{"rule", step_json(step.spec())}, {"output", std::move(left)}, {"keep", keep}});
  }
  return success(json::object{{"steps", std::move(out)}});
}

}  // namespace

void add_target_routes(Doors& doors, const TargetServices& services) {
  doors.add_slow("GET", "/api/v1/targets", Need::kViewer, services.workers,
                 [targets = services.targets](const auth::Principal& who, net::Request& request) {
                   return list_targets(targets(who.tenant), request.query);
                 });
  doors.add_slow("GET", "/api/v1/targets/metadata", Need::kViewer, services.workers,
                 [metadata = services.metadata](const auth::Principal& who, net::Request& request) {
                   return list_target_metadata(metadata(who.tenant, request.query.get("metric")), request.query);
                 });
  doors.add_slow("GET", "/api/v1/targets/relabel_steps", Need::kViewer, services.workers,
                 [services](const auth::Principal& who, net::Request& request) {
                   return relabel_steps(services, who.tenant, request.query);
                 });
  doors.add_slow("GET", "/api/v1/metadata", Need::kViewer, services.workers,
                 [metadata = services.metadata](const auth::Principal& who, net::Request& request) {
                   return list_metadata(metadata(who.tenant, request.query.get("metric")), request.query);
                 });
  doors.add_slow("GET", "/api/v1/scrape_pools", Need::kViewer, services.workers,
                 [targets = services.targets](const auth::Principal& who, net::Request&) -> Result<net::Response> {
                   json::array pools;
                   for (const auto& [name, count] : targets(who.tenant).dropped_counts) pools.emplace_back(name);
                   return success(json::object{{"scrapePools", std::move(pools)}});
                 });
}

}  // namespace atalaya::api
