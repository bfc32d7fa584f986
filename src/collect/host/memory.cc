// /proc/meminfo and /proc/vmstat.
#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"

namespace atalaya::collect::host {
namespace {

/// `Active(anon)` becomes `Active_anon`.
std::string memory_name(std::string_view key, bool bytes) {
  std::string name = "node_memory_";
  for (const auto c : key) {
    if (c == '(') {
      name += '_';
    } else if (c != ')') {
      name += c;
    }
  }
  return bytes ? name + "_bytes" : name;
}

/// node_exporter's default selection: ^(oom_kill|pgpg|pswp|pg.*fault).*
bool is_selected(std::string_view key) {
  return key.starts_with("oom_kill") || key.starts_with("pgpg") || key.starts_with("pswp") ||
         (key.starts_with("pg") && key.find("fault", 2) != std::string_view::npos);
}

class MemorySource final : public Source {
 public:
  MemorySource(const HostOptions& options, SeriesSet& set)
      : meminfo_(options.root + "proc/meminfo"),
        vmstat_(options.root + "proc/vmstat"),
        memory_rows_(set, {}),
        vm_rows_(set, {}) {}

  void read(Time) override {
    read_meminfo();
    read_vmstat();
  }

 private:
  void read_meminfo() {
    memory_rows_.begin();
    Lines lines(meminfo_.read());
    std::string_view line;
    while (lines.next(line)) {
      auto key = word(line);
      if (!key.ends_with(':')) continue;
      key.remove_suffix(1);
      double value = 0;
      if (!number(word(line), value)) continue;
      const bool bytes = word(line) == "kB";
      bool fresh = false;
      auto& row = memory_rows_.at(key, fresh);
      if (fresh) row.metric = memory_name(key, bytes);
      memory_rows_.put(row, 0, bytes ? value * 1024 : value);
    }
    memory_rows_.finish();
  }

  void read_vmstat() {
    vm_rows_.begin();
    Lines lines(vmstat_.read());
    std::string_view line;
    while (lines.next(line)) {
      const auto key = word(line);
      if (!is_selected(key)) continue;
      double value = 0;
      if (!number(word(line), value)) continue;
      bool fresh = false;
      auto& row = vm_rows_.at(key, fresh);
      if (fresh) row.metric = "node_vmstat_" + std::string{key};
      vm_rows_.put(row, 0, value);
    }
    vm_rows_.finish();
  }

  ProcFile meminfo_;
  ProcFile vmstat_;
  Rows memory_rows_;
  Rows vm_rows_;
};

}  // namespace

std::unique_ptr<Source> make_memory_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<MemorySource>(options, set);
}

}  // namespace atalaya::collect::host
