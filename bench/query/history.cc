#include "query/history.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <vector>

#include "series/bodies.h"

namespace atalaya::bench {
namespace {

constexpr std::int64_t kScrapeMs = 15'000;

enum class Kind : std::uint8_t { kCounter, kSlowCounter, kWhole, kMeasured, kConstant, kUp };

struct Series {
  LabelPairs labels;  ///< without those of the host
  Kind kind = Kind::kConstant;
  double scale = 1;  ///< growth a second, or what the value moves around
};

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = a * 0x9E3779B97F4A7C15 ^ (b + 0x7F4A7C15) * 0xD6E8FEB86659FD93;
  x = (x ^ x >> 32) * 0xD6E8FEB86659FD93;
  x = (x ^ x >> 32) * 0xD6E8FEB86659FD93;
  return x ^ x >> 32;
}

/// In [0, 1).
double chance(std::uint64_t a, std::uint64_t b) { return static_cast<double>(mix(a, b) >> 11) * 0x1p-53; }

void add_cpus(std::vector<Series>& out) {
  static const std::array<std::string, 8> kModes{"idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"};
  for (int cpu = 0; cpu < 16; ++cpu) {
    for (std::size_t mode = 0; mode < kModes.size(); ++mode) {
      const double scale = mode == 0 ? 0.7 : mode > 5 ? 0.1 : 0.003;
      out.push_back({{{"__name__", "fleet_cpu_seconds_total"}, {"cpu", std::to_string(cpu)}, {"mode", kModes[mode]}},
                     Kind::kCounter,
                     scale});
    }
  }
}

void add_devices(std::vector<Series>& out) {
  for (int device = 0; device < 6; ++device) {
    for (const auto* verb : {"receive", "transmit"}) {
      for (const auto* what : {"bytes", "packets", "errs", "drop"}) {
        const bool rare = what[0] == 'e' || what[0] == 'd';
        out.push_back({{{"__name__", std::string("fleet_network_") + verb + "_" + what + "_total"},
                        {"device", "eth" + std::to_string(device)}},
                       rare ? Kind::kSlowCounter : Kind::kCounter,
                       rare             ? 0.01
                       : what[0] == 'b' ? 5e5
                                        : 700});
      }
    }
  }
  for (int device = 0; device < 8; ++device) {
    for (const auto* what : {"read_bytes", "written_bytes", "io_time_seconds", "reads_completed"}) {
      out.push_back({{{"__name__", std::string("fleet_disk_") + what + "_total"},
                      {"device", "sd" + std::string(1, static_cast<char>('a' + device))}},
                     Kind::kCounter,
                     what[0] == 'i' ? 0.1 : 4e4});
    }
    const auto mount = device == 0 ? std::string("/") : "/srv/" + std::to_string(device);
    const auto file_system = [&](const char* name, Kind kind, double scale) {
      out.push_back({{{"__name__", name},
                      {"mountpoint", mount},
                      {"fstype", "ext4"},
                      {"device", "/dev/sd" + std::string(1, static_cast<char>('a' + device))}},
                     kind,
                     scale});
    };
    file_system("fleet_filesystem_avail_bytes", Kind::kWhole, 4e10);
    file_system("fleet_filesystem_size_bytes", Kind::kConstant, 1e11);
    file_system("fleet_filesystem_files_free", Kind::kWhole, 6e6);
  }
}

void add_requests(std::vector<Series>& out) {
  static const std::array<std::string, 12> kBounds{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25",
                                                   "0.5",   "1",    "2.5",   "5",    "10",  "+Inf"};
  static const std::array<std::string, 8> kHandlers{"/",        "/login",  "/api/v1/orders", "/api/v1/users",
                                                    "/metrics", "/health", "/static",        "/search"};
  for (std::size_t handler = 0; handler < kHandlers.size(); ++handler) {
    const LabelPairs job{{"handler", kHandlers[handler]}};
    const auto add = [&](LabelPairs more, Kind kind, double scale) {
      more.insert(more.end(), job.begin(), job.end());
      out.push_back({std::move(more), kind, scale});
    };
    for (std::size_t bound = 0; bound < kBounds.size(); ++bound) {
      // The growth of each bucket includes that of the ones below it.
      add({{"__name__", "fleet_http_request_duration_seconds_bucket"}, {"le", kBounds[bound]}}, Kind::kCounter,
          20.0 * (1 - std::pow(0.6, static_cast<double>(bound + 1))));
    }
    add({{"__name__", "fleet_http_request_duration_seconds_sum"}}, Kind::kCounter, 7);
    add({{"__name__", "fleet_http_request_duration_seconds_count"}}, Kind::kCounter, 20);
    for (const auto* code : {"200", "302", "404", "500", "503"}) {
      add({{"__name__", "fleet_http_requests_total"}, {"code", code}},
          code[0] == '5' ? Kind::kSlowCounter : Kind::kCounter, code[0] == '5' ? 0.02 : 5);
    }
  }
}

/// What each host has; those that name the host itself come first.
std::vector<Series> series_of_host() {
  std::vector<Series> out;
  const auto gauge = [&](std::string name, Kind kind, double scale) {
    out.push_back({{{"__name__", std::move(name)}}, kind, scale});
  };
  gauge("fleet_uname_info", Kind::kConstant, 1);
  gauge("fleet_up", Kind::kUp, 1);
  gauge("fleet_boot_time_seconds", Kind::kConstant, 1.7e9);
  for (const auto* name : {"fleet_load1", "fleet_load5", "fleet_load15"}) gauge(name, Kind::kMeasured, 4);
  gauge("fleet_memory_MemTotal_bytes", Kind::kConstant, 6.4e10);
  for (const auto* what : {"MemAvailable", "MemFree", "Buffers", "Cached", "Slab", "Dirty", "Mapped", "AnonPages",
                           "Active", "Inactive", "SwapFree", "Shmem"}) {
    gauge(std::string("fleet_memory_") + what + "_bytes", Kind::kWhole, 1e10);
  }
  add_cpus(out);
  add_devices(out);
  add_requests(out);
  for (std::size_t n = 0; out.size() < kSeriesOfHost; ++n) {
    gauge("fleet_subsystem" + std::to_string(n % 11) + "_metric" + std::to_string(n),
          n % 3 == 0   ? Kind::kMeasured
          : n % 3 == 1 ? Kind::kWhole
                       : Kind::kConstant,
          100);
  }
  out.resize(kSeriesOfHost);
  return out;
}

LabelPairs labels_of_host(std::size_t host) {
  return {{"instance", "node-" + std::to_string(10000 + host) + ".cloud.example.net:9100"},
          {"job", host % 3 == 0 ? "api" : "node"},
          {"datacenter", "dc" + std::to_string(host % 5)},
          {"rack", "r" + std::to_string(host / 40)},
          {"env", host % 10 == 0 ? "staging" : "production"}};
}

LabelPairs labels_of(std::size_t host, const Series& series) {
  auto out = labels_of_host(host);
  out.insert(out.end(), series.labels.begin(), series.labels.end());
  if (series.labels.front().second == "fleet_uname_info") {
    out.emplace_back("release", "6.1.0-" + std::to_string(host % 4));
    out.emplace_back("nodename", "node-" + std::to_string(10000 + host));
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// `name` is of the series, `scrape` of the instant, `seconds` since the beginning.
double value_at(const Series& series, std::uint64_t name, std::uint64_t scrape, double seconds) {
  const double pace = series.scale * (0.5 + chance(name, 0));
  switch (series.kind) {
    case Kind::kCounter: {
      // Began a while ago; what is still missing of the last step comes with the next.
      const double grown = pace * (seconds + 3600 * (1 + 99 * chance(name, 1)) - 14 * chance(name, scrape));
      return series.scale < 1 ? std::floor(grown * 100) / 100 : std::floor(grown);
    }
    case Kind::kSlowCounter: return std::floor(pace * (seconds + 3600 * 50 * chance(name, 1)));
    case Kind::kWhole:
      return std::floor(pace *
                        (1 + 0.3 * std::sin(seconds / 9000 + 6 * chance(name, 1)) + 0.01 * chance(name, scrape)));
    case Kind::kMeasured: return std::round(pace * (1 + chance(name, scrape)) * 100) / 100;
    case Kind::kConstant: return std::max(1.0, std::floor(series.scale == 1 ? 1 : pace));
    case Kind::kUp: return chance(name, 2) < 0.03 ? 0 : 1;
  }
  return 0;
}

/// Calls `take(host, n, time, value)` for every sample of a slice: series by series, ascending in time.
template <typename Take>
void each_sample(const History& history, const std::vector<Series>& series, std::size_t slice, Take take) {
  for (std::size_t host = 0; host < history.hosts; ++host) {
    const bool dense = host < history.dense_hosts;
    const auto length = dense ? kScrapeMs : kSliceMs;
    const auto offset = static_cast<std::int64_t>(host) * 7'919'000 % length / 1000 * 1000;
    for (std::size_t n = 0; n < series.size(); ++n) {
      const auto name = host * kSeriesOfHost + n + 1;
      for (std::int64_t at = 0; at < kSliceMs; at += length) {
        const auto since = static_cast<std::int64_t>(slice) * kSliceMs + at + offset;
        const auto scrape = static_cast<std::uint64_t>(since / kScrapeMs) + 2;
        const auto jitter = static_cast<std::int64_t>(1 + mix(host, scrape) % 5);  // of the scrape: one for all series
        take(host, n, history.first_ms + since + jitter,
             value_at(series[n], name, scrape, static_cast<double>(since) / 1000));
      }
    }
  }
}

void append_number(std::string& out, double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

std::string text_of(const LabelPairs& labels) {
  std::string name;
  std::string inner;
  for (const auto& [key, value] : labels) {
    if (key == "__name__") {
      name = value;
      continue;
    }
    if (!inner.empty()) inner += ',';
    inner += key + "=\"" + value + '"';
  }
  return name + '{' + inner + "} ";
}

}  // namespace

std::uint64_t write_history(const std::string& path, const History& history, std::size_t from, std::size_t to) {
  const auto series = series_of_host();
  BodyWriter out(path);
  std::string labels;
  std::size_t host_of_labels = SIZE_MAX;
  std::size_t n_of_labels = 0;
  std::vector<BodySample> samples;
  const auto flush = [&] {
    if (!samples.empty()) out.add(labels, samples);
    samples.clear();
  };
  for (auto slice = from; slice < to; ++slice) {
    each_sample(history, series, slice, [&](std::size_t host, std::size_t n, std::int64_t time, double value) {
      if (host != host_of_labels || n != n_of_labels) {
        flush();
        labels = label_fields(labels_of(host, series[n]));
        host_of_labels = host;
        n_of_labels = n;
      }
      samples.push_back({value, time});
    });
    flush();
    host_of_labels = SIZE_MAX;
    out.end_body();
  }
  return out.samples();
}

std::uint64_t write_openmetrics(const std::string& path, const History& history, std::size_t from, std::size_t to) {
  const auto series = series_of_host();
  std::ofstream file(path, std::ios::binary);
  std::string text;
  std::string labels;
  std::size_t host_of_labels = SIZE_MAX;
  std::size_t n_of_labels = 0;
  std::uint64_t samples = 0;
  for (auto slice = from; slice < to; ++slice) {
    each_sample(history, series, slice, [&](std::size_t host, std::size_t n, std::int64_t time, double value) {
      if (host != host_of_labels || n != n_of_labels) {
        labels = text_of(labels_of(host, series[n]));
        host_of_labels = host;
        n_of_labels = n;
      }
      text += labels;
      append_number(text, value);
      text += ' ';
      text += std::to_string(time / 1000) + '.';
      const auto ms = std::to_string(1000 + time % 1000);
      text.append(ms, 1, 3);
      text += '\n';
      ++samples;
      if (text.size() > 1 << 20) {
        file << text;
        text.clear();
      }
    });
    host_of_labels = SIZE_MAX;
  }
  file << text << "# EOF\n";
  return samples;
}

std::uint64_t write_scrape(const std::string& path, const History& history, std::size_t slice, std::int64_t at_ms) {
  const auto series = series_of_host();
  BodyWriter out(path);
  const auto since = static_cast<std::int64_t>(slice) * kSliceMs;
  for (std::size_t host = 0; host < history.hosts; ++host) {
    for (std::size_t n = 0; n < series.size(); ++n) {
      const auto value = value_at(series[n], host * kSeriesOfHost + n + 1, static_cast<std::uint64_t>(slice) + 2,
                                  static_cast<double>(since) / 1000);
      out.add(label_fields(labels_of(host, series[n])), value, at_ms);
    }
  }
  out.end_body();
  return out.samples();
}

std::uint64_t write_stream(const std::string& path, std::size_t hosts, std::int64_t first_ms, std::size_t pace,
                           std::size_t seconds) {
  const auto series = series_of_host();
  BodyWriter out(path);
  std::vector<std::string> labels;
  for (std::size_t host = 0; host < hosts; ++host) {
    for (const auto& one : series) labels.push_back(label_fields(labels_of(host, one)));
  }
  for (std::size_t i = 0; i < pace * seconds; ++i) {
    const auto n = i % labels.size();
    const auto at = first_ms + static_cast<std::int64_t>(i * 1000 / pace);
    out.add(labels[n], value_at(series[n % series.size()], n + 1, i / labels.size() + 20, 9000), at);
  }
  out.end_body();
  return out.samples();
}

}  // namespace atalaya::bench
