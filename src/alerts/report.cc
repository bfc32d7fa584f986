#include "alerts/report.h"

#include <algorithm>
#include <array>

namespace atalaya::alerts {
namespace {

namespace json = boost::json;

struct Step {
  std::string_view word;
  int rank;
};
constexpr std::array kLadder{Step{"security", 0}, Step{"critical", 1},      Step{"major", 2},
                             Step{"minor", 3},    Step{"warning", 4},       Step{"ok", 7},
                             Step{"normal", 7},   Step{"cleared", 7},       Step{"debug", 8},
                             Step{"trace", 9},    Step{"informational", 6}, Step{"indeterminate", 5},
                             Step{"unknown", 10}};

json::array list(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

std::vector<std::string> texts(const json::object& object, std::string_view key) {
  std::vector<std::string> out;
  const auto* value = object.if_contains(key);
  const auto* array = value != nullptr ? value->if_array() : nullptr;
  if (array == nullptr) return out;
  for (const auto& one : *array) {
    if (one.is_string()) out.emplace_back(one.get_string());
  }
  return out;
}

std::string text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& one : texts) out += (out.empty() ? "" : ",") + one;
  return out;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    if (comma != 0) out.emplace_back(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return out;
}

json::object note_json(const ReportNote& note) {
  json::object out{{"id", note.id}, {"text", note.text}, {"user", note.user}, {"created", to_ms(note.created)}};
  if (note.updated) out["updated"] = to_ms(*note.updated);
  return out;
}

/// Our ladder in Alerta's words.
std::string_view word_of(const Alert& alert) {
  if (alert.state == State::kResolved) return kNormalSeverity;
  if (const auto label = alert.labels.get("severity"); severity_rank(label)) return label;
  switch (alert.severity) {
    case Severity::kCritical: return "critical";
    case Severity::kWarning: return "warning";
    case Severity::kNone: return alert.state == State::kNoData ? "indeterminate" : "informational";
  }
  return "unknown";
}

}  // namespace

std::optional<int> severity_rank(std::string_view word) {
  const auto* found = std::ranges::find(kLadder, word, &Step::word);
  return found == kLadder.end() ? std::nullopt : std::optional(found->rank);
}

bool is_reported(const Alert& alert) { return alert.door == kReportDoor || alert.door == kNagiosDoor; }

bool is_normal(std::string_view word) { return severity_rank(word) == severity_rank(kNormalSeverity); }

std::string_view trend_of(std::string_view before, std::string_view now) {
  const auto from = severity_rank(before).value_or(10);
  const auto to = severity_rank(now).value_or(10);
  return to < from ? "moreSevere" : to > from ? "lessSevere" : "noChange";
}

json::object to_json(const Report& r) {
  json::array notes;
  for (const auto& note : r.notes) notes.push_back(note_json(note));
  json::object out{{"environment", r.environment},
                   {"resource", r.resource},
                   {"event", r.event},
                   {"customer", r.customer},
                   {"severity", r.severity},
                   {"previous_severity", r.previous_severity},
                   {"correlate", list(r.correlate)},
                   {"service", list(r.service)},
                   {"tags", list(r.tags)},
                   {"group", r.group},
                   {"value", r.value},
                   {"text", r.text},
                   {"origin", r.origin},
                   {"type", r.type},
                   {"attributes", r.attributes},
                   {"timeout", r.timeout},
                   {"status", r.status},
                   {"created", to_ms(r.created)},
                   {"received", to_ms(r.received)},
                   {"last_received", to_ms(r.last_received)},
                   {"last_received_id", r.last_received_id},
                   {"changed", to_ms(r.changed)},
                   {"duplicates", static_cast<std::int64_t>(r.duplicates)},
                   {"repeat", r.repeat},
                   {"notes", std::move(notes)}};
  if (r.raw_data) out["raw_data"] = *r.raw_data;
  return out;
}

Report report_from_json(const json::object& o) {
  Report r;
  r.environment = text(o, "environment");
  r.resource = text(o, "resource");
  r.event = text(o, "event");
  r.customer = text(o, "customer");
  r.severity = text(o, "severity");
  r.previous_severity = text(o, "previous_severity");
  r.correlate = texts(o, "correlate");
  r.service = texts(o, "service");
  r.tags = texts(o, "tags");
  r.group = text(o, "group");
  r.value = text(o, "value");
  r.text = text(o, "text");
  r.origin = text(o, "origin");
  r.type = text(o, "type");
  if (const auto* value = o.if_contains("attributes"); value != nullptr && value->is_object()) {
    r.attributes = value->get_object();
  }
  if (o.contains("raw_data")) r.raw_data = text(o, "raw_data");
  r.timeout = number(o, "timeout");
  r.status = text(o, "status");
  r.created = from_ms(number(o, "created"));
  r.received = from_ms(number(o, "received"));
  r.last_received = from_ms(number(o, "last_received"));
  r.last_received_id = text(o, "last_received_id");
  r.changed = from_ms(number(o, "changed"));
  r.duplicates = static_cast<std::uint64_t>(number(o, "duplicates"));
  const auto* repeat = o.if_contains("repeat");
  r.repeat = repeat != nullptr && repeat->is_bool() && repeat->get_bool();
  const auto* notes = o.if_contains("notes");
  if (notes == nullptr || !notes->is_array()) return r;
  for (const auto& one : notes->get_array()) {
    if (!one.is_object()) continue;
    const auto& note = one.get_object();
    r.notes.push_back({text(note, "id"), text(note, "text"), text(note, "user"), from_ms(number(note, "created")),
                       note.contains("updated") ? std::optional(from_ms(number(note, "updated"))) : std::nullopt});
  }
  return r;
}

Report report_of(const Alert& alert, const Report* kept) {
  Report r;
  if (kept != nullptr) r = *kept;
  r.id = alert.id;
  if (is_reported(alert)) return r;
  const auto label = [&](std::string_view name) { return std::string(alert.labels.get(name)); };
  r.environment = alert.labels.has("environment") ? label("environment") : std::string(kDefaultEnvironment);
  r.resource = label("instance");
  r.event = alert.name;
  r.customer = label("customer");
  r.service = split(alert.labels.get("service"));
  for (auto& tag : split(alert.labels.get("tags"))) {
    if (std::ranges::find(r.tags, tag) == r.tags.end()) r.tags.push_back(std::move(tag));
  }
  r.group = alert.labels.has("group") ? label("group") : "Misc";
  r.origin = alert.labels.has("origin") ? label("origin") : alert.door.empty() ? alert.rule : alert.door;
  r.type = "atalayaAlert";
  r.severity = word_of(alert);
  if (alert.severity_before) r.previous_severity = name(*alert.severity_before);
  if (!severity_rank(r.previous_severity)) r.previous_severity = kFirstSeverity;
  r.text = alert.text;
  r.created = r.received = alert.started;
  r.last_received = alert.updated;
  r.last_received_id = alert.id.value();
  r.changed = alert.resolved ? *alert.resolved : alert.ack ? alert.ack->at : alert.fired.value_or(alert.started);
  r.duplicates = alert.count > 0 ? alert.count - 1 : 0;
  r.repeat = r.duplicates > 0;
  return r;
}

std::string_view status_word(const Alert& alert, const Report& report) {
  if (alert.state == State::kResolved) {
    const bool expired = alert.timed_out && !alert.closed && !(is_reported(alert) && is_normal(report.severity));
    return expired ? "expired" : "closed";
  }
  if (alert.shelf) return "shelved";
  if (!alert.silenced_by.empty() || alert.because) return "blackout";
  if (alert.ack) return report.status == "assign" ? "assign" : "ack";
  return report.status == "unknown" ? "unknown" : "open";
}

Labels labels_of(const Report& r, const std::vector<std::string>& reported_tags) {
  return LabelsBuilder()
      .set("alertname", r.event)
      .set("instance", r.resource)
      .set("environment", r.environment)
      .set("service", joined(r.service))
      .set("group", r.group)
      .set("origin", r.origin)
      .set("tags", joined(reported_tags))
      .set("customer", r.customer)
      .build();
}

}  // namespace atalaya::alerts
