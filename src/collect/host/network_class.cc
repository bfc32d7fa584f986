// /sys/class/net: what network devices are. Slow cycles only: every attribute is a file to open.
#include <dirent.h>

#include <algorithm>
#include <array>

#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"

namespace atalaya::collect::host {
namespace {

struct Attribute {
  const char* file;
  const char* metric;
  int base = 10;
  double unit = 1;
};
constexpr std::array<Attribute, 17> kAttributes = {{
    {"addr_assign_type", "node_network_address_assign_type"},
    {"carrier", "node_network_carrier"},
    {"carrier_changes", "node_network_carrier_changes_total"},
    {"carrier_down_count", "node_network_carrier_down_changes_total"},
    {"carrier_up_count", "node_network_carrier_up_changes_total"},
    {"dev_id", "node_network_device_id", 16},
    {"dormant", "node_network_dormant"},
    {"flags", "node_network_flags", 16},
    {"ifindex", "node_network_iface_id"},
    {"iflink", "node_network_iface_link"},
    {"link_mode", "node_network_iface_link_mode"},
    {"mtu", "node_network_mtu_bytes"},
    {"name_assign_type", "node_network_name_assign_type"},
    {"netdev_group", "node_network_net_dev_group"},
    {"type", "node_network_protocol_type"},
    {"speed", "node_network_speed_bytes", 10, 125'000},  // megabits per second
    {"tx_queue_len", "node_network_transmit_queue_length"},
}};
constexpr std::size_t kUp = kAttributes.size();

std::vector<std::string> metrics() {
  std::vector<std::string> names;
  for (const auto& attribute : kAttributes) names.emplace_back(attribute.metric);
  names.emplace_back("node_network_up");
  return names;
}

/// sysfs prints hexadecimal with 0x.
bool integer(std::string_view text, int base, double& out) {
  if (base == 16 && text.starts_with("0x")) text.remove_prefix(2);
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto r = std::from_chars(text.data(), end, value, base);
  out = static_cast<double>(value);
  return r.ec == std::errc{} && r.ptr == end;
}

class NetworkClassSource final : public Source {
 public:
  NetworkClassSource(const HostOptions& options, SeriesSet& set)
      : directory_(options.root + "sys/class/net/"), set_(set), rows_(set, metrics(), true), info_(set, {}, true) {}

  void read(Time) override {
    if (!set_.slow_cycle()) return;
    rows_.begin();
    info_.begin();
    list();
    for (const auto& device : devices_) read_device(device);
    rows_.finish();
    info_.finish();
  }

 private:
  void list() {
    devices_.clear();
    DIR* directory = ::opendir(directory_.c_str());
    if (!directory) return;
    while (const auto* entry = ::readdir(directory))
      if (entry->d_name[0] != '.') devices_.emplace_back(entry->d_name);
    ::closedir(directory);
    std::ranges::sort(devices_);
  }

  std::string_view attribute(const std::string& device, const char* file, bool& ok) {
    path_.assign(directory_).append(device).append("/").append(file);
    return read_once(path_, ok);
  }

  void read_device(const std::string& device) {
    bool ok = false;
    // The folder also holds files of the bonding driver.
    attribute(device, "ifindex", ok);
    if (!ok) return;
    bool fresh = false;
    auto& row = rows_.at(device, fresh);
    if (fresh) row.labels = Labels{{"device", device}};
    for (std::size_t i = 0; i < kAttributes.size(); ++i) {
      const auto text = attribute(device, kAttributes[i].file, ok);
      double value = 0;
      if (ok && integer(text, kAttributes[i].base, value)) rows_.put(row, i, value * kAttributes[i].unit);
    }
    // The value of the info series is its labels: another state is another series, and the old one ends.
    LabelsBuilder labels;
    labels.set("device", device);
    for (const auto& [file, label] :
         {std::pair{"address", "address"}, std::pair{"broadcast", "broadcast"}, std::pair{"duplex", "duplex"},
          std::pair{"ifalias", "ifalias"}, std::pair{"operstate", "operstate"}}) {
      const auto text = attribute(device, file, ok);
      if (!ok) continue;
      labels.set(label, text);
      if (std::string_view(file) == "operstate") rows_.put(row, kUp, text == "up" ? 1 : 0);
    }
    const auto built = labels.build();
    auto& info = info_.at(built.packed(), fresh);
    if (fresh) {
      info.metric = "node_network_info";
      info.labels = built;
    }
    info_.put(info, 0, 1);
  }

  const std::string directory_;
  SeriesSet& set_;
  Rows rows_;
  Rows info_;
  std::vector<std::string> devices_;
  std::string path_;
};

}  // namespace

std::unique_ptr<Source> make_network_class_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<NetworkClassSource>(options, set);
}

}  // namespace atalaya::collect::host
