#include "routing/inhibition.h"

#include <algorithm>

namespace atalaya::routing {
namespace {

/// The values that must be equal, so that equal texts mean equal values. 0xff is in no UTF-8.
std::string equal_key(const InhibitRule& rule, const Labels& labels) {
  std::string out;
  for (const auto& name : rule.equal) {
    out += labels.get(name);
    out += '\xff';
  }
  return out;
}

}  // namespace

Inhibition::Inhibition(const std::vector<InhibitRule>& rules) {
  rules_.reserve(rules.size());
  for (const auto& rule : rules) rules_.push_back({&rule, {}});
}

bool Inhibition::put(const Alert& alert, const Labels& seen) {
  bool any = false;
  for (auto& rule : rules_) {
    if (!matches(rule.rule->source, seen)) continue;
    any = true;
    rule.by_equal[equal_key(*rule.rule, seen)].insert_or_assign(
        alert.labels, Source{alert.ends_at, matches(rule.rule->target, seen)});
  }
  return any;
}

bool Inhibition::erase(const Labels& labels, const Labels& seen) {
  bool any = false;
  for (auto& rule : rules_) {
    const auto found = rule.by_equal.find(equal_key(*rule.rule, seen));
    if (found == rule.by_equal.end() || found->second.erase(labels) == 0) continue;
    any = true;
    if (found->second.empty()) rule.by_equal.erase(found);
  }
  return any;
}

/// Visits until `visit` gives false.
template <typename Visit>
void Inhibition::visit_sources(const Labels& seen, Time now, const Visit& visit) const {
  for (const auto& rule : rules_) {
    if (!matches(rule.rule->target, seen)) continue;
    const auto found = rule.by_equal.find(equal_key(*rule.rule, seen));
    if (found == rule.by_equal.end()) continue;
    const bool source_too = matches(rule.rule->source, seen);
    for (const auto& [labels, source] : found->second) {
      if (source.ends_at <= now || (source_too && source.target_too)) continue;
      if (!visit(labels)) return;
    }
  }
}

std::vector<Labels> Inhibition::sources_of(const Labels& seen, Time now) const {
  std::vector<Labels> out;
  visit_sources(seen, now, [&](const Labels& labels) {
    out.push_back(labels);
    return true;
  });
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool Inhibition::inhibits(const Labels& seen, Time now) const {
  bool any = false;
  visit_sources(seen, now, [&](const Labels&) {
    any = true;
    return false;
  });
  return any;
}

bool Inhibition::is_target(const Labels& seen) const {
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) { return matches(rule.rule->target, seen); });
}

}  // namespace atalaya::routing
