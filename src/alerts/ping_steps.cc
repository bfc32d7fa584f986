// Dead-man switches in the control loop.
#include <fmt/format.h>

#include <algorithm>

#include "alerts/ping_rows.h"
#include "alerts/step.h"
#include "alerts/timers.h"

namespace atalaya::alerts {
namespace {

constexpr Duration kLeastTime{std::chrono::seconds{1}};
constexpr Duration kMostTime{std::chrono::hours{24 * 365}};

std::string timer_of(const PingCheck& check) { return std::string(kPingTimer) + check.id; }

std::unexpected<Error> unknown() { return fail(ErrorCode::kNotFound, "there is no such check"); }

Status check_times(const PingCheck& check) {
  for (const auto time : {check.period, check.grace}) {
    if (time >= kLeastTime && time <= kMostTime) continue;
    return fail(ErrorCode::kInvalidArgument, fmt::format("period and grace: {} is none", format_duration(time)),
                "from 1s to 1y each");
  }
  if (check.name.empty()) return fail(ErrorCode::kInvalidArgument, "the check has no name");
  return {};
}

}  // namespace

Status Machine::Step::set_ping(const SetPing& given) {
  AT_TRY(check_times(given.check));
  AT_TRY(auto before, load_ping(session_, tenant_, given.check.id));
  auto check = before.value_or(given.check);
  if (!before) {
    check.created = now_;
  }
  const bool renamed = before && (before->name != given.check.name || before->labels != given.check.labels);
  if (renamed) AT_TRY(ping_alert(*before, false, "its check has another name now"));
  check.name = given.check.name;
  check.period = given.check.period;
  check.grace = given.check.grace;
  check.labels = given.check.labels;
  check.heartbeat = given.check.heartbeat;
  if (check.due && check.last && !check.started) {
    check.due = *check.last + check.period + check.grace;
    AT_TRY(effects_.set_timer(timer_of(check), *check.due));
  }
  if (renamed && check.state == PingState::kDown) AT_TRY(ping_alert(check, true, "it is down"));
  auto stored = store_ping(session_, tenant_, check);
  if (!stored && stored.error().code == ErrorCode::kConflict) {
    return fail(ErrorCode::kAlreadyExists, fmt::format("there is a check {} already", check.name),
                "choose another name");
  }
  return stored;
}

Status Machine::Step::remove_ping(const RemovePing& given) {
  AT_TRY(auto check, load_ping(session_, tenant_, given.id));
  if (!check) return unknown();
  AT_TRY(ping_alert(*check, false, "the check was removed"));
  AT_TRY(effects_.cancel_timer(timer_of(*check)));
  return alerts::remove_ping(session_, tenant_, given.id);
}

Status Machine::Step::pinged(const Pinged& given) {
  AT_TRY(auto found, load_ping(session_, tenant_, given.id));
  if (!found) return unknown();
  auto& check = *found;
  auto line = given.line;
  line.number = ++check.pings;
  line.at = now_;
  line.body.resize(std::min(line.body.size(), kMaxPingBytes));
  AT_TRY(add_ping_line(session_, tenant_, check.id, line));
  if (line.kind == PingKind::kLog) return store_ping(session_, tenant_, check);
  if (line.kind == PingKind::kStart) {
    check.started = now_;
    // One that is down stays so until it succeeds.
    if (check.state != PingState::kDown) check.due = now_ + check.grace;
  } else {
    if (check.started) check.took = now_ - *check.started;
    check.started.reset();
    check.last = now_;
    const bool good = line.kind == PingKind::kSuccess;
    check.state = good ? PingState::kUp : PingState::kDown;
    check.due = good ? std::optional(now_ + check.period + check.grace) : std::nullopt;
    const auto words = line.exit ? fmt::format("it failed with exit status {}", *line.exit) : "it reported a failure";
    AT_TRY(ping_alert(check, !good, good ? "it succeeded" : words));
  }
  if (check.due) {
    AT_TRY(effects_.set_timer(timer_of(check), *check.due));
  } else {
    AT_TRY(effects_.cancel_timer(timer_of(check)));
  }
  return store_ping(session_, tenant_, check);
}

Status Machine::Step::ping_missed(const std::string& id) {
  AT_TRY(auto check, load_ping(session_, tenant_, id));
  if (!check || !check->due || *check->due > now_) return {};
  const auto words = check->started
                         ? fmt::format("it began at {} and did not end", format_rfc3339(*check->started))
                         : fmt::format("no ping since {}", format_rfc3339(check->last.value_or(check->created)));
  check->state = PingState::kDown;
  check->due.reset();
  check->started.reset();
  AT_TRY(ping_alert(*check, true, words));
  return store_ping(session_, tenant_, *check);
}

Status Machine::Step::ping_alert(const PingCheck& check, bool down, const std::string& words) {
  auto labels = check.labels;
  labels["alertname"] = check.name;
  // A switch of somebody's is about trouble unless he says how bad.
  labels.try_emplace("severity", "critical");
  return post({.labels = Labels(labels),
               .annotations = {{"summary", fmt::format("{}: {}", check.name, words)}},
               .generator_url = {},
               .starts = now_,
               .ends = down ? kMaxTime : now_,
               .received = now_,
               .timed_out = false},
              "ping");
}

}  // namespace atalaya::alerts
