#include "control/machine.h"

#include <fmt/format.h>

namespace atalaya::control {

Status Effects::set_timer(std::string_view key, Time due) {
  AT_TRY(
      session_.execute("INSERT INTO control_timers(tenant_id, machine, timer_key, due_ms) VALUES(?, ?, ?, ?) "
                       "ON CONFLICT(tenant_id, machine, timer_key) DO UPDATE SET due_ms=excluded.due_ms",
                       {tenant_.value(), std::string(machine_), std::string(key), to_ms(due)}));
  return {};
}

Status Effects::cancel_timer(std::string_view key) {
  AT_TRY(session_.execute("DELETE FROM control_timers WHERE tenant_id=? AND machine=? AND timer_key=?",
                          {tenant_.value(), std::string(machine_), std::string(key)}));
  return {};
}

Status Machine::on_timer(const TenantId&, std::string_view key, Time, Time, db::Session&, Effects&) {
  return fail(ErrorCode::kInternal, fmt::format("machine {}: timer {} that it never set", name(), key));
}

}  // namespace atalaya::control
