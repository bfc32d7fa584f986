// /proc/net/dev: traffic of network devices.
#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"

namespace atalaya::collect::host {
namespace {

/// In the order of the table's columns.
std::vector<std::string> metrics() {
  std::vector<std::string> names;
  for (const auto* name : {"bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast"})
    names.push_back(std::string("node_network_receive_") + name + "_total");
  for (const auto* name : {"bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed"})
    names.push_back(std::string("node_network_transmit_") + name + "_total");
  return names;
}

class NetworkSource final : public Source {
 public:
  NetworkSource(const HostOptions& options, SeriesSet& set)
      : columns_(metrics().size()), file_(options.root + "proc/net/dev"), rows_(set, metrics()) {}

  void read(Time) override {
    rows_.begin();
    Lines lines(file_.read());
    std::string_view line;
    while (lines.next(line)) {
      // A device's name may hold a colon (an alias); the counters do not.
      const auto colon = line.rfind(':');
      if (colon == std::string_view::npos) continue;
      auto name = line.substr(0, colon);
      const auto device = word(name);
      line.remove_prefix(colon + 1);
      // Debian's node_exporter leaves the loop-back out as well.
      if (device != "lo") read_device(device, line);
    }
    rows_.finish();
  }

 private:
  void read_device(std::string_view device, std::string_view line) {
    bool fresh = false;
    auto& row = rows_.at(device, fresh);
    if (fresh) row.labels = Labels{{"device", device}};
    for (std::size_t i = 0; i < columns_; ++i) {
      double value = 0;
      if (!number(word(line), value)) return;
      rows_.put(row, i, value);
    }
  }

  const std::size_t columns_;
  ProcFile file_;
  Rows rows_;
};

}  // namespace

std::unique_ptr<Source> make_network_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<NetworkSource>(options, set);
}

}  // namespace atalaya::collect::host
