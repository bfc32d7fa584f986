#include "io/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "io/descriptor.h"

namespace atalaya::io {
namespace {

using testing::HasSubstr;
using testing::Not;

SandboxRequest shell(const std::string& text) {
  SandboxRequest out;
  out.program = "#!/bin/sh\n" + text;
  // Machines under load are slow; what is to end by its time sets one of its own.
  out.time = std::chrono::seconds{60};
  return out;
}

SandboxRequest python(const std::string& text) {
  auto out = shell("");
  out.program = "#!/usr/bin/python3 -I\n" + text;
  return out;
}

bool runs(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(stat, text)) return false;
  const auto state = text[text.rfind(')') + 2];
  return state != 'Z' && state != 'X';
}

bool landlock_here() { return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) >= 1; }

TEST(Sandbox, AScriptGetsArgumentsAndInputAndAnswersWithOutputErrorsAndExitCode) {
  auto request = shell("echo \"$1|$2\"; cat; echo trouble >&2; exit 3");
  request.arguments = {"a b", "$HOME; `id`"};
  request.input = "from outside";
  const auto result = run_sandboxed(request);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->output, "a b|$HOME; `id`\nfrom outside");
  EXPECT_EQ(result->errors, "trouble\n");
  EXPECT_EQ(result->status, 3);
  EXPECT_FALSE(result->timed_out);
}

TEST(Sandbox, FourMebibytesGoInAndOut) {
  auto request = shell("cat");
  request.input = std::string(kMaxScriptInputBytes, 'x');
  request.output_bytes = kMaxScriptInputBytes;
  const auto result = run_sandboxed(request);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->output, request.input);
}

TEST(Sandbox, AScriptThatReadsNoInputHarmsNobody) {
  auto request = shell("exit 0");
  request.input = std::string(1 << 20, 'x');
  EXPECT_EQ(run_sandboxed(request).value().status, 0);
}

TEST(Sandbox, TheDeathByASignalIsAnExitCodeAbove128) {
  EXPECT_EQ(run_sandboxed(shell("kill -TERM $$")).value().status, 128 + SIGTERM);
}

TEST(Sandbox, TheEnvironmentIsWhatWasGivenAndNothingOfOurs) {
  ::setenv("ATALAYA_SECRET_OF_THE_SERVER", "hidden", 1);
  auto request = python("import os\nfor k in sorted(os.environ): print(k, '=', os.environ[k])");
  request.environment = {{"GIVEN", "yes"}};
  const auto output = run_sandboxed(request).value().output;
  EXPECT_THAT(output, HasSubstr("GIVEN = yes\n"));
  EXPECT_THAT(output, HasSubstr("HOME = /nonexistent\nLANG = C.UTF-8\nPATH = "));
  EXPECT_THAT(output, Not(HasSubstr("hidden")));
}

TEST(Sandbox, AtItsTimeAScriptIsKilledWithAllItStarted) {
  // One child in the group, one that left it, and one whose parent is gone already.
  auto request = python(R"(
import os, time
def child(leave, orphan):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        if orphan and os.fork() > 0: os._exit(0)
        if leave: os.setpgid(0, 0)
        os.write(w, b"%d\n" % os.getpid())
        while True: time.sleep(1000)
    if orphan: os.waitpid(pid, 0)
    print(os.read(r, 20).decode(), end="")
child(False, False); child(True, False); child(True, True)
print(os.getpid(), flush=True)
while True: time.sleep(1000)
)");
  request.time = std::chrono::seconds{5};
  const auto result = run_sandboxed(request);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_TRUE(result->timed_out);
  EXPECT_EQ(result->status, 128 + SIGKILL);
  std::istringstream pids(result->output);
  int count = 0;
  for (pid_t pid = 0; pids >> pid; ++count) EXPECT_FALSE(runs(pid)) << pid;
  EXPECT_EQ(count, 4) << result->output << result->errors;
}

TEST(Sandbox, AScriptThatNobodyWantsAnyMoreIsEnded) {
  const Descriptor cancel(::eventfd(1, EFD_CLOEXEC));
  auto request = shell("sleep 100000");
  request.cancel = cancel.get();
  EXPECT_EQ(run_sandboxed(request).error().code, ErrorCode::kCancelled);
}

TEST(Sandbox, WhatAScriptLeavesBehindEndsWithIt) {
  const auto result = run_sandboxed(shell("sleep 100000 & echo $!"));
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->status, 0);
  EXPECT_FALSE(runs(std::stoi(result->output)));
}

TEST(Sandbox, MoreMemoryThanAllowedIsRefused) {
  auto request = python("x = bytearray(200 << 20)\nprint('got it')");
  const auto result = run_sandboxed(request).value();
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(result.errors, HasSubstr("MemoryError"));
  request.memory_bytes = 1 << 30;
  EXPECT_EQ(run_sandboxed(request).value().output, "got it\n");
}

TEST(Sandbox, MoreOutputThanAllowedIsAnErrorAndEndsTheScript) {
  auto request = shell("while :; do echo abcdefghijklmnop; done");
  request.output_bytes = 1000;
  EXPECT_EQ(run_sandboxed(request).error().code, ErrorCode::kUnprocessable);
  request = shell("printf 12345");
  request.output_bytes = 5;
  EXPECT_EQ(run_sandboxed(request).value().output, "12345");
  request.output_bytes = 4;
  EXPECT_EQ(run_sandboxed(request).error().code, ErrorCode::kUnprocessable);
}

TEST(Sandbox, OfEndlessErrorsTheFirstEightKibibytesAreKept) {
  const auto result = run_sandboxed(python("import sys\nsys.stderr.write('e' * 300000)\nprint('done')")).value();
  EXPECT_EQ(result.errors, std::string(8 << 10, 'e'));
  EXPECT_EQ(result.output, "done\n");
}

TEST(Sandbox, ForkingEndsAtTheBound) {
  auto request = python(R"(
import os, time
count = 0
try:
    while count < 200:
        if os.fork() == 0: time.sleep(1000)
        count += 1
except OSError: pass
print(count)
)");
  const auto result = run_sandboxed(request).value();
  EXPECT_GE(std::stoi(result.output), 1);
  EXPECT_LT(std::stoi(result.output), 100) << "others of this user may end meanwhile, but not so many";
}

/// Listens on a free port of 127.0.0.1.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(socket_.get(), 8) != 0 ||
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      ADD_FAILURE() << "no socket to listen on";
    port_ = ntohs(address.sin_port);
  }
  std::string port() const { return std::to_string(port_); }

 private:
  Descriptor socket_;
  int port_ = 0;
};

TEST(Sandbox, WithoutNetworkNoSocketCanBeMadeAndWithItAListenerIsReached) {
  const Listener listener;
  auto request = python(R"(
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    print("connected")
except OSError as e: print(type(e).__name__)
)");
  request.arguments = {listener.port()};
  EXPECT_EQ(run_sandboxed(request).value().output, "PermissionError\n");
  request.network = true;
  EXPECT_EQ(run_sandboxed(request).value().output, "connected\n");
}

TEST(Sandbox, WithoutNetworkASocketIsAPairOfStreamsOrNothing) {
  const auto result = run_sandboxed(python(R"(
import socket
def attempt(what):
    try: what(); print("made")
    except PermissionError: print("refused")
attempt(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
attempt(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
attempt(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM))
attempt(lambda: socket.socketpair()[0].connect("/dev/log"))
)"))
                          .value();
  EXPECT_EQ(result.output, "refused\nrefused\nrefused\nrefused\nmade\nrefused\n") << result.errors;
}

TEST(Sandbox, CallsIntoTheKernelAndIntoOthersAreRefused) {
  for (const bool network : {false, true}) {
    auto request = python(R"(
import ctypes, os, sys
c = ctypes.CDLL(None, use_errno=True)
def attempt(name, *a):
    print(name, c[name](*a), ctypes.get_errno(), flush=True)
if os.fork() == 0:
    attempt("ptrace", 0, 0, 0, 0); attempt("unshare", 0x10000000); attempt("mount", b"a", b"/", b"tmpfs", 0, 0)
    attempt("setsid"); attempt("chroot", b"."); attempt("syscall", int(sys.argv[1]), 0, 0, 0)
    attempt("shmget", 1, 4096, 0o1600)
    os._exit(0)
os.wait()
)");
    request.arguments = {std::to_string(SYS_bpf)};
    request.network = network;
    const auto result = run_sandboxed(request).value();
    const auto refused = " -1 " + std::to_string(EPERM) + "\n";
    std::string expected;
    for (const auto* name : {"ptrace", "unshare", "mount", "setsid", "chroot", "syscall", "shmget"})
      expected += name + refused;
    EXPECT_EQ(result.output, expected) << result.errors;
  }
}

TEST(Sandbox, NoDescriptorOfOursIsInherited) {
  const Descriptor leaked(::open("/dev/null", O_RDONLY));
  ASSERT_GE(leaked.get(), 3);
  const auto result = run_sandboxed(python("import os\nprint(sorted(os.listdir('/proc/self/fd')))")).value();
  // The fourth is the listing itself.
  EXPECT_EQ(result.output, "['0', '1', '2', '3']\n") << result.errors;
}

TEST(Sandbox, UnderRootAScriptIsNobodyWithoutPrivileges) {
  if (::geteuid() != 0) GTEST_SKIP() << "this test runs as an ordinary user";
  const auto result =
      run_sandboxed(shell("id -u; id -g; id -G; grep -E '^(CapEff|CapBnd|NoNewPrivs):' /proc/self/status"));
  EXPECT_THAT(result.value().output, HasSubstr("65534\n65534\n65534\nCapEff:\t0000000000000000\n"));
  EXPECT_THAT(result.value().output, HasSubstr("NoNewPrivs:\t1\n"));
}

TEST(Sandbox, TheWorkingFolderIsEmptyWritableAndGoneAfterwards) {
  const auto result = run_sandboxed(shell("pwd; ls -A | wc -l; echo x > file; mkdir -p a/b; cat file")).value();
  std::istringstream lines(result.output);
  std::string folder;
  std::string count;
  std::string content;
  std::getline(lines, folder);
  std::getline(lines, count);
  std::getline(lines, content);
  EXPECT_EQ(count, "0");
  EXPECT_EQ(content, "x");
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(folder).parent_path())) << folder;
}

TEST(Sandbox, WithoutNetworkAScriptReadsTheSystemAndNoFilesOfOthers) {
  if (!landlock_here()) GTEST_SKIP() << "this kernel has no Landlock";
  auto path = testing::TempDir() + "sandbox-XXXXXX";
  const Descriptor file(::mkstemp(path.data()));
  ASSERT_TRUE(file);
  ASSERT_EQ(::fchmod(file.get(), 0666), 0);
  auto request = shell(
      "cat \"$1\" && echo read; echo x > \"$1\" && echo written; ls /home /root /var; "
      "cat /etc/passwd > /dev/null && echo system");
  request.arguments = {path};
  const auto result = run_sandboxed(request);
  EXPECT_EQ(result.value().output, "system\n");
  std::filesystem::remove(path);
}

TEST(Sandbox, WhatCannotBeAScriptIsToldWithTheRemedy) {
  auto request = shell("");
  const auto code = [&](std::string program) {
    request.program = std::move(program);
    return run_sandboxed(request).error().code;
  };
  EXPECT_EQ(code(""), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("echo hello"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("#!"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("#!python3\n"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("#!/bin/sh\r\n"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(std::string("#!/bin/s\0h\n", 11)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("#!/bin/sh\n" + std::string(kMaxScriptBytes, '#')), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("#!/no/such/interpreter\n"), ErrorCode::kUnavailable);
  EXPECT_THAT(run_sandboxed(request).error().message,
              HasSubstr("/no/such/interpreter: cannot start the script: execve"));
  request = shell("");
  request.input = std::string(kMaxScriptInputBytes + 1, 'x');
  EXPECT_EQ(run_sandboxed(request).error().code, ErrorCode::kInvalidArgument);
  request = shell("");
  request.arguments = {std::string("a\0b", 3)};
  EXPECT_EQ(run_sandboxed(request).error().code, ErrorCode::kInvalidArgument);
  request = shell("");
  request.environment = {{"A=B", "c"}};
  EXPECT_EQ(run_sandboxed(request).error().code, ErrorCode::kInvalidArgument);
}

TEST(Sandbox, AnInterpreterTakesOneArgumentAsTheKernelGivesIt) {
  auto request = shell("");
  request.program = "#! /usr/bin/env  sh \necho \"$0\" | sed 's,.*/,,'";
  EXPECT_EQ(run_sandboxed(request).value().output, "program\n");
}

TEST(Sandbox, ManyAtOnceDoNotDisturbOneAnotherOrUs) {
  const auto dumpable = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 8; ++i) {
        auto request = shell("cat; exit 7");
        request.input = std::to_string(t * 100 + i);
        request.processes = 64;
        const auto result = run_sandboxed(request);
        ASSERT_TRUE(result) << to_string(result.error());
        EXPECT_EQ(result->output, request.input);
        EXPECT_EQ(result->status, 7);
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), dumpable);
}

}  // namespace
}  // namespace atalaya::io
