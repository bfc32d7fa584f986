#include "io/sandbox_launch.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/check.h"

namespace atalaya::io {
namespace {

constexpr std::size_t kStackBytes = 64 << 10;

constexpr std::size_t kKernelSetBytes = 8;

/// What the child reads: plain pointers, so that it calls no code of containers.
struct Birth {
  Launch* launch;
  pid_t parent;
  sock_fprog filter;
  const int* standard;
  const Launch::Limit* limits;
  std::size_t limit_count;
  char* const* arguments;
  char* const* environment;
};

// The child runs in our memory, on a stack of its own, while our thread stands still: no allocation, no lock, and
// bare system calls alone. The C library's wrappers may do more (its setresuid changes all our threads, its
// sigaction takes locks), and sanitizers keep books behind them that are ours.
#if defined(__SANITIZE_ADDRESS__)
#define AT_BARE __attribute__((no_sanitize("address")))
#elif defined(__SANITIZE_THREAD__)
#define AT_BARE __attribute__((no_sanitize("thread")))
#else
#define AT_BARE
#endif

AT_BARE [[noreturn]] void leave() {
  for (;;) ::syscall(SYS_exit_group, 127);
}

/// Goes on when the call succeeded; else remembers `step` for us and ends.
AT_BARE void must(Launch& launch, const char* step, long result) {
  if (result >= 0) return;
  launch.failed_step = step;
  launch.failed_error = errno;
  leave();
}

AT_BARE void become_nobody(Launch& launch) {
  must(launch, "setgroups", ::syscall(SYS_setgroups, 0, nullptr));
  must(launch, "setresgid", ::syscall(SYS_setresgid, kNobody, kNobody, kNobody));
  must(launch, "setresuid", ::syscall(SYS_setresuid, kNobody, kNobody, kNobody));
}

/// All signals as at a process' beginning: ours must not be ignored by the program, nor find our handlers here.
AT_BARE void reset_signals() {
  // The kernel's own struct: all zero is the default, whatever its fields are called here.
  const std::uint64_t plain[4] = {};
  for (int signal = 1; signal < NSIG; ++signal) ::syscall(SYS_rt_sigaction, signal, plain, nullptr, kKernelSetBytes);
}

AT_BARE int child(void* argument) {
  auto& birth = *static_cast<Birth*>(argument);
  auto& launch = *birth.launch;
  reset_signals();  // all are blocked still
  must(launch, "setsid", ::syscall(SYS_setsid));
  for (int target = 0; target < 3; ++target)
    must(launch, "dup3", ::syscall(SYS_dup3, birth.standard[target], target, 0));
  if (launch.as_nobody) become_nobody(launch);
  must(launch, "chdir", ::syscall(SYS_chdir, launch.work));
  ::syscall(SYS_umask, 077);
  // After the change of user: that takes this promise away, and the new user's processes count.
  must(launch, "prctl", ::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  if (::syscall(SYS_getppid) != birth.parent) leave();
  for (std::size_t i = 0; i < birth.limit_count; ++i)
    must(launch, "setrlimit", ::syscall(SYS_prlimit64, 0, birth.limits[i].resource, &birth.limits[i].value, nullptr));
  must(launch, "no_new_privs", ::syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  if (launch.landlock >= 0) must(launch, "landlock", ::syscall(SYS_landlock_restrict_self, launch.landlock, 0));
  must(launch, "close_range", ::syscall(SYS_close_range, 3U, ~0U, 0U));
  must(launch, "seccomp", ::syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &birth.filter, 0, 0));
  const std::uint64_t none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kKernelSetBytes);
  must(launch, "execve", ::syscall(SYS_execve, launch.interpreter, birth.arguments, birth.environment));
  leave();
}

/// Blocks every signal of this thread for its lifetime.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_{};
};

/// The child's change of user also forbids core files and debuggers to the memory that it shares with us;
/// afterwards that is given back. The lock: else one launch would take another's moment for the usual state.
class KeepDumpable {
 public:
  KeepDumpable() : lock_(mutex()), before_(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)) {}
  ~KeepDumpable() {
    if (before_ == 1) ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  }
  KeepDumpable(const KeepDumpable&) = delete;
  KeepDumpable& operator=(const KeepDumpable&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  const std::lock_guard<std::mutex> lock_;
  const int before_;
};

class Stack {
 public:
  Stack()
      : base_(::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {}
  ~Stack() {
    if (*this) ::munmap(base_, kStackBytes);
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  explicit operator bool() const { return base_ != MAP_FAILED; }
  void* top() const { return static_cast<char*>(base_) + kStackBytes; }

 private:
  void* base_;
};

std::unexpected<Error> cannot(const char* step, int error) {
  return fail(ErrorCode::kUnavailable, std::string("cannot start the script: ") + step + ": " + std::strerror(error));
}

}  // namespace

Result<Launched> launch(Launch& what) {
  AT_CHECK(!what.arguments.empty() && what.arguments.back() == nullptr);
  AT_CHECK(!what.environment.empty() && what.environment.back() == nullptr);
  if (what.filter.empty())
    return fail(ErrorCode::kUnavailable,
                "scripts do not run on this machine: no filter of system calls is known for it");
  Birth birth{.launch = &what,
              .parent = ::getpid(),
              .filter = {static_cast<unsigned short>(what.filter.size()), what.filter.data()},
              .standard = what.standard.data(),
              .limits = what.limits.data(),
              .limit_count = what.limits.size(),
              .arguments = what.arguments.data(),
              .environment = what.environment.data()};
  const Stack stack;
  if (!stack) return cannot("mmap", errno);
  const NoSignals quiet;
  const KeepDumpable dumpable;
  // CLONE_VFORK: we go on when the program has begun or the attempt has ended, so `what` and the stack live long
  // enough. A copy of our memory map (fork) would take a large server milliseconds.
  constexpr int kFlags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  int process = -1;
  int pid = ::clone(child, stack.top(), kFlags | what.namespaces, &birth, &process);
  if (pid < 0 && what.namespaces != 0) pid = ::clone(child, stack.top(), kFlags, &birth, &process);
  if (pid < 0) return cannot("clone", errno);
  Launched out{pid, Descriptor(process)};
  if (!what.failed_step) return out;
  siginfo_t status{};
  ::waitid(P_PID, static_cast<id_t>(pid), &status, WEXITED);
  return cannot(what.failed_step, what.failed_error);
}

}  // namespace atalaya::io
