#include <cmath>

#include "alerts/annotations.h"
#include "alerts/queries.h"

namespace atalaya::alerts {
namespace {

boost::json::value real(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

/// What a person said of an alert.
boost::json::object word_of(const std::string& by, Time at, const std::optional<Time>& until, const std::string& note) {
  boost::json::object out{{"by", by}, {"at", format_rfc3339(at)}, {"note", note}};
  if (until) out["until"] = format_rfc3339(*until);
  return out;
}

}  // namespace

std::string_view status(const Alert& alert) {
  if (alert.state == State::kResolved) return alert.closed ? "closed" : "resolved";
  if (alert.shelf) return "shelved";
  if (!alert.silenced_by.empty() || alert.because) return "suppressed";
  return alert.ack ? "acknowledged" : "open";
}

boost::json::object to_json(const Alert& alert) {
  boost::json::object out{{"id", alert.id.value()},
                          {"episode", alert.episode},
                          {"name", alert.name},
                          {"rule", alert.rule},
                          {"kind", name(alert.kind)},
                          {"state", name(alert.state)},
                          {"severity", name(alert.severity)},
                          {"labels", labels_json(alert.labels)}};
  if (!alert.severity_word.empty()) out["severity_word"] = alert.severity_word;
  boost::json::object annotations;
  for (const auto& [key, value] : alert.annotations) annotations[key] = value;
  out["annotations"] = std::move(annotations);
  out["value"] = real(alert.value);
  out["text"] = alert.text;
  out["started"] = format_rfc3339(alert.started);
  if (alert.fired) out["fired"] = format_rfc3339(*alert.fired);
  if (alert.resolved) out["resolved"] = format_rfc3339(*alert.resolved);
  out["updated"] = format_rfc3339(alert.updated);
  out["late"] = alert.late;
  out["count"] = alert.count;
  if (alert.ack) {
    out["ack"] = word_of(alert.ack->by, alert.ack->at, alert.ack->until, alert.ack->note);
  }
  if (alert.shelf) out["shelf"] = word_of(alert.shelf->by, alert.shelf->at, alert.shelf->until, alert.shelf->note);
  if (alert.closed) out["closed"] = word_of(alert.closed->by, alert.closed->at, std::nullopt, alert.closed->note);
  out["status"] = status(alert);
  out["trend"] = trend(alert);
  if (alert.severity_before) out["severity_before"] = name(*alert.severity_before);
  out["flapping"] = alert.flapping;
  out["silenced_by"] = boost::json::array(alert.silenced_by.begin(), alert.silenced_by.end());
  if (alert.incident != 0) out["incident"] = std::to_string(alert.incident);
  if (alert.incident_acknowledged) out["incident_acknowledged"] = true;
  if (alert.because) {
    out["unknown_because"] = boost::json::object{
        {"alert", alert.because->alert.value()}, {"name", alert.because->name}, {"text", alert.because->text}};
  }
  if (!alert.door.empty()) out["door"] = alert.door;
  if (!alert.generator_url.empty()) out["generator_url"] = alert.generator_url;
  if (alert.ends) out["ends"] = format_rfc3339(*alert.ends);
  if (!alert.expr.empty()) out["expr"] = alert.expr;
  return out;
}

boost::json::object to_json(const RawEvent& event) {
  return {{"number", event.number},
          {"at", format_rfc3339(event.at)},
          {"data_at", format_rfc3339(event.data_at)},
          {"labels", labels_json(event.labels)},
          {"level", name(event.level)},
          {"value", real(event.value)},
          {"text", event.text}};
}

boost::json::object to_json(const HistoryLine& line) {
  boost::json::object out{{"at", format_rfc3339(line.at)},
                          {"data_at", format_rfc3339(line.data_at)},
                          {"episode", line.episode},
                          {"transition", line.transition},
                          {"from", line.from},
                          {"to", line.to},
                          {"severity", name(line.severity)},
                          {"value", real(line.value)},
                          {"text", line.text},
                          {"late", line.late}};
  if (!line.by.empty()) out["by"] = line.by;
  return out;
}

}  // namespace atalaya::alerts
