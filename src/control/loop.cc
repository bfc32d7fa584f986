#include "control/loop.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "telemetry/log.h"

namespace atalaya::control {

/// What one step holds in its hands until the commit.
struct Loop::Transaction {
  Time now;
  std::vector<Queued> events;
  db::Session* session = nullptr;
  std::vector<Status> verdicts;  ///< one an event
  std::vector<Output> outputs;
  std::map<std::string, std::uint64_t> cursors;
  std::optional<Time> timer_due;
  Stepped result;
};

Loop::Loop(db::Database& database, std::vector<Machine*> machines, LoopOptions options, CrashPoint crash)
    : database_(database),
      machines_(std::move(machines)),
      options_(options),
      crash_(std::move(crash)),
      queue_(options.queue) {
  for (auto* machine : machines_) {
    for (const auto& type : machine->handles()) AT_CHECK(by_type_.emplace(type, machine).second);
  }
}

std::vector<db::Migration> Loop::migrations() {
  return {{"control", 1,
           "CREATE TABLE control_timers("
           " tenant_id TEXT NOT NULL, machine TEXT NOT NULL, timer_key TEXT NOT NULL, due_ms BIGINT NOT NULL,"
           " PRIMARY KEY(tenant_id, machine, timer_key));"
           "CREATE INDEX control_timers_due ON control_timers(due_ms, tenant_id, machine, timer_key);"
           "CREATE TABLE control_cursors(name TEXT NOT NULL PRIMARY KEY, position BIGINT NOT NULL)"}};
}

namespace {

Result<std::optional<Time>> earliest_timer(db::Session& session) {
  AT_TRY(const auto rows, session.query("SELECT min(due_ms) FROM control_timers"));
  if (rows.empty() || rows.front().is_null(0)) return std::optional<Time>{};
  return std::optional<Time>{from_ms(rows.front().integer(0))};
}

}  // namespace

Status Loop::restore() {
  return database_.read([&](db::Session& session) -> Status {
    AT_TRY(timer_due_, earliest_timer(session));
    AT_TRY(const auto rows, session.query("SELECT name, position FROM control_cursors"));
    for (const auto& row : rows) stored_cursors_[row.text(0)] = static_cast<std::uint64_t>(row.integer(1));
    return {};
  });
}

Status Loop::post(Event&& event) {
  if (event.body.has_value() && !by_type_.contains(std::type_index(event.body.type()))) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("no machine takes an event {}", event.body.type().name()));
  }
  return queue_.post(std::move(event));
}

void Loop::abandon(const Error& why) {
  while (!queue_.empty()) {
    const auto events = queue_.take({});
    queue_.settled(events);
    for (const auto& queued : events) {
      if (queued.event.done) queued.event.done(std::unexpected(why));
    }
  }
}

std::optional<Time> Loop::next_due() const {
  if (timer_due_ && cursor_due_) return std::min(*timer_due_, *cursor_due_);
  return timer_due_ ? timer_due_ : cursor_due_;
}

std::uint64_t Loop::cursor(const std::string& name) const {
  const auto it = stored_cursors_.find(name);
  return it == stored_cursors_.end() ? 0 : it->second;
}

Result<Stepped> Loop::step(Time now) {
  crash_point("begin");
  Transaction tx;
  tx.now = now;
  tx.events = queue_.take({options_.batch, options_.tenant_batch, options_.weight});
  tx.verdicts.resize(tx.events.size());
  tx.timer_due = timer_due_;
  tx.cursors = moved_cursors_;
  for (const auto& [name, position] : queue_.cursors_after(tx.events)) {
    auto& moved = tx.cursors[name];
    moved = std::max(moved, position);
  }
  const bool has_bodies = std::ranges::any_of(tx.events, [](const Queued& q) { return q.event.body.has_value(); });
  const bool timers = timer_due_ && *timer_due_ <= now;
  const bool cursors = cursor_due_ && *cursor_due_ <= now;
  if (!has_bodies && !timers && !cursors) {
    // Nothing but moves of cursors: they wait for company.
    moved_cursors_ = std::move(tx.cursors);
    if (!moved_cursors_.empty() && !cursor_due_) cursor_due_ = now + options_.cursor_delay;
    tx.result.events = tx.events.size();
    queue_.settled(tx.events);
    publish(tx);
    tx.result.more = !queue_.empty();
    return tx.result;
  }
  const auto written = database_.write([&](db::Session& session) -> Status {
    tx.session = &session;
    AT_TRY(run_events(tx));
    AT_TRY(run_timers(tx));
    AT_TRY(store_cursors(tx));
    AT_TRY(tx.timer_due, earliest_timer(session));
    crash_point("commit");
    return {};
  });
  if (!written) {
    tell(Boundary::kStepUndone);
    roll_back(tx, written.error());
    return std::unexpected(written.error());
  }
  tell(Boundary::kStepKept);
  crash_point("committed");
  commit(tx);
  publish(tx);
  crash_point("published");
  return tx.result;
}

Status Loop::run_events(Transaction& tx) {
  for (std::size_t i = 0; i < tx.events.size(); ++i) {
    const auto& event = tx.events[i].event;
    if (event.body.has_value()) {
      auto& machine = *by_type_.at(std::type_index(event.body.type()));
      AT_TRY(guarded(
          tx, event.tenant, machine,
          [&](Effects& effects) { return machine.handle(event, tx.now, *tx.session, effects); }, tx.verdicts[i]));
      if (!tx.verdicts[i] && !event.done) {
        telemetry::log_warn("control", "an event was refused",
                            {{"machine", machine.name()}, {"error", to_string(tx.verdicts[i].error())}});
      }
    }
    ++tx.result.events;
    crash_point("event");
  }
  return {};
}

Status Loop::run_timers(Transaction& tx) {
  AT_TRY(const auto due, tx.session->query("SELECT tenant_id, machine, timer_key, due_ms FROM control_timers "
                                           "WHERE due_ms<=? ORDER BY due_ms, tenant_id, machine, timer_key LIMIT ?",
                                           {to_ms(tx.now), static_cast<std::int64_t>(options_.timers)}));
  for (const auto& row : due) {
    AT_TRY(
        const auto removed,
        tx.session->execute("DELETE FROM control_timers WHERE tenant_id=? AND machine=? AND timer_key=? AND due_ms=?",
                            {row.text(0), row.text(1), row.text(2), row.integer(3)}));
    if (removed == 0) continue;  // moved or cancelled by an earlier timer of this step
    ++tx.result.timers;
    const auto machine = std::ranges::find_if(machines_, [&](Machine* m) { return m->name() == row.text(1); });
    if (machine == machines_.end()) continue;  // left by a version that had this machine
    const TenantId tenant{row.text(0)};
    Status verdict;
    AT_TRY(guarded(
        tx, tenant, **machine,
        [&](Effects& effects) {
          return (*machine)->on_timer(tenant, row.text(2), from_ms(row.integer(3)), tx.now, *tx.session, effects);
        },
        verdict));
    if (!verdict) {
      telemetry::log_warn("control", "a timer was refused",
                          {{"machine", row.text(1)}, {"key", row.text(2)}, {"error", to_string(verdict.error())}});
    }
    crash_point("timer");
  }
  return {};
}

Status Loop::guarded(Transaction& tx, const TenantId& tenant, Machine& machine,
                     const std::function<Status(Effects&)>& work, Status& verdict) {
  const auto outputs = tx.outputs.size();
  AT_TRY(tx.session->execute("SAVEPOINT control_event"));
  Effects effects(machine.name(), tenant, *tx.session, tx.outputs);
  verdict = work(effects);
  if (!verdict) {
    if (verdict.error().code == ErrorCode::kUnavailable) return verdict;
    tx.outputs.resize(outputs);
    ++tx.result.refused;
    AT_TRY(tx.session->execute("ROLLBACK TO SAVEPOINT control_event"));
  }
  AT_TRY(tx.session->execute("RELEASE SAVEPOINT control_event"));
  tell(verdict ? Boundary::kEventKept : Boundary::kEventUndone);
  return {};
}

void Loop::tell(Boundary boundary) {
  for (auto* machine : machines_) machine->on_boundary(boundary);
}

Status Loop::store_cursors(Transaction& tx) {
  for (const auto& [name, position] : tx.cursors) {
    AT_TRY(
        tx.session->execute("INSERT INTO control_cursors(name, position) VALUES(?, ?) "
                            "ON CONFLICT(name) DO UPDATE SET position=excluded.position",
                            {name, static_cast<std::int64_t>(position)}));
  }
  crash_point("cursor");
  return {};
}

void Loop::roll_back(Transaction& tx, const Error& error) {
  std::vector<Queued> again;
  std::vector<Queued> ended;
  for (auto& queued : tx.events) {
    const bool reported = queued.event.done && !queued.event.cursor;
    (reported ? ended : again).push_back(std::move(queued));
  }
  queue_.put_back(std::move(again));
  for (const auto& queued : ended) queued.event.done(std::unexpected(error));
}

void Loop::commit(Transaction& tx) {
  for (const auto& [name, position] : tx.cursors) stored_cursors_[name] = position;
  moved_cursors_.clear();
  cursor_due_.reset();
  timer_due_ = tx.timer_due;
  queue_.settled(tx.events);
  tx.result.more = !queue_.empty() || (timer_due_ && *timer_due_ <= tx.now);
}

void Loop::publish(Transaction& tx) {
  for (const auto& output : tx.outputs) {
    const auto it = listeners_.find(std::type_index(output.body.type()));
    if (it == listeners_.end()) continue;
    for (const auto& listener : it->second) listener(output);
  }
  for (std::size_t i = 0; i < tx.events.size(); ++i) {
    if (tx.events[i].event.done) tx.events[i].event.done(tx.verdicts[i]);
  }
}

}  // namespace atalaya::control
