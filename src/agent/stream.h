// The agent's half of the protocol, without the network: spool in, frames out.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "agent/spool.h"
#include "base/result.h"
#include "base/time.h"
#include "ingest/agent_frame.h"
#include "io/compress.h"

namespace atalaya::agent {

/// Sends the spool's records in order, each once per connection, as far as the server's window
/// allows; what the server has acknowledged leaves the spool. Strand-bound. Lives longer than one
/// connection: `opened`, frames, `closed`, `opened` … as often as the network pleases.
class Stream {
 public:
  struct Callbacks {
    /// False when the frame cannot be taken now: it is offered again at the next `pump`.
    std::function<bool(std::string frame)> send;
    std::function<void(const std::string& revision, const std::string& json)> config;
    std::function<void(ingest::CallFrame)> call = {};
  };

  Stream(Spool& spool, ingest::HelloFrame hello, const Clock& clock, Callbacks callbacks);

  void opened();
  void closed();
  /// An error means that the server does not keep to the protocol: close the connection.
  Status on_frame(std::string_view bytes);
  /// Sends what may be sent. Call after every append to the spool.
  void pump();

  /// Welcome has come.
  bool established() const { return established_; }
  /// Batches under way without an acknowledgement.
  std::size_t in_flight() const { return in_flight_.size(); }
  /// From sending a batch to its acknowledgement, of the last one.
  std::chrono::nanoseconds round_trip() const { return round_trip_; }
  std::uint64_t batches_sent() const { return batches_sent_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }
  /// Server's wall clock minus ours, as of the last Welcome.
  Duration clock_difference() const { return clock_difference_; }

 private:
  struct InFlight {
    std::uint64_t sequence;
    std::size_t bytes;
    Steady sent;
  };

  void on_welcome(const ingest::WelcomeFrame& frame);
  void on_ack(std::uint64_t sequence);
  /// Moves the cursor behind everything that both stores have.
  void skip_durable(const ingest::WelcomeFrame& frame);
  /// Sends what the scope of the record at `at` defined before it; false when it cannot be read or sent now.
  /// kCorruption when it can never be read.
  Result<bool> send_definitions(const SpoolCursor& at, std::uint64_t scope);
  bool send(std::string frame);

  Spool& spool_;
  const ingest::HelloFrame hello_;
  const Clock& clock_;
  const Callbacks callbacks_;
  io::ZstdCompressor compressor_;

  bool open_ = false;
  bool established_ = false;
  std::uint64_t window_batches_ = 1;
  std::uint64_t window_bytes_ = 1;
  std::string config_revision_;
  SpoolCursor cursor_;
  std::uint64_t scope_ = 0;  ///< whose definitions the server has, as far as the cursor
  // The scope whose definitions are on their way, and how many frames of them are gone: a second time they
  // would get other numbers.
  std::uint64_t defining_scope_ = 0;
  std::size_t definition_frames_sent_ = 0;
  std::deque<InFlight> in_flight_;
  std::size_t in_flight_bytes_ = 0;
  std::chrono::nanoseconds round_trip_{0};
  Duration clock_difference_{0};
  std::uint64_t batches_sent_ = 0;
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace atalaya::agent
