// Starts a program with everything taken from it that it does not need.
#pragma once

#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <vector>

#include "base/result.h"
#include "io/descriptor.h"

namespace atalaya::io {

/// All that the child needs, made before it exists: between its birth and its program it shares our memory and
/// may call nothing but the kernel.
struct Launch {
  struct Limit {
    int resource = 0;
    rlimit value{};
  };

  const char* interpreter = nullptr;
  std::vector<char*> arguments;    ///< ends with a null
  std::vector<char*> environment;  ///< ends with a null
  const char* work = nullptr;
  std::array<int, 3> standard{};  ///< become 0, 1, 2; each ≥ 3
  int landlock = -1;
  bool as_nobody = false;
  int namespaces = 0;  ///< CLONE_NEW… to try; without them where they are refused
  std::vector<Limit> limits;
  std::vector<sock_filter> filter;

  // Written by the child when it fails.
  const char* failed_step = nullptr;
  int failed_error = 0;
};

struct Launched {
  pid_t pid = 0;
  Descriptor process;  ///< readable when it has ended
};

constexpr uid_t kNobody = 65534;

/// unavailable, with the step that failed.
Result<Launched> launch(Launch& what);

}  // namespace atalaya::io
