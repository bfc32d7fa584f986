// Series that lived before the rules were loaded: if they stay silent from now on, that is no_data,
// also when nobody was there to see their last sample.

#include <algorithm>
#include <unordered_map>

#include "rules/engine_impl.h"
#include "rules/judge.h"

namespace atalaya::rules {
namespace {

struct Last {
  bool alive = false;
  Time at;
};

Last last_of(storage::SampleIterator& samples) {
  Last last;
  Sample sample;
  while (samples.next(sample)) last = {!is_stale(sample.value), sample.time};
  return last;
}

}  // namespace

void Engine::Impl::prime(TenantRules& tenant, const std::vector<Rule*>& fresh, Time now) {
  std::unordered_map<SeriesId, Last> seen;  // a series that many rules read is read once
  for (auto* rule : fresh) {
    if (rule->compiled.mode == Mode::kLines || !rule->spec().no_data) continue;
    Time newest = kNever;
    for (const auto& matchers : rule->compiled.selectors) {
      const auto from = std::max(now - options.look_back, series.complete_from());
      auto selected = series.select(tenant.id, matchers, {from, now});
      if (!selected) continue;  // the first sample will tell, with the rule's own error
      for (auto& one : *selected) {
        auto [entry, is_new] = seen.try_emplace(one.id);
        if (is_new) entry->second = last_of(*one.samples);
        if (!entry->second.alive) continue;
        newest = std::max(newest, entry->second.at);
        for (auto& w : watches_of(tenant, one.id, now)) {
          if (w.rule != rule) continue;
          if (w.subject != nullptr) w.subject->expected = true;
          if (w.target != nullptr && w.target->subject == nullptr) {
            expect_result(tenant, *rule, w.target->restrict, entry->second.at, now);
            const auto known = rule->subjects.find(verdict_labels(rule->spec(), w.target->labels));
            if (known != rule->subjects.end()) w.target->subject = known->second.get();
          }
        }
      }
    }
    if (rule->compiled.mode == Mode::kWhole && newest != kNever) expect_result(tenant, *rule, {}, newest, now);
  }
}

void Engine::Impl::expect_result(TenantRules& tenant, Rule& rule, const Matchers& restrict, Time at, Time now) {
  const auto result = evaluate(tenant, rule, at, restrict);
  if (!result) return;
  for (const auto& element : *result) {
    auto* subject = subject_of(tenant, rule, verdict_labels(rule.spec(), element.labels), now);
    if (subject != nullptr) subject->expected = true;
  }
}

}  // namespace atalaya::rules
