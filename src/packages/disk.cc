#include "packages/disk.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/suggest.h"
#include "packages/edit.h"

namespace atalaya::packages {
namespace {

constexpr std::size_t kMaxFolderDepth = 8;

/// FNV-1a: differences by accident matter here, not by design.
std::uint64_t mix(std::uint64_t hash, std::string_view bytes) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return (hash ^ bytes.size()) * 0x100000001b3ULL;
}
std::uint64_t mix(std::uint64_t hash, std::uint64_t number) {
  for (int i = 0; i < 64; i += 8) hash = (hash ^ ((number >> i) & 0xff)) * 0x100000001b3ULL;
  return hash;
}

Status list_level(io::FileSystem& files, const std::string& path, const std::string& prefix, std::size_t depth,
                  std::vector<ListedFile>& out) {
  if (depth > kMaxFolderDepth) {
    return fail(ErrorCode::kTooLarge, fmt::format("{} has folders deeper than {}", path, kMaxFolderDepth),
                "keep a package's files nearer to its top");
  }
  AT_TRY(auto entries, files.list(path));
  for (const auto& entry : entries) {
    if (entry.name.starts_with('.')) continue;
    if (entry.is_directory && !entry.is_link) {
      AT_TRY(list_level(files, path + "/" + entry.name, prefix + entry.name + "/", depth + 1, out));
      continue;
    }
    if (out.size() >= kMaxPackageFiles) {
      return fail(ErrorCode::kTooLarge, fmt::format("{} holds more than {} files", path, kMaxPackageFiles),
                  "split the package");
    }
    out.push_back({prefix + entry.name, entry.size_bytes, entry.stamp, entry.is_link});
  }
  return {};
}

Error link_error(const std::string& name) {
  return {ErrorCode::kInvalidArgument, fmt::format("{} is a symbolic link, which may lead out of the package", name),
          std::nullopt, "put the file itself there"};
}

/// Where the folder lies on this machine is nobody's business who reads messages: `from` becomes `to`.
Error without_path(Error error, const std::string& from, std::string_view to) {
  const auto at = error.message.find(from);
  if (at != std::string::npos) error.message.replace(at, from.size(), to);
  return error;
}

}  // namespace

bool is_source(std::string_view name) {
  return (name.ends_with(".yaml") || name.ends_with(".yml")) && !name.starts_with("tests/") && !name.starts_with('.');
}

Result<std::vector<std::string>> list_folders(io::FileSystem& files, const std::string& path) {
  std::vector<std::string> out;
  if (!files.exists(path)) return out;
  AT_TRY(auto entries, files.list(path));
  for (const auto& entry : entries) {
    if (entry.is_directory && !entry.name.starts_with('.')) out.push_back(entry.name);
  }
  return out;
}

Result<std::vector<ListedFile>> list_files(io::FileSystem& files, const std::string& path) {
  std::vector<ListedFile> out;
  AT_TRY(list_level(files, path, "", 0, out));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

std::uint64_t fingerprint(const std::vector<ListedFile>& files) {
  std::uint64_t print = 0xcbf29ce484222325ULL;
  for (const auto& file : files) print = mix(mix(mix(print, file.name), file.size_bytes), file.stamp);
  return print;
}

std::vector<SourceFile> read_folder(io::FileSystem& files, const std::string& path, const std::string& shown) {
  std::vector<SourceFile> out;
  const auto listed = list_files(files, path);
  if (!listed) return {{shown, "", "", without_path(listed.error(), path, shown)}};
  for (const auto& one : *listed) {
    if (!is_source(one.name)) continue;
    SourceFile file{shown + "/" + one.name, one.name, {}, std::nullopt};
    if (one.is_link) {
      file.unreadable = link_error(one.name);
    } else if (auto text = io::read_file(files, path + "/" + one.name, kMaxPackageFile)) {
      file.text = std::move(*text);
    } else {
      file.unreadable = without_path(std::move(text).error(), path + "/", shown + "/");
      if (file.unreadable->code == ErrorCode::kTooLarge) {
        file.unreadable->remedy = fmt::format("a package's file holds at most {} MiB: split it", kMaxPackageFile >> 20);
      }
    }
    out.push_back(std::move(file));
  }
  return out;
}

Status check_inside(io::FileSystem& files, const std::string& path, const std::string& name) {
  if (!is_package_path(name)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no path within a package", name),
                "e.g. scripts/check.sh");
  }
  auto at = path;
  for (std::size_t begin = 0; begin < name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    const auto part = name.substr(begin, end - begin);
    const auto entries = files.list(at);
    if (!entries) return {};  // not there yet
    for (const auto& entry : *entries) {
      if (entry.name == part && entry.is_link) return std::unexpected(link_error(name.substr(0, end)));
    }
    at += "/" + part;
    begin = end + 1;
  }
  return {};
}

Result<std::string> read_package_file(io::FileSystem& files, const std::string& path, const std::string& name) {
  AT_TRY(check_inside(files, path, name));
  auto text = io::read_file(files, path + "/" + name, kMaxPackageFile);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    std::vector<std::string> names;
    if (const auto listed = list_files(files, path)) {
      for (const auto& file : *listed) names.push_back(file.name);
    }
    return fail(ErrorCode::kNotFound, fmt::format("the package has no file \"{}\"", name),
                names.empty() ? "" : config::suggestion(name, names));
  }
  if (!text) return std::unexpected(without_path(std::move(text).error(), path + "/", ""));
  return text;
}

}  // namespace atalaya::packages
