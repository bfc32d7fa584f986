// Frames, and the payloads within them, as a hostile agent could send them.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "ingest/agent_frame.h"
#include "ingest/agent_payload.h"

using namespace atalaya;
using namespace atalaya::ingest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // Every frame that decodes must come back from its own encoding.
  if (const auto frame = decode_agent_frame(bytes)) {
    std::visit(
        [](const auto& f) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(f)>, UnknownFrame>) {
            const auto again = decode_agent_frame(encode(f));
            AT_CHECK(again.has_value());
          }
        },
        *frame);
  }
  Payload payload;
  for (const std::size_t known : {0u, 3u}) {
    if (!decode_payload(bytes, known, payload)) continue;
    for (const auto& sample : payload.samples) AT_CHECK(sample.ref < known + payload.definitions.size());
    for (const auto& log : payload.logs) AT_CHECK(log.ref < known + payload.definitions.size());
    AT_CHECK(payload_definitions(bytes)->size() == payload.definitions.size());
  }
  return 0;
}
