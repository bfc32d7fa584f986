#include "tsdb/encoding/times.h"

#include "base/check.h"
#include "tsdb/encoding/integers.h"

namespace atalaya::tsdb {

void encode_times(std::span<const std::int64_t> times, std::string& out) {
  AT_CHECK(!times.empty());
  encode_integers(times, out);
}

Status decode_times(std::string_view bytes, std::size_t count, std::int64_t* out) {
  if (count == 0 || !decode_integers(bytes, count, out) || !bytes.empty()) {
    return fail(ErrorCode::kCorruption, "a column of instants does not decode");
  }
  for (std::size_t i = 1; i < count; ++i) {
    if (out[i] <= out[i - 1]) return fail(ErrorCode::kCorruption, "instants do not ascend");
  }
  return {};
}

}  // namespace atalaya::tsdb
