// /proc/pressure (Documentation/accounting/psi.rst) and /proc/loadavg.
#include <array>

#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"

namespace atalaya::collect::host {
namespace {

constexpr double kMicros = 1e6;

class PressureSource final : public Source {
 public:
  PressureSource(const HostOptions& options, SeriesSet& set)
      : set_(set),
        load_(options.root + "proc/loadavg"),
        files_{{ProcFile(options.root + "proc/pressure/cpu"), ProcFile(options.root + "proc/pressure/io"),
                ProcFile(options.root + "proc/pressure/memory")}} {}

  void read(Time) override {
    read_load();
    // `full` means nothing for the CPU as a whole.
    read_file(0, "node_pressure_cpu_waiting_seconds_total", "");
    read_file(1, "node_pressure_io_waiting_seconds_total", "node_pressure_io_stalled_seconds_total");
    read_file(2, "node_pressure_memory_waiting_seconds_total", "node_pressure_memory_stalled_seconds_total");
  }

 private:
  void put(SeriesSet::Slot& slot, std::string_view metric, double value) {
    if (slot == SeriesSet::kNone) slot = set_.add(metric, {});
    set_.put(slot, value);
  }

  void read_load() {
    auto line = load_.read();
    constexpr std::array<std::string_view, 3> kNames = {"node_load1", "node_load5", "node_load15"};
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      double value = 0;
      if (!number(word(line), value)) return;
      put(load_slots_[i], kNames[i], value);
    }
  }

  void read_file(std::size_t index, std::string_view waiting, std::string_view stalled) {
    Lines lines(files_[index].read());
    std::string_view line;
    while (lines.next(line)) {
      const bool full = line.starts_with("full");
      const auto total = line.find("total=");
      if (total == std::string_view::npos || (full && stalled.empty())) continue;
      double value = 0;
      if (number(line.substr(total + 6), value))
        put(slots_[index * 2 + (full ? 1 : 0)], full ? stalled : waiting, value / kMicros);
    }
  }

  SeriesSet& set_;
  ProcFile load_;
  std::array<ProcFile, 3> files_;
  std::array<SeriesSet::Slot, 3> load_slots_{SeriesSet::kNone, SeriesSet::kNone, SeriesSet::kNone};
  std::array<SeriesSet::Slot, 6> slots_{SeriesSet::kNone, SeriesSet::kNone, SeriesSet::kNone,
                                        SeriesSet::kNone, SeriesSet::kNone, SeriesSet::kNone};
};

}  // namespace

std::unique_ptr<Source> make_pressure_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<PressureSource>(options, set);
}

}  // namespace atalaya::collect::host
