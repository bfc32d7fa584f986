#include <cmath>

#include "alerts/annotations.h"
#include "alerts/queries.h"

namespace atalaya::alerts {
namespace {

boost::json::value real(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

}  // namespace

boost::json::object to_json(const Alert& alert) {
  boost::json::object out{{"id", alert.id.value()},
                          {"episode", alert.episode},
                          {"name", alert.name},
                          {"rule", alert.rule},
                          {"kind", name(alert.kind)},
                          {"state", name(alert.state)},
                          {"severity", name(alert.severity)},
                          {"labels", labels_json(alert.labels)}};
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
    out["ack"] =
        boost::json::object{{"by", alert.ack->by}, {"at", format_rfc3339(alert.ack->at)}, {"note", alert.ack->note}};
  }
  if (!alert.expr.empty()) out["expr"] = alert.expr;
  return out;
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
