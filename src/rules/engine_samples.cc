// From an arriving sample to a judgement.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "rules/engine_impl.h"
#include "rules/judge.h"

namespace atalaya::rules {
namespace {

Matchers equality_on(const Labels& labels) {
  Matchers out;
  for (const auto& [name, value] : labels) out.push_back(Matcher::equal(std::string(name), std::string(value)));
  return out;
}

}  // namespace

void Engine::Impl::on_samples(const storage::CommittedSamples& batch, Time now) {
  const auto found = tenants.find(batch.tenant);
  if (found == tenants.end() || found->second.rules.empty()) return;
  auto& tenant = found->second;
  ++batch_number;
  queries.clear();
  const auto& samples = batch.samples;
  const auto earlier = [&](const auto& a, const auto& b) { return a.time < b.time; };
  if (std::is_sorted(samples.begin(), samples.end(), earlier)) {
    for (const auto& sample : samples) {
      for (auto& w : watches_of(tenant, sample.series, now)) arrive(tenant, w, sample, now);
    }
  } else {
    order.resize(samples.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return samples[a].time < samples[b].time; });
    for (const auto i : order) {
      for (auto& w : watches_of(tenant, samples[i].series, now)) arrive(tenant, w, samples[i], now);
    }
  }
  for (const auto& query : queries) evaluate_target(tenant, query, now);
  std::erase_if(tenant.pending, [&](Rule* rule) {
    if (now >= rule->evaluated && now - rule->evaluated < options.coalesce) return false;
    evaluate_whole(tenant, *rule, now);
    return true;
  });
}

std::span<Watch> Engine::Impl::watches_of(TenantRules& tenant, SeriesId id, Time now) {
  const auto number = id.value();
  if (number < tenant.unwatched.size() && tenant.unwatched[number]) return {};
  if (const auto found = tenant.watches.find(number); found != tenant.watches.end()) return found->second;
  std::vector<Watch> list;
  if (const auto labels = series.labels_of(tenant.id, id); labels) list = watches_by_labels(tenant, *labels, now);
  if (!list.empty()) return tenant.watches.emplace(number, std::move(list)).first->second;
  constexpr std::uint64_t kMostBits = 1ULL << 28;  // 32 MiB; ids beyond are asked for each time
  if (number >= kMostBits) return {};
  if (number >= tenant.unwatched.size()) tenant.unwatched.resize(number + 1 + number / 4);
  tenant.unwatched[number] = true;
  return {};
}

std::vector<Watch> Engine::Impl::watches_by_labels(TenantRules& tenant, const Labels& labels, Time now) {
  std::vector<Watch> list;
  if (!is_watched(tenant.id, labels)) return list;
  if (const auto named = tenant.by_metric.find(labels.get(kMetricName)); named != tenant.by_metric.end()) {
    for (const auto& selector : named->second) watch(tenant, selector, labels, list, now);
  }
  for (const auto& selector : tenant.any_metric) watch(tenant, selector, labels, list, now);
  return list;
}

void Engine::Impl::watch(TenantRules& tenant, const Selector& selector, const Labels& labels, std::vector<Watch>& list,
                         Time now) {
  auto& rule = *selector.rule;
  const auto same_rule = [&](const Watch& w) { return w.rule == &rule; };
  if (!matches(*selector.matchers, labels) || std::any_of(list.begin(), list.end(), same_rule)) return;
  Watch out{.rule = &rule};
  if (rule.compiled.mode == Mode::kSample) {
    out.subject = subject_of(tenant, rule, verdict_labels(rule.spec(), labels), now);
    if (out.subject == nullptr) return;
  } else if (rule.compiled.mode == Mode::kPerSeries) {
    auto bare = labels.without(kMetricName);
    auto& target = rule.targets[bare];
    if (!target) {
      target = std::make_unique<Target>();
      target->restrict = equality_on(bare);
      const auto known = rule.subjects.find(verdict_labels(rule.spec(), bare));
      if (known != rule.subjects.end()) target->subject = known->second.get();
      target->labels = std::move(bare);
    }
    out.target = target.get();
  }
  list.push_back(out);
}

void Engine::Impl::arrive(TenantRules& tenant, Watch& w, const storage::SeriesSample& sample, Time now) {
  const bool ended = is_stale(sample.value);
  if (w.subject != nullptr) return judge_sample(tenant, *w.rule, *w.subject, sample.time, sample.value, now);
  if (w.target == nullptr) return want_whole(tenant, *w.rule, sample.time, ended, now);
  auto& target = *w.target;
  if (target.queued_batch == batch_number && target.queued_at == sample.time) {
    if (!ended) return;
    // Other inputs of the same instant are already waiting; only remember that one has ended.
    for (auto& query : queries) {
      if (query.target == &target && query.at == sample.time) query.ended = true;
    }
    return;
  }
  target.queued_batch = batch_number;
  target.queued_at = sample.time;
  queries.push_back({w.rule, &target, sample.time, ended});
}

void Engine::Impl::judge_sample(TenantRules& tenant, Rule& rule, Subject& subject, Time at, double value, Time now) {
  if (is_stale(value)) return judge_end(tenant, rule, subject, at, now);
  judge(tenant, rule, subject, at, promql::evaluate_sample(*rule.compiled.expression, value), now);
}

void Engine::Impl::judge(TenantRules& tenant, Rule& rule, Subject& s, Time at, std::optional<double> value, Time now) {
  s.last_seen = now;
  s.last_at = if_past(s.last_at, now);
  if (at < s.last_at) return;
  if (s.since > now + kAhead) s.since = at;
  if (value && std::isnan(*value)) {  // says nothing, but something came
    s.last_at = at;
    return;
  }
  if (value) s.value = *value;
  if (const auto* gauge = rule.compiled.gauge()) {
    const auto next = value ? gauge_level(*gauge, s.breach, *value) : Level::kOk;
    s.last_at = at;
    return settle(tenant, rule, s, next, at, at, now);
  }
  const auto& binary = *rule.compiled.binary();
  if (!value) s.value = 0;
  const auto next = binary_level(binary, s, s.value == 0, at);
  s.last_at = at;
  if (next) return settle(tenant, rule, s, *next, at, *next == Level::kOk ? at : s.since, now);
  s.judged = true;
  s.ended = false;
}

void Engine::Impl::judge_end(TenantRules& tenant, Rule& rule, Subject& s, Time at, Time now) {
  s.last_at = if_past(s.last_at, now);
  if (at < s.last_at) return;
  s.last_at = at;
  s.last_seen = now;
  s.ended = true;
  if (s.level == Level::kNoData) return;
  // A breach does not end because nobody measures it any more, whatever the rule says of silence.
  const bool was_open = s.breach != Level::kOk;
  if (!was_open && !(s.judged && rule.spec().no_data && rule.spec().no_data_stated)) return;
  s.level = Level::kNoData;
  s.sustained = false;
  tell(tenant, rule, s, at, now);
}

}  // namespace atalaya::rules
