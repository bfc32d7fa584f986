// Expressions that need the store: for one label set, or over many series.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "rules/engine_impl.h"
#include "rules/judge.h"

namespace atalaya::rules {

Result<promql::Vector> Engine::Impl::evaluate(const TenantRules& tenant, const Rule& rule, Time at,
                                              const Matchers& restrict) const {
  AT_TRY(auto value, evaluator.instant(tenant.id, *rule.compiled.expression, at, restrict));
  if (auto* vector = std::get_if<promql::Vector>(&value)) return std::move(*vector);
  if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    return promql::Vector{{Labels{}, scalar->time, scalar->value}};
  }
  return fail(ErrorCode::kUnprocessable, "the expression yields neither a vector nor a number",
              "wrap a range selector in a function, e.g. rate(…)");
}

void Engine::Impl::evaluate_target(TenantRules& tenant, const Pending& pending, Time now) {
  auto& rule = *pending.rule;
  auto& target = *pending.target;
  // Nothing older than what was judged is asked for: it could not change anything.
  if (target.subject != nullptr && pending.at < if_past(target.subject->last_at, now)) {
    target.subject->last_seen = now;
    return;
  }
  const auto result = evaluate(tenant, rule, pending.at, target.restrict);
  if (!result) return set_error(tenant, rule, result.error().message, false, now);
  clear_error(tenant, rule, now);
  // The restriction is by equality; a series that has these labels and more is another one's affair.
  const auto own = std::find_if(result->begin(), result->end(), [&](const auto& element) {
    return element.labels == target.labels || element.labels.without(kMetricName) == target.labels;
  });
  const bool exists = own != result->end();
  if (!exists && (pending.ended || !rule.compiled.filters)) {
    if (pending.ended && target.subject != nullptr) judge_end(tenant, rule, *target.subject, pending.at, now);
    return;
  }
  if (target.subject == nullptr) {
    target.subject = subject_of(tenant, rule, verdict_labels(rule.spec(), target.labels), now);
    if (target.subject == nullptr) return;
  }
  judge(tenant, rule, *target.subject, pending.at, exists ? std::optional(own->value) : std::nullopt, now);
}

void Engine::Impl::want_whole(TenantRules& tenant, Rule& rule, Time at, bool ended, Time now) {
  // A host whose clock runs ahead must not drag the evaluation into the future, where the samples of
  // all others look old.
  at = std::min(at, now);
  rule.evaluated_at = if_past(rule.evaluated_at, now);
  if (!ended) rule.last_input = std::max(if_past(rule.last_input, now), at);
  if (at < rule.evaluated_at) return;
  rule.pending_at = rule.pending ? std::max(rule.pending_at, at) : at;
  rule.pending_stale = rule.pending_stale || ended;
  if (rule.pending) return;
  rule.pending = true;
  tenant.pending.push_back(&rule);
}

void Engine::Impl::evaluate_whole(TenantRules& tenant, Rule& rule, Time now) {
  const auto at = rule.pending_at;
  const bool ended = std::exchange(rule.pending_stale, false);
  rule.pending = false;
  rule.evaluated = now;
  const auto result = evaluate(tenant, rule, at, {});
  if (!result) return set_error(tenant, rule, result.error().message, false, now);
  clear_error(tenant, rule, now);
  rule.evaluated_at = at;
  for (const auto& element : *result) {
    auto& subject = rule.by_result[element.labels];
    if (subject == nullptr) subject = subject_of(tenant, rule, verdict_labels(rule.spec(), element.labels), now);
    if (subject == nullptr) {
      rule.by_result.erase(element.labels);
      continue;
    }
    judge(tenant, rule, *subject, at, element.value, now);
  }
  // What has no result any more: dropped by a comparison while its inputs live, or gone.
  const bool inputs_live = at - rule.last_input <= Duration{std::chrono::minutes{5}};
  for (auto& [labels, subject] : rule.subjects) {
    if (if_past(subject->last_at, now) >= at || (!subject->judged && !subject->expected) || subject->ended) continue;
    if (rule.compiled.filters && inputs_live) {
      judge(tenant, rule, *subject, at, std::nullopt, now);
    } else if (ended) {
      judge_end(tenant, rule, *subject, at, now);
    }
  }
}

}  // namespace atalaya::rules
