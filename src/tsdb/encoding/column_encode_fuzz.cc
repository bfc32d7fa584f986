// Numbers made of the bytes given: what is encoded must decode bit for bit, and to what a plain decoder
// that takes bit after bit makes of it.
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "tsdb/encoding/integers.h"
#include "tsdb/encoding/plain_decoder.h"
#include "tsdb/encoding/times.h"
#include "tsdb/encoding/values.h"

namespace {

using namespace atalaya;

/// The first byte says how the rest becomes doubles: as bits, as decimals, as sums of small steps.
std::vector<double> doubles(const std::uint8_t* data, std::size_t size) {
  const unsigned kind = data[0] % 4;
  const std::size_t width = kind == 0 ? 8 : 1 + data[0] / 4 % 6;
  const double scale = kind == 2 ? 1000 : 1;
  std::vector<double> out;
  std::int64_t sum = 0;
  for (std::size_t at = 1; at + width <= size; at += width) {
    std::int64_t v = 0;
    std::memcpy(&v, data + at, width);
    sum = tsdb::plus(sum, v);
    if (kind == 0) out.push_back(std::bit_cast<double>(v));
    if (kind == 1 || kind == 2) out.push_back(static_cast<double>(v) / scale);
    if (kind == 3) out.push_back(static_cast<double>(sum) * 0.01);
  }
  return out;
}

void check_values(const std::vector<double>& values) {
  std::string bytes;
  tsdb::encode_values(values, bytes);
  std::vector<double> back(values.size());
  AT_CHECK(tsdb::decode_values(bytes, back.size(), back.data()).has_value());
  const auto plain = tsdb::plain_decode_values(bytes, values.size());
  AT_CHECK(plain.size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    AT_CHECK(std::bit_cast<std::uint64_t>(back[i]) == std::bit_cast<std::uint64_t>(values[i]));
    AT_CHECK(std::bit_cast<std::uint64_t>(plain[i]) == std::bit_cast<std::uint64_t>(values[i]));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto values = doubles(data, size);
  if (values.empty()) return 0;
  check_values(values);
  std::vector<std::int64_t> times{std::bit_cast<std::int64_t>(values[0])};
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = tsdb::plus(times.back(), 1 + (std::int64_t{data[i]} << data[0] % 50));
    if (next > times.back()) times.push_back(next);
  }
  std::string bytes;
  tsdb::encode_times(times, bytes);
  std::vector<std::int64_t> back(times.size());
  AT_CHECK(tsdb::decode_times(bytes, back.size(), back.data()).has_value());
  AT_CHECK(back == times);
  return 0;
}
