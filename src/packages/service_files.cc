// Files of packages, as they are on the disk and as they would be after a change.

#include <algorithm>

#include "packages/ondemand.h"
#include "packages/service_impl.h"

namespace atalaya::packages {

namespace {

constexpr std::uint64_t kMaxTakenAway = 64 << 20;

std::pair<std::string, std::string> split_file(const std::string& file) {
  const auto slash = file.find('/');
  return {file.substr(0, slash), slash == std::string::npos ? "" : file.substr(slash + 1)};
}

}  // namespace

Files Service::Impl::disk_files(const TenantId& tenant) const {
  Files out;
  out.list = [this, tenant] {
    auto names = list_folders(files, options.root + "/" + tenant.value());
    if (!names) return std::vector<std::string>{};
    // Its last entity was removed: it is no package then.
    std::erase_if(*names, [&](const std::string& name) {
      if (name != kOndemand) return false;
      const auto listed = list_files(files, folder(tenant, name));
      return listed && listed->empty();
    });
    std::sort(names->begin(), names->end());
    return std::move(*names);
  };
  out.read = [this, tenant](const std::string& package) {
    const auto path = folder(tenant, package);
    return files.exists(path) ? read_folder(files, path, package) : std::vector<SourceFile>{};
  };
  out.last_good = [this, tenant](const std::string& package) {
    if (options.last_good.empty() || !files.exists(good_folder(tenant, package))) return std::vector<SourceFile>{};
    // Shown under the path of the files that are the truth.
    return read_folder(files, good_folder(tenant, package), package);
  };
  out.read_file = [this, tenant](const std::string& package, const std::string& name) {
    return read_package_file(files, folder(tenant, package), name);
  };
  out.has_channel_types = [this, tenant](const std::string& package) {
    return files.exists(folder(tenant, package) + "/channels");
  };
  return out;
}

Files Service::Impl::with_changes(Files below, const TenantId& tenant, const std::vector<FileChange>& changes) const {
  std::map<std::string, std::map<std::string, std::optional<std::string>>> by_package;
  for (const auto& change : changes) {
    auto [package, name] = split_file(change.file);
    by_package[package][name] = change.after;
  }
  Files out = below;
  // A package whose every file is taken away is gone.
  const auto is_gone = [this, tenant, by_package](const std::string& package) {
    const auto listed = list_files(files, folder(tenant, package));
    const auto& own = by_package.at(package);
    if (std::any_of(own.begin(), own.end(), [](const auto& entry) { return entry.second.has_value(); })) return false;
    return !listed ||
           std::all_of(listed->begin(), listed->end(), [&](const auto& file) { return own.contains(file.name); });
  };
  out.list = [below, by_package, is_gone] {
    auto names = below.list();
    for (const auto& [package, own] : by_package) {
      const auto at = std::lower_bound(names.begin(), names.end(), package);
      const bool there = at != names.end() && *at == package;
      const bool gone = is_gone(package);
      if (there && gone) names.erase(at);
      if (!there && !gone) names.insert(at, package);
    }
    return names;
  };
  out.read = [below, by_package](const std::string& package) {
    auto sources = below.read(package);
    const auto own = by_package.find(package);
    if (own == by_package.end()) return sources;
    for (const auto& [name, text] : own->second) {
      std::erase_if(sources, [&](const auto& file) { return file.name == name; });
      if (text && is_source(name)) sources.push_back({package + "/" + name, name, *text, std::nullopt});
    }
    return sources;
  };
  out.read_file = [below, by_package](const std::string& package, const std::string& name) -> Result<std::string> {
    if (const auto own = by_package.find(package); own != by_package.end()) {
      if (const auto file = own->second.find(name); file != own->second.end()) {
        if (file->second) return *file->second;
        return fail(ErrorCode::kNotFound, "the package has no file \"" + name + "\"");
      }
    }
    return below.read_file(package, name);
  };
  out.has_channel_types = [below, by_package](const std::string& package) {
    if (const auto own = by_package.find(package); own != by_package.end()) {
      for (const auto& [name, text] : own->second) {
        if (text && name.starts_with("channels/")) return true;
      }
    }
    return below.has_channel_types(package);
  };
  return out;
}

std::vector<SourceFile> Service::Impl::shipped_files(const std::string& package) const {
  std::vector<SourceFile> out;
  for (const auto& file : options.shipped) {
    const auto [of, name] = split_file(std::string(file.path));
    if (of == package) out.push_back({std::string(file.path), name, std::string(file.bytes), std::nullopt});
  }
  return out;
}

FileTexts Service::Impl::texts_of(const TenantId& tenant, const std::set<std::string>& packages, bool all_files) const {
  FileTexts out;
  for (const auto& package : packages) {
    const auto path = folder(tenant, package);
    const auto listed = list_files(files, path);
    if (!listed) continue;
    for (const auto& file : *listed) {
      if ((!all_files && !is_source(file.name)) || file.is_link) continue;
      // What is too large to be loaded can still be taken away.
      if (auto text = io::read_file(files, path + "/" + file.name, all_files ? kMaxTakenAway : kMaxPackageFile)) {
        out[package + "/" + file.name] = std::move(*text);
      }
    }
  }
  return out;
}

}  // namespace atalaya::packages
