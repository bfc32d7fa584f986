// What people do with incidents.
#include <fmt/format.h>

#include <algorithm>

#include "incidents/engine.h"

namespace atalaya::incidents {

Result<Engine::Live*> Engine::for_command(IncidentId id, bool closed_too) {
  const auto found = incidents_.find(id);
  if (found == incidents_.end()) return fail(ErrorCode::kNotFound, fmt::format("there is no incident {}", id.value()));
  const auto& incident = found->second.incident;
  if (!closed_too && incident.closed) {
    return fail(ErrorCode::kConflict, fmt::format("incident {} is closed", id.value()),
                incident.merged_into ? fmt::format("it goes on as incident {}", incident.merged_into->value()) : "");
  }
  return &found->second;
}

Status Engine::acknowledge(const AcknowledgeIncident& command, Time now) {
  AT_TRY(auto* live, for_command(command.id, false));
  auto& incident = live->incident;
  if (command.until && *command.until <= now) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("until {}: that is in the past", format_rfc3339(*command.until)),
                fmt::format("it is {} here", format_rfc3339(now)));
  }
  auto& ack = incident.ack;
  if (ack && ack->by == command.user && ack->note == command.note && ack->until == command.until &&
      incident.owner == command.owner) {
    return {};
  }
  if (!ack) look_at_alerts_of(incident.id);
  if (command.until || (ack && ack->until)) changes_.ack_ends[incident.id] = command.until;
  ack = alerts::Acknowledgement{command.user, now, command.note, command.until};
  add_line(*live, now, "acknowledged", command.note, command.user);
  if (incident.owner != command.owner) {
    incident.owner = command.owner;
    if (command.owner != command.user) add_line(*live, now, "assigned", command.owner, command.user);
  }
  return {};
}

void Engine::drop_ack(Live& live, Time now, const std::string& why, const std::string& by) {
  if (live.incident.ack->until) changes_.ack_ends[live.incident.id] = std::nullopt;
  live.incident.ack.reset();
  look_at_alerts_of(live.incident.id);
  add_line(live, now, "unacknowledged", why, by);
}

void Engine::look_at_alerts_of(IncidentId id) {
  for (const auto& [alert, entry] : entries_) {
    if (entry.incident == id) again_.insert(alert);
  }
}

Status Engine::unacknowledge(const UnacknowledgeIncident& command, Time now) {
  AT_TRY(auto* live, for_command(command.id, true));
  if (live->incident.ack) drop_ack(*live, now, "", command.user);
  return {};
}

void Engine::acknowledgement_ended(IncidentId id, Time now) {
  const auto found = incidents_.find(id);
  if (found == incidents_.end()) return;
  auto& ack = found->second.incident.ack;
  // Given anew since, or taken back.
  if (!ack || !ack->until || *ack->until > now) return;
  ack.reset();
  look_at_alerts_of(id);
  add_line(found->second, now, "unacknowledged", "its time is over");
}

Status Engine::assign(const AssignIncident& command, Time now) {
  AT_TRY(auto* live, for_command(command.id, false));
  if (live->incident.owner == command.owner) return {};
  live->incident.owner = command.owner;
  const auto whom = command.owner.empty() ? "nobody" : command.owner;
  add_line(*live, now, "assigned", command.note.empty() ? whom : whom + ": " + command.note, command.user);
  return {};
}

Status Engine::note(const NoteIncident& command, Time now) {
  AT_TRY(auto* live, for_command(command.id, true));
  if (command.text.empty()) return fail(ErrorCode::kInvalidArgument, "the note has no text");
  add_line(*live, now, "note", command.text, command.user);
  return {};
}

Status Engine::merge(const MergeIncident& command, Time now) {
  if (command.id == command.into) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("incident {} cannot go on in itself", command.id.value()));
  }
  AT_TRY(auto* from, for_command(command.id, true));
  if (from->incident.merged_into == command.into) return {};
  AT_TRY(from, for_command(command.id, false));
  AT_TRY(auto* to, for_command(command.into, false));
  const auto moved = alerts_of(command.id);
  for (const auto& alert : moved) {
    auto& entry = entries_.at(alert);
    take_out(alert, entry, now);
    entry.incident = command.into;
    count(*to, entry, +1);
    ++to->incident.counts.total;
    changes_.members.push_back({command.into, alert, entry.episode, JoinedBy::kPerson, now, std::nullopt});
    again_.insert(alert);
  }
  to->incident.joinable = std::max(to->incident.joinable, from->incident.joinable);
  settle_severity(*to, now);
  go_on_in(*from, *to, now, command.user, command.note);
  return {};
}

std::vector<AlertId> Engine::alerts_of(IncidentId id) const {
  std::vector<AlertId> out;
  for (const auto& [alert, entry] : entries_) {
    if (entry.incident == id) out.push_back(alert);
  }
  std::ranges::sort(out);
  return out;
}

Result<std::vector<AlertId>> Engine::close(const CloseIncident& command, Time now) {
  AT_TRY(auto* live, for_command(command.id, false));
  live->incident.closed_by = alerts::Closing{command.user, now, command.note};
  changed(*live, now);
  return alerts_of(command.id);
}

}  // namespace atalaya::incidents
