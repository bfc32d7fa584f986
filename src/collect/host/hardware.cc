// What the machine's hardware says of itself: temperatures (/sys/class/hwmon), throttled processors, errors of
// memory (EDAC). Slow cycles only: every value is a file to open.
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"

namespace atalaya::collect::host {
namespace {

/// Chips that answer from a register or with one quick command. Others (on slow buses, in disks that sleep) may
/// hold the reader up for a good part of a second.
constexpr std::array<std::string_view, 5> kQuickChips = {"coretemp", "k10temp", "zenpower", "cpu_thermal", "nvme"};
constexpr int kMaxSensors = 64;

std::vector<std::string> list(const std::string& path, std::string_view prefix) {
  std::vector<std::string> names;
  DIR* directory = ::opendir(path.c_str());
  if (!directory) return names;
  while (const auto* entry = ::readdir(directory))
    if (std::string_view(entry->d_name).starts_with(prefix)) names.emplace_back(entry->d_name);
  ::closedir(directory);
  std::ranges::sort(names);
  return names;
}

/// node_exporter's cleaning of names: small letters, digits, colons, and `_` for all else.
std::string clean(std::string_view text) {
  std::string out;
  for (const auto c : text) {
    const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool kept = (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9') || small == ':';
    out += kept ? small : '_';
  }
  while (out.ends_with('_')) out.pop_back();
  out.erase(0, std::min(out.find_first_not_of('_'), out.size()));
  return out;
}

class HardwareSource final : public Source {
 public:
  HardwareSource(const HostOptions& options, SeriesSet& set)
      : root_(options.root),
        set_(set),
        temperatures_(set, {"node_hwmon_temp_celsius", "node_hwmon_temp_max_celsius", "node_hwmon_temp_crit_celsius"},
                      true),
        names_(set, {}, true),
        packages_(set, {"node_cpu_package_throttles_total"}, true),
        controllers_(set, {"node_edac_correctable_errors_total", "node_edac_uncorrectable_errors_total"}, true) {}

  void read(Time) override {
    if (!set_.slow_cycle()) return;
    read_temperatures();
    read_throttles();
    read_memory_controllers();
  }

 private:
  bool number_in(const std::string& path, double& out) {
    bool ok = false;
    const auto text = read_once(path, ok);
    return ok && number(text, out);
  }

  /// Bus and place of the device: `platform_coretemp_0`.
  static std::string chip_of(const std::string& directory, std::string_view name) {
    std::array<char, PATH_MAX> real{};
    if (::realpath((directory + "/device").c_str(), real.data()) == nullptr) return clean(name);
    const std::string_view path(real.data());
    const auto slash = path.rfind('/');
    const auto parent = path.substr(0, slash);
    return clean(parent.substr(parent.rfind('/') + 1)) + "_" + clean(path.substr(slash + 1));
  }

  void read_temperatures() {
    temperatures_.begin();
    names_.begin();
    const auto base = root_ + "sys/class/hwmon/";
    for (const auto& entry : list(base, "hwmon")) {
      const auto directory = base + entry;
      bool ok = false;
      const std::string name{read_once(directory + "/name", ok)};
      if (std::ranges::find(kQuickChips, name) == kQuickChips.end()) continue;
      const auto chip = chip_of(directory, name);
      bool fresh = false;
      auto& info = names_.at(chip, fresh);
      if (fresh) {
        info.metric = "node_hwmon_chip_names";
        info.labels = Labels{{"chip", chip}, {"chip_name", clean(name)}};
      }
      names_.put(info, 0, 1);
      for (int i = 1; i <= kMaxSensors; ++i)
        if (!read_sensor(directory, chip, "temp" + std::to_string(i)) && i > 1) break;
    }
    temperatures_.finish();
    names_.finish();
  }

  /// Thousandths of a degree. False when there is no such sensor.
  bool read_sensor(const std::string& directory, const std::string& chip, const std::string& sensor) {
    double value = 0;
    if (!number_in(directory + "/" + sensor + "_input", value)) return false;
    bool fresh = false;
    auto& row = temperatures_.at(chip + "/" + sensor, fresh);
    if (fresh) row.labels = Labels{{"chip", chip}, {"sensor", sensor}};
    temperatures_.put(row, 0, value / 1000);
    if (number_in(directory + "/" + sensor + "_max", value)) temperatures_.put(row, 1, value / 1000);
    if (number_in(directory + "/" + sensor + "_crit", value)) temperatures_.put(row, 2, value / 1000);
    return true;
  }

  /// All processors of a package count the same.
  void read_throttles() {
    packages_.begin();
    const auto base = root_ + "sys/devices/system/cpu/";
    std::string seen = " ";
    for (const auto& cpu : list(base, "cpu")) {
      bool ok = false;
      const std::string package{read_once(base + cpu + "/topology/physical_package_id", ok)};
      double count = 0;
      if (!ok || seen.find(" " + package + " ") != std::string::npos ||
          !number_in(base + cpu + "/thermal_throttle/package_throttle_count", count))
        continue;
      seen += package + " ";
      bool fresh = false;
      auto& row = packages_.at(package, fresh);
      if (fresh) row.labels = Labels{{"package", package}};
      packages_.put(row, 0, count);
    }
    packages_.finish();
  }

  void read_memory_controllers() {
    controllers_.begin();
    const auto base = root_ + "sys/devices/system/edac/mc/";
    for (const auto& entry : list(base, "mc")) {
      double corrected = 0;
      double uncorrected = 0;
      if (!number_in(base + entry + "/ce_count", corrected) || !number_in(base + entry + "/ue_count", uncorrected))
        continue;
      bool fresh = false;
      auto& row = controllers_.at(entry, fresh);
      if (fresh) row.labels = Labels{{"controller", entry.substr(2)}};
      controllers_.put(row, 0, corrected);
      controllers_.put(row, 1, uncorrected);
    }
    controllers_.finish();
  }

  const std::string root_;
  SeriesSet& set_;
  Rows temperatures_;
  Rows names_;
  Rows packages_;
  Rows controllers_;
};

}  // namespace

std::unique_ptr<Source> make_hardware_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<HardwareSource>(options, set);
}

}  // namespace atalaya::collect::host
