// Silences in the control loop.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "alerts/silence_rows.h"
#include "alerts/step.h"
#include "alerts/timers.h"

namespace atalaya::alerts {
namespace {

bool same_matchers(const Silence& a, const Silence& b) {
  return write_matchers(a.matchers) == write_matchers(b.matchers);
}

/// Whether `next` can take the place of `before`, as Alertmanager decides it.
bool can_change_in_place(const Silence& before, const Silence& next, Time now) {
  if (!same_matchers(before, next)) return false;
  const auto seconds = [](Time t) { return std::chrono::floor<std::chrono::seconds>(t); };
  switch (before.state_at(now)) {
    case SilenceState::kActive: return seconds(before.starts) == seconds(next.starts) && next.ends >= now;
    case SilenceState::kPending: return next.starts >= now;
    case SilenceState::kExpired: return false;
  }
  return false;
}

void expire(Silence& silence, Time now) {
  if (silence.starts > now) silence.starts = now;
  silence.ends = now;
  silence.updated = now;
}

Status check_not_declared(const Silence& silence) {
  if (silence.origin.empty()) return {};
  return fail(ErrorCode::kConflict,
              fmt::format("silence {} is declared by the package item {}", silence.id, silence.origin),
              "change or delete the item in its package");
}

bool same(const Silence& a, const Silence& b) {
  return same_matchers(a, b) && a.starts == b.starts && a.ends == b.ends && a.created_by == b.created_by &&
         a.comment == b.comment && a.origin == b.origin && a.windows == b.windows;
}

}  // namespace

Status Machine::Step::set_silence(const SetSilence& given) {
  auto silence = given.silence;
  silence.origin.clear();
  std::optional<Silence> before;
  if (!silence.id.empty()) {
    AT_TRY(before, load_silence(session_, tenant_, silence.id));
    if (!before) return fail(ErrorCode::kNotFound, "silence not found");
    AT_TRY(check_not_declared(*before));
  }
  AT_TRY(check(silence));
  if (!before || !can_change_in_place(*before, silence, now_)) {
    if (before && before->state_at(now_) != SilenceState::kExpired) {
      expire(*before, now_);
      AT_TRY(store_silence(session_, tenant_, *before));
    }
    silence.id = given.new_id;
    silence.starts = std::max(silence.starts, now_);
    if (silence.ends <= silence.starts) {
      return fail(ErrorCode::kInvalidArgument, "invalid silence: end time must be after start time");
    }
  }
  silence.updated = now_;
  AT_TRY(store_silence(session_, tenant_, silence));
  if (given.stored) *given.stored = silence.id;
  return silences_differ();
}

Status Machine::Step::expire_silence(const ExpireSilence& given) {
  AT_TRY(auto silence, load_silence(session_, tenant_, given.id));
  if (!silence) return fail(ErrorCode::kNotFound, "silence not found");
  AT_TRY(check_not_declared(*silence));
  if (silence->state_at(now_) == SilenceState::kExpired) return {};
  expire(*silence, now_);
  AT_TRY(store_silence(session_, tenant_, *silence));
  return silences_differ();
}

Status Machine::Step::declare_silences(const DeclareSilences& given) {
  AT_TRY(auto stored, load_silences(session_, tenant_));
  std::map<std::string, Silence> declared;
  for (auto& silence : stored) {
    if (!silence.origin.empty()) declared.emplace(silence.id, std::move(silence));
  }
  bool differs = false;
  for (auto silence : given.silences) {
    const auto it = declared.find(silence.id);
    if (silence.starts == kMinTime) silence.starts = it == declared.end() ? now_ : it->second.starts;
    if (it != declared.end()) {
      const bool unchanged = same(it->second, silence);
      declared.erase(it);
      if (unchanged) continue;
    }
    silence.updated = now_;
    AT_TRY(store_silence(session_, tenant_, silence));
    differs = true;
  }
  for (auto& [id, gone] : declared) {
    if (gone.state_at(now_) == SilenceState::kExpired) continue;
    expire(gone, now_);
    AT_TRY(store_silence(session_, tenant_, gone));
    differs = true;
  }
  return differs ? silences_differ() : Status{};
}

Status Machine::Step::silences_differ() {
  active_.reset();
  const auto tenant = tenant_.value();
  const auto now = to_ms(now_);
  AT_TRY(session_.execute("DELETE FROM alerts_silences WHERE tenant_id=? AND ends_ms<=?",
                          {tenant, to_ms(now_ - kKeepSilences)}));
  // The next begin or end; with none ahead, the day on which the oldest one goes.
  AT_TRY(const auto rows,
         session_.query("SELECT min(edge) FROM (SELECT starts_ms AS edge FROM alerts_silences WHERE tenant_id=? AND "
                        "starts_ms>? UNION ALL SELECT ends_ms AS edge FROM alerts_silences WHERE tenant_id=? AND "
                        "ends_ms>? UNION ALL SELECT ends_ms+? AS edge FROM alerts_silences WHERE tenant_id=?) AS edges",
                        {tenant, now, tenant, now, std::int64_t{kKeepSilences.count()}, tenant}));
  AT_TRY(const auto recurring, session_.query("SELECT 1 FROM alerts_silences WHERE tenant_id=? AND windows<>'' AND "
                                              "starts_ms<=? AND ends_ms>? LIMIT 1",
                                              {tenant, now, now}));
  std::optional<Time> next;
  if (!rows.empty() && !rows.front().is_null(0)) next = from_ms(rows.front().integer(0));
  // Windows begin and end with minutes.
  const auto minute = std::chrono::floor<std::chrono::minutes>(now_) + std::chrono::minutes{1};
  if (!recurring.empty()) next = std::min<Time>(next.value_or(minute), minute);
  if (next) {
    AT_TRY(effects_.set_timer(kSilencesTimer, *next));
  } else {
    AT_TRY(effects_.cancel_timer(kSilencesTimer));
  }
  effects_.publish(SilencesChanged{});
  if (machine_.sink_ != nullptr) AT_TRY(machine_.sink_->on_silences(tenant_, now_, session_, effects_));
  return tell_uncovered();
}

Status Machine::Step::silence_edge() { return silences_differ(); }

}  // namespace atalaya::alerts
