// Alerts come and go: which incident they belong to, and what it is therefore.
#include "incidents/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace atalaya::incidents {
namespace {

using alerts::Severity;

bool fires(const alerts::Alert& alert) {
  return alert.state == alerts::State::kFiring || alert.state == alerts::State::kNoData;
}

std::string text_of(const alerts::Alert& alert, std::string_view annotation, const std::string& fallback) {
  const auto found = alert.annotations.find(std::string(annotation));
  return found == alert.annotations.end() || found->second.empty() ? fallback : found->second;
}

/// `File system is filling: web1`.
std::string title_of(const std::string& what, const Labels& labels) {
  std::string where;
  for (const auto& [name, value] : labels) {
    if (name != "alertname") where += fmt::format("{}{}", where.empty() ? "" : ", ", value);
  }
  return where.empty() ? what : what + ": " + where;
}

std::string name_of(const alerts::Alert& alert) {
  return text_of(alert, "title", alert.name.empty() ? "Alert " + alert.id.value() : alert.name);
}

std::size_t index(Severity severity) { return static_cast<std::size_t>(severity); }

}  // namespace

Engine::Engine(SettingsPtr settings, std::vector<Incident> incidents, std::uint64_t last)
    : settings_(settings), topology_(settings), last_(last) {
  for (const auto& [rule, correlate] : settings_->rules) {
    for (const auto& name : correlate.alerts) naming_[name].push_back(rule);
  }
  for (auto& incident : incidents) remember(std::move(incident));
}

void Engine::restore(const alerts::Alert& alert, const Member& member) {
  const auto found = incidents_.find(member.incident);
  if (found == incidents_.end()) return;
  const Entry entry{member.incident, member.episode, class_of(alert), alert.severity};
  ++found->second.by_severity[index(entry.severity)];
  entries_.insert_or_assign(alert.id, entry);
  topology_.note(alert, true);
  note_names(alert, true);
}

Engine::Class Engine::class_of(const alerts::Alert& alert) {
  if (alert.because) return Class::kUnknown;
  if (alert.state == alerts::State::kNoData) return Class::kNoData;
  return alert.severity == Severity::kCritical ? Class::kCritical : Class::kWarning;
}

void Engine::remember(Incident incident) {
  const auto id = incident.id;
  note_key(incident);
  if (incident.closed) closed_.emplace(incident.joinable, id);
  incidents_[id].incident = std::move(incident);
}

void Engine::note_key(const Incident& incident) {
  auto& all = by_key_[incident.key];
  const auto at = std::ranges::lower_bound(all, incident.id);
  if (at == all.end() || *at != incident.id) all.insert(at, incident.id);
}

const Incident* Engine::find(IncidentId id) const {
  const auto found = incidents_.find(id);
  return found == incidents_.end() ? nullptr : &found->second.incident;
}

/// Closed ones that will not open again.
void Engine::forget_old(Time now) {
  while (!closed_.empty() && closed_.begin()->first < now) {
    const auto id = closed_.begin()->second;
    if (changed_.contains(id)) return;  // not stored yet
    closed_.erase(closed_.begin());
    const auto found = incidents_.find(id);
    const auto by_key = by_key_.find(found->second.incident.key);
    if (by_key != by_key_.end() && std::erase(by_key->second, id) != 0 && by_key->second.empty()) by_key_.erase(by_key);
    incidents_.erase(found);
  }
}

Engine::Live* Engine::open_or_fresh(IncidentId id, Time now) {
  const auto found = incidents_.find(id);
  if (found == incidents_.end() || found->second.incident.merged_into) return nullptr;
  const auto& incident = found->second.incident;
  return incident.closed && incident.joinable < now ? nullptr : &found->second;
}

IncidentId Engine::goes_on_in(IncidentId id) const {
  for (;;) {
    const auto found = incidents_.find(id);
    if (found == incidents_.end() || !found->second.incident.merged_into) return id;
    id = *found->second.incident.merged_into;
  }
}

void Engine::place(alerts::Alert& alert, Time now) {
  forget_old(now);
  const auto known = entries_.find(alert.id);
  const bool lives = fires(alert) || (alert.state == alerts::State::kPending && known != entries_.end());
  if (alert.state == alerts::State::kPending && !lives) return;
  if (!lives) {
    if (known != entries_.end()) leave(alert, now);
    // What was withheld of it is told when nobody can say any more that it is unknown.
    if (alert.because) alert.because = topology_.parent_of(alert);
    alert.held.reset();
    alert.incident_acknowledged = false;
    return;
  }
  if (alert.held && *alert.held <= now) alert.held.reset();
  const bool fresh = known == entries_.end();
  if (topology_.note(alert, true)) {
    for (const auto& id : topology_.differing(alert.id)) again_.insert(id);
    recovered_.push_back(alert.id);
  }
  if (fresh) join(alert, now);
  depend(alert, fresh, now);
  auto& entry = entries_.at(alert.id);
  recount(entry, alert, now);
  alert.incident = entry.incident.value();
  alert.incident_acknowledged = incidents_.at(entry.incident).incident.ack.has_value();
}

/// What it depends on is down, or is not any more.
void Engine::depend(alerts::Alert& alert, bool fresh, Time now) {
  const bool was_unknown = alert.because.has_value();
  alert.because = topology_.parent_of(alert);
  topology_.told(alert.id, alert.because);
  if (alert.because) {
    alert.held.reset();
    const auto parent = entries_.find(alert.because->alert);
    auto& entry = entries_.at(alert.id);
    if (parent == entries_.end()) return;
    auto& live = incidents_.at(parent->second.incident);
    become_cause(live, *alert.because);
    if (entry.incident != parent->second.incident) move(alert.id, entry, alert, live, now);
    return;
  }
  // Its parent's own alert, or its own end, may be on the way.
  const bool waits = (fresh || was_unknown) && settings_->settle > Duration::zero() && topology_.may_depend(alert);
  if (waits) alert.held = now + settings_->settle;
}

void Engine::become_cause(Live& live, const alerts::Alert::Because& because) {
  auto& incident = live.incident;
  if (incident.cause.alert == because.alert) return;
  incident.cause = because;
  incident.title = title_of(because.name, incident.labels);
  changed_.insert(incident.id);
}

void Engine::join(alerts::Alert& alert, Time now) {
  const auto key = key_of(*settings_, alert);
  auto [live, how] = choose(alert, key, now);
  if (live == nullptr) live = &open(alert, key, now);
  if (live->incident.closed) reopen(*live, alert, now);
  live->incident.joinable = std::max(live->incident.joinable, now + key.window);
  enter(*live, alert, how, now);
}

std::pair<Engine::Live*, JoinedBy> Engine::choose(const alerts::Alert& alert, const Key& key, Time now) {
  if (const auto because = topology_.parent_of(alert)) {
    const auto parent = entries_.find(because->alert);
    if (parent != entries_.end()) return {&incidents_.at(parent->second.incident), JoinedBy::kTopology};
  }
  if (auto* before = open_or_fresh(IncidentId{alert.incident}, now)) return {before, JoinedBy::kGroup};
  if (auto* other = correlated(alert)) return {other, JoinedBy::kCorrelate};
  const auto by_key = by_key_.find(key.text);
  if (by_key == by_key_.end()) return {nullptr, JoinedBy::kFirst};
  auto* live = open_or_fresh(goes_on_in(by_key->second.back()), now);
  if (live == nullptr || live->incident.joinable < now) return {nullptr, JoinedBy::kFirst};
  return {live, JoinedBy::kGroup};
}

/// The oldest incident with an open alert that its rule names, or whose rule names it; on the same instance, if both
/// have one.
Engine::Live* Engine::correlated(const alerts::Alert& alert) {
  std::optional<IncidentId> best;
  const auto own = settings_->rules.find(alert.rule);
  if (own != settings_->rules.end()) {
    for (const auto& name : own->second.alerts) consider("n" + name, alert, best);
  }
  const auto naming = naming_.find(alert.name);
  if (naming != naming_.end()) {
    for (const auto& rule : naming->second) consider("r" + rule, alert, best);
  }
  return best ? &incidents_.at(*best) : nullptr;
}

void Engine::consider(const std::string& what, const alerts::Alert& alert, std::optional<IncidentId>& best) const {
  const std::string instance(alert.labels.get("instance"));
  for (auto at = correlated_.lower_bound({what, ""}); at != correlated_.end() && at->first.first == what; ++at) {
    const auto& other = at->first.second;
    if (!instance.empty() && !other.empty() && instance != other) continue;
    for (const auto& id : at->second) {
      const auto entry = entries_.find(id);
      if (id == alert.id || entry == entries_.end()) continue;
      if (!best || entry->second.incident < *best) best = entry->second.incident;
    }
  }
}

/// Remembers what correlation asks for, of alerts that some rule speaks of.
void Engine::note_names(const alerts::Alert& alert, bool open) {
  const auto own = settings_->rules.find(alert.rule);
  const auto note = [&](const std::string& what) {
    const std::pair key{what, std::string(alert.labels.get("instance"))};
    if (open) {
      correlated_[key].insert(alert.id);
    } else if (const auto at = correlated_.find(key); at != correlated_.end()) {
      at->second.erase(alert.id);
      if (at->second.empty()) correlated_.erase(at);
    }
  };
  if (own != settings_->rules.end() && !own->second.alerts.empty()) note("r" + alert.rule);
  if (naming_.contains(alert.name)) note("n" + alert.name);
}

Engine::Live& Engine::open(const alerts::Alert& alert, const Key& key, Time now) {
  auto& live = incidents_[IncidentId{++last_}];
  changes_.last = last_;
  auto& incident = live.incident;
  incident.id = IncidentId{last_};
  incident.title = title_of(name_of(alert), key.labels);
  incident.severity = incident.worst = alert.severity;
  incident.opened = now;
  incident.key = key.text;
  incident.labels = key.labels;
  incident.reopen_within = key.reopen;
  incident.cause = {alert.id, alert.name, text_of(alert, "summary", alert.text)};
  note_key(incident);
  add_line(live, now, "opened", incident.title);
  return live;
}

void Engine::reopen(Live& live, const alerts::Alert& alert, Time now) {
  auto& incident = live.incident;
  closed_.erase({incident.joinable, incident.id});
  incident.closed.reset();
  incident.closed_by.reset();
  incident.severity = alert.severity;
  incident.severity_before.reset();
  incident.worst = std::max(incident.worst, alert.severity);
  ++incident.reopened;
  add_line(live, now, "reopened", name_of(alert));
}

void Engine::enter(Live& live, const alerts::Alert& alert, JoinedBy how, Time now) {
  const Entry entry{live.incident.id, alert.episode, Class::kWarning, alert.severity};
  entries_.insert_or_assign(alert.id, entry);
  count(live, entry, +1);
  ++live.incident.counts.total;
  changes_.members.push_back({live.incident.id, alert.id, alert.episode, how, now, std::nullopt});
  note_names(alert, true);
  settle_severity(live, now);
  changed(live, now);
}

void Engine::count(Live& live, const Entry& entry, int by) {
  auto& counts = live.incident.counts;
  const auto step = static_cast<std::uint32_t>(by);
  live.by_severity[index(entry.severity)] += step;
  switch (entry.counted) {
    case Class::kCritical: counts.critical += step; break;
    case Class::kWarning: counts.warning += step; break;
    case Class::kNoData: counts.no_data += step; break;
    case Class::kUnknown: counts.unknown += step; break;
  }
}

void Engine::recount(Entry& entry, const alerts::Alert& alert, Time now) {
  Entry next = entry;
  next.severity = alert.severity;
  next.counted = class_of(alert);
  if (next.counted == entry.counted && next.severity == entry.severity) return;
  auto& live = incidents_.at(entry.incident);
  count(live, entry, -1);
  entry = next;
  count(live, entry, +1);
  settle_severity(live, now);
  changed(live, now);
}

/// The worst of its open alerts; whoever takes care of less has not seen that it became worse.
void Engine::settle_severity(Live& live, Time now) {
  auto& incident = live.incident;
  if (incident.counts.open() == 0) return;
  const auto worst = live.by_severity[2] > 0   ? Severity::kCritical
                     : live.by_severity[1] > 0 ? Severity::kWarning
                                               : Severity::kNone;
  if (worst == incident.severity) return;
  const auto before = std::exchange(incident.severity, worst);
  incident.severity_before = before;
  incident.worst = std::max(incident.worst, worst);
  add_line(live, now, "severity", fmt::format("{} → {}", alerts::name(before), alerts::name(worst)));
  if (incident.ack && worst > before) drop_ack(live, now, "its severity rose", "");
}

bool Engine::take_out(const AlertId& id, Entry& entry, Time now) {
  auto& live = incidents_.at(entry.incident);
  count(live, entry, -1);
  changes_.members.push_back({entry.incident, id, entry.episode, JoinedBy::kFirst, {}, now});
  changed(live, now);
  settle_severity(live, now);
  return live.incident.counts.open() == 0;
}

void Engine::leave(const alerts::Alert& alert, Time now) {
  auto& entry = entries_.at(alert.id);
  auto& live = incidents_.at(entry.incident);
  if (take_out(alert.id, entry, now)) close_now(live, now, "");
  entries_.erase(alert.id);
  note_names(alert, false);
  if (topology_.note(alert, false)) {
    for (const auto& id : topology_.differing(alert.id)) again_.insert(id);
    recovered_.push_back(alert.id);
  }
}

/// It goes on in another incident; one that it leaves empty is over.
void Engine::move(const AlertId& id, Entry& entry, const alerts::Alert& alert, Live& to, Time now) {
  auto& from = incidents_.at(entry.incident);
  const bool last = take_out(id, entry, now);
  enter(to, alert, JoinedBy::kTopology, now);
  if (last) go_on_in(from, to, now, "", "");
}

void Engine::go_on_in(Live& from, Live& to, Time now, const std::string& by, const std::string& note) {
  const auto why = note.empty() ? "" : ": " + note;
  from.incident.merged_into = to.incident.id;
  close_now(from, now, fmt::format("its alerts go on in incident {}{}", to_string(to.incident.id), why), by);
  if (to.incident.owner.empty()) to.incident.owner = from.incident.owner;
  add_line(to, now, "merged", fmt::format("incident {}: {}{}", to_string(from.incident.id), from.incident.title, why),
           by);
}

void Engine::close_now(Live& live, Time now, const std::string& text, const std::string& by) {
  auto& incident = live.incident;
  incident.closed = now;
  const auto before = incident.joinable;
  incident.joinable = now + incident.reopen_within;
  // As long as its like would have joined it they join the other one.
  if (incident.merged_into) {
    incident.joinable = std::max({incident.joinable, before, incidents_.at(*incident.merged_into).incident.joinable});
  }
  closed_.emplace(incident.joinable, incident.id);
  if (incident.ack && incident.ack->until) changes_.ack_ends[incident.id] = std::nullopt;
  incident.ack.reset();
  if (incident.closed_by) {
    add_line(live, now, "closed", incident.closed_by->note, incident.closed_by->by);
  } else {
    add_line(live, now, "closed", text, by);
  }
}

void Engine::reconsider() {
  for (const auto& id : topology_.differing(AlertId{})) again_.insert(id);
  all_unknown_ = true;
}

Engine::Again Engine::take_again() {
  Again out{{again_.begin(), again_.end()}, std::exchange(recovered_, {}), std::exchange(all_unknown_, false)};
  again_.clear();
  return out;
}

Changes Engine::take_changes() {
  for (const auto& id : std::exchange(changed_, {})) changes_.incidents.push_back(incidents_.at(id).incident);
  return std::exchange(changes_, {});
}

void Engine::add_line(Live& live, Time now, std::string kind, std::string text, std::string by) {
  auto& incident = live.incident;
  changes_.lines.push_back(
      {incident.id, ++incident.lines, now, std::move(kind), std::move(text), std::move(by), incident.severity});
  changed(live, now);
}

void Engine::changed(Live& live, Time now) {
  live.incident.updated = now;
  changed_.insert(live.incident.id);
}

}  // namespace atalaya::incidents
