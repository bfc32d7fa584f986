#include "alerts/queries.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerts/rows.h"
#include "alerts/silence_rows.h"

namespace atalaya::alerts {
namespace {

constexpr std::size_t kMaxHistory = 1000;

std::int64_t number(State state) { return static_cast<std::int64_t>(state); }

}  // namespace

Result<StateFilter> parse_state_filter(std::string_view text) {
  if (text.empty() || text == "open") return StateFilter::kOpen;
  if (text == "pending") return StateFilter::kPending;
  if (text == "firing") return StateFilter::kFiring;
  if (text == "no_data") return StateFilter::kNoData;
  if (text == "resolved") return StateFilter::kResolved;
  if (text == "all") return StateFilter::kAll;
  return fail(ErrorCode::kInvalidArgument, fmt::format("state: '{}' is unknown", text),
              "use open, pending, firing, no_data, resolved or all");
}

Result<Details> Queries::get(const TenantId& tenant, const AlertId& id) const {
  Details details;
  std::vector<Alert> one;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(auto stored, load_alert(session, tenant, id));
    if (!stored) return fail(ErrorCode::kNotFound, fmt::format("there is no alert {}", id.value()));
    one.push_back(std::move(stored->alert));
    AT_TRY(details.history, load_history(session, tenant, id, kMaxHistory));
    AT_TRY(details.events, load_events(session, tenant, id));
    return fill_silenced(session, tenant, one);
  }));
  details.alert = std::move(one.front());
  return details;
}

Result<std::map<std::string, HostCounts>> Queries::counts_by_host(const TenantId& tenant) const {
  std::map<std::string, HostCounts> counts;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(
        const auto rows,
        session.query("SELECT host, state, severity, count(*) FROM alerts_alerts "
                      "WHERE tenant_id=? AND indexed=0 AND state<>3 AND state IN (?, ?) GROUP BY host, state, severity",
                      {tenant.value(), number(State::kFiring), number(State::kNoData)}));
    for (const auto& row : rows) {
      auto& host = counts[row.text(0)];
      const auto n = static_cast<std::uint32_t>(row.integer(3));
      if (row.integer(1) == number(State::kNoData)) {
        host.no_data += n;
      } else if (row.integer(2) == static_cast<std::int64_t>(Severity::kCritical)) {
        host.critical += n;
      } else {
        host.warning += n;
      }
    }
    return {};
  }));
  return counts;
}

Status Queries::fill_silenced(db::Session& session, const TenantId& tenant, std::vector<Alert>& alerts) const {
  if (clock_ == nullptr) return {};
  AT_TRY(const auto silences, load_active_silences(session, tenant, clock_->now()));
  if (silences.empty()) return {};
  for (auto& alert : alerts) {
    if (alert.state != State::kResolved) alert.silenced_by = hidden_by(silences, seen_labels(alert));
  }
  return {};
}

Result<std::vector<Alert>> Queries::active(const TenantId& tenant) const {
  static const std::string sql = fmt::format(
      "SELECT {} FROM alerts_alerts WHERE tenant_id=? AND indexed=0 AND state<>3 AND state IN (?, ?) ORDER BY id",
      kAlertColumns);
  std::vector<Alert> out;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(const auto rows, session.query(sql, {tenant.value(), number(State::kFiring), number(State::kNoData)}));
    for (const auto& row : rows) out.push_back(read_alert(row).alert);
    return fill_silenced(session, tenant, out);
  }));
  return out;
}

Result<std::map<std::string, std::vector<std::string>>> Queries::hidden(const TenantId& tenant) const {
  std::map<std::string, std::vector<std::string>> out;
  if (clock_ == nullptr) return out;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(const auto silences, load_active_silences(session, tenant, clock_->now()));
    if (silences.empty()) return {};
    AT_TRY(const auto rows,
           session.query(fmt::format("SELECT {} FROM alerts_alerts WHERE tenant_id=? AND indexed=0 AND "
                                     "state<>3 AND state IN (?, ?) ORDER BY id",
                                     kSeenColumns),
                         {tenant.value(), number(State::kFiring), number(State::kNoData)}));
    for (const auto& row : rows) {
      for (const auto& silence : hidden_by(silences, read_seen_labels(row))) out[silence].push_back(row.text(0));
    }
    return {};
  }));
  return out;
}

Result<std::vector<OpenAlert>> Queries::open() const {
  static const std::string sql = fmt::format(
      "SELECT {}, tenant_id FROM alerts_alerts WHERE (state<>3 OR closed_ms IS NOT NULL) AND kind<>3 "
      "ORDER BY tenant_id, id",
      kAlertColumns);
  static_assert(static_cast<int>(Kind::kPosted) == 3);
  const auto tenant_column = static_cast<std::size_t>(std::ranges::count(kAlertColumns, ',')) + 1;
  std::vector<OpenAlert> open;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(const auto rows, session.query(sql));
    for (const auto& row : rows) {
      auto alert = read_alert(row).alert;
      const TenantId tenant{row.text(tenant_column)};
      AT_TRY(const auto sources, load_sources(session, tenant, alert.id));
      // Their rule knows label sets, and not what is one alert.
      for (const auto& one : sources) {
        const auto state = one.sustained || alert.state != State::kPending ? State::kFiring : State::kPending;
        open.push_back({tenant, alert.id, alert.rule, one.labels, one.level, state, one.at, one.value});
      }
      if (!sources.empty()) continue;
      open.push_back(
          {tenant, alert.id, alert.rule, alert.labels, alert.level, alert.state, alert.started, alert.value});
    }
    return {};
  }));
  return open;
}

}  // namespace atalaya::alerts
