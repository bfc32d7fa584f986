// Single numbers of the kernel: open files, entropy, connection tracking, the clock.
#include <sys/timex.h>

#include <array>

#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"

namespace atalaya::collect::host {
namespace {

struct NumberFile {
  const char* path;
  const char* metric;
  bool slow = false;
};
constexpr std::array<NumberFile, 4> kNumbers = {{
    {"proc/sys/net/netfilter/nf_conntrack_count", "node_nf_conntrack_entries"},
    {"proc/sys/net/netfilter/nf_conntrack_max", "node_nf_conntrack_entries_limit", true},
    {"proc/sys/kernel/random/entropy_avail", "node_entropy_available_bits", true},
    {"proc/sys/kernel/random/poolsize", "node_entropy_pool_size_bits", true},
}};

class KernelSource final : public Source {
 public:
  KernelSource(const HostOptions& options, SeriesSet& set)
      : root_(options.root), set_(set), files_(root_ + "proc/sys/fs/file-nr"), time_(set.add("node_time_seconds", {})) {
    for (std::size_t i = 0; i < kNumbers.size(); ++i)
      numbers_[i].file = std::make_unique<ProcFile>(root_ + kNumbers[i].path);
  }

  void read(Time now) override {
    set_.put(time_, to_seconds(now));
    read_files();
    for (std::size_t i = 0; i < kNumbers.size(); ++i) {
      if (kNumbers[i].slow && !set_.slow_cycle()) continue;
      auto line = Lines(numbers_[i].file->read());
      std::string_view text;
      double value = 0;
      if (line.next(text) && number(text, value)) put(numbers_[i].slot, kNumbers[i].metric, value, kNumbers[i].slow);
    }
    // A recorded tree has no clock of its own.
    if (set_.slow_cycle() && root_ == "/") read_clock();
  }

 private:
  struct Number {
    std::unique_ptr<ProcFile> file;
    SeriesSet::Slot slot = SeriesSet::kNone;
  };

  void put(SeriesSet::Slot& slot, std::string_view metric, double value, bool slow) {
    if (slot == SeriesSet::kNone) slot = set_.add(metric, {}, slow);
    set_.put(slot, value);
  }

  void read_files() {
    auto line = files_.read();
    if (line.ends_with('\n')) line.remove_suffix(1);
    double allocated = 0;
    double unused = 0;
    double maximum = 0;
    if (!number(word(line), allocated) || !number(word(line), unused) || !number(word(line), maximum)) return;
    put(allocated_, "node_filefd_allocated", allocated, false);
    put(maximum_, "node_filefd_maximum", maximum, false);
  }

  void read_clock() {
    timex state{};
    const auto status = ::adjtimex(&state);
    if (status < 0) return;
    const double unit = (state.status & STA_NANO) ? 1e-9 : 1e-6;
    const std::array<std::pair<const char*, double>, 8> values = {{
        {"node_timex_sync_status", status == TIME_ERROR ? 0.0 : 1.0},
        {"node_timex_offset_seconds", static_cast<double>(state.offset) * unit},
        {"node_timex_frequency_adjustment_ratio", 1 + static_cast<double>(state.freq) / (65536.0 * 1e6)},
        {"node_timex_maxerror_seconds", static_cast<double>(state.maxerror) / 1e6},
        {"node_timex_estimated_error_seconds", static_cast<double>(state.esterror) / 1e6},
        {"node_timex_status", static_cast<double>(state.status)},
        {"node_timex_tai_offset_seconds", static_cast<double>(state.tai)},
        {"node_timex_tick_seconds", static_cast<double>(state.tick) / 1e6},
    }};
    for (std::size_t i = 0; i < values.size(); ++i) put(clock_[i], values[i].first, values[i].second, true);
  }

  const std::string root_;
  SeriesSet& set_;
  ProcFile files_;
  SeriesSet::Slot time_;
  std::array<Number, kNumbers.size()> numbers_;
  SeriesSet::Slot allocated_ = SeriesSet::kNone;
  SeriesSet::Slot maximum_ = SeriesSet::kNone;
  std::array<SeriesSet::Slot, 8> clock_{SeriesSet::kNone, SeriesSet::kNone, SeriesSet::kNone, SeriesSet::kNone,
                                        SeriesSet::kNone, SeriesSet::kNone, SeriesSet::kNone, SeriesSet::kNone};
};

}  // namespace

std::unique_ptr<Source> make_kernel_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<KernelSource>(options, set);
}

}  // namespace atalaya::collect::host
