#include "agent/self_collector.h"

#include <unistd.h>

namespace atalaya::agent {
namespace {

// Fields of /proc/self/stat behind the name, counted from the state (proc(5): fields 3, 14, 15, 24).
constexpr int kUserTicks = 11;
constexpr int kSystemTicks = 12;
constexpr int kResidentPages = 21;

}  // namespace

SelfCollector::SelfCollector(const std::string& instance, const std::string& version, collect::LabelsTable& labels,
                             std::function<SelfState()> state)
    : set_(labels, Labels{{"instance", instance}, {"job", "agent"}}),
      values_(set_, {}),
      collectors_(set_, {}),
      up_(set_.add("up", {})),
      info_(set_.add("atalaya_agent_info", Labels{{"version", version}})),
      cpu_(set_.add("process_cpu_seconds_total", {})),
      resident_(set_.add("process_resident_memory_bytes", {})),
      stat_("/proc/self/stat"),
      state_(std::move(state)) {}

Status SelfCollector::collect(Time now, collect::Batch& out) {
  set_.begin(now, out);
  set_.put(up_, 1);
  set_.put(info_, 1);
  read_process();
  const auto state = state_();
  bool fresh = false;
  values_.begin();
  for (const auto& [name, value] : state.values) {
    auto& row = values_.at(name, fresh);
    if (fresh) row.metric = name;
    values_.put(row, 0, value);
  }
  values_.finish();
  collectors_.begin();
  for (const auto& [id, problem] : state.problems) {
    auto& row = collectors_.at(id, fresh);
    if (fresh) {
      row.metric = "atalaya_agent_collector_up";
      row.labels = Labels{{"collector", id}};
    }
    collectors_.put(row, 0, problem.empty() ? 1 : 0);
  }
  collectors_.finish();
  set_.finish();
  return {};
}

void SelfCollector::read_process() {
  auto line = stat_.read();
  const auto close = line.rfind(") ");
  if (close == std::string_view::npos) return;
  line.remove_prefix(close + 2);
  double ticks = 0;
  for (int i = 0; i <= kResidentPages; ++i) {
    double value = 0;
    const bool ok = collect::host::number(collect::host::word(line), value);
    if (ok && (i == kUserTicks || i == kSystemTicks)) ticks += value;
    if (ok && i == kResidentPages) set_.put(resident_, value * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  }
  set_.put(cpu_, ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

}  // namespace atalaya::agent
