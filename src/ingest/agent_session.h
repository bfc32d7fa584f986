// The server's side of one agent's connection, without the connection: frames in, frames out.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "ingest/agent_frame.h"
#include "ingest/agent_payload.h"
#include "io/compress.h"
#include "storage/logs.h"
#include "storage/series.h"
#include "telemetry/metrics.h"

namespace atalaya::ingest {

/// Who is at the other end, as the credential says (never as the agent says).
struct AgentPeer {
  TenantId tenant;
  AgentId agent;
  std::string name;  ///< becomes the label `instance` of everything that comes
};

/// What the agent shall run; the revision changes with the text.
/// `json` beyond kMaxConfigBytes is not sent: counted, logged, and the agent keeps what it has.
struct AgentConfig {
  std::string revision;
  std::string json;
};

struct AgentSessionLimits {
  std::uint64_t window_batches = 256;
  std::uint64_t window_bytes = 4 << 20;
  /// Neighbouring batches go to a store as one append of at most about this many entries.
  std::size_t merge_entries = 20'000;
};

/// What a sensor's collector measures on an agent: a series that no store takes.
struct SensorSeries {
  std::string collector;  ///< the entity's id
  std::string metric;
  Labels labels;  ///< `instance` and what tells several series of one metric apart
};
struct SensorValue {
  std::shared_ptr<const SensorSeries> of;
  Time time{};
  double value = 0;
  std::optional<std::string> problem = {};  ///< in place of a value: why there is none; "" : all is well again
};

/// What agents make of the ingest metrics. References live as long as the registry.
struct AgentSessionMetrics {
  explicit AgentSessionMetrics(telemetry::Registry& registry);
  telemetry::Gauge& connected;
  telemetry::Counter& batches;
  telemetry::Counter& samples;
  telemetry::Counter& lines;
  telemetry::Counter& measured;  ///< values for sensors
  telemetry::Counter& bytes;
  telemetry::Counter& malformed;
  telemetry::Counter& replaced;        ///< connections ended by a newer one of the same identity
  telemetry::Counter& renamed;         ///< definitions whose instance was not the agent's name
  telemetry::Counter& refused;         ///< appends that a store refused
  telemetry::Counter& series_refused;  ///< samples of series beyond a limit of the store
  telemetry::Counter& config_refused;  ///< configurations that are too long to be sent
};

/// One connection of one agent: checks and unpacks frames, appends to both stores in order, with at
/// most one append under way per store (what comes meanwhile is joined into the next one), and
/// acknowledges when both are durable. After an error it appends nothing more: the agent comes
/// again and the stores know what they have.
///
/// Thread-safe: `on_frame` is called by one thread at a time (the socket's), the stores call back
/// on theirs. Hold it in a shared_ptr: appends under way keep it alive. `send` and `close` are
/// called without a lock held, never after `stop` returned for good (a call that is under way may end later).
class AgentSession : public std::enable_shared_from_this<AgentSession> {
 public:
  struct Callbacks {
    std::function<void(std::string frame)> send;
    std::function<void(std::uint16_t code, std::string reason)> close;
    std::function<AgentConfig()> config;               ///< asked at Hello, and once more when Welcome was sent
    std::function<void(const HelloFrame&)> hello;      ///< may be empty
    std::function<void(std::uint64_t batches)> heard;  ///< after each acknowledgement; may be empty
    /// The answer to a call of this connection; may be empty.
    std::function<void(const AgentSession&, CallResultFrame)> answered = {};
    /// What a batch holds for sensors, in its order; `source` and `sequence` tell a repeated batch. May be empty.
    std::function<void(const std::string& source, std::uint64_t sequence, std::vector<SensorValue>)> measured = {};
  };

  AgentSession(AgentPeer peer, storage::SeriesAppender& series, storage::LogAppender& logs,
               AgentSessionMetrics& metrics, const Clock& clock, Callbacks callbacks, AgentSessionLimits limits = {});

  /// A malformed or unexpected frame closes the connection.
  void on_frame(std::string_view bytes);
  /// As it comes from a socket: a text message is a protocol error.
  void on_message(std::string_view bytes, bool binary);
  /// Before Hello this does nothing: Welcome will carry it.
  void push_config(const AgentConfig& config);
  /// unavailable before Hello and after the end; unprocessable when the agent is from before calls;
  /// invalid_argument when the call is beyond a bound of the protocol. Any thread.
  Status send_call(const CallFrame& call);
  /// Nothing is appended or sent any more. Idempotent.
  void stop();

  const AgentPeer& peer() const { return peer_; }

 private:
  /// Else it says so.
  bool fits(const AgentConfig& config);
  struct Definition {
    Labels labels;
    std::optional<SeriesId> series;
    Time used;                                   ///< when a sample last named it
    std::shared_ptr<const SensorSeries> sensor;  ///< null: it belongs to the stores
  };
  struct Pending {
    std::uint64_t sequence = 0;
    std::uint8_t needs = 0;  ///< the stores that must have it
    std::size_t bytes = 0;
  };
  struct QueuedSamples {
    std::uint64_t sequence = 0;
    std::vector<storage::SeriesSample> samples;
  };
  struct QueuedLogs {
    std::uint64_t sequence = 0;
    std::vector<LogRecord> records;
  };

  void on_hello(HelloFrame frame);
  void on_definitions(const DefinitionsFrame& frame);
  void on_batch(const BatchFrame& frame, std::size_t frame_bytes);
  bool unpack(std::uint64_t scope, std::uint64_t raw_size, std::string_view packed);
  void define(std::vector<Labels>& labels);
  /// What belongs to sensors goes to `measured`.
  std::vector<storage::SeriesSample> resolve_samples(std::vector<SensorValue>& measured);
  std::vector<LogRecord> resolve_logs(std::vector<SensorValue>& measured) const;
  /// Whether order and window allow it; closes if not. Called with the lock held by `lock`.
  bool admit(std::unique_lock<std::mutex>& lock, const BatchFrame& frame, std::size_t frame_bytes);
  void pump_series();
  void pump_logs();
  void series_done(std::uint64_t sequence, const Result<storage::Appended>& result);
  void logs_done(std::uint64_t sequence, const Result<storage::Appended>& result);
  void acknowledge();
  void fail(std::uint16_t code, std::string reason);

  const AgentPeer peer_;
  storage::SeriesAppender& series_;
  storage::LogAppender& logs_;
  AgentSessionMetrics& metrics_;
  const Clock& clock_;
  const Callbacks callbacks_;
  const AgentSessionLimits limits_;

  // The socket's thread alone.
  std::string source_;
  std::uint64_t scope_ = 0;
  std::vector<Definition> definitions_;
  std::string raw_;  ///< what `payload_` views into
  Payload payload_;
  io::ZstdDecompressor decompressor_;

  std::mutex config_mutex_;  ///< before `mutex_`; makes check and sending of a configuration one
  std::mutex mutex_;
  bool hello_seen_ = false;
  bool greeted_ = false;  ///< Welcome is on its way
  std::uint64_t abilities_ = 0;
  bool stopped_ = false;
  std::string config_revision_;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t series_durable_ = 0;
  std::uint64_t logs_durable_ = 0;
  bool series_busy_ = false;
  bool logs_busy_ = false;
  std::size_t pending_bytes_ = 0;
  std::deque<Pending> pending_;
  std::deque<QueuedSamples> queued_samples_;
  std::deque<QueuedLogs> queued_logs_;
};

}  // namespace atalaya::ingest
