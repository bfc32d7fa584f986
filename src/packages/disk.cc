#include "packages/disk.h"

#include <algorithm>

namespace atalaya::packages {
namespace {

bool is_yaml(const io::DirectoryEntry& entry) {
  return !entry.is_directory && entry.name.ends_with(".yaml") && !entry.name.starts_with('.');
}

/// FNV-1a: differences by accident matter here, not by design.
std::uint64_t mix(std::uint64_t hash, std::string_view bytes) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return (hash ^ bytes.size()) * 0x100000001b3ULL;
}
constexpr std::uint64_t kSeed = 0xcbf29ce484222325ULL;

void read_level(io::FileSystem& files, const std::string& path, const std::string& shown, const std::string& prefix,
                std::vector<SourceFile>& out) {
  const auto entries = files.list(path);
  if (!entries) {
    if (prefix.empty()) out.push_back({shown, "", "", entries.error()});
    return;
  }
  for (const auto& entry : *entries) {
    if (!is_yaml(entry)) continue;
    SourceFile file{shown + "/" + prefix + entry.name, prefix + entry.name, {}, std::nullopt};
    if (auto text = io::read_file(files, path + "/" + entry.name, kMaxPackageFile)) {
      file.text = std::move(*text);
    } else {
      file.unreadable = std::move(text).error();
    }
    out.push_back(std::move(file));
  }
}

}  // namespace

Result<std::vector<std::string>> list_folders(io::FileSystem& files, const std::string& path) {
  std::vector<std::string> out;
  if (!files.exists(path)) return out;
  AT_TRY(auto entries, files.list(path));
  for (const auto& entry : entries) {
    if (entry.is_directory && !entry.name.starts_with('.')) out.push_back(entry.name);
  }
  return out;
}

std::vector<SourceFile> read_folder(io::FileSystem& files, const std::string& path, const std::string& shown) {
  std::vector<SourceFile> out;
  read_level(files, path, shown, "", out);
  if (files.exists(path + "/channels")) read_level(files, path + "/channels", shown, "channels/", out);
  return out;
}

std::uint64_t fingerprint(const std::vector<SourceFile>& files) {
  auto print = kSeed;
  for (const auto& file : files) {
    print = mix(print, file.name);
    print = mix(print, file.text);
    if (file.unreadable) print = mix(print, file.unreadable->message);
  }
  return print;
}

Loaded check_folder(io::FileSystem& files, const std::string& path, const std::set<std::string>& channel_types) {
  auto trimmed = path;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  const auto slash = trimmed.rfind('/');
  const auto folder = slash == std::string::npos ? trimmed : trimmed.substr(slash + 1);
  return load_package(default_tenant(), folder, read_folder(files, trimmed, trimmed), channel_types);
}

Status write_folder(io::FileSystem& files, const std::string& path, const std::vector<SourceFile>& sources) {
  AT_TRY(files.create_directories(path));
  for (const auto& old : read_folder(files, path, "")) {
    const auto same = [&](const SourceFile& file) { return file.name == old.name; };
    if (old.name.empty() || std::any_of(sources.begin(), sources.end(), same)) continue;
    AT_TRY(files.remove(path + "/" + old.name));
  }
  for (const auto& file : sources) {
    if (const auto slash = file.name.rfind('/'); slash != std::string::npos) {
      AT_TRY(files.create_directories(path + "/" + file.name.substr(0, slash)));
    }
    AT_TRY(io::write_file_atomically(files, path + "/" + file.name, file.text));
  }
  return {};
}

}  // namespace atalaya::packages
