// Programs of packages: run apart, with bounds on everything.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::io {

constexpr std::size_t kMaxScriptBytes = 1 << 20;
constexpr std::size_t kMaxScriptInputBytes = 4 << 20;

struct SandboxRequest {
  std::string program;                             ///< text of the script: begins with `#!` and an absolute interpreter
  std::vector<std::string> arguments;              ///< no shell reads them
  std::string input;                               ///< standard input, ≤ 4 MiB
  std::map<std::string, std::string> environment;  ///< beside PATH, LANG, HOME=/nonexistent, TMPDIR
  Duration time{std::chrono::seconds{2}};          ///< wall clock; the whole session is killed after it
  std::uint64_t memory_bytes = 64 << 20;           ///< address space of each process
  std::uint64_t output_bytes = 1 << 20;            ///< standard output; more is an error
  std::uint32_t processes = 16;                    ///< that the script may have at once, threads counted
  bool network = false;                            ///< false: no socket but to itself
  int cancel = -1;                                 ///< a descriptor of the caller's: readable, it ends the script
};

struct SandboxResult {
  int status = 0;          ///< exit code; 128 + n for signal n
  bool timed_out = false;  ///< it was killed at its time; status is then 137
  std::string output;      ///< what it printed, also before a time-out
  std::string errors;      ///< standard error, the first 8 KiB
};

/// Runs it to its end, or to the end of its time, and answers; blocks. What it left running is killed.
/// Errors: invalid_argument (no `#!` line, too large, a name or argument that cannot be one), unprocessable
/// (output), cancelled, unavailable (cannot be started; why). Thread-safe.
///
/// The program gets no file descriptor of ours, no environment of ours, no privileges it did not have
/// (no_new_privs), its own empty working folder, which goes with it, and a session of its own. When we run as root
/// it runs as `nobody`. A seccomp filter refuses what reaches into the kernel or into other processes. Without
/// `network` the system calls that reach one are refused too (and, where that is allowed, it has an empty network
/// of its own), and, where the kernel has Landlock, every file but the system's programs and libraries and its
/// working folder.
Result<SandboxResult> run_sandboxed(const SandboxRequest& request);

}  // namespace atalaya::io
