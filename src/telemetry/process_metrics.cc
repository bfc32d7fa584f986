#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

#include "telemetry/metrics.h"

namespace atalaya::telemetry {
namespace {

/// Field `n` of /proc/self/stat, counted from 1 as proc(5) does; nothing where /proc is absent.
std::optional<double> stat_field(int n) {
  std::ifstream in("/proc/self/stat");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  // The name of the program stands in parentheses and may hold spaces.
  const auto end = text.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(end + 1));
  std::string field;
  for (int i = 3; i <= n; ++i) {
    if (!(rest >> field)) return std::nullopt;
  }
  double value = 0;
  const auto [stop, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

double ticks() { return static_cast<double>(::sysconf(_SC_CLK_TCK)); }

double cpu_seconds() {
  struct rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double open_descriptors() {
  DIR* dir = ::opendir("/proc/self/fd");
  if (!dir) return 0;
  double count = -3;  // ".", ".." and the descriptor of this reading
  while (::readdir(dir)) ++count;
  ::closedir(dir);
  return count;
}

double start_time() {
  std::ifstream in("/proc/stat");
  std::string key;
  double boot = 0;
  while (in >> key && key != "btime") in.ignore(1 << 20, '\n');
  in >> boot;
  return boot + stat_field(22).value_or(0) / ticks();
}

}  // namespace

void add_process_metrics(Registry& registry, std::string_view version, std::string_view revision) {
  registry.callback("process_cpu_seconds_total", "User and system processor time spent, in seconds.", cpu_seconds);
  registry.callback("process_resident_memory_bytes", "Memory resident in RAM, in bytes.",
                    [] { return stat_field(24).value_or(0) * static_cast<double>(::sysconf(_SC_PAGESIZE)); });
  registry.callback("process_virtual_memory_bytes", "Address space in use, in bytes.",
                    [] { return stat_field(23).value_or(0); });
  registry.callback("process_threads", "Threads of the process.", [] { return stat_field(20).value_or(0); });
  registry.callback("process_open_fds", "Open file descriptors.", open_descriptors);
  registry.callback("process_max_fds", "Highest number of file descriptors the process may open.", [] {
    struct rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<double>(limit.rlim_cur);
  });
  registry.gauge("process_start_time_seconds", "When the process started, in seconds since 1970.").set(start_time());
  registry
      .gauge("atalaya_build_info", "Always 1; the labels say which build this is.",
             {{"version", std::string(version)}, {"revision", std::string(revision)}})
      .set(1);
}

}  // namespace atalaya::telemetry
