#include "rules/engine.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/engine_impl.h"
#include "rules/judge.h"

namespace atalaya::rules {

Engine::Engine(const storage::SeriesQuerier& series, VerdictSink& sink, EngineOptions options)
    : impl_(std::make_unique<Impl>(series, sink, options)) {}
Engine::~Engine() = default;

Status Engine::set_rules(std::vector<RuleSpec> rules, Time now) { return impl_->set_rules(std::move(rules), now); }

Status Engine::set_package_rules(const TenantId& tenant, const std::set<std::string>& packages,
                                 std::vector<RuleSpec> rules, Time now) {
  return impl_->set_package_rules(tenant, packages, std::move(rules), now);
}

void Engine::restore(std::span<const OpenAlert> open, Time now) {
  for (const auto& alert : open) impl_->restore(alert, now);
}

void Engine::prime_logs(const storage::LogQuerier& logs, std::uint64_t before, Time now) {
  for (auto& [id, tenant] : impl_->tenants) impl_->prime_logs(tenant, logs, before, now);
}

void Engine::set_watched(Watched watched, Time now) {
  impl_->watched = std::move(watched);
  for (auto& [id, tenant] : impl_->tenants) {
    impl_->forget(tenant, [&](const Labels& labels) { return !impl_->is_watched(tenant.id, labels); }, now);
  }
}

void Engine::on_samples(const storage::CommittedSamples& batch, Time now) { impl_->on_samples(batch, now); }
void Engine::on_logs(const storage::CommittedLogs& batch, Time now) { impl_->on_logs(batch, now); }
void Engine::on_tick(Time now) { impl_->on_tick(now); }

void Engine::forget(const TenantId& tenant, const Matchers& matchers, Time now) {
  const auto found = impl_->tenants.find(tenant);
  if (found == impl_->tenants.end()) return;
  impl_->forget(found->second, [&](const Labels& labels) { return matches(matchers, labels); }, now);
}

std::vector<RuleState> Engine::states(const TenantId& tenant) const {
  std::vector<RuleState> out;
  const auto found = impl_->tenants.find(tenant);
  if (found == impl_->tenants.end()) return out;
  for (const auto& [id, rule] : found->second.rules) {
    RuleState state{.rule = &rule->spec(), .level = Level::kOk, .series = 0, .error = rule->error};
    for (const auto& [labels, subject] : rule->subjects) {
      if (subject->ended && subject->level == Level::kOk) continue;
      ++state.series;
      if (badness(subject->level) > badness(state.level)) state.level = subject->level;
    }
    if (!rule->error.empty()) state.level = Level::kError;
    out.push_back(std::move(state));
  }
  return out;
}

std::size_t Engine::rule_count() const {
  std::size_t count = 0;
  for (const auto& [id, tenant] : impl_->tenants) count += tenant.rules.size();
  return count;
}

namespace {

using RuleMap = std::map<std::string, std::unique_ptr<Rule>>;

/// Compiles what is new or changed; what is unchanged stays null in the answer.
Result<std::map<TenantId, RuleMap>> compile_changed(std::vector<RuleSpec> specs,
                                                    const std::map<TenantId, TenantRules>& running, Time now) {
  std::map<TenantId, RuleMap> out;
  for (auto& spec : specs) {
    auto [slot, is_new] = out[spec.tenant].try_emplace(spec.id);
    if (!is_new) {
      return fail(ErrorCode::kAlreadyExists, spec.origin, fmt::format("rule {} is declared twice", spec.id),
                  "give one of them another name");
    }
    const auto tenant = running.find(spec.tenant);
    if (tenant != running.end()) {
      const auto old = tenant->second.rules.find(spec.id);
      if (old != tenant->second.rules.end() && old->second->spec().same_content(spec)) {
        old->second->compiled.spec.origin = spec.origin;
        continue;
      }
    }
    std::vector<RuleProblem> problems;
    auto origin = spec.origin;
    auto id = spec.id;
    auto compiled = compile(std::move(spec), problems);
    if (!compiled) {
      auto& first = problems.front();
      return fail(first.error.code, std::move(origin),
                  fmt::format("rule {}: {}: {}", id, first.field, first.error.message), first.error.remedy);
    }
    slot->second = std::make_unique<Rule>(std::move(*compiled));
    slot->second->loaded = now;
  }
  return out;
}

}  // namespace

Status Engine::Impl::set_rules(std::vector<RuleSpec> specs, Time now) {
  AT_TRY(auto wanted, compile_changed(std::move(specs), tenants, now));
  for (const auto& [id, tenant] : tenants) wanted.try_emplace(id);
  for (auto& [id, rules] : wanted) {
    auto& tenant = tenants[id];
    tenant.id = id;
    std::vector<Rule*> fresh;
    for (auto& [name, rule] : rules) {
      const auto old = tenant.rules.find(name);
      if (!rule) {
        rule = std::move(old->second);
        tenant.rules.erase(old);
        continue;
      }
      fresh.push_back(rule.get());
      if (old == tenant.rules.end()) continue;
      take_over(*rule, *old->second, now);
      tenant.rules.erase(old);
    }
    for (auto& [name, removed] : tenant.rules) close_all(*removed, "rule removed", now);
    tenant.rules = std::move(rules);
    rebuild_index(tenant);
    prime(tenant, fresh, now);
  }
  return {};
}

Status Engine::Impl::set_package_rules(const TenantId& id, const std::set<std::string>& packages,
                                       std::vector<RuleSpec> specs, Time now) {
  AT_TRY(auto wanted, compile_changed(std::move(specs), tenants, now));
  auto& tenant = tenants[id];
  tenant.id = id;
  std::vector<Rule*> fresh;
  auto& rules = wanted[id];
  bool differs = false;
  for (const auto& package : packages) {
    const auto prefix = package + "/";
    for (auto old = tenant.rules.lower_bound(prefix); old != tenant.rules.end() && old->first.starts_with(prefix);) {
      const auto found = rules.find(old->first);
      if (found == rules.end()) {
        close_all(*old->second, "rule removed", now);
      } else if (found->second) {
        take_over(*found->second, *old->second, now);
      } else {
        ++old;  // it is as it was
        continue;
      }
      unindex(tenant, *old->second);
      old = tenant.rules.erase(old);
      differs = true;
    }
  }
  for (auto& [name, rule] : rules) {
    if (!rule) continue;
    fresh.push_back(rule.get());
    index(tenant, *rule);
    tenant.rules[name] = std::move(rule);
    differs = true;
  }
  if (!differs) return {};
  // Unlike set_rules this leaves the index of all others alone: one item of 100,000 changes in microseconds.
  auto pending = std::move(tenant.pending);
  forget_matches(tenant);
  tenant.pending = std::move(pending);
  prime(tenant, fresh, now);
  return {};
}

void Engine::Impl::take_over(Rule& fresh, Rule& old, Time now) {
  const auto& spec = fresh.spec();
  const auto& before = old.spec();
  // An error was about the old text; the new one shows at its first evaluation what it is worth.
  if (!old.error.empty()) tell_error(spec.tenant, spec.id, "rule changed", Level::kOk, true, now);
  old.error.clear();
  if (spec.kind() != before.kind() || spec.name != before.name || spec.labels != before.labels) {
    return close_all(old, "rule changed", now);
  }
  for (auto& [labels, subject] : old.subjects) {
    if (subject->level == Level::kOk) continue;
    subject->carried = fresh.compiled.mode != Mode::kLines;
    subject->last_seen = now;
    if (const auto* tailable = fresh.compiled.tailable(); tailable != nullptr && !subject->hits.empty()) {
      subject->hits.assign(tailable->count, subject->hits.back());
    }
    fresh.subjects.emplace(labels, std::move(subject));
  }
}

void Engine::Impl::close_all(Rule& rule, std::string_view why, Time now) {
  const auto& tenant = rule.spec().tenant;
  for (auto& [labels, subject] : rule.subjects) {
    if (subject) tell_closed(tenant, rule, *subject, why, now);
  }
  if (!rule.error.empty()) tell_error(tenant, rule.spec().id, std::string(why), Level::kOk, true, now);
}

void Engine::Impl::rebuild_index(TenantRules& tenant) {
  tenant.by_metric.clear();
  tenant.any_metric.clear();
  tenant.line_rules.clear();
  forget_matches(tenant);
  for (auto& [id, rule] : tenant.rules) {
    rule->targets.clear();
    rule->by_result.clear();
    index(tenant, *rule);
  }
}

/// Which rules look at which series is found anew by the next samples.
void Engine::Impl::forget_matches(TenantRules& tenant) {
  tenant.forget_watches();
  tenant.streams.clear();
  tenant.pending.clear();
}

namespace {

/// The lists of the index that hold this rule's selectors; null: it is one of lines.
template <typename Visit>
void for_lists(TenantRules& tenant, Rule& rule, const Visit& visit) {
  for (const auto& matchers : rule.compiled.selectors) {
    const auto named = std::find_if(matchers.begin(), matchers.end(), [](const Matcher& m) {
      return m.name() == kMetricName && m.op() == Matcher::Op::kEqual;
    });
    visit(named == matchers.end() ? tenant.any_metric : tenant.by_metric[named->value()], matchers);
  }
}

}  // namespace

void Engine::Impl::index(TenantRules& tenant, Rule& rule) {
  if (rule.pending) tenant.pending.push_back(&rule);
  if (rule.compiled.mode == Mode::kLines) return tenant.line_rules.push_back(&rule);
  for_lists(tenant, rule, [&](auto& list, const Matchers& matchers) { list.push_back({&rule, &matchers}); });
}

void Engine::Impl::unindex(TenantRules& tenant, Rule& rule) {
  std::erase(tenant.pending, &rule);
  if (rule.compiled.mode == Mode::kLines) {
    std::erase(tenant.line_rules, &rule);
    return;
  }
  for_lists(tenant, rule, [&](auto& list, const Matchers&) {
    std::erase_if(list, [&](const Selector& selector) { return selector.rule == &rule; });
  });
}

void Engine::Impl::restore(const OpenAlert& alert, Time now) {
  auto& tenant = tenants[alert.tenant];
  tenant.id = alert.tenant;
  const auto found = tenant.rules.find(alert.rule);
  const bool about_rule = alert.labels.get("alertname") == kRuleErrorName;
  if (found == tenant.rules.end()) {
    RuleSpec gone;
    gone.tenant = alert.tenant;
    gone.id = alert.rule;
    gone.name = alert.labels.get("alertname");
    Rule rule({.spec = std::move(gone)});
    Subject subject{.labels = alert.labels, .level = alert.level, .value = alert.value};
    if (about_rule) return tell_error(alert.tenant, alert.rule, "rule removed", Level::kOk, true, now);
    return tell_closed(alert.tenant, rule, subject, "rule removed", now);
  }
  auto& rule = *found->second;
  if (about_rule) {
    rule.error = "it could not be evaluated before the restart";
    rule.error_seen = rule.error_told = now;
    return;
  }
  const bool same_labels = verdict_labels(rule.spec(), alert.labels) == alert.labels;
  auto* subject = subject_of(tenant, rule, alert.labels, now);
  if (subject == nullptr) return;
  subject->level = alert.level;
  subject->value = alert.value;
  if (!same_labels || !is_watched(alert.tenant, alert.labels)) {
    tell_closed(alert.tenant, rule, *subject, same_labels ? kRemovedText : "rule changed", now);
    rule.subjects.erase(alert.labels);
    return;
  }
  subject->judged = true;
  subject->sustained = alert.sustained;
  subject->last_seen = subject->told = now;
  subject->since = alert.since;
  if (alert.level == Level::kNoData) return;
  subject->breach = alert.level;
  subject->last_at = alert.at;
  if (const auto* binary = rule.compiled.binary()) subject->failures = subject->failures_before = binary->failures;
  if (const auto* tailable = rule.compiled.tailable()) {
    if (tailable->absent) {
      subject->last_hit = alert.since - tailable->within;
    } else {
      // How old the newest line is, nobody knows any more: the window begins anew.
      subject->hits.assign(tailable->count, {alert.at, now});
    }
  }
}

void Engine::Impl::forget(TenantRules& tenant, const std::function<bool(const Labels&)>& gone, Time now) {
  for (auto& [id, rule] : tenant.rules) {
    std::erase_if(rule->subjects, [&](auto& entry) {
      if (!gone(entry.second->labels)) return false;
      tell_closed(tenant.id, *rule, *entry.second, kRemovedText, now);
      return true;
    });
    rule->targets.clear();
    rule->by_result.clear();
  }
  tenant.forget_watches();
  tenant.streams.clear();
}

}  // namespace atalaya::rules
