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

/// A series that many rules read is read once. Who gets no samples now (it rests in blocks since a flush) has no id,
/// and is told apart by its labels.
class Lasts {
 public:
  Last of(const storage::SelectedSeries& one) {
    auto [last, is_new] = one.id.value() != 0 ? entry(by_id_, one.id) : entry(by_labels_, *one.labels);
    if (is_new) last = last_of(*one.samples);
    return last;
  }

 private:
  template <typename Map, typename Key>
  static std::pair<Last&, bool> entry(Map& map, const Key& key) {
    const auto [slot, is_new] = map.try_emplace(key);
    return {slot->second, is_new};
  }

  std::unordered_map<SeriesId, Last> by_id_;
  std::unordered_map<Labels, Last> by_labels_;
};

}  // namespace

void Engine::Impl::prime(TenantRules& tenant, const std::vector<Rule*>& fresh, Time now) {
  Lasts lasts;
  for (auto* rule : fresh) {
    if (rule->compiled.mode == Mode::kLines || !rule->spec().no_data) continue;
    Time newest = kNever;
    for (const auto& matchers : rule->compiled.selectors) {
      const auto from = std::max(now - options.look_back, series.complete_from());
      auto selected = series.select(tenant.id, matchers, {from, now});
      if (!selected) continue;  // the first sample will tell, with the rule's own error
      for (auto& one : *selected) {
        const auto last = lasts.of(one);
        if (!last.alive) continue;
        newest = std::max(newest, last.at);
        if (one.id.value() != 0) {
          for (const auto& w : watches_of(tenant, one.id, now)) expect(tenant, *rule, w, last.at, now);
        } else {
          for (const auto& w : watches_by_labels(tenant, *one.labels, now)) expect(tenant, *rule, w, last.at, now);
        }
      }
    }
    if (rule->compiled.mode == Mode::kWhole && newest != kNever) expect_result(tenant, *rule, {}, newest, now);
  }
}

void Engine::Impl::expect(TenantRules& tenant, Rule& rule, const Watch& watch, Time at, Time now) {
  if (watch.rule != &rule) return;
  if (watch.subject != nullptr) watch.subject->expected = true;
  if (watch.target == nullptr || watch.target->subject != nullptr) return;
  expect_result(tenant, rule, watch.target->restrict, at, now);
  const auto known = rule.subjects.find(verdict_labels(rule.spec(), watch.target->labels));
  if (known != rule.subjects.end()) watch.target->subject = known->second.get();
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
