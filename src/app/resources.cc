#include "app/resources.h"

#include <algorithm>

#include "app/data_folder.h"
#include "telemetry/log.h"

namespace atalaya::app {

Resources::Resources(io::FileSystem& files, std::string data, const Limits& limits, telemetry::Registry& metrics)
    : files_(files),
      data_(std::move(data)),
      ballast_(files, data_, limits.ballast_bytes),
      memory_(limits.memory_bytes != 0 ? limits.memory_bytes : telemetry::memory_of_the_machine() / 5 * 4,
              telemetry::this_process(), metrics),
      queries_(memory_, metrics, telemetry::this_process().give_back) {}

Status Resources::prepare_folder() {
  auto prepared = app::prepare_folder(files_, data_);
  if (!prepared && ballast_.give_up_if_full()) prepared = app::prepare_folder(files_, data_);
  if (prepared) return {};
  constexpr std::uint64_t kLittle = 1 << 20;
  auto error = std::move(prepared).error();
  const auto left = files_.free_bytes(data_);
  if (left && *left < kLittle) {
    error.remedy = "the disk is full, and the ballast that is kept for a start is used: free a few megabytes";
  }
  return std::unexpected(std::move(error));
}

void Resources::limit(tsdb::Options& options) {
  options.budget = &memory_;
  options.make_room = [this] { ballast_.give_up_if_full(); };
}

void Resources::add_chores(Keeper& keeper) {
  keeper.add(std::chrono::seconds{1}, [this] { memory_.look(); });
  keeper.add(std::chrono::seconds{10}, [this] {
    if (auto kept = ballast_.keep(); !kept) {
      telemetry::log_warn("server", "no ballast on the disk", {{"reason", to_string(kept.error())}});
    }
  });
}

std::uint64_t ballast_of(std::uint64_t disk_reserve_bytes) {
  constexpr std::uint64_t kMost = 16 << 20;
  return std::min(kMost, disk_reserve_bytes / 4);
}

}  // namespace atalaya::app
