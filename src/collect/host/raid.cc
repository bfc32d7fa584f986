// /proc/mdstat: software RAID (md(4)).
#include <array>

#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"

namespace atalaya::collect::host {
namespace {

constexpr std::array<std::string_view, 5> kStates = {"active", "check", "inactive", "recovering", "resync"};
constexpr std::array<std::string_view, 3> kDisks = {"active", "failed", "spare"};

/// What the lines of one array say.
struct Array {
  std::string device;
  std::string_view state;
  std::array<double, 3> disks{};
  double required = 0;
  double blocks = -1;
  double synced = -1;
};

/// `[2/1]`: as many disks as there should be, as many as take part.
bool read_counts(std::string_view line, Array& array) {
  for (auto open = line.find('['); open != std::string_view::npos; open = line.find('[', open + 1)) {
    const auto close = line.find(']', open);
    const auto slash = line.find('/', open);
    if (close == std::string_view::npos || slash == std::string_view::npos || slash > close) continue;
    double required = 0;
    double active = 0;
    if (!number(line.substr(open + 1, slash - open - 1), required) ||
        !number(line.substr(slash + 1, close - slash - 1), active))
      continue;
    array.required = required;
    array.disks[0] = active;
    return true;
  }
  return false;
}

/// `md0 : active (auto-read-only) raid1 sdb1[1](F) sda1[0](S)`
Array read_head(std::string_view line) {
  Array array;
  array.device = word(line);
  word(line);
  array.state = word(line) == "active" ? "active" : "inactive";
  for (auto part = word(line); !part.empty(); part = word(line)) {
    if (part.find('[') == std::string_view::npos) continue;
    if (part.ends_with("(F)"))
      ++array.disks[1];
    else if (part.ends_with("(S)"))
      ++array.disks[2];
    else
      ++array.disks[0];
  }
  // Kinds without redundancy tell no counts: all that are there are needed.
  array.required = array.disks[0];
  return array;
}

/// `[=>…]  recovery = 12.6% (37043392/292945152) finish=…`
void read_progress(std::string_view line, Array& array) {
  for (const auto& [text, state] : {std::pair{"recovery", "recovering"}, std::pair{"resync", "resync"},
                                    std::pair{"reshape", "resync"}, std::pair{"check", "check"}}) {
    if (line.find(text) == std::string_view::npos) continue;
    array.state = state;
    const auto open = line.find('(');
    const auto slash = line.find('/', open == std::string_view::npos ? 0 : open);
    double synced = 0;
    if (open != std::string_view::npos && slash != std::string_view::npos &&
        number(line.substr(open + 1, slash - open - 1), synced))
      array.synced = synced;
    return;
  }
}

class RaidSource final : public Source {
 public:
  RaidSource(const HostOptions& options, SeriesSet& set)
      : set_(set),
        file_(options.root + "proc/mdstat"),
        arrays_(set, {"node_md_disks_required", "node_md_blocks", "node_md_blocks_synced"}, true),
        states_(set, {"node_md_state"}, true),
        disks_(set, {"node_md_disks"}, true) {}

  void read(Time) override {
    if (!set_.slow_cycle()) return;
    arrays_.begin();
    states_.begin();
    disks_.begin();
    Lines lines(file_.read());
    std::string_view line;
    Array array;
    while (lines.next(line)) {
      if (line.starts_with("md") && line.find(" : ") != std::string_view::npos) {
        put(array);
        array = read_head(line);
      } else if (!array.device.empty()) {
        read_detail(line, array);
      }
    }
    put(array);
    arrays_.finish();
    states_.finish();
    disks_.finish();
  }

 private:
  static void read_detail(std::string_view line, Array& array) {
    if (const auto blocks = line.find(" blocks"); blocks != std::string_view::npos) {
      auto begin = line;
      double count = 0;
      if (number(word(begin), count)) array.blocks = array.synced = count;
      read_counts(line.substr(blocks), array);
    } else {
      read_progress(line, array);
    }
  }

  void put(const Array& array) {
    if (array.device.empty()) return;
    bool fresh = false;
    auto& row = arrays_.at(array.device, fresh);
    if (fresh) row.labels = Labels{{"device", array.device}};
    arrays_.put(row, 0, array.required);
    if (array.blocks >= 0) arrays_.put(row, 1, array.blocks);
    if (array.synced >= 0) arrays_.put(row, 2, array.synced);
    for (const auto state : kStates) put_state(states_, array.device, state, state == array.state ? 1 : 0);
    for (std::size_t i = 0; i < kDisks.size(); ++i) put_state(disks_, array.device, kDisks[i], array.disks[i]);
  }

  static void put_state(Rows& rows, const std::string& device, std::string_view state, double value) {
    bool fresh = false;
    auto& row = rows.at(device + "/" + std::string{state}, fresh);
    if (fresh) row.labels = Labels{{"device", device}, {"state", state}};
    rows.put(row, 0, value);
  }

  SeriesSet& set_;
  ProcFile file_;
  Rows arrays_;
  Rows states_;
  Rows disks_;
};

}  // namespace

std::unique_ptr<Source> make_raid_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<RaidSource>(options, set);
}

}  // namespace atalaya::collect::host
