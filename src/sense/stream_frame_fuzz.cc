// Frames of records, as a hostile sender could write them.
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "base/check.h"
#include "sense/stream_frame.h"

using namespace atalaya;
using namespace atalaya::sense;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::vector<StreamFrame> whole;
  const auto read = StreamFrameReader().put(bytes, whole);
  // However the bytes are cut, the frames are the same.
  StreamFrameReader reader;
  std::vector<StreamFrame> pieces;
  Status status;
  for (std::size_t at = 0; status && at < size; at += 7) status = reader.put(bytes.substr(at, 7), pieces);
  AT_CHECK(status.has_value() == read.has_value());
  AT_CHECK(pieces.size() == whole.size());
  for (const auto& frame : whole) {
    if (std::holds_alternative<StreamUnknown>(frame)) continue;
    // What was read is written and read again; a varint or text in a longer form than needed becomes the short one.
    const auto again = encode(frame);
    std::vector<StreamFrame> once;
    AT_CHECK(StreamFrameReader().put(again, once).has_value());
    AT_CHECK(once.size() == 1 && once[0].index() == frame.index());
    AT_CHECK(encode(once[0]) == again);
  }
  return 0;
}
