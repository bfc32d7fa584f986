// Programs of packages: run apart, with bounds on everything.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::io {

struct SandboxRequest {
  std::string program;                             ///< text of the script: begins with `#!` and an absolute interpreter
  std::vector<std::string> arguments;              ///< no shell reads them
  std::string input;                               ///< standard input, ≤ 4 MiB
  std::map<std::string, std::string> environment;  ///< beside PATH, LANG, HOME=/nonexistent
  Duration time{std::chrono::seconds{2}};          ///< wall clock; the whole process group is killed after it
  std::uint64_t memory_bytes = 64 << 20;           ///< address space
  std::uint64_t output_bytes = 1 << 20;            ///< standard output; more is an error
  std::uint32_t processes = 16;                    ///< that the script may have at once
  bool network = false;                            ///< false: no socket but to itself
};

struct SandboxResult {
  int status = 0;  ///< exit code; 128 + n for signal n
  bool timed_out = false;
  std::string output;
  std::string errors;  ///< standard error, the first 8 KiB
};

/// Runs it to its end and answers; blocks. Errors: invalid_argument (no `#!` line, too large),
/// deadline_exceeded, resource_exhausted (output), unavailable (cannot be started; why). The program gets no
/// file descriptor of ours, no privileges it did not have (no_new_privs), its own empty working folder;
/// without `network` the system calls that reach one are refused (seccomp; a network namespace of its own
/// where that is allowed). When we run as root it runs as `nobody`.
Result<SandboxResult> run_sandboxed(const SandboxRequest& request);

}  // namespace atalaya::io
