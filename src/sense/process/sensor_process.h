// A pipe as a process of its own: takes framed records (docs/formats/stream.md), publishes, answers for itself.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cpu_time.h"
#include "base/result.h"
#include "base/time.h"
#include "io/descriptor.h"
#include "net/event_loop.h"
#include "net/stream_server.h"
#include "sense/pipe.h"
#include "sense/publish/publisher.h"
#include "sense/stream_frame.h"

namespace atalaya::sense::process {

struct SensorProcessOptions {
  std::optional<PipeSpec> pipe;  ///< none: it comes over a connection
  std::string token;             ///< what a Hello must bring; "" : nothing
  net::StreamServerOptions server;
  publish::Destinations destinations;
  publish::Platform::Who who;
  std::string host;
  std::filesystem::path log_folder;
  publish::MakePublisher amqp = nullptr;
  publish::PublisherLimits limits = {};
  double cores = 0;            ///< of processor time that it takes at most; 0: as much as there is
  CpuTime cpu_time = nullptr;  ///< of its loop's thread; needed for `cores`
};

/// Strand-bound to its loop: made, called and destroyed there.
class SensorProcess {
 public:
  /// `ended` is told when a connection that was adopted is no more.
  SensorProcess(net::EventLoop& loop, const Clock& clock, SensorProcessOptions options, std::function<void()> ended);
  ~SensorProcess();

  /// What is wrong with the pipe, or with the address.
  Status start();
  std::string address() const { return server_->address(); }
  void adopt(io::Descriptor connection);
  /// As the frame Status has it.
  std::string status_json() const;

 private:
  struct Peer {
    StreamFrameReader reader;
    bool greeted = false;
    bool adopted = false;
  };
  /// Where the records of one of the pipe's publishers go: out from here, or back over the connection of the pipe.
  struct Outlet {
    std::unique_ptr<publish::Publisher> publisher;  ///< null: back
  };

  void received(net::StreamId id, std::string_view bytes);
  /// False when the connection ends.
  bool take(net::StreamId id, Peer& peer, const StreamFrame& frame);
  bool greet(net::StreamId id, Peer& peer, const StreamFrame& frame);
  void refuse(net::StreamId id, const Error& error);
  void push(const StreamRecords& frame);
  Status set_pipe(const PipeSpec& spec, std::optional<net::StreamId> owner);
  void publish(std::vector<Published> published);
  void send_back(std::uint32_t publisher, std::string_view stream, const Record& record);
  void arm();
  void keep_to_cores();

  net::EventLoop& loop_;
  const Clock& clock_;
  const SensorProcessOptions options_;
  const std::function<void()> ended_;
  std::unique_ptr<net::StreamServer> server_;
  std::map<net::StreamId, Peer> peers_;
  std::optional<Pipe> pipe_;
  std::vector<Outlet> outlets_;  ///< by place in the pipe's publishers
  std::optional<net::StreamId> owner_;
  std::uint64_t lost_ = 0;  ///< records that could not go back
  net::Timer tick_;
  net::Timer rest_;
  Steady measured_{};
  std::chrono::nanoseconds used_{0};
  double credit_ = 0;  ///< seconds of processor time that it may still take
  bool adopts_ = false;
};

}  // namespace atalaya::sense::process
