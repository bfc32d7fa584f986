// What a batch of an agent holds, before compression: docs/formats/agent-protocol.md, "Payload".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/labels.h"

namespace atalaya::ingest {

constexpr std::size_t kMaxScopeDefinitions = 262'144;
constexpr std::size_t kMaxLabelsBytes = 64 << 10;
/// A series with this label is no store's: it goes to the sensor of the collector that it names.
constexpr std::string_view kSensorLabel = "__collector__";
// What a sensor that runs in an agent sends (docs/formats/agent-protocol.md): how many values a metric of a collector
// had; what goes to publisher N of the server (`:published:N:STREAM`, of the sensor), whose labels begin with the last.
constexpr std::string_view kTakenMetric = ":taken:";
constexpr std::string_view kPublishedMetric = ":published:";
constexpr std::string_view kPublishedLabel = "_";

/// Writes one payload after the other within a scope. Thread-compatible; keeps its buffers, so a
/// steady stream of equal payloads allocates nothing but the result.
class PayloadWriter {
 public:
  /// Number of the label set within the scope: `definitions()` before the call.
  std::uint32_t define(std::string_view packed_labels);
  void sample(std::uint32_t ref, Time time, double value);
  /// `line` must be UTF-8.
  void log(std::uint32_t ref, Time time, std::string_view line);

  /// Counts from 0 again: a new scope begins. Whatever was written since the last `take` is dropped.
  void start_scope();
  std::uint32_t definitions() const { return definitions_; }
  std::size_t samples() const { return samples_; }
  std::size_t logs() const { return logs_; }
  std::size_t size_bytes() const { return define_bytes_.size() + block_bytes_.size() + log_bytes_.size(); }
  /// The payload of everything since the last `take`. The view lives until the next call.
  std::string_view take();

 private:
  std::int64_t relative(Time time);
  void close_block();
  void clear();

  std::uint32_t definitions_ = 0;
  std::uint64_t new_definitions_ = 0;
  std::uint64_t blocks_ = 0;
  std::uint64_t in_block_ = 0;
  std::uint64_t samples_ = 0;
  std::uint64_t logs_ = 0;
  std::int64_t base_ms_ = 0;
  std::int64_t block_ms_ = 0;
  std::int64_t previous_ref_ = -1;
  bool have_base_ = false;
  std::string define_bytes_;
  std::string block_bytes_;  ///< closed blocks
  std::string open_bytes_;   ///< samples of the open block
  std::string log_bytes_;
  std::string out_;
};

struct PayloadSample {
  std::uint32_t ref = 0;
  Time time{};
  double value = 0;
};

struct PayloadLog {
  std::uint32_t ref = 0;
  Time time{};
  std::string_view line;  ///< into the payload
};

struct Payload {
  std::vector<Labels> definitions;
  std::vector<PayloadSample> samples;
  std::vector<PayloadLog> logs;
};

/// Fills `out` (its old contents go, its memory stays). `known` label sets were defined before in
/// this scope. invalid_argument when anything is malformed; `out` is then unspecified. `line` views
/// live as long as `raw`.
Status decode_payload(std::string_view raw, std::size_t known, Payload& out);

/// Only the definitions of a payload, as packed labels into `raw`: what an agent gathers when it
/// resumes within a scope.
Result<std::vector<std::string_view>> payload_definitions(std::string_view raw);

}  // namespace atalaya::ingest
