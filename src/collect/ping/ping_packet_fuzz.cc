// Packets as anybody may send them.
#include <cstdint>

#include "base/check.h"
#include "collect/ping/packet.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya::collect::ping;
  const std::string_view packet(reinterpret_cast<const char*>(data), size);
  for (const auto family : {Family::kV4, Family::kV6}) {
    for (const bool with_header : {false, true}) {
      const auto echo = decode_reply(family, packet, with_header);
      AT_CHECK(!echo || size >= 16);
    }
  }
  return 0;
}
