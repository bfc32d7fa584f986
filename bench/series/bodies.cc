#include "series/bodies.h"

#include <snappy.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>

namespace atalaya::bench {
namespace {

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_field(std::string& out, int number, std::string_view bytes) {
  put_varint(out, static_cast<std::uint64_t>(number) << 3 | 2);
  put_varint(out, bytes.size());
  out.append(bytes);
}

}  // namespace

namespace {

void put_series(std::string& request, std::string_view labels, std::span<const BodySample> samples) {
  std::string series(labels);
  std::string encoded;
  for (const auto& sample : samples) {
    encoded.clear();
    encoded.push_back(0x09);  // double value = 1
    const auto bits = std::bit_cast<std::uint64_t>(sample.value);
    encoded.append(reinterpret_cast<const char*>(&bits), 8);
    encoded.push_back(0x10);  // int64 timestamp = 2
    put_varint(encoded, static_cast<std::uint64_t>(sample.milliseconds));
    put_field(series, 2, encoded);
  }
  put_field(request, 1, series);
}

}  // namespace

void BodyWriter::add(std::string_view labels, std::span<const BodySample> samples) {
  put_series(request_, labels, samples);
  samples_ += samples.size();
  in_body_ += samples.size();
  if (in_body_ >= kSeriesABody) end_body();
}

void BodyWriter::end_body() {
  if (in_body_ == 0) return;
  std::string packed;
  snappy::Compress(request_.data(), request_.size(), &packed);
  const auto size = static_cast<std::uint32_t>(packed.size());
  file_.write(reinterpret_cast<const char*>(&size), sizeof size);
  file_.write(packed.data(), static_cast<std::streamsize>(packed.size()));
  request_.clear();
  in_body_ = 0;
}

std::string body_of(std::string_view labels, double value, std::int64_t milliseconds) {
  std::string request;
  const BodySample sample{value, milliseconds};
  put_series(request, labels, {&sample, 1});
  std::string packed;
  snappy::Compress(request.data(), request.size(), &packed);
  return packed;
}

std::string label_fields(LabelPairs pairs) {
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) {
    std::string label;
    put_field(label, 1, name);
    put_field(label, 2, value);
    put_field(out, 1, label);
  }
  return out;
}

namespace {

enum class Kind : std::uint8_t { kCounter, kSlowCounter, kWhole, kMeasured, kConstant };

struct FleetSeries {
  std::string labels;
  double value = 0;
  float pace = 0;
  Kind kind = Kind::kConstant;
};

/// Metrics of a host with what tells their series apart.
LabelPairs labels_of(std::size_t host, std::size_t n) {
  static const std::vector<std::string> kModes{"idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"};
  static const std::vector<std::string> kVerbs{"read_bytes",    "written_bytes",  "reads_completed", "io_time_seconds",
                                               "receive_bytes", "transmit_bytes", "receive_packets", "errs"};
  LabelPairs out{{"instance", "node-" + std::to_string(10000 + host) + ".cloud.example.net:9100"},
                 {"job", "node"},
                 {"datacenter", "dc" + std::to_string(host % 5)},
                 {"rack", "r" + std::to_string(host / 40)},
                 {"env", host % 10 == 0 ? "staging" : "production"}};
  if (n % 5 == 0) {
    out.emplace_back("__name__", "fleet_cpu_seconds_total");
    out.emplace_back("cpu", std::to_string(n / 40));
    out.emplace_back("mode", kModes[n / 5 % kModes.size()]);
  } else if (n % 5 == 1) {
    out.emplace_back("__name__", "fleet_" + kVerbs[n / 5 % kVerbs.size()] + "_total");
    out.emplace_back("device", "dev" + std::to_string(n / 40));
  } else {
    out.emplace_back("__name__", "fleet_subsystem" + std::to_string(n % 37) + "_metric" + std::to_string(n));
  }
  return out;
}

}  // namespace

std::uint64_t write_fleet(const std::string& path, std::size_t hosts, std::size_t series_a_host, std::size_t scrapes,
                          std::int64_t first_ms) {
  std::mt19937_64 random(42);
  const auto chance = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  std::vector<FleetSeries> all;
  all.reserve(hosts * series_a_host);
  for (std::size_t host = 0; host < hosts; ++host) {
    for (std::size_t n = 0; n < series_a_host; ++n) {
      FleetSeries one;
      one.labels = label_fields(labels_of(host, n));
      const double dice = chance();
      one.kind = dice < 0.30   ? Kind::kCounter
                 : dice < 0.45 ? Kind::kSlowCounter
                 : dice < 0.65 ? Kind::kWhole
                 : dice < 0.80 ? Kind::kMeasured
                               : Kind::kConstant;
      one.pace = static_cast<float>(std::exp(chance() * 9));
      one.value = std::floor(chance() * 1e7);
      if (one.kind == Kind::kMeasured) one.value = chance() * 100;
      all.push_back(std::move(one));
    }
  }
  BodyWriter out(path);
  for (std::size_t scrape = 0; scrape < scrapes; ++scrape) {
    for (std::size_t host = 0; host < hosts; ++host) {
      const auto at = first_ms + static_cast<std::int64_t>(scrape * 15'000 + host * 7919 % 15'000 + random() % 6);
      for (std::size_t n = 0; n < series_a_host; ++n) {
        auto& one = all[host * series_a_host + n];
        switch (one.kind) {
          case Kind::kCounter: one.value += std::floor(static_cast<double>(one.pace) * (0.5 + chance())); break;
          case Kind::kSlowCounter: one.value += chance() < 0.1 ? 1 : 0; break;
          case Kind::kWhole: one.value = std::max(0.0, one.value + std::floor((chance() - 0.5) * one.pace)); break;
          case Kind::kMeasured: one.value = std::round((one.value + chance() - 0.5) * 100) / 100; break;
          case Kind::kConstant: break;
        }
        out.add(one.labels, one.value, at);
      }
    }
  }
  out.end_body();
  return out.samples();
}

namespace {

std::string read_whole(const std::filesystem::path& path) {
  std::string out;
  char buffer[1 << 16];
  const auto file = gzopen(path.c_str(), "rb");  // plain files too
  for (int n; (n = gzread(file, buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<std::size_t>(n));
  gzclose(file);
  return out;
}

/// One line `name{a="b"} value` of a scrape; false for comments.
bool parse(std::string_view line, LabelPairs& labels, double& value) {
  if (line.empty() || line[0] == '#') return false;
  labels.assign({{"instance", "recorded:9100"}, {"job", "node"}});
  auto at = line.find_first_of("{ ");
  labels.emplace_back("__name__", line.substr(0, at));
  if (line[at] == '{') {
    ++at;
    while (line[at] != '}') {
      const auto equals = line.find('=', at);
      std::string text;
      auto i = equals + 2;
      for (; line[i] != '"'; ++i) {
        if (line[i] == '\\')
          text.push_back(line[++i] == 'n' ? '\n' : line[i]);
        else
          text.push_back(line[i]);
      }
      labels.emplace_back(line.substr(at, equals - at), text);
      at = i + 1;
      if (line[at] == ',') ++at;
    }
    ++at;
  }
  value = std::strtod(std::string(line.substr(at + 1)).c_str(), nullptr);
  std::erase_if(labels, [](const auto& pair) { return pair.second.empty(); });
  return true;
}

}  // namespace

std::uint64_t write_recorded(const std::string& path, const std::string& folder, std::int64_t first_ms) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (std::isdigit(static_cast<unsigned char>(entry.path().filename().string()[0]))) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  BodyWriter out(path);
  std::int64_t start = 0;
  LabelPairs labels;
  double value = 0;
  for (const auto& file : files) {
    const auto time = std::stoll(file.filename().string());
    if (start == 0) start = time;
    const auto text = read_whole(file);
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find('\n', at), text.size());
      if (parse(std::string_view(text).substr(at, end - at), labels, value)) {
        out.add(label_fields(labels), value, first_ms + time - start);
      }
      at = end + 1;
    }
    out.end_body();
  }
  return out.samples();
}

}  // namespace atalaya::bench
