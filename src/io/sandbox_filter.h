// The system calls that a program of a package may make, as a seccomp filter.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace atalaya::io {

/// What reaches into the kernel, into other processes or around the other bounds is refused with EPERM: ptrace,
/// mount, bpf, keyctl, unshare, io_uring, setsid (a session is how we find what a program left running), shared
/// memory that outlives it … Without `network` also every socket but a connected pair of its own, and whatever
/// changes the owner or mode of a file by its path. Another architecture's calls kill it. Empty where we do not
/// know the machine's numbers.
std::vector<sock_filter> seccomp_filter(bool network);

}  // namespace atalaya::io
