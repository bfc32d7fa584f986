#include "sense/process/sensor_child.h"

#include <boost/json.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sense/pipe_text.h"

namespace atalaya::sense::process {
namespace {

namespace json = boost::json;

constexpr Duration kAskEvery{1'000};
constexpr Duration kStable{60'000};    ///< after so long it counts as having run
constexpr Duration kEndWithin{5'000};  ///< after the end of its connection; then it is killed
constexpr Duration kLookAgain{20};     ///< for its end
constexpr int kMemoryUsedUp = 3;       ///< the code by which `atalaya sensor` says so
constexpr std::size_t kFrameRecords = 500;
constexpr std::size_t kFrameBytes = 512 << 10;

/// Waits for the end of a process without holding up the loop.
void reap(net::EventLoop& loop, pid_t pid, Duration left) {
  if (::waitpid(pid, nullptr, WNOHANG) != 0) return;
  if (left <= Duration{0}) ::kill(pid, SIGKILL);
  loop.after(kLookAgain, [&loop, pid, left] { reap(loop, pid, left - kLookAgain); }).detach();
}

std::size_t bytes_of(const StreamRecord& one) {
  return one.stream.size() + one.record.labels.packed().size() + (one.record.text ? one.record.text->size() : 0) + 64;
}

/// What its publishers complain of; "" if of nothing.
std::string complaints(const std::string& status) {
  boost::system::error_code error;
  const auto read = json::parse(status, error);
  const auto* object = error ? nullptr : read.if_object();
  const auto* publishers = object == nullptr ? nullptr : object->if_contains("publishers");
  if (publishers == nullptr || !publishers->is_array()) return "";
  std::string out;
  for (const auto& one : publishers->get_array()) {
    const auto* publisher = one.if_object();
    const auto* failing = publisher == nullptr ? nullptr : publisher->if_contains("failing");
    const auto* mixin = publisher == nullptr ? nullptr : publisher->if_contains("mixin");
    const auto* last = publisher == nullptr ? nullptr : publisher->if_contains("last_error");
    if (failing == nullptr || *failing != true || !mixin->is_string() || !last->is_string()) continue;
    out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", std::string_view(mixin->get_string()),
                       std::string_view(last->get_string()));
  }
  return out;
}

}  // namespace

SensorChild::SensorChild(net::EventLoop& loop, const Clock& clock, SensorChildOptions options, const PipeSpec& pipe,
                         OnPublished published)
    : loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      pipe_json_(to_json(pipe)),
      published_(std::move(published)) {
  if (pipe_json_.size() + 16 > kMaxStreamFrameBytes) {
    problem_ = fmt::format("its pipe is too long: {} bytes as JSON", pipe_json_.size());
  } else {
    start();
  }
}

SensorChild::~SensorChild() {
  connections_.reset();
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  reap(loop_, pid_, kEndWithin);
}

SensorChildStatus SensorChild::status() const { return {pid_, starts_, dropped_, problem_}; }

void SensorChild::start() {
  started_ = clock_.steady();
  ++starts_;
  greeted_ = false;
  reader_ = StreamFrameReader();
  net::StreamServerEvents events;
  events.opened = [this](net::StreamId id) { connection_ = id; };
  events.received = [this](net::StreamId, std::string_view bytes) { received(bytes); };
  events.closed = [this](net::StreamId) { leaving("its process ended", kEndWithin); };
  net::StreamServerOptions options;
  options.max_queue_bytes = options_.max_queue_bytes + 2 * kMaxStreamFrameBytes;
  connections_ = std::make_unique<net::StreamServer>(loop_, std::move(options), std::move(events));
  if (const auto spawned = spawn(); !spawned) over(to_string(spawned.error()));
}

Status SensorChild::spawn() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail(ErrorCode::kResourceExhausted, fmt::format("socketpair: {}", std::strerror(errno)));
  io::Descriptor ours(ends[0]);
  // Above 3, so that making it 3 makes a descriptor that the program inherits.
  const io::Descriptor theirs(::fcntl(ends[1], F_DUPFD_CLOEXEC, 10));
  ::close(ends[1]);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

  auto command = options_.command;
  command.insert(command.end(), {"--connection", "3"});
  std::vector<char*> arguments;
  for (auto& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  std::array<char*, 2> environment{path.data(), nullptr};
  const int error = ::posix_spawn(&pid_, arguments[0], &actions, &attributes, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    pid_ = 0;
    return fail(ErrorCode::kUnavailable, fmt::format("start {}: {}", arguments[0], std::strerror(error)));
  }
  connections_->adopt(std::move(ours));
  if (!connection_) return fail(ErrorCode::kResourceExhausted, "no connection to the sensor's process");
  connections_->send(*connection_, encode(StreamHello{}) + encode(StreamPipe{pipe_json_}));
  ask();
  return {};
}

void SensorChild::ask() {
  ask_ = loop_.after(kAskEvery, [this] {
    // A process that does not answer is behind: more questions would only add to it.
    if (connection_ && connections_->queued_bytes(*connection_) == 0)
      connections_->send(*connection_, encode(StreamAsk{}));
    ask();
  });
}

void SensorChild::push(std::string_view stream, const Record& record) {
  if (!connection_ || connections_->queued_bytes(*connection_) > options_.max_queue_bytes) {
    ++dropped_;
    return;
  }
  waiting_.records.push_back({std::string(stream), record});
  if (std::exchange(flushing_, true)) return;
  loop_.post([this, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired()) flush();
  });
}

void SensorChild::flush() {
  flushing_ = false;
  const auto all = std::exchange(waiting_.records, {});
  StreamRecords frame;
  std::size_t bytes = 0;
  const auto send = [&] {
    const auto count = frame.records.size();
    if (count > 0 && (!connection_ || !connections_->send(*connection_, encode(frame)))) dropped_ += count;
    frame.records.clear();
    bytes = 0;
  };
  for (const auto& one : all) {
    frame.records.push_back(one);
    bytes += bytes_of(one);
    if (frame.records.size() >= kFrameRecords || bytes >= kFrameBytes) send();
  }
  send();
}

void SensorChild::received(std::string_view bytes) {
  std::vector<StreamFrame> frames;
  const auto read = reader_.put(bytes, frames);
  for (const auto& frame : frames) take(frame);
  if (!read && connection_) {
    // Not the program that it should be: it is ended and started again.
    connections_->close(*connection_);
    leaving(read.error().message, Duration{0});
  }
}

void SensorChild::take(const StreamFrame& frame) {
  if (std::holds_alternative<StreamWelcome>(frame)) {
    greeted_ = true;
    problem_.clear();
  } else if (const auto* refused = std::get_if<StreamRefused>(&frame)) {
    problem_ = refused->message;
  } else if (const auto* status = std::get_if<StreamStatus>(&frame)) {
    problem_ = complaints(status->json);
  } else if (const auto* published = std::get_if<StreamPublished>(&frame)) {
    for (const auto& record : published->records)
      published_(static_cast<std::uint32_t>(published->publisher), published->stream, record);
  }
}

void SensorChild::leaving(std::string why, Duration patience) {
  connection_.reset();
  ask_.cancel();
  problem_ = why;
  int status = 0;
  const auto ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended == 0) {
    if (patience <= Duration{0}) ::kill(pid_, SIGKILL);
    timer_ = loop_.after(kLookAgain, [this, why, patience] { leaving(why, patience - kLookAgain); });
    return;
  }
  pid_ = 0;
  if (ended > 0 && WIFSIGNALED(status)) why += fmt::format(" by signal {}", WTERMSIG(status));
  if (ended > 0 && WIFEXITED(status)) why += fmt::format(" with code {}", WEXITSTATUS(status));
  if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == kMemoryUsedUp) why += ": its memory was used up";
  over(std::move(why));
}

void SensorChild::over(std::string why) {
  problem_ = std::move(why);
  if (clock_.steady() - started_ > kStable) wait_ = Duration{0};
  wait_ = std::clamp(2 * wait_, options_.first_wait, options_.longest_wait);
  timer_ = loop_.after(wait_, [this] { start(); });
}

}  // namespace atalaya::sense::process
