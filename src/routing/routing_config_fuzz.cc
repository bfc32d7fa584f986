// Any text must either be refused with a place or be a configuration by which alerts are routed.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "routing/machine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya;
  config::Errors errors;
  config::Errors warnings;
  const auto config = routing::read_config_text({reinterpret_cast<const char*>(data), size}, "fuzz", errors, warnings);
  if (config == nullptr) {
    if (errors.empty()) std::abort();
    return 0;
  }
  if (!errors.empty()) std::abort();
  const auto begin = from_ms(1767571200000);
  routing::Machine machine(config);
  std::vector<routing::Alert> alerts;
  for (const auto* name : {"disk", "Down", "Slow"}) {
    routing::Alert alert;
    alert.labels = Labels{{"alertname", name}, {"severity", "critical"}, {"team", "a"}, {"host", "x"}};
    alert.starts_at = alert.updated_at = begin;
    if (routing::match(config->root, alert.labels).empty()) std::abort();
    alerts.push_back(std::move(alert));
  }
  machine.take(alerts, begin);
  for (int i = 0; i < 5; ++i) {
    const auto due = machine.next_due();
    if (!due || *due == kMaxTime) break;
    for (const auto& one : machine.advance(*due)) {
      if (one.alerts.empty()) std::abort();
    }
  }
  return 0;
}
