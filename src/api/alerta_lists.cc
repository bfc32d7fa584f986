// Lists of alerts, what they are counted by, and changes of all that a query finds.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "alerts/machine.h"
#include "api/alerta_json.h"
#include "api/alerta_query.h"

namespace atalaya::api::alerta {
namespace {

using alerts::SeenReport;
using auth::Principal;
using Seen = std::vector<SeenReport>;

constexpr std::size_t kTop = 10;
constexpr std::size_t kMostLines = 10'000;  ///< of the history that are looked through

struct Selected {
  Query query;
  Seen alerts;
};

Result<Selected> select(const AlertaServices& s, const Principal& who, const net::Request& request) {
  Selected out;
  AT_TRY(out.query, Query::of(request.query));
  AT_TRY(auto all, s.alerts.list(who.tenant, out.query.which));
  out.alerts = out.query.select(std::move(all));
  return out;
}

json::object counted(const Seen& alerts, const std::function<std::string(const SeenReport&)>& word) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& seen : alerts) ++counts[word(seen)];
  json::object out;
  for (const auto& [key, count] : counts) out[key] = count;
  return out;
}

json::object severity_counts(const Seen& alerts) {
  return counted(alerts, [](const SeenReport& seen) { return seen.report.severity; });
}

json::object status_counts(const Seen& alerts) {
  return counted(alerts, [](const SeenReport& seen) { return std::string(status_word(seen.alert, seen.report)); });
}

/// Where a page begins and ends; range errors are the asker's.
Result<std::pair<std::size_t, std::size_t>> bounds(const Query& query, std::size_t total) {
  const auto pages = (total + query.page_size - 1) / query.page_size;
  if (total == 0) return std::pair{total, total};
  if (query.page > pages) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("page out of range: 1-{}", pages));
  }
  const auto begin = (query.page - 1) * query.page_size;
  return std::pair{begin, std::min(begin + query.page_size, total)};
}

json::object page_json(const Query& query, std::size_t total) {
  const auto pages = (total + query.page_size - 1) / query.page_size;
  return {{"page", query.page},
          {"pageSize", query.page_size},
          {"pages", pages},
          {"more", query.page < pages},
          {"total", total}};
}

Result<net::Response> alerts_list(const AlertaServices& s, const Principal& who, const net::Request& request) {
  const auto now = s.clock.now();
  AT_TRY(const auto found, select(s, who, request));
  AT_TRY(const auto range, bounds(found.query, found.alerts.size()));
  json::array list;
  for (auto i = range.first; i < range.second; ++i) {
    const auto& seen = found.alerts[i];
    std::vector<alerts::HistoryLine> history;
    if (found.query.history) {
      AT_TRY(history, s.alerts.history(who.tenant, seen.report.id, kHistoryLimit));
    }
    list.push_back(alert_json(s, seen, {found.query.raw_data, found.query.history ? &history : nullptr}));
  }
  auto last = now;
  if (!found.alerts.empty()) {
    last =
        std::ranges::max(found.alerts, {}, [](const auto& a) { return a.report.last_received; }).report.last_received;
  }
  auto out = page_json(found.query, found.alerts.size());
  if (found.alerts.empty()) out["message"] = "not found";
  out["alerts"] = std::move(list);
  out["severityCounts"] = severity_counts(found.alerts);
  out["statusCounts"] = status_counts(found.alerts);
  out["lastTime"] = rfc3339(last);
  out["autoRefresh"] = true;
  return answer(std::move(out));
}

Result<net::Response> history(const AlertaServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto found, select(s, who, request));
  std::map<std::string, const SeenReport*> by_id;
  for (const auto& seen : found.alerts) by_id.emplace(seen.alert.id.value(), &seen);
  AT_TRY(const auto lines, s.alerts.lines(who.tenant, kMostLines));
  std::vector<json::object> all;
  for (const auto& [id, line] : lines) {
    const auto seen = by_id.find(id.value());
    if (seen == by_id.end()) continue;
    auto one = history_json(s, *seen->second, line);
    if (!one) continue;
    const auto& r = seen->second->report;
    (*one)["resource"] = r.resource;
    (*one)["environment"] = r.environment;
    (*one)["service"] = list(r.service);
    (*one)["group"] = r.group;
    (*one)["tags"] = list(r.tags);
    (*one)["attributes"] = r.attributes;
    (*one)["origin"] = or_null(r.origin);
    (*one)["customer"] = or_null(r.customer);
    all.push_back(std::move(*one));
  }
  AT_TRY(const auto range, bounds(found.query, all.size()));
  json::array shown;
  for (auto i = range.first; i < range.second; ++i) shown.push_back(std::move(all[i]));
  auto out = page_json(found.query, all.size());
  out["history"] = std::move(shown);
  out["lastTime"] = rfc3339(s.clock.now());
  return answer(std::move(out));
}

Result<net::Response> count(const AlertaServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto found, select(s, who, request));
  return answer({{"total", found.alerts.size()},
                 {"severityCounts", severity_counts(found.alerts)},
                 {"statusCounts", status_counts(found.alerts)}});
}

/// What an alert adds to the count of its group, and to what the worst ten are ordered by; nothing for no group.
struct Weight {
  std::int64_t count = 0;
  std::int64_t order = 0;
};
using Weigh = std::function<Result<Weight>(const SeenReport&)>;

struct Top {
  Weight weight;
  std::int64_t duplicates = 0;
  std::set<std::string> environments;
  std::set<std::string> services;
  json::array resources;
};

Result<net::Response> top(const AlertaServices& s, const Principal& who, const net::Request& request,
                          const Weigh& weigh) {
  AT_TRY(const auto found, select(s, who, request));
  std::map<std::string, Top> tops;
  for (const auto& seen : found.alerts) {
    AT_TRY(const auto weight, weigh(seen));
    if (weight.count == 0) continue;
    std::vector<std::string> keys;
    values_of(seen, found.query.group_by, keys);
    for (const auto& key : keys) {
      auto& one = tops[key];
      one.weight.count += weight.count;
      one.weight.order += weight.order;
      one.duplicates += static_cast<std::int64_t>(seen.report.duplicates);
      one.environments.insert(seen.report.environment);
      one.services.insert(seen.report.service.begin(), seen.report.service.end());
      if (one.resources.size() >= 1000) continue;
      one.resources.push_back(json::object{{"id", seen.report.id.value()},
                                           {"href", href(s, "alert", seen.report.id.value())},
                                           {"resource", seen.report.resource}});
    }
  }
  std::vector<std::pair<std::string, Top>> sorted(tops.begin(), tops.end());
  std::ranges::stable_sort(sorted,
                           [](const auto& a, const auto& b) { return a.second.weight.order > b.second.weight.order; });
  if (sorted.size() > kTop) sorted.resize(kTop);
  json::array out;
  for (auto& [key, one] : sorted) {
    out.push_back(json::object{{found.query.group_by, key},
                               {"count", one.weight.count},
                               {"duplicateCount", one.duplicates},
                               {"environments", json::array(one.environments.begin(), one.environments.end())},
                               {"services", json::array(one.services.begin(), one.services.end())},
                               {"resources", std::move(one.resources)}});
  }
  const auto total = out.size();
  return answer({{"top10", std::move(out)}, {"total", total}});
}

/// How many there are; of as many those that were reported more often.
Result<Weight> number(const SeenReport& seen) {
  return Weight{1, 1'000'000'000 + static_cast<std::int64_t>(seen.report.duplicates)};
}

/// How often they fired again or changed their severity, as their history remembers.
Weigh flaps(const AlertaServices& s, const TenantId& tenant) {
  return [s, tenant](const SeenReport& seen) -> Result<Weight> {
    AT_TRY(const auto lines, s.alerts.history(tenant, seen.alert.id, kHistoryLimit));
    const auto fired =
        std::ranges::count_if(lines, [](const auto& line) { return line.to == "firing" || line.to == "no_data"; });
    return Weight{std::max<std::int64_t>(fired - 1, 0), fired - 1};
  };
}

/// How many there are; ordered by how long they are open.
Weigh standing(const AlertaServices& s) {
  return [now = s.clock.now()](const SeenReport& seen) -> Result<Weight> {
    if (seen.alert.state == alerts::State::kResolved) return Weight{};
    return Weight{1, (now - seen.alert.started).count()};
  };
}

void add_tops(Doors& doors, const AlertaServices& s) {
  for (const std::string base : {"/alerta/alerts/top10/", "/alerta/alerts/topn/"}) {
    doors.add("GET", base + "count", Need::kViewer,
              [s](const Principal& who, net::Request& request) { return top(s, who, request, number); });
    doors.add("GET", base + "flapping", Need::kViewer,
              [s](const Principal& who, net::Request& request) { return top(s, who, request, flaps(s, who.tenant)); });
    doors.add("GET", base + "standing", Need::kViewer,
              [s](const Principal& who, net::Request& request) { return top(s, who, request, standing(s)); });
  }
}

/// Counts by environment and one field more; without one by environment alone.
Result<net::Response> by_environment(const AlertaServices& s, const Principal& who, const net::Request& request,
                                     const std::string& what, const std::string& field) {
  AT_TRY(const auto found, select(s, who, request));
  std::map<std::pair<std::string, std::string>, Seen> groups;
  for (const auto& seen : found.alerts) {
    std::vector<std::string> keys{""};
    if (!field.empty()) {
      keys.clear();
      values_of(seen, field, keys);
    }
    for (const auto& key : keys) groups[{seen.report.environment, key}].push_back(seen);
  }
  json::array out;
  for (const auto& [key, members] : groups) {
    json::object one{{"environment", key.first}};
    if (!field.empty()) one[field] = key.second;
    one["count"] = members.size();
    if (what == "environments" || what == "services") {
      one["severityCounts"] = severity_counts(members);
      one["statusCounts"] = status_counts(members);
    }
    out.push_back(std::move(one));
  }
  const auto total = out.size();
  return answer({{what, std::move(out)}, {"total", total}});
}

Result<net::Response> bulk(const AlertaServices& s, const Principal& who, const net::Request& request,
                           const std::function<std::any(const AlertId&)>& event, int status) {
  if (request.query.fields().empty()) {
    return fail(ErrorCode::kInvalidArgument, "which alerts? the address names none",
                "filter as in a list, e.g. ?environment=Production&status=open");
  }
  AT_TRY(const auto found, select(s, who, request));
  json::array updated;
  for (const auto& seen : found.alerts) {
    const auto done = s.control.run(who.tenant, event(seen.alert.id));
    // Some may be so already, or gone meanwhile.
    if (!done && done.error().code != ErrorCode::kConflict && done.error().code != ErrorCode::kNotFound) {
      return std::unexpected(done.error());
    }
    if (done) updated.push_back(json::string(seen.alert.id.value()));
  }
  const auto total = updated.size();
  auto out = answer({{"updated", updated},
                     {"deleted", updated},
                     {"count", total},
                     {"message", fmt::format("{} alerts changed", total)}},
                    status);
  return out;
}

/// A change of all that the address's filters find, which `read` makes of the body.
template <typename Read>
void add_bulk_change(Doors& doors, const AlertaServices& s, const std::string& what, int status, Read read) {
  doors.add_slow("PUT", "/alerta/_bulk/alerts/" + what, Need::kOperator, s.senders,
                 [s, status, read](const Principal& who, net::Request& request) -> Result<net::Response> {
                   AT_TRY(const auto body, Body::parse(request.body));
                   AT_TRY(auto event, read(body));
                   event.user = user_of(s, who);
                   const auto of = [&](const AlertId& id) {
                     event.id = id;
                     return std::any(event);
                   };
                   return bulk(s, who, request, of, status);
                 });
}

}  // namespace

void add_lists(Doors& doors, const AlertaServices& s) {
  const auto add = [&](const char* pattern, auto handler) {
    doors.add("GET", pattern, Need::kViewer,
              [s, handler](const Principal& who, net::Request& request) { return handler(s, who, request); });
  };
  add("/alerta/alerts", alerts_list);
  add("/alerta/alerts/history", history);
  add("/alerta/alerts/count", count);
  add_tops(doors, s);
  struct Group {
    const char* pattern;
    const char* what;
    const char* field;
  };
  for (const auto& group :
       {Group{"/alerta/environments", "environments", ""}, Group{"/alerta/services", "services", "service"},
        Group{"/alerta/alerts/groups", "groups", "group"}, Group{"/alerta/alerts/tags", "tags", "tag"},
        Group{"/alerta/tags", "tags", "tag"}}) {
    doors.add("GET", group.pattern, Need::kViewer, [s, group](const Principal& who, net::Request& request) {
      return by_environment(s, who, request, group.what, group.field);
    });
  }
}

void add_bulk(Doors& doors, const AlertaServices& s) {
  using Kind = alerts::ReportAction::Kind;
  add_bulk_change(doors, s, "status", 200, [](const Body& body) { return read_action(body, Kind::kStatus); });
  // As if they were done later, which clients expect of actions.
  add_bulk_change(doors, s, "action", 202, [](const Body& body) { return read_action(body, Kind::kAction); });
  for (const std::string what : {"tag", "untag", "attributes"}) {
    add_bulk_change(doors, s, what, 200, [what](const Body& body) { return read_edit(body, what); });
  }
  doors.add_slow(
      "DELETE", "/alerta/_bulk/alerts", Need::kOperator, s.senders, [s](const Principal& who, net::Request& request) {
        return bulk(s, who, request, [](const AlertId& id) { return std::any(alerts::DeleteAlert{id}); }, 200);
      });
}

}  // namespace atalaya::api::alerta
