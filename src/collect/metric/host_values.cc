#include "collect/metric/host_values.h"

#include <algorithm>

#include "base/check.h"
#include "model/sample.h"

namespace atalaya::collect::metric {
namespace {

constexpr double kPercent = 100;

/// Series of the host collector that values are made of.
enum Series : std::size_t {
  kCpuSeconds,
  kMemoryTotal,
  kMemoryAvailable,
  kSwapTotal,
  kSwapFree,
  kLoad1,
  kLoad5,
  kLoad15,
  kFilesystemSize,
  kFilesystemFree,
  kFilesystemAvailable,
  kDiskRead,
  kDiskWritten,
  kNetworkReceived,
  kNetworkSent,
};
constexpr std::array<std::string_view, 15> kSeriesNames{"node_cpu_seconds_total",
                                                        "node_memory_MemTotal_bytes",
                                                        "node_memory_MemAvailable_bytes",
                                                        "node_memory_SwapTotal_bytes",
                                                        "node_memory_SwapFree_bytes",
                                                        "node_load1",
                                                        "node_load5",
                                                        "node_load15",
                                                        "node_filesystem_size_bytes",
                                                        "node_filesystem_free_bytes",
                                                        "node_filesystem_avail_bytes",
                                                        "node_disk_read_bytes_total",
                                                        "node_disk_written_bytes_total",
                                                        "node_network_receive_bytes_total",
                                                        "node_network_transmit_bytes_total"};

constexpr std::array<HostValueKind, 11> kKinds{{{"cpu_percent", true, kPercent, true},
                                                {"memory_percent", false, kPercent},
                                                {"swap_percent", false, kPercent},
                                                {"load1"},
                                                {"load5"},
                                                {"load15"},
                                                {"filesystem_percent", false, kPercent},
                                                {"disk_read_bytes", true},
                                                {"disk_written_bytes", true},
                                                {"network_received_bytes", true},
                                                {"network_sent_bytes", true}}};

constexpr std::uint32_t kPlaceBits = 24;

Labels without_common(const Labels& labels) {
  LabelsBuilder out;
  for (const auto& [name, value] : labels) {
    if (name != "__name__" && name != "instance" && name != "job") out.set(name, value);
  }
  return out.build();
}

double seconds(Time at) { return static_cast<double>(to_ms(at)) / 1000; }

}  // namespace

const HostValueKind* HostValues::kind(std::string_view name) {
  const auto at = std::ranges::find(kKinds, name, &HostValueKind::name);
  return at == kKinds.end() ? nullptr : &*at;
}

std::vector<std::string> HostValues::names() {
  std::vector<std::string> out;
  for (const auto& kind : kKinds) out.emplace_back(kind.name);
  return out;
}

void HostValues::learn(LabelsId id) {
  static_assert(kSeriesNames.size() <= kSeries);
  if (id >= known_.size()) known_.resize(id + 1, kUnknown);
  known_[id] = kUnwanted;
  const auto& labels = labels_.at(id);
  const auto series = std::ranges::find(kSeriesNames, labels.get("__name__"));
  if (series == kSeriesNames.end()) return;
  const auto index = static_cast<std::size_t>(series - kSeriesNames.begin());
  auto& list = wanted_[index];
  known_[id] = static_cast<std::uint32_t>(index << kPlaceBits | list.size());
  list.push_back({id, without_common(labels), {}, {kMinTime, kMinTime}});
}

void HostValues::forget(LabelsId id) {
  if (id >= known_.size() || known_[id] == kUnknown) return;
  const auto place = std::exchange(known_[id], kUnknown);
  if (place == kUnwanted) return;
  auto& list = wanted_[place >> kPlaceBits];
  const auto at = place & ((1U << kPlaceBits) - 1);
  if (at + 1 != list.size()) {
    list[at] = std::move(list.back());
    known_[list[at].id] = place;
  }
  list.pop_back();
}

void HostValues::note(std::span<const Batch::SampleEntry> samples) {
  for (const auto& sample : samples) {
    // Its number may be another label set's from now on.
    if (is_stale(sample.value)) {
      forget(sample.series);
      continue;
    }
    if (sample.series >= known_.size() || known_[sample.series] == kUnknown) learn(sample.series);
    const auto place = known_[sample.series];
    if (place == kUnwanted) continue;
    auto& entry = wanted_[place >> kPlaceBits][place & ((1U << kPlaceBits) - 1)];
    entry.values = {entry.values[1], sample.value};
    entry.at = {entry.at[1], sample.time};
  }
}

const HostValues::Entry* HostValues::find(std::size_t series, const Labels& labels) const {
  const auto at = std::ranges::find(wanted_[series], labels, &Entry::labels);
  return at == wanted_[series].end() ? nullptr : &*at;
}

/// All processors together: busy seconds for seconds of all modes.
std::vector<Reading> HostValues::cpu(std::size_t side) const {
  Reading out;
  for (const auto& entry : wanted_[kCpuSeconds]) {
    if (entry.at[side] == kMinTime) continue;
    const auto mode = entry.labels.get("mode");
    out.base += entry.values[side];
    if (mode != "idle" && mode != "iowait") out.amount += entry.values[side];
    out.at = std::max(out.at, entry.at[side]);
  }
  if (out.at == kMinTime) return {};
  return {out};
}

std::vector<Reading> HostValues::share(std::size_t whole, std::size_t free, std::size_t side) const {
  std::vector<Reading> out;
  for (const auto& entry : wanted_[whole]) {
    const auto* left = find(free, entry.labels);
    if (left == nullptr || entry.at[side] == kMinTime || left->at[side] == kMinTime) continue;
    // A machine without swap uses none of it.
    const auto used = entry.values[side] > 0 ? 1 - left->values[side] / entry.values[side] : 0;
    out.push_back({entry.labels, used, 0, entry.at[side]});
  }
  return out;
}

/// As df has it: of what is not reserved.
std::vector<Reading> HostValues::filesystems(std::size_t side) const {
  std::vector<Reading> out;
  for (const auto& entry : wanted_[kFilesystemSize]) {
    const auto* free = find(kFilesystemFree, entry.labels);
    const auto* available = find(kFilesystemAvailable, entry.labels);
    if (free == nullptr || available == nullptr || entry.at[side] == kMinTime) continue;
    const auto used = entry.values[side] - free->values[side];
    const auto whole = used + available->values[side];
    if (whole > 0) out.push_back({entry.labels, used / whole, 0, entry.at[side]});
  }
  return out;
}

std::vector<Reading> HostValues::plain(std::size_t series, bool is_rate, std::size_t side) const {
  std::vector<Reading> out;
  for (const auto& entry : wanted_[series]) {
    if (entry.at[side] == kMinTime) continue;
    out.push_back({entry.labels, entry.values[side], is_rate ? seconds(entry.at[side]) : 0, entry.at[side]});
  }
  return out;
}

std::vector<Reading> HostValues::read(std::string_view name, const std::map<std::string, std::string>& select,
                                      bool before) const {
  const std::size_t side = before ? 0 : 1;
  const auto readings = [&]() -> std::vector<Reading> {
    if (name == "cpu_percent") return cpu(side);
    if (name == "memory_percent") return share(kMemoryTotal, kMemoryAvailable, side);
    if (name == "swap_percent") return share(kSwapTotal, kSwapFree, side);
    if (name == "load1") return plain(kLoad1, false, side);
    if (name == "load5") return plain(kLoad5, false, side);
    if (name == "load15") return plain(kLoad15, false, side);
    if (name == "filesystem_percent") return filesystems(side);
    if (name == "disk_read_bytes") return plain(kDiskRead, true, side);
    if (name == "disk_written_bytes") return plain(kDiskWritten, true, side);
    if (name == "network_received_bytes") return plain(kNetworkReceived, true, side);
    if (name == "network_sent_bytes") return plain(kNetworkSent, true, side);
    return {};
  };
  auto out = readings();
  std::erase_if(out, [&](const auto& reading) {
    return std::ranges::any_of(select, [&](const auto& one) { return reading.labels.get(one.first) != one.second; });
  });
  return out;
}

Status HeardHost::collect(Time now, Batch& out) {
  const auto before = out.samples().size();
  auto status = host_->collect(now, out);
  values_.note(std::span(out.samples()).subspan(before));
  return status;
}

void HeardHost::finish(Time now, Batch& out) {
  const auto before = out.samples().size();
  host_->finish(now, out);
  values_.note(std::span(out.samples()).subspan(before));
}

}  // namespace atalaya::collect::metric
