#include "incidents/topology.h"

#include <algorithm>

namespace atalaya::incidents {
namespace {

bool is_down(const alerts::Alert& alert) {
  if (alert.state == alerts::State::kNoData) return true;
  if (alert.state != alerts::State::kFiring) return false;
  return alert.kind == alerts::Kind::kBinary || alert.severity == alerts::Severity::kCritical;
}

std::string last_of(const std::string& id) { return id.substr(id.rfind('/') + 1); }

}  // namespace

/// Its rule, where the graph knows it; and the collector of its check, on its host where several have the name.
std::vector<std::string> Topology::items_of(const alerts::Alert& alert) const {
  if (settings_->depends.empty()) return {};
  if (!parents_) {
    parents_.emplace();
    std::set<std::string> ids;
    for (const auto& [id, list] : settings_->depends) {
      parents_->insert(list.begin(), list.end());
      ids.insert(id);
    }
    ids.insert(parents_->begin(), parents_->end());
    for (const auto& id : ids) checks_[last_of(id)].push_back(id);
  }
  const auto known = [&](const std::string& id) { return settings_->depends.contains(id) || parents_->contains(id); };
  std::vector<std::string> out;
  if (!alert.rule.empty() && known(alert.rule)) out.push_back(alert.rule);
  const std::string check(alert.labels.get("check"));
  const auto named = check.empty() || alert.kind != alerts::Kind::kBinary ? checks_.end() : checks_.find(check);
  if (named == checks_.end()) return out;
  const auto host = settings_->placed.find(std::string(alert.labels.get("instance")));
  for (const auto& id : named->second) {
    // Of a host that is just coming nobody knows yet what runs on it.
    if (known(id) && (host == settings_->placed.end() || host->second.contains(id))) out.push_back(id);
  }
  return out;
}

Topology::Fact Topology::fact_of(const alerts::Alert& alert) const {
  Fact fact;
  fact.items = items_of(alert);
  fact.judged_with = alert.judged_with;
  fact.instance = std::string(alert.labels.get("instance"));
  fact.name = alert.name;
  fact.text = alert.text;
  fact.started = alert.started;
  fact.down = is_down(alert);
  if (alert.because) fact.because = alert.because->alert;
  return fact;
}

bool Topology::note(const alerts::Alert& alert, bool open) {
  const auto found = facts_.find(alert.id);
  const bool was_down = found != facts_.end() && found->second.down;
  if (settings_->depends.empty() && found == facts_.end()) return false;
  auto fact = fact_of(alert);
  if (fact.items.empty() && found == facts_.end()) return false;
  if (found != facts_.end()) {
    fact.because = found->second.because;
    for (const auto& item : found->second.items) {
      const auto at = down_.find(item);
      if (at != down_.end() && at->second.erase(alert.id) != 0 && at->second.empty()) down_.erase(at);
    }
    facts_.erase(found);
  }
  const bool down = open && fact.down;
  if (down) {
    for (const auto& item : fact.items) down_[item].insert(alert.id);
  }
  if (open) facts_.emplace(alert.id, std::move(fact));
  return down != was_down;
}

/// All that an item depends on, without those that depend on it in turn.
const std::set<std::string>& Topology::above(const std::string& item) const {
  const auto known = above_.find(item);
  if (known != above_.end()) return known->second;
  const auto closure = [&](const std::string& from) {
    std::set<std::string> seen;
    std::vector<std::string> open{from};
    while (!open.empty()) {
      const auto at = settings_->depends.find(open.back());
      open.pop_back();
      if (at == settings_->depends.end()) continue;
      for (const auto& next : at->second) {
        if (seen.insert(next).second) open.push_back(next);
      }
    }
    return seen;
  };
  auto all = closure(item);
  all.erase(item);
  std::erase_if(all, [&](const std::string& one) { return closure(one).contains(item); });
  return above_.emplace(item, std::move(all)).first->second;
}

bool Topology::may_depend(const alerts::Alert& alert) const {
  return std::ranges::any_of(items_of(alert), [&](const auto& item) { return !above(item).empty(); });
}

bool Topology::reaches(const Fact& fact, const std::string& item, const Fact& parent) const {
  if (fact.instance.empty() || parent.instance.empty() || fact.instance == parent.instance) return true;
  if (std::ranges::find(fact.judged_with, item) != fact.judged_with.end()) return false;
  const auto host = settings_->placed.find(fact.instance);
  return host == settings_->placed.end() || !host->second.contains(item);
}

std::optional<AlertId> Topology::parent(const AlertId& id, const Fact& fact) const {
  std::optional<AlertId> best;
  const Fact* best_fact = nullptr;
  for (const auto& own : fact.items) {
    for (const auto& item : above(own)) {
      const auto down = down_.find(item);
      if (down == down_.end()) continue;
      for (const auto& candidate : down->second) {
        const auto& of = facts_.at(candidate);
        if (candidate == id || !reaches(fact, item, of)) continue;
        if (std::ranges::any_of(of.items, [&](const auto& one) { return one == own || above(one).contains(own); })) {
          continue;
        }
        const auto rank = [](const Fact& one, const AlertId& its) {
          return std::tuple(!one.because.value().empty(), one.started, its);
        };
        if (best_fact == nullptr || rank(of, candidate) < rank(*best_fact, *best)) {
          best = candidate;
          best_fact = &of;
        }
      }
    }
  }
  return best;
}

std::optional<alerts::Alert::Because> Topology::parent_of(const alerts::Alert& alert) const {
  if (settings_->depends.empty()) return std::nullopt;
  const auto found = parent(alert.id, fact_of(alert));
  if (!found) return std::nullopt;
  const auto& fact = facts_.at(*found);
  return alerts::Alert::Because{*found, fact.name, fact.text};
}

std::vector<AlertId> Topology::differing(const AlertId& except) const {
  std::vector<AlertId> out;
  for (const auto& [id, fact] : facts_) {
    if (id == except) continue;
    if (parent(id, fact).value_or(AlertId{}) != fact.because) out.push_back(id);
  }
  return out;
}

void Topology::told(const AlertId& alert, const std::optional<alerts::Alert::Because>& because) {
  const auto found = facts_.find(alert);
  if (found != facts_.end()) found->second.because = because ? because->alert : AlertId{};
}

}  // namespace atalaya::incidents
