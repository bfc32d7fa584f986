// Any bytes as a payload of the series log.
#include <cstdint>

#include "base/check.h"
#include "tsdb/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya::tsdb;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  atalaya::storage::OriginMarks marks;
  (void)decode_marks(bytes, marks);
  const auto batch = decode_batch(bytes);
  if (!batch) return 0;
  const auto again = decode_batch(encode_batch(*batch));
  AT_CHECK(again.has_value());
  AT_CHECK(again->samples.size() == batch->samples.size());
  AT_CHECK(again->definitions.size() == batch->definitions.size());
  return 0;
}
