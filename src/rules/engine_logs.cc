// Log lines: patterns counted in windows, and their absence.

#include <re2/re2.h>

#include <algorithm>

#include "rules/engine_impl.h"
#include "rules/judge.h"

namespace atalaya::rules {
namespace {

constexpr std::size_t kMaxStreams = 100'000;
constexpr std::size_t kMaxCheckTexts = 20'000;
constexpr std::size_t kMaxLine = 2'000;

/// Labels of the alert about a stream that nobody has seen: what the selector says of it.
Labels unseen_labels(const Compiled& rule) {
  LabelsBuilder builder;
  for (const auto& matcher : rule.selectors.front()) {
    if (matcher.op() == Matcher::Op::kEqual) builder.set(matcher.name(), matcher.value());
  }
  return stream_labels(rule.spec, builder.build());
}

std::string check_key(std::string_view check, std::string_view instance) {
  return std::string(check) + '\0' + std::string(instance);
}

std::string shortened(std::string_view line) {
  if (line.size() <= kMaxLine) return std::string(line);
  auto end = kMaxLine;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;  // whole characters
  return std::string(line.substr(0, end)) + "…";
}

}  // namespace

void Engine::Impl::on_logs(const storage::CommittedLogs& batch, Time now) {
  const auto found = tenants.find(batch.tenant);
  if (found == tenants.end()) return;
  auto& tenant = found->second;
  for (const auto& record : batch.records) {
    if (record.labels.has("check")) note_check_text(tenant, record);
    if (tenant.line_rules.empty()) continue;
    for (auto& watch : stream_of(tenant, record.labels)) arrive_line(tenant, watch, record, now);
  }
}

void Engine::Impl::note_check_text(TenantRules& tenant, const LogRecord& record) {
  const auto key = check_key(record.labels.get("check"), record.labels.get("instance"));
  if (tenant.check_texts.size() >= kMaxCheckTexts && !tenant.check_texts.contains(key)) tenant.check_texts.clear();
  tenant.check_texts[key] = shortened(record.line);
}

std::vector<LineWatch>& Engine::Impl::stream_of(TenantRules& tenant, const Labels& labels) {
  if (const auto found = tenant.streams.find(labels); found != tenant.streams.end()) return found->second;
  if (tenant.streams.size() >= kMaxStreams) tenant.streams.clear();
  std::vector<LineWatch> list;
  for (auto* rule : tenant.line_rules) {
    if (!matches(rule->compiled.selectors.front(), labels)) continue;
    list.push_back({rule, stream_labels(rule->spec(), labels)});
  }
  return tenant.streams.emplace(labels, std::move(list)).first->second;
}

void Engine::Impl::arrive_line(TenantRules& tenant, LineWatch& watch, const LogRecord& record, Time now) {
  auto& rule = *watch.rule;
  const auto& tailable = *rule.compiled.tailable();
  const bool matching = re2::RE2::PartialMatch(record.line, *rule.compiled.pattern);
  if (!matching && !tailable.absent) return;
  const auto unseen = tailable.absent ? rule.subjects.find(unseen_labels(rule.compiled)) : rule.subjects.end();
  const bool unseen_open = unseen != rule.subjects.end() && unseen->second->level != Level::kOk;
  if (!matching && unseen_open) return;  // the alert about absence stands already
  auto* subject = subject_of(tenant, rule, watch.labels, now);
  if (subject == nullptr) return;
  subject->last_seen = now;
  if (subject->last_hit == kNever) subject->last_hit = now;  // absence is counted from the stream's first line
  if (!matching) return;
  subject->last_hit = now;
  subject->line = shortened(record.line);
  if (tailable.absent) {
    settle(tenant, rule, *subject, Level::kOk, record.time, record.time, now);
    if (unseen_open && unseen->second.get() != subject) {
      unseen->second->line = subject->line;
      settle(tenant, rule, *unseen->second, Level::kOk, record.time, record.time, now);
      rule.subjects.erase(unseen);
    }
    return;
  }
  subject->value = static_cast<double>(subject->hits.size());
  if (!add_hit(tailable, *subject, {record.time, now})) return;
  subject->value = static_cast<double>(subject->hits.size());
  const auto newest = subject->hits.back().at;
  settle(tenant, rule, *subject, tailable.severity, newest, newest, now);
}

void Engine::Impl::check_lines(TenantRules& tenant, Rule& rule, Time now) {
  const auto& tailable = *rule.compiled.tailable();
  if (tailable.absent) return check_absence(tenant, rule, tailable, now);
  std::erase_if(rule.subjects, [&](auto& entry) {
    auto& subject = *entry.second;
    while (window_passed(tailable, subject, now)) subject.hits.erase(subject.hits.begin());
    if (subject.level != Level::kOk && subject.hits.size() < tailable.count) {
      settle(tenant, rule, subject, Level::kOk, now, now, now);
    }
    return subject.hits.empty();  // nobody holds it: the next matching line makes a new one
  });
}

void Engine::Impl::check_absence(TenantRules& tenant, Rule& rule, const TailableSpec& tailable, Time now) {
  if (rule.subjects.empty() && now - rule.loaded > tailable.within) {
    subject_of(tenant, rule, unseen_labels(rule.compiled), rule.loaded)->last_hit = rule.loaded;
  }
  for (auto& [labels, subject] : rule.subjects) {
    if (subject->level == Level::kOk && now - subject->last_hit > tailable.within) {
      settle(tenant, rule, *subject, tailable.severity, now, now, now);
    }
  }
}

}  // namespace atalaya::rules
