#include "io/sandbox_landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace atalaya::io {
namespace {

// linux/landlock.h of the kernels that we build with is older than those we run on, so the numbers stand here.
constexpr std::uint64_t kExecute = 1 << 0;
constexpr std::uint64_t kWriteFile = 1 << 1;
constexpr std::uint64_t kReadFile = 1 << 2;
constexpr std::uint64_t kReadDir = 1 << 3;
constexpr std::uint64_t kFirstRights = (1 << 13) - 1;
constexpr std::uint64_t kTruncate = 1 << 14;
constexpr std::uint64_t kTcp = 3;                // bind, connect
constexpr std::uint64_t kAbstractAndSignal = 3;  // scopes
constexpr std::uint64_t kSignal = 2;
constexpr std::uint32_t kAskVersion = 1;
constexpr int kPathBeneath = 1;
constexpr int kVersionTruncate = 3;
constexpr int kVersionNetwork = 4;
constexpr int kVersionScopes = 6;

struct RulesetAttributes {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};

struct [[gnu::packed]] PathAttributes {
  std::uint64_t allowed;
  std::int32_t parent;
};

/// What interpreters read of the system. Not all of /etc, and neither homes nor /var: there lie secrets that
/// the user we run as may read.
constexpr const char* kReadable[] = {"/usr",
                                     "/bin",
                                     "/sbin",
                                     "/lib",
                                     "/lib32",
                                     "/lib64",
                                     "/libx32",
                                     "/opt",
                                     "/nix/store",
                                     "/gnu/store",
                                     "/proc",
                                     "/dev",
                                     "/sys/devices/system/cpu",
                                     "/etc/alternatives",
                                     "/etc/group",
                                     "/etc/ld.so.cache",
                                     "/etc/ld.so.preload",
                                     "/etc/localtime",
                                     "/etc/nsswitch.conf",
                                     "/etc/os-release",
                                     "/etc/passwd",
                                     "/etc/perl",
                                     "/etc/ssl/certs",
                                     "/etc/ssl/openssl.cnf"};
/// Beside the folder of an interpreter that somebody put elsewhere.
constexpr const char* kOfPrefix[] = {"bin", "lib", "lib64", "libexec", "share", "pyvenv.cfg"};

void allow(int ruleset, const char* path, std::uint64_t rights, std::uint64_t handled) {
  const Descriptor opened(::open(path, O_PATH | O_CLOEXEC));
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0) return;
  // A file takes no rights of folders.
  if (!S_ISDIR(status.st_mode)) rights &= kExecute | kWriteFile | kReadFile | kTruncate;
  const PathAttributes attributes{rights & handled, opened.get()};
  ::syscall(SYS_landlock_add_rule, ruleset, kPathBeneath, &attributes, 0);
}

}  // namespace

Descriptor landlock_rules(bool network, const std::string& folder, const std::string& work,
                          const std::string& interpreter) {
  const auto version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  if (version < 1 || (network && version < kVersionScopes)) return {};
  RulesetAttributes attributes;
  if (!network) {
    attributes.files = kFirstRights | (version >= kVersionTruncate ? kTruncate : 0);
    if (version >= kVersionNetwork) attributes.network = kTcp;
  }
  if (version >= kVersionScopes) attributes.scoped = network ? kSignal : kAbstractAndSignal;
  const std::size_t size = version >= kVersionScopes    ? sizeof attributes
                           : version >= kVersionNetwork ? offsetof(RulesetAttributes, scoped)
                                                        : offsetof(RulesetAttributes, network);
  Descriptor ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  if (!ruleset || network) return ruleset;
  constexpr auto kRead = kExecute | kReadFile | kReadDir;
  for (const auto* path : kReadable) allow(ruleset.get(), path, kRead, attributes.files);
  for (const auto* path : {"/dev/null", "/dev/zero", "/dev/full"})
    allow(ruleset.get(), path, kReadFile | kWriteFile | kTruncate, attributes.files);
  std::error_code ignored;
  for (auto it = std::filesystem::directory_iterator("/etc", ignored); it != std::filesystem::directory_iterator();
       it.increment(ignored))
    if (it->path().filename().string().starts_with("python3"))
      allow(ruleset.get(), it->path().c_str(), kRead, attributes.files);
  const auto prefix = std::filesystem::path(interpreter).parent_path().parent_path();
  for (const auto* name : kOfPrefix) allow(ruleset.get(), (prefix / name).c_str(), kRead, attributes.files);
  allow(ruleset.get(), folder.c_str(), kRead, attributes.files);
  allow(ruleset.get(), work.c_str(), attributes.files, attributes.files);
  return ruleset;
}

}  // namespace atalaya::io
