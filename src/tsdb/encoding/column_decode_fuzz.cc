// Any bytes: decode them as values and as instants; what decodes must encode to the same again.
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "tsdb/encoding/times.h"
#include "tsdb/encoding/values.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya;
  if (size < 2) return 0;
  const std::size_t count = 1 + data[0] + 256 * (data[1] % 4);
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 2, size - 2};
  std::string again;
  std::vector<double> values(count);
  if (tsdb::decode_values(bytes, count, values.data())) {
    tsdb::encode_values(values, again);
    std::vector<double> back(count);
    AT_CHECK(tsdb::decode_values(again, count, back.data()).has_value());
    for (std::size_t i = 0; i < count; ++i) {
      AT_CHECK(std::bit_cast<std::uint64_t>(back[i]) == std::bit_cast<std::uint64_t>(values[i]));
    }
  }
  std::vector<std::int64_t> times(count);
  if (tsdb::decode_times(bytes, count, times.data())) {
    again.clear();
    tsdb::encode_times(times, again);
    std::vector<std::int64_t> back(count);
    AT_CHECK(tsdb::decode_times(again, count, back.data()).has_value());
    AT_CHECK(back == times);
  }
  return 0;
}
