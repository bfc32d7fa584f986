// What plugs into the control loop: state machines, the events they take and the effects they leave.
#pragma once

#include <any>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "db/database.h"

namespace atalaya::control {

/// Called once, on the control thread, after the commit (or the refusal) and after the outputs were
/// published. Must be short and must not wait for the loop.
using Done = std::function<void(Status)>;

/// How far a reader of some log (a judge over a store) has come. Stored with the event that carries
/// it, in the same transaction; but never before every event of the same cursor name that was posted
/// earlier is stored too, so that a restart from the cursor repeats work rather than loses it.
struct Cursor {
  std::string name;
  std::uint64_t position = 0;
};

/// Something that happened. The type of `body` chooses the machine; an empty body moves the cursor
/// only. An event *with* `done` is reported: an error, also of the database, ends it. One *without*
/// stays in the queue, in its place, until the database takes it.
struct Event {
  TenantId tenant;
  std::any body;
  Done done;
  std::optional<Cursor> cursor;
  /// It may overtake what waits: who sent that has no answer yet, so no order was promised. Not for one with a cursor,
  /// nor for one that its own sender does not wait for.
  bool urgent = false;
  std::size_t weight = 1;  ///< of its work: alerts, say
};

/// Something the outside should hear of once it is committed.
struct Output {
  TenantId tenant;
  std::any body;
};

/// What a machine leaves behind while it handles one event or timer; taken back if the machine
/// returns an error or the transaction fails. Thread-compatible; lives as long as the call.
class Effects {
 public:
  Effects(std::string_view machine, const TenantId& tenant, db::Session& session, std::vector<Output>& outputs)
      : machine_(machine), tenant_(tenant), session_(session), outputs_(outputs) {}

  /// A durable timer of this machine and tenant, in the same transaction. One a key: setting it
  /// again moves it. It is removed when it fires.
  Status set_timer(std::string_view key, Time due);
  Status cancel_timer(std::string_view key);
  /// The same step on behalf of another machine: its timers.
  Effects of(std::string_view machine) const { return {machine, tenant_, session_, outputs_}; }
  /// Heard by listeners of type T after the commit: changes for live views, work for outbox workers.
  /// Not durable by itself: what must not be lost is a row that a restart finds.
  template <typename T>
  void publish(T body) {
    outputs_.push_back({tenant_, std::any(std::move(body))});
  }

 private:
  std::string_view machine_;
  const TenantId& tenant_;
  db::Session& session_;
  std::vector<Output>& outputs_;
};

/// Where a step has come to, for machines that remember something beside their rows.
enum class Boundary : std::uint8_t {
  kEventKept,    ///< the event or timer is over; its rows stand in the transaction
  kEventUndone,  ///< it was refused: its rows are gone, those before it stand
  kStepKept,     ///< committed
  kStepUndone,   ///< everything since the last kStepKept is gone
};

/// A state machine of the control loop. It keeps its state in rows: `handle` and `on_timer` read and
/// write them through `session`, read no clock and do no I/O, so that equal histories end in equal
/// states. Strand-bound (the control thread).
///
/// An error of code unavailable means that the database failed: the whole step is undone and tried
/// again. Any other error refuses this event alone: its rows and effects are undone.
class Machine {
 public:
  virtual ~Machine() = default;
  /// Constant; names the machine's timers.
  virtual std::string_view name() const = 0;
  /// Types of event bodies that belong to this machine and to no other.
  virtual std::vector<std::type_index> handles() const = 0;
  virtual Status handle(const Event& event, Time now, db::Session& session, Effects& effects) = 0;
  /// `due` ≤ `now`. A machine without timers keeps this.
  virtual Status on_timer(const TenantId& tenant, std::string_view key, Time due, Time now, db::Session& session,
                          Effects& effects);
  /// Told to every machine, whoever's event it was. What was remembered of rows that are gone must go too.
  virtual void on_boundary(Boundary) {}
};

}  // namespace atalaya::control
