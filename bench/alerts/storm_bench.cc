// What an alert that others post costs the control loop: processor time, statements and bytes, without HTTP.
//   bench_storm FOLDER [ALERTS] [ALERTS AN EVENT]
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "app/alert_machines.h"
#include "base/time.h"

namespace atalaya {
namespace {

constexpr std::string_view kRoutes = R"(
route:
  receiver: quiet
  group_by: ['...']
  group_wait: 0s
receivers:
  - name: quiet
)";

double processor_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// What this process has written so far, by system calls.
double written_bytes() {
  std::ifstream io("/proc/self/io");
  for (std::string name; io >> name;) {
    double value = 0;
    io >> value;
    if (name == "wchar:") return value;
  }
  return 0;
}

alerts::PostedAlert alert(int n, Time now) {
  alerts::PostedAlert out;
  out.labels = Labels{{"alertname", fmt::format("Storm{}", n % 500)}, {"instance", fmt::format("host{:05}", n / 50)},
                      {"device", fmt::format("dev{}", n % 50)},       {"job", "node"},
                      {"team", fmt::format("team{}", n % 7)},         {"severity", "warning"}};
  out.annotations = {{"summary", fmt::format("device {} of host {} is not as it should be", n % 50, n / 50)},
                     {"runbook", "https://runbooks.example.com/storm"}};
  out.generator_url = "http://prometheus.example.com/graph?g0.expr=storm";
  out.starts = now;
  out.received = now;
  out.ends = now + std::chrono::minutes{5};
  out.timed_out = true;
  return out;
}

Status run(const std::string& folder, int alerts, int an_event) {
  const SystemClock clock;
  AT_TRY(auto database, db::open_sqlite(folder + "/storm.db"));
  AT_TRY(database->migrate(app::AlertMachines::migrations()));
  const notify::ChannelBook book({}, {});
  app::AlertMachines machines(book, "http://atalaya.example.com", {});
  control::Loop loop(*database, machines.all());
  AT_TRY(loop.restore());
  const auto tenant = default_tenant();
  auto now = from_ms(1'767'225'600'000);
  std::vector<double> steps;
  const auto step = [&](std::any body, std::size_t weight) -> Status {
    AT_TRY(loop.post({.tenant = tenant, .body = std::move(body), .done = {}, .cursor = {}, .weight = weight}));
    const auto begun = clock.steady();
    AT_TRY(loop.step(now));
    steps.push_back(std::chrono::duration<double>(clock.steady() - begun).count() * 1e3);
    return {};
  };
  AT_TRY(step(dispatch::Configure{std::string(kRoutes), "storm.yml"}, 1));
  const auto begun = processor_seconds();
  const auto written = written_bytes();
  for (int n = 0; n < alerts;) {
    alerts::Posted event{"alertmanager", {}};
    for (int i = 0; i < an_event && n < alerts; ++i) event.alerts.push_back(alert(n++, now));
    AT_TRY(step(std::move(event), static_cast<std::size_t>(an_event)));
    now += Duration{an_event / 10};
  }
  const auto used = processor_seconds() - begun;
  std::ranges::sort(steps);
  fmt::print("a step: p50 {:.1f}, p90 {:.1f}, p99 {:.1f}, worst {:.1f} ms\n", steps[steps.size() / 2],
             steps[steps.size() * 9 / 10], steps[steps.size() * 99 / 100], steps.back());
  fmt::print("{} alerts, {} an event: {:.1f} us of processor time and {:.0f} bytes written an alert\n", alerts,
             an_event, used / alerts * 1e6, (written_bytes() - written) / alerts);
  return {};
}

}  // namespace
}  // namespace atalaya

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: bench_storm FOLDER [ALERTS] [ALERTS AN EVENT]\n", stderr);
    return 2;
  }
  const auto number = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
  const auto status = atalaya::run(argv[1], number(2, 100'000), number(3, 128));
  if (!status) std::fprintf(stderr, "%s\n", atalaya::to_string(status.error()).c_str());
  return status ? 0 : 1;
}
