// Alerts that Alerta's clients report, and what they do with alerts of any door.
#include <fmt/format.h>

#include <algorithm>

#include "alerts/report_rows.h"
#include "alerts/step.h"
#include "alerts/timers.h"

namespace atalaya::alerts {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostTags = 256;
constexpr std::size_t kMostNotes = 1000;
constexpr std::int64_t kMostValues = 100;  ///< lines of the history about values alone, of one alert

void add_texts(std::vector<std::string>& into, const std::vector<std::string>& more) {
  for (const auto& one : more) {
    if (std::ranges::find(into, one) == into.end() && into.size() < kMostTags) into.push_back(one);
  }
}

void change_attributes(json::object& attributes, const json::object& changes) {
  for (const auto& [key, value] : changes) {
    if (value.is_null()) {
      attributes.erase(key);
    } else {
      attributes[key] = value;
    }
  }
}

/// A report as it stands after one more post about it.
Report after(Report known, const Report& posted, bool duplicate, Time now) {
  auto out = std::move(known);
  if (!duplicate) {
    out.previous_severity = out.severity;
    out.event = posted.event;
    out.severity = posted.severity;
    out.created = posted.created;
    out.received = now;
  }
  out.duplicates = duplicate ? out.duplicates + 1 : 0;
  out.repeat = duplicate;
  out.service = posted.service;
  out.value = posted.value;
  out.text = posted.text;
  out.timeout = posted.timeout;
  out.raw_data = posted.raw_data;
  out.status.clear();
  out.last_received = now;
  out.last_received_id = posted.id.value();
  add_texts(out.tags, posted.tags);
  change_attributes(out.attributes, posted.attributes);
  return out;
}

Report first(const Report& posted, Time now) {
  auto out = posted;
  out.attributes.clear();
  change_attributes(out.attributes, posted.attributes);
  out.received = out.last_received = out.changed = now;
  out.last_received_id = posted.id.value();
  return out;
}

std::string line_of(const Report& r, std::string_view status, std::string_view type, std::int64_t timeout) {
  return json::serialize(json::object{{"event", r.event},
                                      {"severity", r.severity},
                                      {"status", status},
                                      {"value", r.value},
                                      {"type", type},
                                      {"timeout", timeout}});
}

/// What our alert says of a report.
void describe(Alert& alert, const Report& r, Labels labels, std::string door) {
  alert.name = r.event;
  alert.labels = std::move(labels);
  alert.door = std::move(door);
  alert.text = r.text;
  alert.annotations.clear();
  for (const auto& [key, value] : r.attributes) {
    if (value.is_string()) alert.annotations.emplace(key, value.get_string());
  }
  if (!r.text.empty()) alert.annotations["summary"] = r.text;
  if (!r.value.empty()) alert.annotations["value"] = r.value;
}

void fire(Alert& alert, const Report& r, Time now) {
  alert.state = State::kFiring;
  alert.severity = severity_of_label(r.severity);
  alert.severity_word = r.severity;
  alert.level = alert.severity == Severity::kCritical ? Level::kCritical : Level::kWarning;
  alert.timed_out = true;
  alert.ends = r.timeout > 0 ? std::optional(now + std::chrono::seconds{r.timeout}) : std::nullopt;
}

/// The status that an action leads to; "" for one that leads nowhere.
std::string_view status_after(const std::string& action) {
  if (action == "ack") return "ack";
  if (action == "shelve") return "shelved";
  if (action == "open") return "open";
  if (action == "close") return "closed";
  if (action == "expired") return "expired";
  return "";
}

std::unexpected<Error> unknown(const AlertId& id) {
  return fail(ErrorCode::kNotFound, fmt::format("there is no alert {}", id.value()));
}

}  // namespace

Status Machine::Step::end_of_labels(const Alert& before, const Labels& now) {
  if (machine_.sink_ == nullptr || before.labels == now) return {};
  auto gone = before;
  gone.state = State::kResolved;
  gone.resolved = now_;
  return machine_.sink_->on_alert(tenant_, gone, now_, session_, effects_);
}

Status Machine::Step::reported(const Reported& given) {
  AT_TRY(auto known, find_report(session_, tenant_, given.report));
  std::optional<StoredAlert> before;
  if (known) {
    AT_TRY(before, load_alert(session_, tenant_, known->id));
  }
  const bool duplicate = before && known->event == given.report.event && known->severity == given.report.severity;
  Change change{.duplicate = duplicate,
                .worse = before && trend_of(known->severity, given.report.severity) == "moreSevere",
                .value = duplicate && known->value != given.report.value};
  std::string status_before;
  if (before) {
    AT_TRY(hidden(before->alert));
    status_before = status_word(before->alert, *known);
  }
  auto next = before ? after(*known, given.report, duplicate, now_) : first(given.report, now_);
  if (given.stored) *given.stored = next.id;
  AT_TRY(report(std::move(before), next, given, change));
  AT_TRY(auto now, load_alert(session_, tenant_, next.id));
  AT_TRY(hidden(now->alert));
  if (status_word(now->alert, next) != status_before) next.changed = now_;
  AT_TRY(store_report(session_, tenant_, next, true));
  if (!given.status.empty() && given.status != "open" && given.status != status_word(now->alert, next)) {
    AT_TRY(report_action({next.id, ReportAction::Kind::kStatus, given.status, next.text, 0, given.user}));
  }
  return set_ends_timer();
}

Status Machine::Step::report(std::optional<StoredAlert> before, Report& next, const Reported& given,
                             const Change& change) {
  const bool normal = is_normal(next.severity);
  const bool open = before && before->alert.state != State::kResolved;
  const bool anew = !before || (!open && !normal);
  auto labels = labels_of(next, given.report.tags);
  if (open) AT_TRY(end_of_labels(before->alert, labels));
  StoredAlert stored;
  if (anew) {
    stored.alert = next_episode(before ? &before->alert : nullptr, next.id);
    stored.alert.started = before ? now_ : std::min(next.created, now_);
  } else {
    stored = std::move(*before);
  }
  auto& alert = stored.alert;
  const auto from = anew ? std::nullopt : std::optional(alert.state);
  const auto severity_before = alert.severity;
  describe(alert, next, std::move(labels), given.door);
  ++alert.count;
  Words words{.to = {}, .by = given.user, .always = !change.duplicate, .worse = change.worse};
  if (!normal) fire(alert, next, now_);
  if (normal && !open) {
    alert.state = State::kResolved;
    alert.resolved = alert.resolved.value_or(now_);
  }
  if (normal) alert.timed_out = false;
  AT_TRY(hidden(alert));
  auto seen = alert;
  if (change.worse) seen.ack.reset();
  if (normal) seen.state = State::kResolved;
  const bool turned = anew || (normal && open);
  const auto type = anew && alert.episode == 1 ? "new" : !change.duplicate ? "severity" : turned ? "status" : "value";
  said_ = line_of(next, status_word(seen, next), type, next.timeout);
  if (change.value && !turned) AT_TRY(add_value_line(alert, given.user));
  if (normal && open) return resolve(std::move(stored), now_, next.text, false, words);
  if (normal) AT_TRY(effects_.set_timer(kPurge, next_purge(now_)));
  return settle(stored, from, severity_before, now_, words);
}

Status Machine::Step::add_value_line(Alert& alert, const std::string& user) {
  ++alert.transitions;
  AT_TRY(add_line(alert, now_, std::string(alerts::name(alert.state)), "value", alert.text, user));
  AT_TRY(session_.execute("DELETE FROM alerts_history WHERE tenant_id=? AND id=? AND transition<? AND to_state='value'",
                          {tenant_.value(), alert.id.value(), std::int64_t{alert.transitions} - kMostValues}));
  return {};
}

Status Machine::Step::reopen(StoredAlert stored, Report& report, const ReportAction& given) {
  if (!is_reported(stored.alert)) {
    if (stored.alert.closed) return forget_closing(std::move(stored));
    return fail(ErrorCode::kConflict, fmt::format("alert {} is over", given.id.value()),
                "its rule or its sender opens it again");
  }
  if (is_normal(report.severity)) {
    std::swap(report.severity, report.previous_severity);
    if (is_normal(report.severity)) report.severity = kFirstSeverity;
  }
  auto alert = next_episode(&stored.alert, stored.alert.id);
  alert.started = now_;
  describe(alert, report, stored.alert.labels, stored.alert.door);
  fire(alert, report, now_);
  alert.count = 1;
  said_ = line_of(report, "open", given.word, report.timeout);
  StoredAlert next;
  next.alert = std::move(alert);
  return settle(next, std::nullopt, Severity::kNone, now_, {.to = {}, .by = given.user});
}

Status Machine::Step::act(const StoredAlert& stored, Report& report, const std::string& wanted,
                          const ReportAction& given) {
  const bool by_action = given.kind == ReportAction::Kind::kAction;
  const auto type = by_action ? given.word : "status";
  const auto id = given.id;
  const bool resolved = stored.alert.state == State::kResolved;
  auto seen = stored.alert;
  const auto say = [&](std::string_view status, std::int64_t timeout) {
    said_ = line_of(report, status, type, timeout > 0 ? timeout : report.timeout);
  };
  report.status = wanted == "assign" || wanted == "unknown" || wanted == "expired" ? wanted : "";
  if (wanted == "ack" || wanted == "assign") {
    say(wanted, given.timeout);
    const auto until = given.timeout > 0 ? std::optional(now_ + std::chrono::seconds{given.timeout}) : std::nullopt;
    return acknowledge({id, given.user, given.text, until});
  }
  if (wanted == "shelved") {
    const auto lasts = given.timeout > 0 ? given.timeout : kShelfTimeout;
    say(wanted, lasts);
    return shelve({id, given.user, given.text, now_ + std::chrono::seconds{lasts}});
  }
  if (wanted == "closed" || wanted == "expired") {
    if (by_action && wanted == "closed" && is_reported(stored.alert) && !is_normal(report.severity)) {
      report.previous_severity = std::exchange(report.severity, std::string(kNormalSeverity));
    }
    say(wanted, 0);
    auto next = stored;
    next.alert.closed.reset();
    if (wanted == "closed") next.alert.closed = Closing{given.user, now_, given.text};
    if (!resolved) return resolve(std::move(next), now_, given.text, false, {.to = wanted, .by = given.user});
    return command(next, wanted, given.user, given.text);
  }
  if (wanted == "open" && resolved) return reopen(stored, report, given);
  if (wanted == "open" || given.word == "unshelve") {
    seen.shelf.reset();
    if (wanted == "open") seen.ack.reset();
    say(status_word(seen, report), 0);
    AT_TRY(unshelve({id, given.user}));
    return wanted == "open" && stored.alert.ack ? unacknowledge({id, given.user}) : Status{};
  }
  if (given.word == "unack") {
    seen.ack.reset();
    say(status_word(seen, report), 0);
    return unacknowledge({id, given.user});
  }
  say(status_word(stored.alert, report), 0);
  auto next = stored;
  return command(next, "note", given.user, fmt::format("{}: {}", given.word, given.text));
}

Status Machine::Step::report_action(const ReportAction& given) {
  AT_TRY(auto stored, load_alert(session_, tenant_, given.id));
  if (!stored) return unknown(given.id);
  AT_TRY(hidden(stored->alert));
  AT_TRY(const auto kept, load_report(session_, tenant_, given.id));
  auto report = report_of(stored->alert, kept ? &*kept : nullptr);
  const bool by_action = given.kind == ReportAction::Kind::kAction;
  const auto wanted = by_action ? std::string(status_after(given.word)) : given.word;
  if (by_action && !wanted.empty() && wanted == status_word(stored->alert, report)) {
    return fail(ErrorCode::kConflict, fmt::format("alert is already in {} status", wanted));
  }
  AT_TRY(act(*stored, report, wanted, given));
  report.changed = now_;
  const bool reported = is_reported(stored->alert);
  if (reported || kept || !report.status.empty()) AT_TRY(store_report(session_, tenant_, report, reported));
  return set_ends_timer();
}

Status Machine::Step::edit_report(const EditReport& given) {
  AT_TRY(auto stored, load_alert(session_, tenant_, given.id));
  if (!stored) return unknown(given.id);
  AT_TRY(const auto kept, load_report(session_, tenant_, given.id));
  auto report = report_of(stored->alert, kept ? &*kept : nullptr);
  add_texts(report.tags, given.add_tags);
  std::erase_if(report.tags, [&](const auto& tag) { return std::ranges::count(given.remove_tags, tag) > 0; });
  change_attributes(report.attributes, given.attributes);
  const auto note_at = [&](const std::string& id) { return std::ranges::find(report.notes, id, &ReportNote::id); };
  if (!given.remove_note.empty()) {
    if (note_at(given.remove_note) == report.notes.end()) return fail(ErrorCode::kNotFound, "there is no such note");
    report.notes.erase(note_at(given.remove_note));
  }
  if (given.note) {
    auto note = *given.note;
    if (note.text.empty()) return fail(ErrorCode::kInvalidArgument, "the note has no text");
    AT_TRY(hidden(stored->alert));
    said_ = line_of(report, status_word(stored->alert, report), "note", report.timeout);
    if (const auto known = note_at(note.id); known != report.notes.end()) {
      note.created = known->created;
      note.updated = now_;
      *known = note;
    } else if (report.notes.size() >= kMostNotes) {
      return fail(ErrorCode::kResourceExhausted, fmt::format("the alert has {} notes already", report.notes.size()));
    } else {
      note.created = now_;
      report.notes.push_back(note);
    }
    AT_TRY(command(*stored, "note", given.user, note.text));
  }
  return store_report(session_, tenant_, report, is_reported(stored->alert));
}

Status Machine::Step::delete_alert(const DeleteAlert& given) {
  AT_TRY(auto stored, load_alert(session_, tenant_, given.id));
  if (!stored) return unknown(given.id);
  if (stored->alert.state != State::kResolved) {
    AT_TRY(resolve(std::move(*stored), now_, "the alert was deleted", false));
  }
  AT_TRY(alerts::delete_alert(session_, tenant_, given.id));
  return set_ends_timer();
}

}  // namespace atalaya::alerts
