#include "sim/ledger.h"

#include <fmt/format.h>

namespace atalaya::sim {
namespace {

std::string key_of(std::string_view metric, std::string_view host) { return fmt::format("{}/{}", metric, host); }

}  // namespace

void Ledger::committed(const storage::CommittedSamples& batch, const LabelsOf& labels_of) {
  if (batch.position <= samples_position)
    complaints.push_back(fmt::format("samples: position {} after {}", batch.position.value, samples_position.value));
  samples_position = batch.position;
  for (const auto& sample : batch.samples) {
    const auto labels = labels_of(sample.series);
    if (labels->get("__name__") != "sim_counter") continue;
    counters[std::string(labels->get("instance"))].push_back({sample.time, static_cast<std::uint64_t>(sample.value)});
  }
}

void Ledger::committed(const storage::CommittedLogs& batch) {
  if (batch.position <= logs_position)
    complaints.push_back(fmt::format("logs: position {} after {}", batch.position.value, logs_position.value));
  logs_position = batch.position;
  for (const auto& record : batch.records) lines[std::string(record.labels.get("instance"))].push_back(record.line);
}

void Ledger::judging(const storage::CommittedSamples& batch, const LabelsOf& labels_of) {
  for (const auto& sample : batch.samples) {
    const auto labels = labels_of(sample.series);
    const auto metric = labels->get("__name__");
    if (metric == "sim_counter") continue;
    auto& health = health_[key_of(metric, labels->get("instance"))];
    ++health.judged;
    if (sample.time < health.at) continue;
    health.at = sample.time;
    health.healthy = metric == "sim_up" ? sample.value == 1 : sample.value < 65;
  }
}

void Ledger::changed(const alerts::Alert& alert) {
  const bool level = alert.rule == "sim/host/level";
  if (!level && alert.rule != "sim/host/up") return;
  const auto& health = health_[key_of(level ? "sim_level" : "sim_up", alert.labels.get("instance"))];
  if (alert.state != alerts::State::kResolved) {
    if (opened_after_.try_emplace(alert.id.value(), health.judged).second) ++opened;
    return;
  }
  // Said of one that is over already: it flaps no more.
  if (alert.resolved != alert.updated) return;
  ++resolved;
  const auto opening = opened_after_.extract(alert.id.value());
  if (!health.healthy)
    complaints.push_back(
        fmt::format("{} of {} resolved, but its last sample is in breach", alert.name, alert.labels.get("instance")));
  if (!opening.empty() && opening.mapped() == health.judged)
    complaints.push_back(
        fmt::format("{} of {} resolved without a sample since it opened", alert.name, alert.labels.get("instance")));
}

}  // namespace atalaya::sim
