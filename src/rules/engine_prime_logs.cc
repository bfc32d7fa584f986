// Lines that were judged before the process started: windows go on where they were.

#include <algorithm>
#include <unordered_map>

#include "rules/engine_impl.h"
#include "rules/judge.h"

namespace atalaya::rules {
namespace {

/// Lines that one rule looks back at.
constexpr std::size_t kMaxLines = 20'000;
/// For agents to bring what was written while nobody was here, before absence is told.
constexpr Duration kGrace{std::chrono::minutes{1}};

/// Lines that the process before has judged, by stream; each query reads the store once for all.
struct History {
  std::unordered_map<Labels, std::vector<LogRecord>> lines;
  Time end;  ///< where the limit cut it off; the range's end if it did not

  const LogRecord* first_of(const Labels& stream) const {
    const auto found = lines.find(stream);
    return found == lines.end() ? nullptr : &found->second.front();
  }
};

History look_back(const storage::LogQuerier& logs, const TenantId& tenant, const storage::LogQuery& query,
                  std::uint64_t before) {
  History out;
  out.end = query.newest_first ? query.range.from : query.range.to;
  auto found = logs.query(tenant, query);
  if (!found) return out;  // said by the store; what arrives is judged all the same
  if (found->size() == query.limit) out.end = found->back().record.time;
  for (auto& line : *found) {
    if (line.id >= before) continue;  // judged like all that is new
    auto& stream = out.lines[line.record.labels];
    stream.push_back(std::move(line.record));
  }
  return out;
}

}  // namespace

void Engine::Impl::prime_logs(TenantRules& tenant, const storage::LogQuerier& logs, std::uint64_t before, Time now) {
  for (auto* rule : tenant.line_rules) {
    const auto& tailable = *rule->compiled.tailable();
    if (tailable.absent) {
      prime_absence(tenant, *rule, logs, before, now);
    } else if (tailable.count > 1) {  // else a line has opened its alert, or has not
      prime_hits(tenant, *rule, logs, before, now);
    }
  }
}

void Engine::Impl::prime_absence(TenantRules& tenant, Rule& rule, const storage::LogQuerier& logs, std::uint64_t before,
                                 Time now) {
  const auto& tailable = *rule.compiled.tailable();
  const auto& matchers = rule.compiled.selectors.front();
  // A stream that was silent for longer than this is taken to have gone for good.
  const storage::TimeRange range{now - 2 * tailable.within, now + kAhead};
  const auto streams = logs.streams(tenant.id, matchers, range);
  if (streams.empty()) return;
  const auto hits = look_back(logs, tenant.id, {matchers, range, "", tailable.pattern, kMaxLines, true}, before);
  const auto begins = look_back(logs, tenant.id, {matchers, range, "", "", kMaxLines, false}, before);
  for (const auto& stream : streams) {
    const auto* hit = hits.first_of(stream);
    const auto* begin = begins.first_of(stream);
    if (hit == nullptr && begin == nullptr) continue;
    auto* subject = subject_of(tenant, rule, stream_labels(rule.spec(), stream), now);
    if (subject == nullptr || subject->level != Level::kOk) continue;
    // Without a matching line absence counts from the first one; a hit may hide behind the limit.
    const auto last = hit != nullptr ? hit->time : std::max(begin->time, hits.end);
    const auto counted = std::clamp(last, now - tailable.within + std::min(tailable.within, kGrace), now);
    subject->last_hit = std::max(subject->last_hit, counted);
  }
}

void Engine::Impl::prime_hits(TenantRules& tenant, Rule& rule, const storage::LogQuerier& logs, std::uint64_t before,
                              Time now) {
  const auto& tailable = *rule.compiled.tailable();
  const storage::TimeRange range{now - tailable.within, now + kAhead};
  const auto hits = look_back(logs, tenant.id,
                              {rule.compiled.selectors.front(), range, "", tailable.pattern, kMaxLines, true}, before);
  for (const auto& [stream, lines] : hits.lines) {
    auto* subject = subject_of(tenant, rule, stream_labels(rule.spec(), stream), now);
    if (subject == nullptr || subject->level != Level::kOk) continue;
    const auto wanted = std::min<std::size_t>(lines.size(), tailable.count);
    for (std::size_t i = 0; i < wanted; ++i) {
      add_hit(tailable, *subject, {lines[i].time, std::min(lines[i].time, now)});
    }
  }
}

}  // namespace atalaya::rules
