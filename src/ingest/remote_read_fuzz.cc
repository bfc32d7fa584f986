// Remote read requests as a hostile asker could make them, and chunks of what the bytes are as samples.
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "ingest/remote_read.h"

using namespace atalaya;
using namespace atalaya::ingest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto request = read_remote_read(bytes)) {
    AT_CHECK(request->queries.size() <= kMaxRemoteReadQueries);
    for (const auto& query : request->queries) AT_CHECK(query.matchers.size() <= kMaxRemoteReadMatchers);
  }
  std::vector<Sample> samples;
  for (std::size_t at = 0; at + 12 <= size && samples.size() < 1000; at += 12) {
    std::uint32_t distance = 0;
    std::uint64_t value = 0;
    std::memcpy(&distance, data + at, sizeof distance);
    std::memcpy(&value, data + at + 4, sizeof value);
    const auto before = samples.empty() ? from_ms(0) : samples.back().time;
    samples.push_back({before + Duration{distance} + Duration{1}, std::bit_cast<double>(value)});
  }
  RemoteReadAnswer answer(true);
  answer.begin_query();
  answer.add(Labels{{"a", "b"}}, samples);
  AT_CHECK(answer.take().empty() == samples.empty());
  return 0;
}
