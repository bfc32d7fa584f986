// Any bytes: decode; what decodes must encode to the same samples again.
#include <bit>
#include <cstdint>

#include "base/check.h"
#include "tsdb/chunk.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya;
  if (size < 2) return 0;
  const std::size_t count = 1 + data[0] + 256 * (data[1] % 4);
  std::vector<Sample> samples;
  if (!tsdb::decode_chunk({reinterpret_cast<const char*>(data) + 2, size - 2}, count, samples)) return 0;
  AT_CHECK(samples.size() == count);
  std::vector<Sample> again;
  tsdb::decode_chunk(*tsdb::encode_chunk(samples), again);
  AT_CHECK(again.size() == count);
  for (std::size_t i = 0; i < count; ++i) {
    AT_CHECK(again[i].time == samples[i].time);
    AT_CHECK(std::bit_cast<std::uint64_t>(again[i].value) == std::bit_cast<std::uint64_t>(samples[i].value));
  }
  return 0;
}
