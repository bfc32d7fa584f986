// Remote write bodies as a hostile sender could make them: the reader and a plain decoder must agree.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "ingest/remote_write_for_tests.h"

using namespace atalaya;
using namespace atalaya::ingest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  static RemoteWriteReader reader;
  static RemoteWriteReader small({.series = 2, .samples = 3, .symbols = 4});
  for (const auto version : {RemoteWriteVersion::kV1, RemoteWriteVersion::kV2}) {
    AT_CHECK(testing::difference(reader, version, body).empty());
    AT_CHECK(testing::difference(small, version, body).empty());
    if (small.read(version, body)) AT_CHECK(small.series().size() <= 2 && small.samples().size() <= 3);
  }
  return 0;
}
