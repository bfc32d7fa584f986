#include "incidents/incident.h"

#include <fmt/format.h>

#include <charconv>

namespace atalaya::incidents {

Result<IncidentId> parse_incident_id(std::string_view text) {
  const auto digits = text.starts_with('#') ? text.substr(1) : text;
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failed != std::errc{} || end != digits.data() + digits.size() || number == 0) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is no number of an incident", text));
  }
  return IncidentId{number};
}

std::string to_string(IncidentId id) { return fmt::to_string(id.value()); }

std::string_view name(State state) {
  switch (state) {
    case State::kOpen: return "open";
    case State::kAcknowledged: return "acknowledged";
    case State::kClosed: return "closed";
  }
  return "";
}

std::string_view name(JoinedBy how) {
  switch (how) {
    case JoinedBy::kFirst: return "first";
    case JoinedBy::kGroup: return "group";
    case JoinedBy::kCorrelate: return "correlate";
    case JoinedBy::kTopology: return "topology";
    case JoinedBy::kPerson: return "person";
  }
  return "";
}

std::string_view trend(const Incident& incident) {
  if (!incident.severity_before || *incident.severity_before == incident.severity) return "no_change";
  return incident.severity > *incident.severity_before ? "more_severe" : "less_severe";
}

}  // namespace atalaya::incidents
