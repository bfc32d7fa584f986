// The files that a program of a package may reach, as a Landlock rule set.
#pragma once

#include <string>

#include "io/descriptor.h"

namespace atalaya::io {

/// A rule set for the child to enter. Without `network` a program is a function of its input: it reads the
/// system's programs and libraries, writes `work` and nothing else, also where it runs as the user that we run
/// as; with it, only signals to processes other than its own are refused. None where the kernel has no Landlock
/// (before 5.13, or switched off): ownership of files and the seccomp filter are then all there is.
Descriptor landlock_rules(bool network, const std::string& folder, const std::string& work,
                          const std::string& interpreter);

}  // namespace atalaya::io
