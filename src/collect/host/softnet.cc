// /proc/net/softnet_stat: what each processor did with packets, in hexadecimal columns.
#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"

namespace atalaya::collect::host {
namespace {

class SoftnetSource final : public Source {
 public:
  SoftnetSource(const HostOptions& options, SeriesSet& set)
      : file_(options.root + "proc/net/softnet_stat"),
        rows_(set,
              {"node_softnet_processed_total", "node_softnet_dropped_total", "node_softnet_times_squeezed_total"}) {}

  void read(Time) override {
    rows_.begin();
    Lines lines(file_.read());
    std::string_view line;
    for (std::size_t cpu = 0; lines.next(line); ++cpu) {
      bool fresh = false;
      auto& row = rows_.at(std::to_string(cpu), fresh);
      if (fresh) row.labels = Labels{{"cpu", row.key}};
      for (std::size_t column = 0; column < 3; ++column) {
        const auto text = word(line);
        std::uint32_t value = 0;
        const auto* end = text.data() + text.size();
        const auto parsed = std::from_chars(text.data(), end, value, 16);
        if (parsed.ec != std::errc{} || parsed.ptr != end) break;
        rows_.put(row, column, value);
      }
    }
    rows_.finish();
  }

 private:
  ProcFile file_;
  Rows rows_;
};

}  // namespace

std::unique_ptr<Source> make_softnet_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<SoftnetSource>(options, set);
}

}  // namespace atalaya::collect::host
