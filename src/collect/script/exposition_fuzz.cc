// What a hostile script could print.
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "collect/script/exposition.h"
#include "model/names.h"

using namespace atalaya;
using namespace atalaya::collect::script;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = parse_exposition({reinterpret_cast<const char*>(data), size});
  if (!parsed) {
    AT_CHECK(is_utf8(parsed.error().message));
    return 0;
  }
  for (const auto& sample : *parsed) {
    AT_CHECK(is_metric_name(sample.metric));
    for (const auto& [name, value] : sample.labels) AT_CHECK(is_label_name(name) && is_utf8(value));
  }
  return 0;
}
