// The processes of one session, and of one user, as /proc shows them.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace atalaya::io {

/// Threads that run as this user now: what RLIMIT_NPROC counts. 0 where /proc is not mounted.
std::uint64_t count_threads_of(uid_t user);

/// Kills the group of `leader` and everything else of its session (a process may leave the group, but not the
/// session: setsid is refused), again until nothing is left. `leader` must not have been waited for: then its
/// number is nobody else's.
void kill_session(pid_t leader);

}  // namespace atalaya::io
