// Frames that carry records to a sensor of its own process: docs/formats/stream.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "sense/record.h"

namespace atalaya::sense {

constexpr std::uint64_t kStreamVersion = 1;
constexpr std::size_t kMaxStreamFrameBytes = 1 << 20;  ///< of type and body

struct StreamRecord {
  std::string stream;
  Record record;
};

struct StreamHello {
  std::uint64_t version = kStreamVersion;
  std::string token;
};
struct StreamWelcome {
  std::uint64_t version = kStreamVersion;
};
struct StreamRecords {
  std::vector<StreamRecord> records;
};
struct StreamPipe {
  std::string json;
};
struct StreamAsk {};
struct StreamStatus {
  std::string json;
};
struct StreamRefused {
  std::string error;
  std::string message;
  std::string remedy;
};
struct StreamPublished {
  std::uint64_t publisher = 0;
  std::string stream;
  std::vector<Record> records;
};
/// A type that this version does not know: to be passed over.
struct StreamUnknown {
  std::uint8_t type = 0;
};

using StreamFrame = std::variant<StreamHello, StreamWelcome, StreamRecords, StreamPipe, StreamAsk, StreamStatus,
                                 StreamRefused, StreamPublished, StreamUnknown>;

/// With its size in front. Records that do not fit into one frame are the caller's to divide: `kMaxStreamFrameBytes` is
/// enough for 12 of the greatest. Not for StreamUnknown.
std::string encode(const StreamFrame& frame);

/// Puts frames together from bytes as they come. Thread-compatible.
class StreamFrameReader {
 public:
  /// Appends the frames that are complete now. invalid_argument says where the bytes are malformed: nothing is read any
  /// more after that.
  Status put(std::string_view bytes, std::vector<StreamFrame>& out);

 private:
  std::string left_;
  bool broken_ = false;
};

}  // namespace atalaya::sense
