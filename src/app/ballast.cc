#include "app/ballast.h"

#include "base/random.h"
#include "telemetry/log.h"

namespace atalaya::app {

Status Ballast::keep() {
  if (bytes_ == 0) return files_.exists(path_) ? files_.remove(path_) : Status{};
  if (files_.exists(path_)) return {};
  AT_TRY(const auto left, files_.free_bytes(folder_));
  if (left < 2 * bytes_) return {};
  // Random, so that no file system makes little of it.
  const auto piece = random_bytes(1 << 16);
  const auto unfinished = path_ + ".new";
  if (files_.exists(unfinished)) AT_TRY(files_.remove(unfinished));
  AT_TRY(auto file, files_.open_append(unfinished));
  for (std::uint64_t written = 0; written < bytes_; written += piece.size()) AT_TRY(file->append(piece));
  AT_TRY(file->sync());
  AT_TRY(files_.rename(unfinished, path_));
  return files_.sync_directory(folder_);
}

bool Ballast::give_up_if_full() {
  if (!files_.exists(path_)) return false;
  const auto left = files_.free_bytes(folder_);
  const bool is_needed = bytes_ != 0 && (!left || *left >= bytes_ / 2);
  if (is_needed || !files_.remove(path_)) return false;
  telemetry::log_warn("server", "the disk is full: the ballast is given up", {{"bytes", bytes_}});
  return true;
}

}  // namespace atalaya::app
