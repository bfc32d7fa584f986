// Mounted file systems: the mount table and statfs.
#include <sys/statfs.h>

#include <array>
#include <cerrno>

#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"
#include "collect/host/stat_worker.h"

namespace atalaya::collect::host {
namespace {

enum Column : std::size_t { kSize, kFree, kAvail, kFiles, kFilesFree, kReadonly, kDeviceError, kColumns };

std::vector<std::string> metrics() {
  return {"node_filesystem_size_bytes",  "node_filesystem_free_bytes", "node_filesystem_avail_bytes",
          "node_filesystem_files",       "node_filesystem_files_free", "node_filesystem_readonly",
          "node_filesystem_device_error"};
}

template <std::size_t N>
bool one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  for (const auto candidate : names)
    if (candidate == name) return true;
  return false;
}

/// node_exporter's default of --collector.filesystem.fs-types-exclude.
bool is_excluded_type(std::string_view type) {
  constexpr std::array<std::string_view, 24> kTypes = {
      "autofs",   "binfmt_misc", "bpf",        "cgroup",     "cgroup2",   "configfs", "debugfs", "devpts",
      "devtmpfs", "fusectl",     "hugetlbfs",  "iso9660",    "mqueue",    "nsfs",     "overlay", "proc",
      "procfs",   "pstore",      "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs",   "tracefs"};
  return one_of(type, kTypes);
}

/// node_exporter's default of --collector.filesystem.mount-points-exclude:
/// ^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/), with
/// /run, /mnt and /media as Debian has it.
bool is_excluded_mount(std::string_view path) {
  constexpr std::array<std::string_view, 6> kTrees = {"/dev", "/proc", "/run", "/sys", "/mnt", "/media"};
  for (const auto tree : kTrees)
    if (path == tree || (path.starts_with(tree) && path[tree.size()] == '/')) return true;
  constexpr std::array<std::string_view, 2> kBelow = {"/var/lib/docker/", "/var/lib/containers/storage/"};
  for (const auto tree : kBelow)
    if (path.starts_with(tree) && path.size() > tree.size()) return true;
  return false;
}

/// A server that is gone would hold statfs up for ever.
bool is_remote(std::string_view type) {
  constexpr std::array<std::string_view, 14> kTypes = {"nfs", "nfs4",   "cifs", "smb3",      "smbfs", "ceph", "9p",
                                                       "afs", "lustre", "gfs2", "glusterfs", "ocfs2", "coda", "ncpfs"};
  return type.starts_with("fuse") || one_of(type, kTypes);
}

/// The kernel writes blanks in mount points as \040.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 4], code, 8).ptr == &text[i + 4]) {
      out += static_cast<char>(code);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const auto comma = options.find(',');
    if (options.substr(0, comma) == wanted) return true;
    if (comma == std::string_view::npos) return false;
    options.remove_prefix(comma + 1);
  }
  return false;
}

class FilesystemSource final : public Source {
 public:
  FilesystemSource(const HostOptions& options, SeriesSet& set)
      : root_(options.root),
        set_(set),
        init_mounts_(options.root + "proc/1/mounts"),
        own_mounts_(options.root + "proc/self/mounts"),
        rows_(set, metrics()) {}

  void read(Time now) override {
    if (mounts_.empty() || set_.slow_cycle() || init_mounts_.changed()) read_mounts();
    rows_.begin();
    for (const auto& mount : mounts_) put(mount, now);
    rows_.finish();
  }

 private:
  struct Mount {
    std::string key;
    std::string path;  ///< below the root
    Labels labels;
    bool readonly = false;
    bool remote = false;
  };

  void read_mounts() {
    auto text = init_mounts_.read();
    // Not every user may look at process 1.
    if (text.empty()) text = own_mounts_.read();
    mounts_.clear();
    Lines lines(text);
    std::string_view line;
    while (lines.next(line)) {
      const auto device = unescape(word(line));
      const auto point = unescape(word(line));
      const auto type = word(line);
      const auto options = word(line);
      if (point.empty() || is_excluded_type(type) || is_excluded_mount(point)) continue;
      Mount mount;
      mount.labels = Labels{{"device", device}, {"fstype", type}, {"mountpoint", point}};
      mount.key = mount.labels.packed();
      mount.path = root_ + point.substr(1);
      mount.readonly = has_option(options, "ro");
      mount.remote = is_remote(type);
      bool seen = false;
      for (const auto& other : mounts_) seen = seen || other.key == mount.key;
      if (!seen) mounts_.push_back(std::move(mount));
    }
  }

  void put(const Mount& mount, Time now) {
    struct statfs state{};
    int error = 0;
    if (mount.remote) {
      const auto known = worker_.ask(mount.path, now);
      if (!known) return;  // the first answer is on its way
      state = known->state;
      error = known->error;
    } else if (::statfs(mount.path.c_str(), &state) != 0) {
      error = errno;
    }
    bool fresh = false;
    auto& row = rows_.at(mount.key, fresh);
    if (fresh) row.labels = mount.labels;
    rows_.put(row, kDeviceError, error != 0 ? 1 : 0);
    rows_.put(row, kReadonly, mount.readonly ? 1 : 0);
    if (error != 0) return;
    const auto block = static_cast<double>(state.f_bsize);
    rows_.put(row, kSize, static_cast<double>(state.f_blocks) * block);
    rows_.put(row, kFree, static_cast<double>(state.f_bfree) * block);
    rows_.put(row, kAvail, static_cast<double>(state.f_bavail) * block);
    rows_.put(row, kFiles, static_cast<double>(state.f_files));
    rows_.put(row, kFilesFree, static_cast<double>(state.f_ffree));
  }

  const std::string root_;
  SeriesSet& set_;
  ProcFile init_mounts_;
  ProcFile own_mounts_;
  Rows rows_;
  std::vector<Mount> mounts_;
  StatWorker worker_;
};

}  // namespace

std::unique_ptr<Source> make_filesystem_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<FilesystemSource>(options, set);
}

}  // namespace atalaya::collect::host
