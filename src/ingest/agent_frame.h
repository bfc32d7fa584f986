// The frames that agent and server exchange: docs/formats/agent-protocol.md.
#pragma once

#include <cstdint>
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

/// Name and value of something that does not change while the host is up: kernel, architecture …
using Facts = std::vector<std::pair<std::string, std::string>>;

struct HelloFrame {
  std::uint64_t protocol = kAgentProtocol;
  std::string version;
  std::string host;
  std::string spool_id;
  Facts facts;
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

/// A type of frame that this version does not know: to be ignored.
struct UnknownFrame {
  std::uint8_t type = 0;
  bool operator==(const UnknownFrame&) const = default;
};

using AgentFrame =
    std::variant<HelloFrame, WelcomeFrame, DefinitionsFrame, BatchFrame, AckFrame, ConfigFrame, UnknownFrame>;

std::string encode(const HelloFrame& frame);
std::string encode(const WelcomeFrame& frame);
std::string encode(const DefinitionsFrame& frame);
std::string encode(const BatchFrame& frame);
std::string encode(const AckFrame& frame);
std::string encode(const ConfigFrame& frame);

/// invalid_argument for a frame that is malformed or above a bound. Views of the result live as
/// long as `bytes`.
Result<AgentFrame> decode_agent_frame(std::string_view bytes);

}  // namespace atalaya::ingest
