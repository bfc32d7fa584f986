// The frames that agent and server exchange: docs/formats/agent-protocol.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::ingest {

constexpr std::uint64_t kAgentProtocol = 1;
constexpr std::size_t kMaxFrameBytes = 4 << 20;
constexpr std::size_t kMaxPayloadBytes = 16 << 20;  ///< unpacked
constexpr std::size_t kMaxConfigBytes = 1 << 20;
constexpr std::size_t kMaxFacts = 256;
// Of calls. As many as an agent runs at once fit into a socket's queue.
constexpr std::size_t kMaxCallIdBytes = 64;
constexpr std::size_t kMaxCallProgramBytes = 512 << 10;
constexpr std::size_t kMaxCallInputBytes = 256 << 10;
constexpr std::size_t kMaxCallTexts = 256;             ///< arguments, and as many variables
constexpr std::size_t kMaxCallTextsBytes = 128 << 10;  ///< of all of them
constexpr std::size_t kMaxCallOutputBytes = 1 << 20;
constexpr std::size_t kMaxCallErrorsBytes = 64 << 10;
constexpr Duration kMaxCallTime{std::chrono::hours{1}};

/// Close codes of the WebSocket (the first four are RFC 6455's).
constexpr std::uint16_t kCloseNormal = 1000;
constexpr std::uint16_t kCloseMalformed = 1002;
constexpr std::uint16_t kClosePolicy = 1008;
constexpr std::uint16_t kCloseTryLater = 1013;
constexpr std::uint16_t kCloseReplaced = 4001;
constexpr std::uint16_t kCloseRemoved = 4003;

/// Contents of a batch: a set of bits.
constexpr std::uint8_t kHasSamples = 1;
constexpr std::uint8_t kHasLogs = 2;

/// What an agent can do beside sending: a set of bits in Hello.
constexpr std::uint64_t kTakesCalls = 1;
constexpr std::uint64_t kMeasuresForSensors = 2;

/// Name and value of something that does not change while the host is up: kernel, architecture …
using Facts = std::vector<std::pair<std::string, std::string>>;

struct HelloFrame {
  std::uint64_t protocol = kAgentProtocol;
  std::string version;
  std::string host;
  std::string spool_id;
  Facts facts;
  std::uint64_t abilities = 0;  ///< agents from before calls do not say
  bool operator==(const HelloFrame&) const = default;
};

struct WelcomeFrame {
  std::uint64_t protocol = kAgentProtocol;
  std::uint64_t series_sequence = 0;
  std::uint64_t logs_sequence = 0;
  std::uint64_t window_batches = 0;
  std::uint64_t window_bytes = 0;
  Time server_time{};
  std::string config_revision;
  std::string config_json;
  bool operator==(const WelcomeFrame&) const = default;
};

/// `packed` views into the frame's bytes.
struct DefinitionsFrame {
  std::uint64_t scope = 0;
  std::uint64_t raw_size = 0;
  std::string_view packed;
  bool operator==(const DefinitionsFrame&) const = default;
};

/// `packed` views into the frame's bytes.
struct BatchFrame {
  std::uint64_t sequence = 0;
  std::uint64_t scope = 0;
  std::uint8_t contents = 0;
  std::uint64_t raw_size = 0;
  std::string_view packed;
  bool operator==(const BatchFrame&) const = default;
};

struct AckFrame {
  std::uint64_t sequence = 0;
  bool operator==(const AckFrame&) const = default;
};

struct ConfigFrame {
  std::string revision;
  std::string json;
  bool operator==(const ConfigFrame&) const = default;
};

/// What the server asks an agent to run now. Only to one that takes calls.
struct CallFrame {
  std::string id;  ///< of the answer, 1 to 64 bytes
  std::string kind = "script";
  std::string program;
  std::vector<std::string> arguments;
  std::string input;
  std::map<std::string, std::string> environment;
  Duration time{10'000};
  std::uint64_t memory_bytes = 64 << 20;
  std::uint64_t output_bytes = kMaxCallOutputBytes;  ///< no more than that
  bool network = false;
  bool operator==(const CallFrame&) const = default;
};

/// The answer: what the program did, or why it did not run.
struct CallResultFrame {
  std::string id;
  std::int64_t status = 0;
  bool timed_out = false;
  std::string output;  ///< any bytes
  std::string errors;
  std::string error;  ///< "" or the name of an ErrorCode
  std::string message;
  std::string remedy;
  bool operator==(const CallResultFrame&) const = default;
};

/// A type of frame that this version does not know: to be ignored.
struct UnknownFrame {
  std::uint8_t type = 0;
  bool operator==(const UnknownFrame&) const = default;
};

using AgentFrame = std::variant<HelloFrame, WelcomeFrame, DefinitionsFrame, BatchFrame, AckFrame, ConfigFrame,
                                CallFrame, CallResultFrame, UnknownFrame>;

std::string encode(const HelloFrame& frame);
std::string encode(const WelcomeFrame& frame);
std::string encode(const DefinitionsFrame& frame);
std::string encode(const BatchFrame& frame);
std::string encode(const AckFrame& frame);
std::string encode(const ConfigFrame& frame);
std::string encode(const CallFrame& frame);
std::string encode(const CallResultFrame& frame);

/// invalid_argument for a frame that is malformed or above a bound. Views of the result live as
/// long as `bytes`.
Result<AgentFrame> decode_agent_frame(std::string_view bytes);

}  // namespace atalaya::ingest
