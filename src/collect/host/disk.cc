// /proc/diskstats (Documentation/admin-guide/iostats.rst).
#include <algorithm>
#include <array>

#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"

namespace atalaya::collect::host {
namespace {

constexpr double kSector = 512;  // the unit of the table, whatever the device's own
constexpr double kMillis = 0.001;

struct Column {
  std::string_view metric;
  double unit;
};
constexpr std::array<Column, 17> kColumns = {{{"node_disk_reads_completed_total", 1},
                                              {"node_disk_reads_merged_total", 1},
                                              {"node_disk_read_bytes_total", kSector},
                                              {"node_disk_read_time_seconds_total", kMillis},
                                              {"node_disk_writes_completed_total", 1},
                                              {"node_disk_writes_merged_total", 1},
                                              {"node_disk_written_bytes_total", kSector},
                                              {"node_disk_write_time_seconds_total", kMillis},
                                              {"node_disk_io_now", 1},
                                              {"node_disk_io_time_seconds_total", kMillis},
                                              {"node_disk_io_time_weighted_seconds_total", kMillis},
                                              {"node_disk_discards_completed_total", 1},
                                              {"node_disk_discards_merged_total", 1},
                                              {"node_disk_discarded_sectors_total", 1},
                                              {"node_disk_discard_time_seconds_total", kMillis},
                                              {"node_disk_flush_requests_total", 1},
                                              {"node_disk_flush_requests_time_seconds_total", kMillis}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// node_exporter's default: ^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$
bool is_excluded(std::string_view device) {
  auto stem = device;
  while (!stem.empty() && is_digit(stem.back())) stem.remove_suffix(1);
  if (stem.size() == device.size()) return false;
  if (stem == "ram" || stem == "loop" || stem == "fd") return true;
  if (stem.starts_with("nvme") && stem.ends_with('p')) {
    const auto middle = stem.substr(4, stem.size() - 5);
    const auto n = middle.find('n');
    return n != std::string_view::npos && n > 0 && n + 1 < middle.size() &&
           std::ranges::all_of(middle.substr(0, n), is_digit) && std::ranges::all_of(middle.substr(n + 1), is_digit);
  }
  if (stem.starts_with("xvd")) stem.remove_prefix(1);
  return stem.size() == 3 && (stem[0] == 'h' || stem[0] == 's' || stem[0] == 'v') && stem[1] == 'd' && stem[2] >= 'a' &&
         stem[2] <= 'z';
}

class DiskSource final : public Source {
 public:
  DiskSource(const HostOptions& options, SeriesSet& set)
      : root_(options.root), set_(set), file_(root_ + "proc/diskstats"), rows_(set, metrics()), info_(set, {}, true) {}

  void read(Time) override {
    rows_.begin();
    info_.begin();
    // A copy: details of a new device are read from files through the same buffer.
    text_.assign(file_.read());
    Lines lines(text_);
    std::string_view line;
    while (lines.next(line)) {
      const auto major = word(line);
      const auto minor = word(line);
      const auto device = word(line);
      if (!device.empty()) read_device(major, minor, device, line);
    }
    rows_.finish();
    info_.finish();
  }

 private:
  static std::vector<std::string> metrics() {
    std::vector<std::string> names;
    for (const auto& column : kColumns) names.emplace_back(column.metric);
    return names;
  }

  void read_device(std::string_view major, std::string_view minor, std::string_view device, std::string_view line) {
    bool fresh = false;
    auto& row = rows_.at(device, fresh);
    if (fresh) {
      row.ignored = is_excluded(device);
      row.labels = Labels{{"device", device}};
    }
    if (row.ignored) return;
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      double value = 0;
      if (!number(word(line), value)) break;
      rows_.put(row, i, kColumns[i].unit == kMillis ? value / 1000 : value * kColumns[i].unit);
    }
    auto& info = info_.at(device, fresh);
    if (fresh) {
      info.metric = "node_disk_info";
      info.labels = details(major, minor, device);
    }
    if (set_.slow_cycle()) info_.put(info, 0, 1);
  }

  /// What udev knows of the device.
  Labels details(std::string_view major, std::string_view minor, std::string_view device) const {
    LabelsBuilder labels;
    labels.set("device", device).set("major", major).set("minor", minor);
    bool ok = false;
    const auto text = read_once(root_ + "run/udev/data/b" + std::string{major} + ":" + std::string{minor}, ok);
    Lines lines(text);
    std::string_view line;
    while (lines.next(line)) {
      constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNames = {
          {{"E:ID_PATH=", "path"},
           {"E:ID_WWN=", "wwn"},
           {"E:ID_MODEL=", "model"},
           {"E:ID_SERIAL_SHORT=", "serial"},
           {"E:ID_REVISION=", "revision"}}};
      for (const auto& [key, label] : kNames)
        if (line.starts_with(key)) labels.set(label, line.substr(key.size()));
    }
    return labels.build();
  }

  const std::string root_;
  SeriesSet& set_;
  ProcFile file_;
  std::string text_;
  Rows rows_;
  Rows info_;
};

}  // namespace

std::unique_ptr<Source> make_disk_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<DiskSource>(options, set);
}

}  // namespace atalaya::collect::host
