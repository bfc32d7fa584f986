#include "telemetry/memory_budget.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "telemetry/log.h"

namespace atalaya::telemetry {
namespace {

constexpr std::uint32_t kLooksBetweenGivingBack = 10;
constexpr std::uint64_t kLeastFarBeyond = 64 << 20;

std::uint64_t page_bytes() { return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

/// Of this group and those above it, the least limit; control groups of version 2.
std::uint64_t limit_of_group(std::uint64_t limit) {
  std::ifstream in("/proc/self/cgroup");
  std::string group;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("0::/")) group = line.substr(3);
  }
  while (!group.empty()) {
    std::ifstream most("/sys/fs/cgroup" + group + "/memory.max");
    std::uint64_t bytes = 0;
    if (most >> bytes) limit = std::min(limit, bytes);  // "max" is no number
    if (group == "/") break;
    group.resize(group.rfind('/'));
    if (group.empty()) group = "/";
  }
  return limit;
}

}  // namespace

MemoryBudget::MemoryBudget(std::uint64_t limit_bytes, Process process, Registry& metrics)
    : limit_(limit_bytes),
      process_(std::move(process)),
      taken_bytes_(metrics.gauge("atalaya_memory_taken_bytes",
                                 "Memory of the process that is in RAM and in no file, as --memory counts it.")),
      tight_gauge_(metrics.gauge("atalaya_memory_tight",
                                 "1 while new series are refused to tenants with more than their share.")),
      full_gauge_(metrics.gauge("atalaya_memory_full", "1 while the process takes more than --memory.")) {
  metrics.gauge("atalaya_memory_limit_bytes", "What the process may take (--memory).").set(static_cast<double>(limit_));
}

/// Whether it is in want now. Twice a threshold, so that it does not flutter about one.
bool MemoryBudget::measure(std::uint64_t taken) const {
  const auto tenths = [&](std::uint64_t n) { return limit_ / 10 * n; };
  const auto wanted = taken + expected_;
  if (wanted >= tenths(8)) tight_ = true;
  if (wanted < tenths(7)) tight_ = false;
  if (taken >= tenths(8)) short_ = true;
  if (taken < tenths(7)) short_ = false;
  if (taken >= limit_) full_ = true;
  if (taken < tenths(9)) full_ = false;
  return tight_;
}

void MemoryBudget::look() {
  const bool was_tight = tight_;
  const bool was_full = full_;
  auto taken = process_.taken();
  if (looks_until_give_back_ > 0) --looks_until_give_back_;
  const bool presses = taken >= limit_ / 10 * 7 && (was_tight || taken >= limit_ / 10 * 8);
  if (presses && looks_until_give_back_ == 0) {
    process_.give_back();
    looks_until_give_back_ = kLooksBetweenGivingBack;
    taken = process_.taken();
  }
  (void)measure(taken);
  far_beyond_ = taken >= limit_ + std::max(limit_ / 4, kLeastFarBeyond);
  taken_bytes_.set(static_cast<double>(taken));
  tight_gauge_.set(tight_ ? 1 : 0);
  full_gauge_.set(full_ ? 1 : 0);
  if (tight_ == was_tight && full_ == was_full) return;
  log_warn("memory",
           full_    ? "no room: new series are refused, queries are held to their reserve"
           : tight_ ? "little room: new series are refused to tenants with more than their share"
                    : "there is room",
           {{"bytes_taken", taken}, {"bytes_allowed", limit_}});
}

bool MemoryBudget::is_full() const {
  (void)measure(process_.taken());
  return full_;
}

std::uint64_t own_memory_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  std::uint64_t of_files = 0;
  in >> size >> resident >> of_files;
  return (resident - std::min(resident, of_files)) * page_bytes();
}

std::uint64_t memory_of_the_machine() {
  return limit_of_group(static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * page_bytes());
}

MemoryBudget::Process this_process() {
  return {own_memory_bytes, [] { ::malloc_trim(0); }};
}

}  // namespace atalaya::telemetry
