// How long 1,000 packages with 100,000 items take to load, what they cost, and how soon a change of one item
// is live: files decided, written and read, rules in the judge's engine. Prints JSON.
//   bench_packages FOLDER [PACKAGES [ITEMS]]
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "app/web_files.h"
#include "packages/service.h"
#include "registry/items.h"
#include "rules/engine.h"
#include "rules/memory_store.h"

namespace {

using namespace atalaya;
namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

/// Processor time of this process: what a load costs, whatever else the machine does.
double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// VmRSS of this process in MB (10^6 bytes).
double resident_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr) * 1024 / 1e6;
  }
  return 0;
}

/// Six rules, three collectors and a dashboard in ten, as people write them: comments, titles, annotations.
std::string package_text(int number, int items) {
  auto text = fmt::format(
      "# Package {0}: made to be measured.\npackage: p{0:04}\nversion: 1.0.0\ntitle: Package {0}\n\n", number);
  const auto section = [&](std::string_view name, int from, int to, const auto& item) {
    text += fmt::format("{}:\n", name);
    for (int i = from; i < to; ++i) {
      if ((i - from) % 20 == 0) text += fmt::format("  group{}:\n", (i - from) / 20);
      item(i);
    }
  };
  const int rules = items * 6 / 10;
  const int collectors = items * 9 / 10;
  section("rules", 0, rules, [&](int i) {
    text += fmt::format(
        "    rule{0}:  # the {0}th\n      title: Something is too high\n"
        "      gauge: {{expr: 'some_metric_{0}{{package=\"p{1}\"}} / limit_{0}', above: {{warning: 0.8, critical: "
        "0.9}}, hysteresis: 0.01}}\n"
        "      for: 30s\n      annotations: {{summary: '{{{{ $labels.instance }}}} is at {{{{ $value }}}}'}}\n",
        i, number);
  });
  section("collectors", rules, collectors, [&](int i) {
    text += fmt::format(
        "    check{0}:\n      http: {{url: 'http://host{0}.example.org/health', expect_status: 200}}\n"
        "      period: 30s\n      on: [nowhere]\n",
        i);
  });
  section("dashboards", collectors, items, [&](int i) {
    text += fmt::format(
        "    board{0}:\n      title: Board {0}\n      widgets:\n"
        "        - {{title: One, at: {{x: 0, y: 0, w: 12, h: 8}}, chart: {{queries: [{{expr: some_metric_{0}}}]}}}}\n",
        i);
  });
  return text;
}

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

struct NoSink final : rules::VerdictSink {
  void verdict(rules::Verdict) override {}
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const fs::path root = fs::path(argv[1]) / "bench-packages";
  const int packages = argc > 2 ? std::atoi(argv[2]) : 1000;
  const int items = argc > 3 ? std::atoi(argv[3]) : 100;
  fs::remove_all(root);
  for (int i = 0; i < packages; ++i) {
    write(root / "packages/default" / fmt::format("p{:04}", i) / "package.yaml", package_text(i, items));
  }
  // The big one in eight files: one may hold a megabyte.
  for (int part = 0; part < 8; ++part) {
    auto text = package_text(part, 5000 / 8);
    const auto from = fmt::format("package: p{:04}", part);
    text.replace(text.find(from), from.size(), "package: big");
    for (const std::string name : {"rule", "check", "group"}) {
      const auto with_part = fmt::format("{}{}_", name, part);
      for (auto at = text.find("  " + name); at != std::string::npos; at = text.find("  " + name, at + 1)) {
        if (at + 2 + name.size() < text.size() &&
            std::isdigit(static_cast<unsigned char>(text[at + 2 + name.size()]))) {
          text.replace(at + 2, name.size(), with_part);
        }
      }
    }
    write(root / "packages/default/big" / fmt::format("part{}.yaml", part), text);
  }

  const auto files = io::real_file_system();
  const SystemClock clock;
  registry::Items index;
  rules::MemorySeries store;
  NoSink sink;
  rules::Engine engine(store, sink);
  packages::Service::Options options;
  options.root = root / "packages";
  options.last_good = root / "packages-last-good";
  options.history = root / "packages-history";
  options.shipped = app::shipped_packages();
  SteadyClock::time_point live;  // when the judge had the last change
  packages::Service service(*files, index, clock, std::move(options));
  const auto complain = [](const Status& status) {
    if (!status) fmt::print(stderr, "{}\n", to_string(status.error()));
  };
  service.subscribe({.rules = [&](const auto& rules) { complain(engine.set_rules(rules, clock.now())); },
                     .package_rules =
                         [&](const auto& tenant, const auto& names, const auto& rules) {
                           complain(engine.set_package_rules(tenant, names, rules, clock.now()));
                           live = SteadyClock::now();
                         }});
  const auto before = resident_megabytes();
  // The first load also keeps a copy of every file; the one that counts is a start with them there.
  auto begin = SteadyClock::now();
  complain(service.load_all());
  const auto first_load = seconds_since(begin);
  const auto loaded_megabytes = resident_megabytes();
  const auto cpu_before = cpu_seconds();
  begin = SteadyClock::now();
  const auto errors = service.reload();
  const auto load = seconds_since(begin);
  const auto load_cpu = cpu_seconds() - cpu_before;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, errors.size()); ++i)
    fmt::print(stderr, "{}\n", to_string(errors[i]));

  std::vector<double> changes;
  for (int i = 0; i < 40; ++i) {
    packages::ChangeRequest request;
    request.author = "bench";
    packages::Operation set;
    set.what = packages::Operation::What::kSet;
    set.at = {fmt::format("p{:04}", (i * 37) % packages), "rules", {"group0", "rule3"}};
    set.field = {"gauge", "above", "warning"};
    set.value = 0.5 + i / 1000.0;
    request.operations.push_back(std::move(set));
    begin = SteadyClock::now();
    const auto changed = service.change(default_tenant(), request);
    changes.push_back(std::chrono::duration<double>(live - begin).count() * 1000);
    if (!changed || !changed->commit) {
      fmt::print(stderr, "not changed: {}\n", changed ? to_string(changed->errors.at(0)) : to_string(changed.error()));
      return 1;
    }
  }
  std::sort(changes.begin(), changes.end());
  begin = SteadyClock::now();
  service.scan();
  const auto scan = seconds_since(begin) * 1000;
  begin = SteadyClock::now();
  const auto tree = service.tree(default_tenant(), "big");
  const auto tree_ms = seconds_since(begin) * 1000;
  begin = SteadyClock::now();
  const auto item = service.item(default_tenant(), "big", "rules", {"group3_3", "rule3_70"});
  const auto item_ms = seconds_since(begin) * 1000;
  fmt::print(
      "{{\"items\":{},\"rules\":{},\"errors\":{},\"first_load_s\":{:.3f},\"load_s\":{:.3f},\"load_cpu_s\":{:.3f},\"rss_"
      "mb\":{:.1f},\"rss_before_mb\":{:.1f},"
      "\"change_ms_p50\":{:.1f},\"change_ms_worst\":{:.1f},\"scan_ms\":{:.1f},\"tree_5000_ms\":{:.1f},\"item_ms\":{:."
      "1f},\"ok\":{}}}\n",
      index.list(default_tenant()).size(), engine.rule_count(), errors.size(), first_load, load, load_cpu,
      loaded_megabytes, before, changes[changes.size() / 2], changes.back(), scan, tree_ms, item_ms, tree && item);
  fs::remove_all(root);
  return 0;
}
