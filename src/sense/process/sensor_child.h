// A sensor's process as whoever runs it sees it: started, fed, watched, started again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "net/event_loop.h"
#include "net/stream_server.h"
#include "sense/pipe.h"
#include "sense/stream_frame.h"

namespace atalaya::sense::process {

struct SensorChildOptions {
  /// Program (its path) and arguments; `--connection 3` is added. It gets no environment but a PATH.
  std::vector<std::string> command;
  Duration first_wait{1'000};  ///< before it is started again; doubles as long as it ends within a minute
  Duration longest_wait{60'000};
  std::size_t max_queue_bytes = 4 << 20;  ///< of what it has not taken; records beyond are dropped
};

struct SensorChildStatus {
  pid_t pid = 0;  ///< 0: there is none now
  std::uint64_t starts = 0;
  std::uint64_t dropped = 0;  ///< records that came while it was away or behind
  std::string problem;        ///< why it does not run as it should; "" : it does
};

/// Strand-bound to its loop. The process ends with this, and with the process that runs this: it reads the end of its
/// connection.
class SensorChild {
 public:
  /// What goes to a publisher that is the server's own (`Store`, `Alert`, `EmailOnAlarm`).
  using OnPublished = std::function<void(std::uint32_t publisher, std::string_view stream, const Record& record)>;

  SensorChild(net::EventLoop& loop, const Clock& clock, SensorChildOptions options, const PipeSpec& pipe,
              OnPublished published);
  ~SensorChild();
  SensorChild(const SensorChild&) = delete;
  SensorChild& operator=(const SensorChild&) = delete;

  void push(std::string_view stream, const Record& record);
  SensorChildStatus status() const;

 private:
  void start();
  Status spawn();
  void received(std::string_view bytes);
  void take(const StreamFrame& frame);
  void flush();
  void ask();
  /// Its connection has ended: waits for its own end, then starts it again.
  void leaving(std::string why, Duration patience);
  void over(std::string why);

  net::EventLoop& loop_;
  const Clock& clock_;
  const SensorChildOptions options_;
  const std::string pipe_json_;
  const OnPublished published_;
  std::unique_ptr<net::StreamServer> connections_;  ///< of the one connection
  std::optional<net::StreamId> connection_;
  StreamFrameReader reader_;
  bool greeted_ = false;
  StreamRecords waiting_;  ///< until the loop's next turn
  bool flushing_ = false;
  pid_t pid_ = 0;
  std::uint64_t starts_ = 0;
  std::uint64_t dropped_ = 0;
  Steady started_{};
  Duration wait_{0};
  std::string problem_;
  net::Timer timer_;
  net::Timer ask_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace atalaya::sense::process
