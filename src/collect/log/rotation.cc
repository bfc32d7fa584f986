#include "collect/log/rotation.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <tuple>

namespace atalaya::collect::log {
namespace {

constexpr std::size_t kMaxEntries = 10'000;
constexpr std::array<std::string_view, 7> kCompressed = {".gz", ".xz", ".bz2", ".zst", ".zip", ".lz4", ".Z"};

/// `.1`, `-20261122`, `.2026-11-22T04:30`, `.old`: what stands behind the name of a rotated file.
bool is_rotation_suffix(std::string_view suffix) {
  if (suffix.size() < 2 || (suffix.front() != '.' && suffix.front() != '-')) return false;
  suffix.remove_prefix(1);
  if (suffix == "old" || suffix == "bak") return true;
  return suffix.find_first_of("0123456789") != std::string_view::npos &&
         suffix.find_first_not_of("0123456789-._:TZ") == std::string_view::npos;
}

}  // namespace

bool is_compressed(std::string_view path) {
  return std::ranges::any_of(kCompressed, [&](auto end) { return path.ends_with(end); });
}

std::vector<RotatedFile> rotated_files(const std::string& path) {
  std::vector<RotatedFile> out;
  const std::filesystem::path whole(path);
  const auto name = whole.filename().string();
  std::error_code error;
  std::size_t count = 0;
  auto entry = std::filesystem::directory_iterator(whole.parent_path(), error);
  for (; !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) {
    if (++count > kMaxEntries) break;
    auto beside = entry->path().filename().string();
    if (!beside.starts_with(name)) continue;
    auto suffix = std::string_view(beside).substr(name.size());
    const bool compressed = is_compressed(suffix);
    if (compressed) suffix = suffix.substr(0, suffix.rfind('.'));
    if (!is_rotation_suffix(suffix)) continue;
    struct stat status{};
    if (::stat(entry->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    out.push_back({entry->path().string(), status.st_dev, status.st_ino, status.st_mtim, compressed});
  }
  std::ranges::sort(out, {},
                    [](const auto& file) { return std::tuple(file.changed.tv_sec, file.changed.tv_nsec, file.path); });
  return out;
}

}  // namespace atalaya::collect::log
