// What happens because nothing came.

#include "rules/engine_impl.h"
#include "rules/judge.h"

namespace atalaya::rules {
namespace {

constexpr Duration kSweepEvery{std::chrono::seconds{1}};
constexpr Duration kPurgeEvery{std::chrono::minutes{10}};
/// After this long without a sample, what an earlier version of a rule had judged is taken to be
/// outside of the new version.
constexpr Duration kCarriedFor{std::chrono::minutes{5}};

bool is_due(Time last, Duration every, Time now) { return now < last || now - last >= every; }

}  // namespace

void Engine::Impl::on_tick(Time now) {
  for (auto& [id, tenant] : tenants) {
    std::erase_if(tenant.pending, [&](Rule* rule) {
      if (!is_due(rule->evaluated, options.coalesce, now)) return false;
      evaluate_whole(tenant, *rule, now);
      return true;
    });
  }
  if (!is_due(last_sweep, kSweepEvery, now)) return;
  last_sweep = now;
  const bool purging = is_due(last_purge, kPurgeEvery, now);
  if (purging) last_purge = now;
  for (auto& [id, tenant] : tenants) {
    sweep(tenant, now);
    if (purging) purge(tenant);
  }
}

void Engine::Impl::sweep(TenantRules& tenant, Time now) {
  for (auto& [id, rule] : tenant.rules) {
    if (rule->compiled.mode == Mode::kLines) {
      check_lines(tenant, *rule, now);
    } else {
      check_silence(tenant, *rule, now);
    }
  }
}

void Engine::Impl::check_silence(TenantRules& tenant, Rule& rule, Time now) {
  const auto limit = rule.spec().no_data;
  for (auto& [labels, s] : rule.subjects) {
    if (s->carried && now - s->last_seen > limit.value_or(kCarriedFor)) {
      s->carried = false;
      s->ended = true;
      tell_closed(tenant.id, rule, *s, "rule changed: it does not watch this any more", now);
      continue;
    }
    if (!limit || s->ended || s->level == Level::kNoData || (!s->judged && !s->expected)) continue;
    if (now - s->last_seen <= *limit) continue;
    s->level = Level::kNoData;
    s->sustained = false;
    tell(tenant, rule, *s, now, now);
  }
}

void Engine::Impl::purge(TenantRules& tenant) {
  bool dropped = false;
  for (auto& [id, rule] : tenant.rules) {
    if (rule->compiled.mode == Mode::kLines) continue;
    const auto count = std::erase_if(rule->subjects, [](const auto& entry) {
      return entry.second->ended && entry.second->level == Level::kOk && entry.second->breach == Level::kOk;
    });
    if (count == 0) continue;
    dropped = true;
    rule->targets.clear();
    rule->by_result.clear();
    if (rule->subjects.size() < options.max_series_per_rule) rule->error_stays = false;
  }
  if (dropped) tenant.forget_watches();  // they point at what is gone; made anew by the next samples
}

}  // namespace atalaya::rules
