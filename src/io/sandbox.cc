#include "io/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "io/errno.h"
#include "io/sandbox_filter.h"
#include "io/sandbox_landlock.h"
#include "io/sandbox_launch.h"
#include "io/sandbox_session.h"

namespace atalaya::io {
namespace {

constexpr std::size_t kMaxArgumentBytes = 128 << 10;  ///< with the environment; one alone may not be more either
constexpr std::size_t kMaxErrorsBytes = 8 << 10;
constexpr std::uint64_t kMaxFileBytes = 16 << 20;
constexpr std::uint64_t kMaxDescriptors = 256;
constexpr int kSignalBase = 128;
constexpr std::string_view kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct Interpreter {
  std::string path;
  std::string argument;  ///< all that follows, as one: what the kernel does
};

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

Result<Interpreter> interpreter_of(std::string_view program) {
  constexpr auto kRemedy = "begin the script with #!/bin/sh, #!/usr/bin/python3 or the like";
  if (!program.starts_with("#!"))
    return fail(ErrorCode::kInvalidArgument, "the script does not begin with #!", kRemedy);
  const auto line = program.substr(2, program.find('\n') - 2);
  if (line.find('\r') != std::string_view::npos)
    return fail(ErrorCode::kInvalidArgument, "the script's lines end with carriage returns",
                "save it with Unix line ends");
  if (line.find('\0') != std::string_view::npos)
    return fail(ErrorCode::kInvalidArgument, "the script's first line holds a null byte", kRemedy);
  const auto text = trim(line);
  const auto end = std::min(text.find_first_of(" \t"), text.size());
  Interpreter out{std::string{text.substr(0, end)}, std::string{trim(text.substr(end))}};
  if (!out.path.starts_with('/'))
    return fail(ErrorCode::kInvalidArgument, fmt::format("the script's interpreter \"{}\" is not absolute", out.path),
                kRemedy);
  return out;
}

Status check(const SandboxRequest& request) {
  const auto too_large = [](std::string_view what, std::size_t size, std::size_t most) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the script's {} has {} bytes, at most {} may be", what, size, most));
  };
  if (request.program.size() > kMaxScriptBytes) return too_large("text", request.program.size(), kMaxScriptBytes);
  if (request.input.size() > kMaxScriptInputBytes)
    return too_large("input", request.input.size(), kMaxScriptInputBytes);
  std::size_t size = 0;
  for (const auto& argument : request.arguments) {
    size += argument.size() + 1;
    if (argument.find('\0') != std::string::npos)
      return fail(ErrorCode::kInvalidArgument, "an argument of the script holds a null byte");
  }
  for (const auto& [name, value] : request.environment) {
    size += name.size() + value.size() + 2;
    if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos ||
        value.find('\0') != std::string::npos)
      return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" cannot be set in a script's environment", name));
  }
  if (size > kMaxArgumentBytes) return too_large("arguments and environment", size, kMaxArgumentBytes);
  return {};
}

/// Holds `program` and the working folder, until the end.
class Folder {
 public:
  static Result<Folder> make(std::string_view program, bool for_nobody) {
    std::string path = "/tmp/atalaya-script-XXXXXX";
    if (!::mkdtemp(path.data())) return cannot("make a folder in", "/tmp");
    Folder out(std::move(path));
    const Descriptor file(::open(out.program().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0500));
    if (!file) return cannot("create", out.program());
    while (!program.empty()) {
      const auto written = ::write(file.get(), program.data(), program.size());
      if (written < 0) return cannot("write", out.program());
      program.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::mkdir(out.work().c_str(), 0700) != 0) return cannot("create", out.work());
    // The outermost last: until then nobody can be in there but us.
    for (const auto& owned : {out.program(), out.work(), out.path_})
      if (for_nobody && ::lchown(owned.c_str(), kNobody, kNobody) != 0) return cannot("give away", owned);
    return out;
  }
  Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Folder& operator=(Folder&&) = delete;
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  std::string program() const { return path_ + "/program"; }
  std::string work() const { return path_ + "/work"; }

 private:
  explicit Folder(std::string path) : path_(std::move(path)) {}
  static std::unexpected<Error> cannot(const std::string& what, const std::string& path) {
    auto error = fail_errno(errno, what, path).error();
    return fail(ErrorCode::kUnavailable, "cannot start the script: " + error.message, "scripts need room in /tmp");
  }

  std::string path_;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

/// Above 2, so that the child can put them into place one after the other.
Descriptor lifted(Descriptor fd) {
  constexpr int kFirst = 3;
  if (!fd || fd.get() >= kFirst) return fd;
  return Descriptor(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirst));
}

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "make", "a pipe");
  Pipe out{Descriptor(ends[0]), lifted(Descriptor(ends[1]))};
  if (!out.write || ::fcntl(out.read.get(), F_SETFL, O_NONBLOCK) != 0) return fail_errno(errno, "make", "a pipe");
  return out;
}

/// A file in memory that holds the input: no pipe to feed while it runs, and no SIGPIPE where nobody reads it.
Result<Descriptor> make_input(std::string_view input) {
  Descriptor file = lifted(Descriptor(::memfd_create("input", MFD_CLOEXEC)));
  if (!file) return fail_errno(errno, "make", "the script's input");
  while (!input.empty()) {
    const auto written = ::write(file.get(), input.data(), input.size());
    if (written < 0) return fail_errno(errno, "write", "the script's input");
    input.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno(errno, "rewind", "the script's input");
  return file;
}

Result<Descriptor> make_timer(Duration time) {
  Descriptor timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) return fail_errno(errno, "make", "a timer");
  const auto ms = std::max<std::int64_t>(time.count(), 1);
  itimerspec when{};
  when.it_value.tv_sec = ms / 1000;
  when.it_value.tv_nsec = ms % 1000 * 1'000'000;
  if (::timerfd_settime(timer.get(), 0, &when, nullptr) != 0) return fail_errno(errno, "set", "a timer");
  return timer;
}

/// What comes out of a pipe, as far as `most`.
class Drain {
 public:
  Drain(Descriptor pipe, std::uint64_t most) : pipe_(std::move(pipe)), most_(most) {}

  /// Reads what is there now.
  void read() {
    // Bounded, so that a program that prints without end cannot keep us from looking at the time.
    constexpr int kReads = 32;
    std::array<char, 32 << 10> buffer;
    for (int i = 0; i < kReads && pipe_; ++i) {
      const auto size = ::read(pipe_.get(), buffer.data(), buffer.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) return pipe_.reset();
      const auto got = static_cast<std::uint64_t>(size);
      text_.append(buffer.data(), std::min<std::uint64_t>(got, most_ - text_.size()));
      seen_ += got;
    }
  }
  int fd() const { return pipe_.get(); }
  bool over() const { return seen_ > most_; }
  std::string take() { return std::move(text_); }

 private:
  Descriptor pipe_;
  const std::uint64_t most_;
  std::string text_;
  std::uint64_t seen_ = 0;
};

Launch::Limit limit(int resource, std::uint64_t most) {
  rlimit now{};
  ::getrlimit(static_cast<__rlimit_resource>(resource), &now);
  // Ours may be less already, and only root may raise it.
  const auto value = std::min<rlim_t>(most, now.rlim_max);
  return {resource, {value, value}};
}

std::vector<Launch::Limit> limits_of(const SandboxRequest& request, uid_t user) {
  const auto seconds = static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(request.time).count()) + 1;
  return {limit(RLIMIT_AS, request.memory_bytes), limit(RLIMIT_CPU, seconds), limit(RLIMIT_FSIZE, kMaxFileBytes),
          limit(RLIMIT_NOFILE, kMaxDescriptors), limit(RLIMIT_CORE, 0),
          // The kernel counts all of a user's, so those of others are added.
          limit(RLIMIT_NPROC, count_threads_of(user) + request.processes)};
}

/// Texts of an exec: the strings, and the pointers to them.
class Texts {
 public:
  void add(std::string text) { texts_.push_back(std::move(text)); }
  std::vector<char*> pointers() {
    std::vector<char*> out;
    for (auto& text : texts_) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
  }

 private:
  std::vector<std::string> texts_;
};

Texts environment_of(const SandboxRequest& request, const std::string& work) {
  std::map<std::string, std::string> all{
      {"PATH", std::string{kPath}}, {"LANG", "C.UTF-8"}, {"HOME", "/nonexistent"}, {"TMPDIR", work}};
  for (const auto& [name, value] : request.environment) all[name] = value;
  Texts out;
  for (const auto& [name, value] : all) out.add(name + "=" + value);
  return out;
}

enum class End { kItself, kTime, kOutput, kCancelled };

/// Until the program has ended, its time is up, it has printed too much, or nobody wants it any more.
End wait_for_end(const Descriptor& process, const Descriptor& timer, int cancel, Drain& output, Drain& errors) {
  for (;;) {
    std::array<pollfd, 5> wait{{{process.get(), POLLIN, 0},
                                {timer.get(), POLLIN, 0},
                                {output.fd(), POLLIN, 0},
                                {errors.fd(), POLLIN, 0},
                                {cancel, POLLIN, 0}}};
    if (::poll(wait.data(), wait.size(), -1) < 0) continue;  // EINTR: the descriptors are ours and valid
    if (wait[2].revents != 0) output.read();
    if (wait[3].revents != 0) errors.read();
    if (output.over()) return End::kOutput;
    if (wait[0].revents != 0) return End::kItself;
    if (wait[1].revents != 0) return End::kTime;
    if (wait[4].revents != 0) return End::kCancelled;
  }
}

Result<int> exit_status(pid_t pid) {
  siginfo_t status{};
  int waited;
  do {
    waited = ::waitid(P_PID, static_cast<id_t>(pid), &status, WEXITED);
  } while (waited != 0 && errno == EINTR);
  if (waited != 0)
    return fail(ErrorCode::kUnavailable, "the script's exit code is lost: this process ignores its children");
  return status.si_code == CLD_EXITED ? status.si_status : kSignalBase + status.si_status;
}

}  // namespace

Result<SandboxResult> run_sandboxed(const SandboxRequest& request) {
  AT_TRY(const auto interpreter, interpreter_of(request.program));
  AT_TRY(check(request));
  const bool root = ::geteuid() == 0;
  AT_TRY(const auto folder, Folder::make(request.program, root));
  const auto work = folder.work();

  Texts arguments;
  arguments.add(interpreter.path);
  if (!interpreter.argument.empty()) arguments.add(interpreter.argument);
  arguments.add(folder.program());
  for (const auto& argument : request.arguments) arguments.add(argument);
  auto environment = environment_of(request, work);

  AT_TRY(auto input, make_input(request.input));
  AT_TRY(auto output_pipe, make_pipe());
  AT_TRY(auto errors_pipe, make_pipe());
  AT_TRY(const auto timer, make_timer(request.time));
  const auto landlock = landlock_rules(request.network, folder.path(), work, interpreter.path);

  Launch what;
  // The interpreter itself, with the script as its argument: so /tmp may be mounted noexec, and a fork of
  // another thread that still holds the file open for writing does not matter.
  what.interpreter = interpreter.path.c_str();
  what.arguments = arguments.pointers();
  what.environment = environment.pointers();
  what.work = work.c_str();
  what.standard = {input.get(), output_pipe.write.get(), errors_pipe.write.get()};
  what.landlock = landlock.get();
  what.as_nobody = root;
  // Root may make a network without a user namespace, in which it could not become nobody.
  what.namespaces = request.network ? 0 : root ? CLONE_NEWNET : CLONE_NEWNET | CLONE_NEWUSER;
  what.limits = limits_of(request, root ? kNobody : ::geteuid());
  what.filter = seccomp_filter(request.network);
  auto launched = launch(what);
  if (!launched) return fail_within(interpreter.path, std::move(launched).error());
  input.reset();
  output_pipe.write.reset();
  errors_pipe.write.reset();

  Drain output(std::move(output_pipe.read), request.output_bytes);
  Drain errors(std::move(errors_pipe.read), kMaxErrorsBytes);
  SandboxResult result;
  const auto end = wait_for_end(launched->process, timer, request.cancel, output, errors);
  kill_session(launched->pid);
  output.read();
  errors.read();
  AT_TRY(result.status, exit_status(launched->pid));
  if (end == End::kCancelled) return fail(ErrorCode::kCancelled, "the script was ended");
  if (output.over())
    return fail(ErrorCode::kUnprocessable, fmt::format("the script printed more than {} bytes", request.output_bytes),
                "let it print less, or raise its output_limit");
  result.timed_out = end == End::kTime;
  result.output = output.take();
  result.errors = errors.take();
  return result;
}

}  // namespace atalaya::io
