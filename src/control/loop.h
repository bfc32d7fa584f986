// The deterministic heart: events and timers in, rows and outputs out, one transaction a step.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <unordered_map>
#include <vector>

#include "control/machine.h"
#include "control/queue.h"
#include "db/database.h"

namespace atalaya::control {

/// Called at named places of a step; a test throws from it to lose the process there. Names:
/// `begin`, `event` (after each), `timer` (after each), `cursor`, `commit` (before it), `committed`
/// (after it), `published`.
using CrashPoint = std::function<void(std::string_view place)>;

struct LoopOptions {
  Queue::Limits queue;
  std::size_t batch = 256;        ///< events a step
  std::size_t tenant_batch = 32;  ///< of one tenant before the next one's turn
  std::size_t weight = 128;       ///< of a step's events together: what comes meanwhile waits so long
  std::size_t timers = 256;       ///< timers a step
  Duration cursor_delay{1000};    ///< how long a move of a cursor alone may wait for company
};

struct Stepped {
  std::size_t events = 0;  ///< stored or refused
  std::size_t timers = 0;
  std::size_t refused = 0;
  bool more = false;  ///< events or due timers are left: step again at once
};

/// *Operation*: `step(now)` takes a fair batch of events (urgent ones alone), then the due timers in order of their due
/// time, hands each to its machine and commits everything, cursors included, in one transaction;
/// then tells the listeners and calls `done`. A machine's refusal undoes that event alone (a
/// savepoint); a database error undoes the step: events with `done` are reported, the others wait in
/// their place for the next step.
/// *Concurrency*: strand-bound, except `post`, which is thread-safe. No thread, no clock.
/// *Invariant*: given the same rows, events and times, the same rows and outputs follow.
class Loop {
 public:
  /// Does not own the database or the machines; all outlive it.
  Loop(db::Database& database, std::vector<Machine*> machines, LoopOptions options = {}, CrashPoint crash = {});

  /// Tables of timers and cursors; docs/formats/control-database.md.
  static std::vector<db::Migration> migrations();
  /// Reads what the previous process left. Call once, before the first step.
  Status restore();

  /// Before the first step. Listeners run on the strand, after the commit, in order of publication.
  template <typename T>
  void listen(std::function<void(const TenantId&, const T&)> listener) {
    listeners_[std::type_index(typeid(T))].push_back(
        [listener = std::move(listener)](const Output& o) { listener(o.tenant, std::any_cast<const T&>(o.body)); });
  }

  /// Thread-safe. resource_exhausted when full, invalid_argument when no machine takes the body; the
  /// event is then untouched.
  Status post(Event&& event);
  Result<Stepped> step(Time now);

  bool idle() const { return queue_.empty(); }
  std::size_t queued() const { return queue_.size(); }
  std::uint64_t posted() const { return queue_.posted(); }
  std::uint64_t passed() const { return queue_.passed(); }
  /// Takes everything out of the queue unprocessed; each `done` hears `why`.
  void abandon(const Error& why);
  /// When the next timer, or the writing of a moved cursor, is due.
  std::optional<Time> next_due() const;
  /// The stored position, 0 if never stored. As of `restore` or the last step.
  std::uint64_t cursor(const std::string& name) const;

 private:
  struct Transaction;
  Status run_events(Transaction& tx);
  Status run_timers(Transaction& tx);
  Status store_cursors(Transaction& tx);
  Status guarded(Transaction& tx, const TenantId& tenant, Machine& machine, const std::function<Status(Effects&)>& work,
                 Status& verdict);
  void tell(Boundary boundary);
  void roll_back(Transaction& tx, const Error& error);
  void commit(Transaction& tx);
  void publish(Transaction& tx);
  void crash_point(std::string_view place) const {
    if (crash_) crash_(place);
  }

  db::Database& database_;
  std::vector<Machine*> machines_;
  std::unordered_map<std::type_index, Machine*> by_type_;
  LoopOptions options_;
  CrashPoint crash_;
  std::unordered_map<std::type_index, std::vector<std::function<void(const Output&)>>> listeners_;
  Queue queue_;

  std::map<std::string, std::uint64_t> stored_cursors_;
  std::map<std::string, std::uint64_t> moved_cursors_;  ///< moved in memory, not yet stored
  std::optional<Time> cursor_due_;
  std::optional<Time> timer_due_;
};

}  // namespace atalaya::control
