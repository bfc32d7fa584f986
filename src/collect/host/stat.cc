// /proc/stat: CPUs, interrupts, context switches, processes, boot time.
#include <algorithm>
#include <array>

#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"

namespace atalaya::collect::host {
namespace {

constexpr double kTicks = 100;  // USER_HZ, the same on every Linux
constexpr std::array<std::string_view, 8> kModes = {"user",   "nice", "system",  "idle",
                                                    "iowait", "irq",  "softirq", "steal"};
constexpr std::size_t kIdle = 3;
/// node_exporter takes a bigger step back as a new start of the counter, a smaller one as jitter.
constexpr double kJumpBackSeconds = 3;

class StatSource final : public Source {
 public:
  StatSource(const HostOptions& options, SeriesSet& set) : file_(options.root + "proc/stat"), set_(set) {}

  void read(Time) override {
    Lines lines(file_.read());
    std::string_view line;
    std::size_t cpu = 0;
    while (lines.next(line)) {
      const auto name = word(line);
      if (name.starts_with("cpu")) {
        if (name.size() > 3) read_cpu(cpu++, name.substr(3), line);
      } else if (name == "intr") {
        put(intr_, "node_intr_total", line);
      } else if (name == "ctxt") {
        put(ctxt_, "node_context_switches_total", line);
      } else if (name == "btime") {
        put(btime_, "node_boot_time_seconds", line);
      } else if (name == "processes") {
        put(forks_, "node_forks_total", line);
      } else if (name == "procs_running") {
        put(running_, "node_procs_running", line);
      } else if (name == "procs_blocked") {
        put(blocked_, "node_procs_blocked", line);
      }
    }
    for (std::size_t i = cpu; i < cpus_.size(); ++i) forget(cpus_[i]);
    cpus_.resize(cpu);
  }

 private:
  struct Cpu {
    std::string name;
    std::array<SeriesSet::Slot, kModes.size() + 2> slots;
    std::array<double, kModes.size() + 2> last;
  };

  void put(SeriesSet::Slot& slot, std::string_view metric, std::string_view line) {
    double value = 0;
    if (!number(word(line), value)) return;
    if (slot == SeriesSet::kNone) slot = set_.add(metric, {});
    set_.put(slot, value);
  }

  void forget(Cpu& cpu) {
    for (const auto slot : cpu.slots) set_.remove(slot);
  }

  Cpu make(std::string_view name) {
    Cpu cpu{std::string{name}, {}, {}};
    for (std::size_t i = 0; i < kModes.size(); ++i)
      cpu.slots[i] = set_.add("node_cpu_seconds_total", Labels{{"cpu", name}, {"mode", kModes[i]}});
    cpu.slots[kModes.size()] = set_.add("node_cpu_guest_seconds_total", Labels{{"cpu", name}, {"mode", "user"}});
    cpu.slots[kModes.size() + 1] = set_.add("node_cpu_guest_seconds_total", Labels{{"cpu", name}, {"mode", "nice"}});
    return cpu;
  }

  /// `index` is the place among the CPUs that are on line: when one goes, its successors move up.
  void read_cpu(std::size_t index, std::string_view name, std::string_view line) {
    while (index < cpus_.size() && cpus_[index].name != name) {
      if (is_after(cpus_[index].name, name)) break;
      forget(cpus_[index]);
      cpus_.erase(cpus_.begin() + static_cast<std::ptrdiff_t>(index));
    }
    if (index >= cpus_.size() || cpus_[index].name != name)
      cpus_.insert(cpus_.begin() + static_cast<std::ptrdiff_t>(index), make(name));
    auto& cpu = cpus_[index];
    std::array<double, kModes.size() + 2> now{};
    for (auto& value : now) {
      double ticks = 0;
      if (number(word(line), ticks)) value = ticks / kTicks;
    }
    if (cpu.last[kIdle] - now[kIdle] >= kJumpBackSeconds) cpu.last = {};
    for (std::size_t i = 0; i < now.size(); ++i) {
      cpu.last[i] = std::max(cpu.last[i], now[i]);
      set_.put(cpu.slots[i], cpu.last[i]);
    }
  }

  static bool is_after(std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() > b.size() : a > b;
  }

  ProcFile file_;
  SeriesSet& set_;
  std::vector<Cpu> cpus_;
  SeriesSet::Slot intr_ = SeriesSet::kNone;
  SeriesSet::Slot ctxt_ = SeriesSet::kNone;
  SeriesSet::Slot btime_ = SeriesSet::kNone;
  SeriesSet::Slot forks_ = SeriesSet::kNone;
  SeriesSet::Slot running_ = SeriesSet::kNone;
  SeriesSet::Slot blocked_ = SeriesSet::kNone;
};

}  // namespace

std::unique_ptr<Source> make_stat_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<StatSource>(options, set);
}

}  // namespace atalaya::collect::host
