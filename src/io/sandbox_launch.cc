#include "io/sandbox_launch.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/check.h"

namespace atalaya::io {
namespace {

constexpr std::size_t kStackBytes = 64 << 10;

struct Birth {
  Launch* launch;
  pid_t parent;
  sock_fprog filter;
};

// The child runs in our memory, on a stack of its own, while our thread stands still: no allocation, no lock,
// no call of the C library that does more than the system call (its setresuid would change all our threads).
#if defined(__SANITIZE_ADDRESS__)
#define AT_RAW_STACK __attribute__((no_sanitize("address")))
#else
#define AT_RAW_STACK
#endif

AT_RAW_STACK [[noreturn]] void give_up(Launch& launch, const char* step) {
  launch.failed_step = step;
  launch.failed_error = errno;
  ::_exit(127);
}

AT_RAW_STACK void become_nobody(Launch& launch) {
  if (::syscall(SYS_setgroups, 0, nullptr) != 0) give_up(launch, "setgroups");
  if (::syscall(SYS_setresgid, kNobody, kNobody, kNobody) != 0) give_up(launch, "setresgid");
  if (::syscall(SYS_setresuid, kNobody, kNobody, kNobody) != 0) give_up(launch, "setresuid");
}

AT_RAW_STACK int child(void* argument) {
  auto& birth = *static_cast<Birth*>(argument);
  auto& launch = *birth.launch;
  // All signals are blocked. Ours must not find our handlers here, nor the program our ignoring.
  struct sigaction plain{};
  plain.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &plain, nullptr);
  if (::setsid() < 0) give_up(launch, "setsid");
  for (int target = 0; target < 3; ++target)
    if (::dup2(launch.standard[static_cast<std::size_t>(target)], target) < 0) give_up(launch, "dup2");
  if (launch.as_nobody) become_nobody(launch);
  if (::chdir(launch.work) != 0) give_up(launch, "chdir");
  ::umask(077);
  // After the change of user: that takes this promise away, and the new user's processes count.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) give_up(launch, "prctl");
  if (::getppid() != birth.parent) ::_exit(127);
  for (const auto& limit : launch.limits)
    if (::syscall(SYS_prlimit64, 0, limit.resource, &limit.value, nullptr) != 0) give_up(launch, "setrlimit");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up(launch, "no_new_privs");
  if (launch.landlock >= 0 && ::syscall(SYS_landlock_restrict_self, launch.landlock, 0) != 0)
    give_up(launch, "landlock");
  if (::syscall(SYS_close_range, 3U, ~0U, 0U) != 0) give_up(launch, "close_range");
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &birth.filter, 0, 0) != 0) give_up(launch, "seccomp");
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(launch.interpreter, launch.arguments.data(), launch.environment.data());
  give_up(launch, "execve");
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
  Birth birth{&what, ::getpid(), {static_cast<unsigned short>(what.filter.size()), what.filter.data()}};
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
