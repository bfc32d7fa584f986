// What is told, and when.

#include <fmt/format.h>

#include <set>

#include "rules/engine_impl.h"
#include "rules/judge.h"

namespace atalaya::rules {
namespace {

Labels identity_of(const RuleSpec& spec, const Labels& labels) {
  if (spec.identity.empty()) return {};
  LabelsBuilder out;
  out.set("alertname", labels.get("alertname"));
  for (const auto& name : spec.identity) out.set(name, labels.get(name));
  for (const auto& [name, unused] : spec.labels) out.set(name, labels.get(name));
  return out.build();
}

}  // namespace

/// Asked for each breach of what depends on it: its instances are gathered once, and anew when its subjects differ.
bool Rule::judges(std::string_view instance) const {
  if (instances_of != subjects.size()) {
    instances.clear();
    for (const auto& [labels, unused] : subjects) instances.emplace(labels.get("instance"));
    instances_of = subjects.size();
  }
  return instances.contains(std::string(instance));
}

Subject* Engine::Impl::subject_of(TenantRules& tenant, Rule& rule, const Labels& labels, Time now) {
  if (const auto found = rule.subjects.find(labels); found != rule.subjects.end()) return found->second.get();
  if (rule.subjects.size() >= options.max_series_per_rule) {
    set_error(tenant, rule,
              fmt::format("it watches more than {} series; the further ones are not judged", rule.subjects.size()),
              true, now);
    return nullptr;
  }
  auto subject = std::make_unique<Subject>();
  subject->labels = labels;
  subject->last_seen = now;
  return rule.subjects.emplace(labels, std::move(subject)).first->second.get();
}

void Engine::Impl::settle(TenantRules& tenant, Rule& rule, Subject& s, Level next, Time at, Time since, Time now) {
  const bool breach = next != Level::kOk;
  if (breach && s.breach == Level::kOk) s.since = since;
  const bool sustained = breach && at - s.since >= rule.spec().for_duration;
  const bool changed = next != s.level;
  const bool news = changed || (sustained && !s.sustained) || (breach && now - s.told >= options.refresh);
  s.breach = next;
  s.level = next;
  s.sustained = sustained;
  s.judged = true;
  s.ended = false;
  s.carried = false;
  if (news) tell(tenant, rule, s, at, now);
}

void Engine::Impl::tell(const TenantRules& tenant, const Rule& rule, Subject& s, Time at, Time now) {
  std::string_view check_text;
  if (rule.compiled.binary() != nullptr && !tenant.check_texts.empty()) {
    const auto key = std::string(s.labels.get("check")) + '\0' + std::string(s.labels.get("instance"));
    if (const auto found = tenant.check_texts.find(key); found != tenant.check_texts.end()) check_text = found->second;
  }
  const auto& spec = rule.spec();
  const bool breach = s.level == Level::kWarning || s.level == Level::kCritical;
  s.told = now;
  sink.verdict({.tenant = tenant.id,
                .rule = spec.id,
                .kind = spec.kind(),
                .title = spec.title,
                .expr = spec.expr(),
                .labels = s.labels,
                .level = s.level,
                .for_duration = spec.for_duration,
                .at = at,
                .since = breach ? s.since : at,
                .sustained = s.sustained,
                .late = now - at > options.late_after,
                .removed = false,
                .value = s.value,
                .text = describe(rule.compiled, s, s.level, check_text),
                .annotations = spec.annotations,
                .identity = identity_of(spec, s.labels),
                .judged_with = judged_with(tenant, rule, s)});
}

/// Of the rules that this one depends on, all the way, those with a subject of the same instance.
std::vector<std::string> Engine::Impl::judged_with(const TenantRules& tenant, const Rule& rule, const Subject& s) {
  std::vector<std::string> out;
  const auto instance = s.labels.get("instance");
  if (rule.spec().depends_on.empty() || instance.empty()) return out;
  std::set<std::string> seen{rule.spec().id};
  std::vector<const Rule*> open{&rule};
  while (!open.empty()) {
    const auto* next = open.back();
    open.pop_back();
    for (const auto& id : next->spec().depends_on) {
      const auto found = tenant.rules.find(id);
      if (found == tenant.rules.end() || !seen.insert(id).second) continue;
      open.push_back(found->second.get());
      if (found->second->judges(instance)) out.push_back(id);
    }
  }
  return out;
}

void Engine::Impl::tell_closed(const TenantId& tenant, const Rule& rule, Subject& s, std::string_view why, Time now) {
  if (s.level == Level::kOk) return;
  const auto& spec = rule.spec();
  s.level = s.breach = Level::kOk;
  s.sustained = false;
  sink.verdict({.tenant = tenant,
                .rule = spec.id,
                .kind = spec.kind(),
                .title = spec.title,
                .expr = spec.expr(),
                .labels = s.labels,
                .level = Level::kOk,
                .for_duration = spec.for_duration,
                .at = now,
                .since = now,
                .sustained = false,
                .late = false,
                .removed = true,
                .value = s.value,
                .text = std::string(why),
                .annotations = spec.annotations,
                .identity = identity_of(spec, s.labels),
                .judged_with = {}});
}

void Engine::Impl::set_error(const TenantRules& tenant, Rule& rule, const std::string& message, bool stays, Time now) {
  const bool news = message != rule.error || now - rule.error_told >= options.refresh;
  rule.error = message;
  rule.error_stays = rule.error_stays || stays;
  rule.error_seen = now;
  if (!news) return;
  rule.error_told = now;
  tell_error(tenant.id, rule.spec().id, fmt::format("rule {} cannot be evaluated: {}", rule.spec().id, message),
             Level::kError, false, now);
}

void Engine::Impl::clear_error(const TenantRules& tenant, Rule& rule, Time now) {
  // An error of one label set is not undone by the next one's success: wait a little.
  if (rule.error.empty() || rule.error_stays || now - rule.error_seen < options.refresh) return;
  rule.error.clear();
  tell_error(tenant.id, rule.spec().id, fmt::format("rule {} is evaluated again", rule.spec().id), Level::kOk, false,
             now);
}

void Engine::Impl::tell_error(const TenantId& tenant, const std::string& rule, const std::string& text, Level level,
                              bool removed, Time now) {
  Verdict verdict;
  verdict.tenant = tenant;
  verdict.rule = rule;
  verdict.title = "A rule cannot be evaluated";
  verdict.labels = Labels{{"alertname", kRuleErrorName}, {"rule", rule}};
  verdict.level = level;
  verdict.at = verdict.since = now;
  verdict.sustained = level == Level::kError;
  verdict.removed = removed;
  verdict.text = text;
  sink.verdict(std::move(verdict));
}

}  // namespace atalaya::rules
