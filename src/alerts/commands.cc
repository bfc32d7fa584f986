// What people do with alerts.
#include <fmt/format.h>

#include "alerts/step.h"
#include "alerts/timers.h"

namespace atalaya::alerts {
namespace {

Status check_future(Time until, Time now) {
  if (until > now) return {};
  return fail(ErrorCode::kInvalidArgument, fmt::format("until {}: that is in the past", format_rfc3339(until)),
              fmt::format("it is {} here", format_rfc3339(now)));
}

std::string key(std::string_view prefix, const AlertId& id) { return std::string(prefix) + id.value(); }

}  // namespace

Result<StoredAlert> Machine::Step::open_alert(const AlertId& id) {
  AT_TRY(auto stored, load_alert(session_, tenant_, id));
  if (!stored) return fail(ErrorCode::kNotFound, fmt::format("there is no alert {}", id.value()));
  if (stored->alert.state == State::kResolved) {
    return fail(ErrorCode::kConflict, fmt::format("alert {} is resolved", id.value()));
  }
  return std::move(*stored);
}

Status Machine::Step::command(StoredAlert& stored, std::string to, const std::string& user, const std::string& note) {
  auto& alert = stored.alert;
  ++alert.transitions;
  alert.updated = now_;
  AT_TRY(add_line(alert, now_, std::string(alerts::name(alert.state)), std::move(to), note, user));
  return finish(stored, alert.state, alert.severity, now_, true);
}

Status Machine::Step::acknowledge(const Acknowledge& given) {
  AT_TRY(auto stored, open_alert(given.id));
  auto& ack = stored.alert.ack;
  if (ack && ack->by == given.user && ack->note == given.note && ack->until == given.until) return {};
  if (given.until) {
    AT_TRY(check_future(*given.until, now_));
    AT_TRY(effects_.set_timer(key(kAckTimer, given.id), *given.until));
  } else if (ack && ack->until) {
    AT_TRY(effects_.cancel_timer(key(kAckTimer, given.id)));
  }
  ack = Acknowledgement{given.user, now_, given.note, given.until};
  return command(stored, "acknowledged", given.user, given.note);
}

Status Machine::Step::unacknowledge(const Unacknowledge& given) {
  AT_TRY(auto stored, open_alert(given.id));
  if (!stored.alert.ack) return {};
  if (stored.alert.ack->until) AT_TRY(effects_.cancel_timer(key(kAckTimer, given.id)));
  stored.alert.ack.reset();
  return command(stored, "unacknowledged", given.user, "");
}

Status Machine::Step::acknowledgement_ended(const AlertId& id) {
  AT_TRY(auto stored, load_alert(session_, tenant_, id));
  // Of an episode that is over, or given anew since.
  if (!stored || !stored->alert.ack || !stored->alert.ack->until || *stored->alert.ack->until > now_) return {};
  if (stored->alert.state == State::kResolved) return {};
  stored->alert.ack.reset();
  return command(*stored, "unacknowledged", "", "its time is over");
}

Status Machine::Step::shelve(const Shelve& given) {
  AT_TRY(auto stored, open_alert(given.id));
  AT_TRY(check_future(given.until, now_));
  auto& shelf = stored.alert.shelf;
  if (shelf && shelf->by == given.user && shelf->note == given.note && shelf->until == given.until) return {};
  shelf = Shelving{given.user, now_, given.until, given.note};
  AT_TRY(effects_.set_timer(key(kShelfTimer, given.id), given.until));
  return command(stored, "shelved", given.user, given.note);
}

Status Machine::Step::unshelve(const Unshelve& given) {
  AT_TRY(auto stored, load_alert(session_, tenant_, given.id));
  if (!stored) return fail(ErrorCode::kNotFound, fmt::format("there is no alert {}", given.id.value()));
  if (!stored->alert.shelf) return {};
  stored->alert.shelf.reset();
  AT_TRY(effects_.cancel_timer(key(kShelfTimer, given.id)));
  return command(*stored, "unshelved", given.user, "");
}

Status Machine::Step::shelf_ended(const AlertId& id) {
  AT_TRY(auto stored, load_alert(session_, tenant_, id));
  if (!stored || !stored->alert.shelf || stored->alert.shelf->until > now_) return {};
  stored->alert.shelf.reset();
  return command(*stored, "unshelved", "", "its time is over");
}

Status Machine::Step::close(const Close& given) {
  AT_TRY(auto stored, open_alert(given.id));
  stored.alert.closed = Closing{given.user, now_, given.note};
  return resolve(std::move(stored), now_, given.note, false, {.to = "closed", .by = given.user});
}

Status Machine::Step::add_note(const AddNote& given) {
  AT_TRY(auto stored, load_alert(session_, tenant_, given.id));
  if (!stored) return fail(ErrorCode::kNotFound, fmt::format("there is no alert {}", given.id.value()));
  if (given.text.empty()) return fail(ErrorCode::kInvalidArgument, "the note has no text");
  return command(*stored, "note", given.user, given.text);
}

}  // namespace atalaya::alerts
