#include "io/sandbox_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

namespace atalaya::io {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;
#endif

/// Calls of the x32 ABI carry this bit and come with the same architecture.
[[maybe_unused]] constexpr std::uint32_t kX32Bit = 0x40000000;
constexpr std::uint32_t kSocketTypeMask = 0xf;
constexpr std::uint32_t kNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr std::uint32_t kFchmodat2 = 452;  // newer than the headers that we build with

constexpr std::uint32_t kNever[] = {
    // other processes
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_process_madvise,
    SYS_kcmp,
    SYS_setsid,
    // what is mounted, and other views of the machine
    SYS_mount,
    SYS_umount2,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_pivot_root,
    SYS_chroot,
    SYS_unshare,
    SYS_setns,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_fanotify_init,
    SYS_quotactl,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    // doors into the kernel
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_syslog,
    SYS_reboot,
    // the machine's clock and name
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    // memory that outlives the program
    SYS_shmget,
    SYS_shmat,
    SYS_semget,
    SYS_msgget,
    SYS_mq_open,
#if defined(__x86_64__)
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
#endif
};

constexpr std::uint32_t kWithoutNetwork[] = {
    SYS_socket,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    // Landlock does not rule these.
    SYS_fchmodat,
    kFchmodat2,
    SYS_fchownat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
#if defined(__x86_64__)
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
#endif
};

constexpr std::uint32_t kFamilies[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kNoSuchCall = SECCOMP_RET_ERRNO | ENOSYS;

/// Writes a filter front to back. The accumulator holds the call's number between the rules.
class Assembler {
 public:
  void load(std::size_t offset) { put(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  /// The low half of an argument: families, types and flags are ints.
  void load_argument(unsigned index) {
    constexpr std::size_t kLowHalf = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4;
    load(offsetof(seccomp_data, args) + 8 * index + kLowHalf);
  }
  void load_number() { load(offsetof(seccomp_data, nr)); }
  void answer(std::uint32_t action) { put(BPF_RET | BPF_K, action); }
  void answer_if(std::uint16_t test, std::uint32_t operand, std::uint32_t action) {
    put(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), operand, 0, 1);
    answer(action);
  }
  void answer_unless_equal(std::uint32_t operand, std::uint32_t action) {
    put(BPF_JMP | BPF_JEQ | BPF_K, operand, 1, 0);
    answer(action);
  }
  void mask(std::uint32_t bits) { put(BPF_ALU | BPF_AND | BPF_K, bits); }
  void refuse(std::span<const std::uint32_t> calls) {
    for (const auto call : calls) answer_if(BPF_JEQ, call, kRefuse);
  }
  /// Runs `rules` for this call alone; what they do not answer is allowed.
  template <typename Rules>
  void for_call(std::uint32_t call, Rules rules) {
    put(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 0);
    const auto jump = out_.size() - 1;
    rules();
    answer(kAllow);
    out_[jump].jf = static_cast<std::uint8_t>(out_.size() - jump - 1);
  }
  std::vector<sock_filter> take() { return std::move(out_); }

 private:
  void put(std::uint16_t code, std::uint32_t operand, std::uint8_t yes = 0, std::uint8_t no = 0) {
    out_.push_back({code, yes, no, operand});
  }
  std::vector<sock_filter> out_;
};

}  // namespace

std::vector<sock_filter> seccomp_filter(bool network) {
  if (kArchitecture == 0) return {};
  Assembler a;
  a.load(offsetof(seccomp_data, arch));
  a.answer_unless_equal(kArchitecture, SECCOMP_RET_KILL_PROCESS);
  a.load_number();
#if defined(__x86_64__)
  a.answer_if(BPF_JGE, kX32Bit, kRefuse);
#endif
  a.refuse(kNever);
  // Its flags lie in memory, where no filter can look: the C library then takes clone.
  a.answer_if(BPF_JEQ, SYS_clone3, kNoSuchCall);
  a.for_call(SYS_clone, [&a] {
    a.load_argument(0);
    a.answer_if(BPF_JSET, kNamespaces, kRefuse);
  });
  if (network) {
    a.for_call(SYS_socket, [&a] {
      a.load_argument(0);
      for (const auto family : kFamilies) a.answer_if(BPF_JEQ, family, kAllow);
      a.answer(kRefuse);
    });
  } else {
    a.refuse(kWithoutNetwork);
    // A pair of datagram sockets could still send to a name; one of streams is what it is.
    a.for_call(SYS_socketpair, [&a] {
      a.load_argument(0);
      a.answer_unless_equal(AF_UNIX, kRefuse);
      a.load_argument(1);
      a.mask(kSocketTypeMask);
      a.answer_if(BPF_JEQ, SOCK_STREAM, kAllow);
      a.answer_if(BPF_JEQ, SOCK_SEQPACKET, kAllow);
      a.answer(kRefuse);
    });
  }
  a.answer(kAllow);
  return a.take();
}

}  // namespace atalaya::io
