#include "dispatch/tenant.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerts/rows.h"
#include "alerts/silence_rows.h"

namespace atalaya::dispatch {
namespace {

/// A change of the severity is told, also where the labels name one.
std::string severity_of(const alerts::Alert& alert) {
  if (!alert.severity_word.empty()) return alert.severity_word;
  return alert.severity == alerts::Severity::kNone ? "" : std::string(alerts::name(alert.severity));
}

bool same_news(const routing::Alert& a, const routing::Alert& b) {
  return a.severity == b.severity && a.starts_at == b.starts_at && a.ends_at == b.ends_at && a.no_data == b.no_data &&
         a.acknowledged == b.acknowledged;
}

}  // namespace

AlertId Machine::Tenant::id_of(const Labels& labels) const {
  const auto found = behind.find(labels);
  if (found == behind.end()) return AlertId{};
  const auto& [open, last] = found->second;
  return open.empty() ? last : *std::ranges::max_element(open);
}

const routing::Alert* Machine::Tenant::known(const Labels& labels) const {
  const auto found = gathered_at.find(labels);
  return found == gathered_at.end() ? machine->find(labels) : &gathered[found->second];
}

void Machine::Tenant::gather(routing::Alert alert) {
  gathered_at[alert.labels] = gathered.size();
  gathered.push_back(std::move(alert));
}

bool Machine::Tenant::note_shelf(const alerts::Alert& alert) {
  const auto found = shelved.find(alert.id);
  if (!alert.shelf) {
    if (found == shelved.end()) return false;
    shelved.erase(found);
    return true;
  }
  const auto& shelf = *alert.shelf;
  if (found != shelved.end() && found->second.starts_at == shelf.at && found->second.ends_at == shelf.until)
    return false;
  routing::Silence silence;
  silence.id = "shelf:" + alert.id.value();
  silence.starts_at = shelf.at;
  silence.ends_at = shelf.until;
  silence.exactly = alert.labels;
  shelved.insert_or_assign(alert.id, std::move(silence));
  return true;
}

bool Machine::Tenant::note_withheld(const alerts::Alert& alert) {
  if (!alert.withheld()) return withheld.erase(alert.id) != 0;
  routing::Silence silence;
  silence.id = alert.because ? "unknown:" + alert.because->alert.value() : "held";
  silence.starts_at = kMinTime;
  silence.ends_at = kMaxTime;
  silence.exactly = alert.labels;
  const auto [known, is_new] = withheld.try_emplace(alert.id, silence);
  if (!is_new && known->second.id == silence.id) return false;
  known->second = std::move(silence);
  return true;
}

void Machine::Tenant::note_acknowledged(const alerts::Alert& alert) {
  const bool open = alert.state != alerts::State::kResolved;
  if (open && (alert.ack || alert.incident_acknowledged)) {
    acknowledged.insert(alert.id);
  } else {
    acknowledged.erase(alert.id);
  }
}

void Machine::Tenant::note(const alerts::Alert& alert, Time now) {
  note_acknowledged(alert);
  if (note_shelf(alert)) silences_differ = true;
  if (note_withheld(alert)) silences_differ = true;
  const bool fires = alert.state == alerts::State::kFiring || alert.state == alerts::State::kNoData;
  // Ends that nobody may hear of yet come when people may: routing would forget them.
  if (alert.state == alerts::State::kResolved && (alerts::damped(alert, now) || alert.because)) return;
  // One that goes from no_data to pending is still what people heard of.
  if (!fires && alert.state != alerts::State::kResolved) return;
  auto found = behind.find(alert.labels);
  if (!fires && found == behind.end()) return;
  if (found == behind.end()) found = behind.emplace(alert.labels, Behind{}).first;
  auto& [open, last] = found->second;
  std::erase(open, alert.id);
  if (fires) open.push_back(alert.id);
  // Another rule's alert with these labels goes on.
  if (!fires && !open.empty()) return;
  last = alert.id;
  const auto* before = known(alert.labels);
  if (!fires && (before == nullptr || !before->firing_at(now))) return;
  routing::Alert next;
  next.labels = alert.labels;
  next.severity = severity_of(alert);
  next.starts_at = alert.started;
  next.updated_at = now;
  next.no_data = alert.state == alerts::State::kNoData;
  next.acknowledged = fires && std::ranges::all_of(open, [&](const auto& id) { return acknowledged.contains(id); });
  if (!fires) next.ends_at = std::min(alert.resolved.value_or(now), now);
  if (!fires) next.starts_at = std::min(next.starts_at, next.ends_at);
  if (before != nullptr && fires && before->firing_at(now))
    next.starts_at = std::min(next.starts_at, before->starts_at);
  if (before == nullptr || !same_news(*before, next)) gather(std::move(next));
}

Result<std::vector<alerts::Alert>> load_open_alerts(db::Session& session, const TenantId& tenant) {
  static const std::string sql = fmt::format(
      "SELECT {} FROM alerts_alerts WHERE tenant_id=? AND (state IN ({}, {}) OR shelf_ms IS NOT NULL OR "
      "because_id<>'') "
      "ORDER BY started_ms, id",
      alerts::kAlertColumns, static_cast<int>(alerts::State::kFiring), static_cast<int>(alerts::State::kNoData));
  AT_TRY(const auto rows, session.query(sql, {tenant.value()}));
  std::vector<alerts::Alert> out;
  for (const auto& row : rows) out.push_back(alerts::read_alert(row).alert);
  return out;
}

Result<std::vector<routing::Silence>> load_routing_silences(db::Session& session, const TenantId& tenant) {
  AT_TRY(const auto stored, alerts::load_silences(session, tenant));
  std::vector<routing::Silence> out;
  for (const auto& one : stored) {
    routing::Silence silence;
    silence.id = one.id;
    silence.matchers = one.matchers;
    silence.starts_at = one.starts;
    silence.ends_at = one.ends;
    silence.windows = one.intervals;
    out.push_back(std::move(silence));
  }
  return out;
}

}  // namespace atalaya::dispatch
